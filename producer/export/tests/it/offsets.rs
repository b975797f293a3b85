//! Whatever the text: offsets lead to the entity's words, and nothing is lost or added.

use std::io::{Cursor, Read};

use docket_export::{Format, Found};
use proptest::prelude::*;
use serde_json::Value;

use crate::sample::{Sample, entity};

/// Characters of one to four bytes, of two UTF-16 units, combining, blanks and ends of lines.
const CHARS: [char; 16] = [
    'a',
    'Z',
    '7',
    ' ',
    '\n',
    '\r',
    '\t',
    '\u{301}',
    '\u{e9}',
    '\u{4e2d}',
    '\u{1f600}',
    '\u{200d}',
    ',',
    '"',
    '\u{c}',
    '\u{2028}',
];

/// A text with entities that do not cross: each lies behind the one before, or within it.
fn samples() -> impl Strategy<Value = Sample> {
    let chars = prop::collection::vec(prop::sample::select(CHARS.to_vec()), 1..200);
    let spans = prop::collection::vec((0_usize..40, 1_usize..30, any::<bool>()), 0..12);
    (chars, spans).prop_map(|(chars, spans)| {
        let text: String = chars.iter().collect();
        let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let (mut found, mut from) = (Vec::new(), 0);
        for (gap, length, has_inner) in spans {
            let start = from + gap;
            let end = start + length;
            if end >= bytes.len() {
                break;
            }
            let inner = (has_inner && length > 2).then_some((start + 1, end - 1));
            for (start, end) in [Some((start, end)), inner].into_iter().flatten() {
                let ordinal = i32::try_from(found.len()).unwrap() + 1;
                let entity = entity(&text, "ORG", bytes[start]..bytes[end]);
                found.push(Found { ordinal, entity });
            }
            from = end;
        }
        let mut sample = Sample::text();
        (sample.text, sample.found) = (text, found);
        sample
    })
}

fn slice(text: &str, start: &Value, end: &Value) -> String {
    let at = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    text.chars().skip(at(start)).take(at(end) - at(start)).collect()
}

fn words(sample: &Sample) -> Vec<String> {
    sample.found.iter().map(|found| found.entity.text.clone()).collect()
}

/// A file of a ZIP, by the end of its name.
pub fn file(archive: Vec<u8>, ending: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut names = archive.file_names().map(|name| name.unwrap().into_owned());
    let name = names.find(|name| name.ends_with(ending)).unwrap();
    drop(names);
    let mut text = String::new();
    archive.by_name(&name).unwrap().read_to_string(&mut text).unwrap();
    text
}

