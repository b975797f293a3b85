//! A map -> bytes, in which a page can be found without reading the others.
//!
//! Layout, all numbers little-endian: [`MAGIC`]; the number of pages (u32); the number of chunks (u32): one a page, or one for a
//! document without pages. Then a record for each page: number, first byte, end byte, first character, end character (u32 each),
//! width, height (f32 each), reading (its place in [`Reading::ALL`] in the low
//! byte; in the byte above, how sure OCR is in percent, or 0; u32). Then for each chunk its length (u32). Then the chunks, each
//! compressed by deflate (RFC 1951): the number of blocks (u32); for each block the bytes since the block before (or since the
//! page's start), its length, its region, its place's kind and numbers, each as LEB128; then the boxes: the left edges of all
//! characters, the top, right and bottom ones, each edge as the difference (i16, wrapping) to the edge before.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::{Block, CharBox, Page, Reading, TextMap};
use crate::place::{Place, Region};

/// What every stored map begins with: a name, the version of the layout, a line break.
pub(super) const MAGIC: [u8; 8] = *b"DKTMAP1\n";
/// Bytes of the magic and the two counts.
pub(super) const HEAD_BYTES: usize = MAGIC.len() + size_of::<[u32; 2]>();
/// Bytes of a page's record.
pub(super) const PAGE_BYTES: usize = size_of::<[u32; 8]>();
/// Bytes of a chunk's length.
pub(super) const CHUNK_BYTES: usize = size_of::<u32>();

impl TextMap {
    /// The map as bytes. Holds for maps of texts below 4 GiB, as all are.
    pub fn to_bytes(&self) -> Vec<u8> {
        let chunks = self.chunks();
        let mut bytes = MAGIC.to_vec();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
        bytes.extend(count(self.pages.len()));
        bytes.extend(count(chunks.len()));
        self.pages.iter().for_each(|page| put_page(&mut bytes, page));
        chunks.iter().for_each(|chunk| bytes.extend(count(chunk.len())));
        chunks.iter().for_each(|chunk| bytes.extend(chunk));
        bytes
    }

    fn chunks(&self) -> Vec<Vec<u8>> {
        // One encoder for all chunks: its tables have some 300 KB.
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        let mut deflated = |raw: &[u8]| {
            encoder.write_all(raw).expect("a vector takes all bytes");
            encoder.reset(Vec::new()).expect("a vector takes all bytes")
        };
        if self.pages.is_empty() {
            return vec![deflated(&chunk(0, &self.blocks, &[]))];
        }
        let mut blocks = self.blocks.as_slice();
        let mut chunks = Vec::with_capacity(self.pages.len());
        for page in &self.pages {
            let inside = blocks.partition_point(|block| block.bytes.start < page.bytes.end);
            let (of_page, rest) = blocks.split_at(inside);
            chunks.push(deflated(&chunk(page.bytes.start, of_page, &page.boxes)));
            blocks = rest;
        }
        chunks
    }
}

fn put_page(bytes: &mut Vec<u8>, page: &Page) {
    let numbers = [
        page.number,
        page.bytes.start,
        page.bytes.end,
        page.chars.start,
        page.chars.end,
        page.width.to_bits(),
        page.height.to_bits(),
        place_in(Reading::ALL, page.reading) | u32::from(page.confidence.unwrap_or_default()) << 8,
    ];
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn place_in<T: PartialEq + Copy>(all: &[T], value: T) -> u32 {
    let place = all.iter().position(|&known| known == value);
    u32::try_from(place.unwrap_or_default()).unwrap_or_default()
}

fn chunk(start: u32, blocks: &[Block], boxes: &[CharBox]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(blocks.len() * 8 + size_of_val(boxes));
    raw.extend(u32::try_from(blocks.len()).unwrap_or(u32::MAX).to_le_bytes());
    let mut end = start;
    for block in blocks {
        put_number(&mut raw, block.bytes.start - end);
        put_number(&mut raw, block.bytes.end - block.bytes.start);
        put_number(&mut raw, place_in(Region::ALL, block.region));
        put_place(&mut raw, block.place);
        end = block.bytes.end;
    }
    let edges: [fn(&CharBox) -> i16; 4] = [|of| of.left, |of| of.top, |of| of.right, |of| of.bottom];
    for edge in edges {
        let mut before = 0_i16;
        for edge in boxes.iter().map(edge) {
            raw.extend(edge.wrapping_sub(before).to_le_bytes());
            before = edge;
        }
    }
    raw
}

fn put_place(raw: &mut Vec<u8>, place: Option<Place>) {
    let (kind, numbers): (u32, &[u32]) = match &place {
        None => (0, &[]),
        Some(Place::Line { line }) => (1, &[*line]),
        Some(Place::Paragraph { paragraph }) => (2, &[*paragraph]),
        Some(Place::Cell { table, row, column }) => (3, &[*table, *row, *column]),
    };
    put_number(raw, kind);
    numbers.iter().for_each(|&number| put_number(raw, number));
}

/// A number in LEB128: seven bits a byte, the lowest first.
fn put_number(raw: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        raw.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    raw.push(number as u8);
}
