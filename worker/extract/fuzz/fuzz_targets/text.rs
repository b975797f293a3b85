//! Any bytes as plain text whose encoding is named or not, and what kind of document the bytes are taken for.
#![no_main]

use bytes::Bytes;
use docket_contract::media_type::{Declared, MediaType};
use docket_extract::{ExtractedText, fuzzing, plain_text, way};
use docket_fuzz::LIMITS;

const DECLARED: [&str; 6] = [
    "text/plain",
    "text/plain; charset=utf-8",
    "text/plain; charset=utf-16le",
    "text/plain; charset=windows-1252",
    "text/plain; charset=shift_jis",
    "text/plain; charset=iso-2022-jp",
];

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    fuzzing::recognise(input);
    // One way an input: each costs the statistics of 27 character sets.
    let Some((&which, bytes)) = input.split_first() else {
        return;
    };
    let declared = DECLARED[usize::from(which) % DECLARED.len()];
    let declared = Declared::parse(declared).expect("it is known");
    way::way(declared, Some("lease.txt"), bytes);
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(text) = plain_text(MediaType::Plain, declared, &bytes, &LIMITS) {
        check(&text);
    }
});

fn check(read: &ExtractedText) {
    let text = &read.text;
    assert!(text.len() <= LIMITS.text_bytes, "the text has {} bytes", text.len());
    assert!(!text.contains('\0'));
    assert!(read.nuls.is_sorted_by(|one, next| one < next));
    for &nul in &read.nuls {
        assert!(text[nul..].starts_with('\u{fffd}'), "no NUL stood at byte {nul}");
    }
}