proptest! {
    #[test]
    fn offsets_of_json_formats_lead_to_the_words(sample in samples(), piece in 1_usize..50) {
        let read = |format| -> Value { serde_json::from_slice(&sample.export(format, piece).unwrap()).unwrap() };
        let spacy = read(Format::Spacy);
        prop_assert_eq!(spacy["text"].as_str().unwrap(), &sample.text);
        let spans = spacy["spans"].as_array().unwrap();
        let found: Vec<String> = spans.iter().map(|span| slice(&sample.text, &span["start"], &span["end"])).collect();
        prop_assert_eq!(found, words(&sample));

        let doccano = read(Format::Doccano);
        prop_assert_eq!(doccano["text"].as_str().unwrap(), &sample.text);
        let labels = doccano["label"].as_array().unwrap();
        let found: Vec<String> = labels.iter().map(|label| slice(&sample.text, &label[0], &label[1])).collect();
        prop_assert_eq!(found, words(&sample));

        let studio = read(Format::LabelStudio);
        prop_assert_eq!(studio[0]["data"]["text"].as_str().unwrap(), &sample.text);
        let regions = studio[0]["predictions"][0]["result"].as_array().unwrap();
        let found: Vec<String> = regions.iter().map(|region| slice(&sample.text, &region["value"]["start"], &region["value"]["end"])).collect();
        prop_assert_eq!(found, words(&sample));
    }

    #[test]
    fn both_selectors_of_an_annotation_select_the_words(sample in samples(), piece in 1_usize..50) {
        let page: Value = serde_json::from_slice(&sample.export(Format::WebAnnotation, piece).unwrap()).unwrap();
        let items = page["items"].as_array().unwrap();
        prop_assert_eq!(items.len(), sample.found.len());
        for (item, found) in items.iter().zip(&sample.found) {
            let [position, quotation] = [0, 1].map(|at| &item["target"]["selector"][at]);
            prop_assert_eq!(slice(&sample.text, &position["start"], &position["end"]), found.entity.text.clone());
            prop_assert_eq!(quotation["exact"].as_str().unwrap(), &found.entity.text);
            let (start, end) = (found.entity.span.start as usize, found.entity.span.end as usize);
            let before: String = sample.text.chars().take(start).skip(start.saturating_sub(32)).collect();
            let after: String = sample.text.chars().skip(end).take(32).collect();
            prop_assert_eq!(quotation["prefix"].as_str().unwrap(), before);
            prop_assert_eq!(quotation["suffix"].as_str().unwrap(), after);
        }
    }

    #[test]
    fn characters_of_opencontracts_are_counted_in_utf_16(sample in samples(), piece in 1_usize..50) {
        let archive = sample.export(Format::OpenContracts, piece).unwrap();
        prop_assert_eq!(file(archive.clone(), ".txt"), sample.text.clone());
        let export: Value = serde_json::from_str(&file(archive, "0001.json")).unwrap();
        prop_assert_eq!(export["content"].as_str().unwrap(), &sample.text);
        let units: Vec<u16> = sample.text.encode_utf16().collect();
        let annotations = export["labelled_text"].as_array().unwrap().iter();
        let found: Vec<String> = annotations.map(|annotation| {
            let at = |name: &str| usize::try_from(annotation["annotation_json"][name].as_u64().unwrap()).unwrap();
            String::from_utf16(&units[at("start")..at("end")]).unwrap()
        }).collect();
        prop_assert_eq!(found, words(&sample));
    }

    #[test]
    fn fragments_of_brat_are_what_stands_at_their_offsets(sample in samples(), piece in 1_usize..50) {
        let archive = sample.export(Format::Brat, piece).unwrap();
        prop_assert_eq!(file(archive.clone(), ".txt"), sample.text.clone());
        let annotations = file(archive, ".ann");
        for line in annotations.split('\n').filter(|line| line.starts_with('T')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [_, place, words] = fields[..] else { panic!("{line:?}") };
            let places = place.strip_prefix("ORG ").unwrap().split(';');
            let fragments: Vec<String> = places.map(|place| {
                let (start, end) = place.split_once(' ').unwrap();
                slice(&sample.text, &start.parse().unwrap(), &end.parse().unwrap())
            }).collect();
            prop_assert_eq!(fragments.join(" "), words);
        }
    }

    #[test]
    fn the_words_of_conll_are_the_texts_however_it_is_cut(sample in samples(), piece in 1_usize..50) {
        let written = String::from_utf8(sample.export(Format::Conll, piece).unwrap()).unwrap();
        prop_assert_eq!(&written, &String::from_utf8(sample.export(Format::Conll, 1_000).unwrap()).unwrap());
        let rows = written.strip_prefix("-DOCSTART- -X- O O\n\n").unwrap().lines();
        let rows: Vec<Vec<&str>> = rows.filter(|row| !row.is_empty()).map(|row| row.split(' ').collect()).collect();
        let all: String = rows.iter().map(|row| row[0]).collect();
        let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>();
        prop_assert_eq!(all, solid(&sample.text));
        let mut entities: Vec<String> = Vec::new();
        for row in &rows {
            match row[3] {
                "B-ORG" => entities.push(row[0].to_owned()),
                "I-ORG" => entities.last_mut().unwrap().push_str(row[0]),
                tag => prop_assert_eq!(tag, "O"),
            }
        }
        // The inner entities do not stand; an entity of blanks has no word.
        let ends = sample.found.iter().scan(0, |end, found| {
            let inner = found.entity.span.start < *end;
            *end = found.entity.span.end.max(*end);
            Some((!inner).then(|| solid(&found.entity.text)))
        });
        let outer: Vec<String> = ends.flatten().filter(|words| !words.is_empty()).collect();
        prop_assert_eq!(entities, outer);
    }
}
