//! Writes PDFs: object by object, or pages as a contract has them.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::corpus::{self, Kind, Random};

/// Points of a line of text, and of the distance between two lines.
const FONT: f64 = 10.0;
const PITCH: f64 = 12.0;
/// Left margin, and height of the first line, in points on a page of US Letter.
const LEFT: f64 = 72.0;
const TOP: f64 = 708.0;
/// Lines of a column.
const LINES: usize = 52;
/// Words of the texts that pages are filled from.
const CONTRACT_WORDS: usize = 12_000;
/// The fonts of all pages: text, headings, page headers and numbers.
const FONTS: [(&str, &str); 4] = [
    ("R", "Times-Roman"),
    ("B", "Times-Bold"),
    ("H", "Helvetica"),
    ("C", "Courier"),
];

/// How streams are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// Compressed.
    Flate,
    /// As they are.
    Plain,
}

/// Columns of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// One column of 88 characters.
    One,
    /// Two columns of 42 characters.
    Two,
}

impl Columns {
    /// Where each column begins, in points, and how many characters a line holds.
    fn shape(self) -> (&'static [f64], usize) {
        match self {
            Self::One => (&[0.0], 88),
            Self::Two => (&[0.0, 246.0], 42),
        }
    }
}

/// A PDF under construction. Objects are numbered from 1.
#[derive(Debug, Default)]
pub struct Pdf {
    objects: Vec<Vec<u8>>,
}

impl Pdf {
    /// Adds an object, and returns its number.
    pub fn add(&mut self, object: impl Into<Vec<u8>>) -> usize {
        self.objects.push(object.into());
        self.objects.len()
    }

    /// Adds a stream as it is.
    pub fn stream(&mut self, entries: &str, content: &[u8]) -> usize {
        self.add(stream(entries, content, content.len()))
    }

    /// Adds a compressed stream.
    pub fn compressed(&mut self, entries: &str, content: &[u8]) -> usize {
        let content = deflated(content);
        self.stream(&format!("/Filter/FlateDecode{entries}"), &content)
    }

    /// Replaces an object.
    pub fn set(&mut self, number: usize, object: impl Into<Vec<u8>>) {
        self.objects[number - 1] = object.into();
    }

    /// The file, whose catalog has this number.
    pub fn bytes(&self, root: usize) -> Vec<u8> {
        let mut bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", self.objects.len() + 1);
        for (at, object) in self.objects.iter().enumerate() {
            let _ = writeln!(table, "{:010} 00000 n ", bytes.len());
            bytes.extend(format!("{} 0 obj\n", at + 1).as_bytes());
            bytes.extend(object);
            bytes.extend(b"\nendobj\n");
        }
        let start = bytes.len();
        let size = self.objects.len() + 1;
        let end = format!("{table}trailer\n<</Root {root} 0 R/Size {size}>>\nstartxref\n{start}\n%%EOF\n");
        bytes.extend(end.as_bytes());
        bytes
    }
}

/// A stream that says this length of its content.
pub fn stream(entries: &str, content: &[u8], length: usize) -> Vec<u8> {
    let mut object = format!("<</Length {length}{entries}>>stream\n").into_bytes();
    object.extend(content);
    object.extend(b"\nendstream");
    object
}

/// Bytes as `FlateDecode` unpacks them.
pub fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// A PDF with as many pages as a text needs, at least one.
pub fn of_text(text: &str, streams: Streams) -> Vec<u8> {
    let (_, width) = Columns::One.shape();
    let mut lines: Vec<String> = text.lines().flat_map(|line| wrapped(line, width)).collect();
    if lines.is_empty() {
        lines.push(String::new());
    }
    let pages: Vec<String> = lines.chunks(LINES).map(|page| drawn(page, Columns::One, 1)).collect();
    of_pages(&pages, streams)
}

