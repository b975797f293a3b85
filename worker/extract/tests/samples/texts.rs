//! The exact text of each sample stands in `tests/expected`, with a line break at its end.

use std::path::Path;

use docket_extract::Reading;

use crate::reading::{read, read_bytes};

pub const FACTS: &[(&str, fn())] = &[
    ("the_text_of_each_sample_is_the_expected_one", the_text_of_each_sample),
    (
        "the_text_of_an_attached_pdf_is_the_expected_one",
        the_text_of_an_attached_pdf,
    ),
];

const SAMPLES: [&str; 6] = [
    "engagement-letter.odt",
    "public-notice.html",
    "services-agreement.pdf",
    "settlement-offer.eml",
    "standard-terms.pdf",
    "supply-amendment.docx",
];

fn the_text_of_each_sample() {
    let unlike: Vec<String> = SAMPLES.iter().filter_map(|name| differs(name, &read(name))).collect();
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

fn the_text_of_an_attached_pdf() {
    let mail = read("settlement-offer.eml");
    let [file] = &mail.files[..] else {
        panic!("{:?}", mail.files);
    };
    let name = file.file_name.as_deref().unwrap();
    assert_eq!(differs(name, &read_bytes(file.bytes.clone(), name)), None);
}

/// Says where to look if a text is not the expected one.
fn differs(name: &str, reading: &Reading) -> Option<String> {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/expected/{name}.txt"));
    let read = format!("{}\n", reading.text.text);
    if std::fs::read_to_string(&expected).is_ok_and(|expected| expected == read) {
        return None;
    }
    let found = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.txt"));
    std::fs::write(&found, read).unwrap();
    Some(format!("{name}: {} is not as {}", found.display(), expected.display()))
}
