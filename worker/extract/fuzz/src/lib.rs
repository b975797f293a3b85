//! What the targets share: limits, what must hold of everything that is read, and packages of parts.

use std::collections::HashSet;
use std::io::{Cursor, Write};

use docket_contract::media_type::MediaType;
use docket_contract::text_map::TextMap;
use docket_extract::fuzzing::{self, Read};
use docket_extract::limits::Limits;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Limits that small inputs meet.
pub const LIMITS: Limits = Limits {
    pages: 100,
    text_bytes: 16 << 10,
    inflated_bytes: 256 << 10,
};
/// Stands between the parts of an input that has several. XML has no such character.
const SEPARATOR: u8 = 1;
/// Longest name of a file that a worker takes.
const FILE_NAME_CHARS_MAX: usize = 255;

/// Reads a document, and checks what a worker relies on. A refusal is an answer like any other.
pub fn read(media_type: MediaType, bytes: &[u8]) {
    read_within(media_type, bytes, &LIMITS);
}

/// The same, under other limits.
pub fn read_within(media_type: MediaType, bytes: &[u8], limits: &Limits) {
    if let Ok(read) = fuzzing::read(media_type, bytes, limits) {
        check_text(&read, limits);
        check_map(&read);
        check_files(&read, limits);
    }
}

fn check_text(read: &Read, limits: &Limits) {
    let text = &read.text;
    assert!(text.len() <= limits.text_bytes, "the text has {} bytes", text.len());
    let is_between = |c: char| matches!(c, '\n' | '\t') || (c == '\u{c}' && !read.map.pages.is_empty());
    let is_left_out = |c: char| (c.is_control() && !is_between(c)) || matches!(c, '\u{ad}' | '\u{feff}');
    let strange = text.chars().find(|&c| is_left_out(c));
    assert_eq!(strange, None, "the text has a character that is left out");
}

fn check_map(read: &Read) {
    let (text, map) = (&read.text, &read.map);
    map.check(text).expect("the map fits the text");
    assert!(
        map.blocks.is_sorted_by(|one, next| one.bytes.end < next.bytes.start),
        "blocks touch"
    );
    for block in &map.blocks {
        let inside = &text[block.bytes.start as usize..block.bytes.end as usize];
        assert_eq!(inside.trim(), inside, "a block begins or ends with a blank");
    }
    let text_bytes = text.len().try_into().expect("limits are small");
    let bytes = map.to_bytes();
    // A worker takes 16 bytes of text, map and files for each byte that a text may have.
    let bytes_max = 64 * (map.pages.len() + 1) + 15 * text.len();
    assert!(bytes.len() <= bytes_max, "the map has {} bytes", bytes.len());
    let again = TextMap::from_bytes(&bytes, text_bytes, map.memory_bytes());
    assert_eq!(again.as_ref(), Ok(map), "the map comes back as it was");
}

fn check_files(read: &Read, limits: &Limits) {
    let bytes: usize = read.files.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes as u64 <= limits.inflated_bytes, "the files have {bytes} bytes");
    let mut names = HashSet::new();
    for name in read.files.iter().filter_map(|(name, _)| name.as_deref()) {
        assert!((1..=FILE_NAME_CHARS_MAX).contains(&name.chars().count()), "{name:?}");
        assert!(
            !name.contains(['/', '\\']) && !name.contains(char::is_control),
            "{name:?}"
        );
        assert!(names.insert(name.to_lowercase()), "two files have the name {name:?}");
    }
}

/// The parts of an input, one for each name. Parts that the input does not have are left out.
pub fn parts<'a>(names: &[&'static str], input: &'a [u8]) -> Vec<(&'static str, &'a [u8])> {
    let parts = input.split(|&byte| byte == SEPARATOR);
    names.iter().copied().zip(parts).collect()
}

/// A package of parts, not compressed.
pub fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, part) in parts {
        writer.start_file(*name, options).expect("names differ");
        writer.write_all(part).expect("memory takes all");
    }
    writer.finish().expect("memory takes all").into_inner()
}

/// A DOCX of an input's parts, with relationships that name all of them.
pub fn docx(input: &[u8]) -> Vec<u8> {
    let mut parts = parts(&DOCX_PARTS, input);
    parts.push(("word/_rels/document.xml.rels", DOCX_RELATIONSHIPS));
    package(&parts)
}

/// An ODT of an input's parts.
pub fn odt(input: &[u8]) -> Vec<u8> {
    package(&parts(&ODT_PARTS, input))
}

/// The parts of a DOCX that are fuzzed.
const DOCX_PARTS: [&str; 8] = [
    "word/document.xml",
    "word/styles.xml",
    "word/numbering.xml",
    "word/header.xml",
    "word/footer.xml",
    "word/footnotes.xml",
    "word/endnotes.xml",
    "word/comments.xml",
];
/// The parts of an ODT that are fuzzed.
const ODT_PARTS: [&str; 3] = ["content.xml", "styles.xml", "META-INF/manifest.xml"];
const DOCX_RELATIONSHIPS: &[u8] =
    br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="x/styles" Target="styles.xml"/>
<Relationship Id="rId2" Type="x/numbering" Target="numbering.xml"/>
<Relationship Id="rId3" Type="x/header" Target="header.xml"/>
<Relationship Id="rId4" Type="x/footer" Target="footer.xml"/>
<Relationship Id="rId5" Type="x/footnotes" Target="footnotes.xml"/>
<Relationship Id="rId6" Type="x/endnotes" Target="endnotes.xml"/>
<Relationship Id="rId7" Type="x/comments" Target="comments.xml"/>
</Relationships>"#;