/// A born-digital contract of exactly this many pages.
pub fn contract(pages: usize, columns: Columns, seed: u64) -> Vec<u8> {
    let (starts, width) = columns.shape();
    let a_page = LINES * starts.len();
    let mut lines = Vec::with_capacity(pages * a_page);
    for index in 0.. {
        if lines.len() >= pages * a_page {
            break;
        }
        let words = CONTRACT_WORDS.min(pages * a_page * 16);
        let text = corpus::text(Kind::Contracts, words, seed, index);
        lines.extend(text.lines().flat_map(|line| wrapped(line, width)));
    }
    let pages = lines.chunks(a_page).take(pages).zip(1..);
    let drawn: Vec<String> = pages.map(|(page, number)| drawn(page, columns, number)).collect();
    of_pages(&drawn, Streams::Flate)
}

fn of_pages(pages: &[String], streams: Streams) -> Vec<u8> {
    let mut pdf = Pdf::default();
    let (catalog, tree) = (pdf.add("<</Type/Catalog/Pages 2 0 R>>"), pdf.add(""));
    let mut fonts = String::new();
    for (name, base) in FONTS {
        let font = format!("<</Type/Font/Subtype/Type1/BaseFont/{base}/Encoding/WinAnsiEncoding>>");
        let _ = write!(fonts, "/{name} {} 0 R", pdf.add(font));
    }
    let mut kids = String::new();
    for page in pages {
        let content = win_ansi(page);
        let content = match streams {
            Streams::Flate => pdf.compressed("", &content),
            Streams::Plain => pdf.stream("", &content),
        };
        let number = pdf.add(format!(
            "<</Type/Page/Parent {tree} 0 R/MediaBox[0 0 612 792]/Contents {content} 0 R/Resources<</Font<<{fonts}>>>>>>"
        ));
        let _ = write!(kids, "{number} 0 R ");
    }
    pdf.set(tree, format!("<</Type/Pages/Kids[{kids}]/Count {}>>", pages.len()));
    pdf.bytes(catalog)
}

/// Draws a page: a header, columns of justified lines, headings in bold, and the page's number.
fn drawn(lines: &[String], columns: Columns, number: usize) -> String {
    let (starts, width) = columns.shape();
    let mut page =
        format!("BT /H 8 Tf 72 750 Td (Services Agreement) Tj ET\nBT /C 9 Tf 300 40 Td (- {number} -) Tj ET\n");
    // The words are kerned, as word processors write them, and always alike.
    let mut kerning = Random::new(number as u64);
    for (column, start) in lines.chunks(LINES).zip(starts) {
        let _ = writeln!(page, "BT {PITCH} TL {} {TOP} Td", LEFT + start);
        for line in column {
            let font = if is_heading(line) { "B" } else { "R" };
            let words = line.split(' ').filter(|word| !word.is_empty());
            let shown: String = words
                .map(|word| format!("({} ) {} ", literal(word), kerning.within(0, 40)))
                .collect();
            let _ = writeln!(page, "/{font} {} Tf [{shown}] TJ T*", FONT - (88 - width) as f64 / 46.0);
        }
        page.push_str("ET\n");
    }
    page
}

/// Whether a line is a numbered heading or in capitals.
fn is_heading(line: &str) -> bool {
    let has_letters = line.chars().any(char::is_alphabetic);
    has_letters
        && line.len() < 60
        && (!line.chars().any(char::is_lowercase) || line.starts_with(|c: char| c.is_ascii_digit()))
}

/// A line as lines of at most `width` characters, longer words aside.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)")
}

/// A text in the encoding of the fonts.
fn win_ansi(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_has_its_pages() {
        for columns in [Columns::One, Columns::Two] {
            let file = contract(14, columns, 1);
            let found = file.windows(10).filter(|window| window.starts_with(b"/Type/Page"));
            // The root of the pages and each page.
            assert_eq!(found.count(), 15);
            assert_eq!(file, contract(14, columns, 1));
            assert_ne!(file, contract(14, columns, 2));
        }
    }

    #[test]
    fn a_line_is_cut_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("", 7), [""]);
    }
}
