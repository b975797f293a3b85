//! What each format writes of the samples, byte for byte. `deploy/testing/exports` reads the same files with the tools that they
//! are for.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use docket_export::{Format, Found};
use serde_json::json;

use crate::sample::Sample;

/// Cuts of the text: each character alone, within words, and none.
const PIECES: [usize; 3] = [1, 7, 1_000];

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// The files of a ZIP, or the export itself as the only file.
fn files(format: Format, bytes: Vec<u8>) -> BTreeMap<String, String> {
    if format.media_type() != "application/zip" {
        return BTreeMap::from([(String::new(), String::from_utf8(bytes).unwrap())]);
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let read = |name: String| {
        let mut text = String::new();
        archive.by_name(&name).unwrap().read_to_string(&mut text).unwrap();
        (name, text)
    };
    names.into_iter().map(read).collect()
}

fn assert_golden(sample: &Sample, name: &str, format: Format) {
    let file = golden(&format!("{name}.{}", format.ending()));
    let expected = files(format, std::fs::read(&file).unwrap());
    for piece in PIECES {
        let written = files(format, sample.export(format, piece).unwrap());
        assert_eq!(written, expected, "{} in pieces of {piece}", file.display());
    }
}

#[test]
fn each_format_writes_the_sample_as_its_golden_file_has_it() {
    let sample = Sample::text();
    for format in Format::ALL {
        assert_golden(&sample, "sample", *format);
    }
}

#[test]
fn a_pdf_goes_to_opencontracts_with_the_words_of_its_pages() {
    assert_golden(&Sample::pdf(), "pdf", Format::OpenContracts);
}

#[test]
fn the_golden_list_of_entities_is_the_samples() {
    let entity = |Found { entity, .. }: &Found| {
        assert_eq!(Sample::text().text[entity.span.bytes()], entity.text);
        json!({"label": entity.label, "text": entity.text, "start": entity.span.start, "end": entity.span.end})
    };
    let sample = Sample::text();
    let expected = json!({"text": sample.text, "entities": sample.found.iter().map(entity).collect::<Vec<_>>()});
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(golden("sample.json")).unwrap()).unwrap();
    assert_eq!(golden, expected);
}
