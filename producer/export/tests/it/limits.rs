//! What is refused, and what is bounded.

use docket_export::{Export, ExportError, Format, Part};

use crate::offsets::file;
use crate::sample::{Sample, entity};

#[test]
fn an_entity_that_does_not_stand_where_its_offsets_say_is_an_error() {
    for format in [Format::WebAnnotation, Format::Conll] {
        let mut sample = Sample::text();
        sample.text.truncate(40);
        let error = sample.export(format, 7).unwrap_err();
        assert!(matches!(error, ExportError::Misplaced { .. }), "{format:?}: {error}");
    }
    let mut sample = Sample::text();
    sample.found[0].entity.text = "Ida\r\nLovelace".to_owned();
    let error = sample.export(Format::WebAnnotation, 7).unwrap_err();
    assert!(matches!(error, ExportError::Misplaced { ordinal: 1 }), "{error}");
}

#[test]
fn a_result_without_offsets_in_utf_16_has_no_place_in_opencontracts() {
    let mut sample = Sample::text();
    sample.found[0].entity.span.start_utf16 = None;
    let error = sample.export(Format::OpenContracts, 7).unwrap_err();
    assert!(matches!(error, ExportError::NotCounted { ordinal: 1 }), "{error}");
    assert!(sample.export(Format::Jsonl, 7).is_ok());
}

#[test]
fn a_part_that_was_not_wanted_is_refused() {
    for format in Format::ALL {
        let mut export = Export::new(*format, Sample::text().document);
        let error = export.take(Part::OriginalEnd).unwrap_err();
        assert!(matches!(error, ExportError::NotWanted), "{format:?}: {error}");
    }
}

#[test]
fn a_document_without_text_and_entities_is_exported() {
    for format in Format::ALL {
        let mut sample = Sample::text();
        (sample.text, sample.found) = (String::new(), Vec::new());
        let written = sample.export(*format, 7).unwrap();
        assert_eq!(written.is_empty(), *format == Format::Jsonl, "{format:?}");
    }
}

#[test]
fn bytes_are_ready_while_the_text_still_comes() {
    let piece = "word \u{e9}".repeat(1_000);
    for format in [Format::Spacy, Format::LabelStudio, Format::Doccano, Format::Conll] {
        let mut export = Export::new(format, Sample::text().document);
        if format == Format::Conll {
            export.take(Part::EntityEnd).unwrap();
        }
        export.hand_out();
        for _ in 0..10 {
            export.take(Part::Text(&piece)).unwrap();
            assert!(export.hand_out().len() >= piece.len() - 16, "{format:?}");
        }
    }
}

#[test]
fn a_text_without_a_blank_is_not_held_back_for_ever() {
    let piece = "a".repeat(32 * 1024);
    let mut export = Export::new(Format::Conll, Sample::text().document);
    export.take(Part::EntityEnd).unwrap();
    let mut ready = 0;
    for _ in 0..8 {
        export.take(Part::Text(&piece)).unwrap();
        ready += export.hand_out().len();
    }
    assert!(ready >= 5 * piece.len(), "{ready}");
}

#[test]
fn of_entities_that_overlap_the_longest_stands() {
    let text = "one two three four";
    let mut sample = Sample::text();
    sample.text = text.to_owned();
    let bytes = [0..3, 0..7, 4..18, 14..18];
    let found = (1..).zip(bytes).map(|(ordinal, bytes)| docket_export::Found {
        ordinal,
        entity: entity(text, "A B", bytes),
    });
    sample.found = found.collect();
    let written = String::from_utf8(sample.export(Format::Conll, 4).unwrap()).unwrap();
    let rows: Vec<&str> = written.lines().skip(2).collect();
    assert_eq!(
        rows,
        [
            "one -X- _ O",
            "two -X- _ B-A_B",
            "three -X- _ I-A_B",
            "four -X- _ I-A_B"
        ]
    );
}

#[test]
fn a_note_of_brat_stays_on_its_line() {
    let mut sample = Sample::text();
    sample.found[3].entity.value = Some("{\"kind\":\"a\u{2028}b\u{85}c\"}".into());
    let annotations = file(sample.export(Format::Brat, 7).unwrap(), ".ann");
    assert!(!annotations.contains(['\u{2028}', '\u{85}']), "{annotations}");
    let note = annotations
        .lines()
        .find_map(|line| line.strip_prefix("#4\tAnnotatorNotes T4\t"))
        .unwrap();
    let note: serde_json::Value = serde_json::from_str(note).unwrap();
    assert_eq!(note["value"]["kind"], "a\u{2028}b\u{85}c");
}
