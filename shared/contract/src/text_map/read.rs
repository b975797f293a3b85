//! Bytes -> a map, or one page of a map. The layout stands in `write.rs`.

use std::io::Read as _;
use std::ops::Range;

use flate2::read::DeflateDecoder;

use super::write::{CHUNK_BYTES, HEAD_BYTES, MAGIC, PAGE_BYTES};
use super::{Block, CharBox, Page, Reading, TextMap};
use crate::place::{Place, Region};

/// Bytes that are no map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no map of a text")]
pub struct InvalidMap;

/// Fewest bytes of a block in a chunk: start, length, region and kind of place.
const BLOCK_BYTES_MIN: usize = 4;
/// Most bytes of a block in a chunk: seven numbers of at most five bytes.
const BLOCK_BYTES_MAX: usize = 7 * 5;
/// All of a hundred.
const PERCENT_MAX: u8 = 100;

/// The beginning of a stored map: its pages, without blocks and boxes, and where their chunks are.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// The pages, without boxes.
    pub pages: Vec<Page>,
    /// The bytes of each chunk: one a page, or one for a document without pages.
    chunks: Vec<Range<u64>>,
}

impl Index {
    /// Bytes of the index of a map that begins with these bytes, at least [`Index::HEAD_BYTES`] of them.
    pub fn bytes(head: &[u8]) -> Result<usize, InvalidMap> {
        let pages = Self::count(head)?;
        let records = pages.checked_mul(PAGE_BYTES + CHUNK_BYTES).ok_or(InvalidMap)?;
        Ok(HEAD_BYTES + records + if pages == 0 { CHUNK_BYTES } else { 0 })
    }

    /// Pages of a map that begins with these bytes.
    fn count(head: &[u8]) -> Result<usize, InvalidMap> {
        let mut cursor = Cursor(head);
        if cursor.take(MAGIC.len())? != MAGIC {
            return Err(InvalidMap);
        }
        let (pages, chunks) = (cursor.u32()? as usize, cursor.u32()? as usize);
        if chunks != pages.max(1) {
            return Err(InvalidMap);
        }
        Ok(pages)
    }

    /// Bytes from which the size of the index can be told.
    pub const HEAD_BYTES: usize = HEAD_BYTES;

    /// Reads an index out of the first bytes of a map.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidMap> {
        let size = Self::bytes(bytes)?;
        let mut cursor = Cursor(bytes.get(..size).ok_or(InvalidMap)?);
        cursor.take(MAGIC.len())?;
        let (pages, chunks) = (cursor.u32()?, cursor.u32()?);
        let pages = (0..pages).map(|_| page(&mut cursor)).collect::<Result<_, _>>()?;
        let mut at = size as u64;
        let mut next = || {
            let start = at;
            at += u64::from(cursor.u32()?);
            Ok(start..at)
        };
        let chunks = (0..chunks).map(|_| next()).collect::<Result<_, _>>()?;
        Ok(Self { pages, chunks })
    }

    /// The bytes of a page's chunk in the stored map; `page` counts from 0.
    pub fn chunk(&self, page: usize) -> Option<Range<u64>> {
        self.chunks.get(page).cloned()
    }

    /// A page with its boxes, and its blocks, out of its chunk.
    pub fn open(&self, page: usize, chunk: &[u8]) -> Result<(Page, Vec<Block>), InvalidMap> {
        self.open_within(page, chunk, usize::MAX)
    }

    fn open_within(&self, page: usize, chunk: &[u8], memory_max: usize) -> Result<(Page, Vec<Block>), InvalidMap> {
        let mut page = self.pages.get(page).cloned().ok_or(InvalidMap)?;
        let (blocks, boxes) = open(chunk, page.bytes.clone(), page.chars.len(), memory_max)?;
        page.boxes = boxes;
        Ok((page, blocks))
    }
}

impl TextMap {
    /// Reads a map that takes at most so much memory, in bytes. `text_bytes` is the length of its text.
    pub fn from_bytes(bytes: &[u8], text_bytes: u32, memory_max: usize) -> Result<Self, InvalidMap> {
        // Pages are counted before they are read: a record of a page is smaller than the page that it becomes.
        let mut memory = Index::count(bytes)?.checked_mul(size_of::<Page>()).ok_or(InvalidMap)?;
        if memory > memory_max {
            return Err(InvalidMap);
        }
        let index = Index::read(bytes)?;
        let mut map = Self::default();
        for (at, place) in index.chunks.iter().enumerate() {
            let place = usize::try_from(place.start).map_err(|_| InvalidMap)?
                ..usize::try_from(place.end).map_err(|_| InvalidMap)?;
            let chunk = bytes.get(place).ok_or(InvalidMap)?;
            let left = memory_max.checked_sub(memory).ok_or(InvalidMap)?;
            if index.pages.is_empty() {
                map.blocks = open(chunk, 0..text_bytes, 0, left)?.0;
                continue;
            }
            let (page, blocks) = index.open_within(at, chunk, left)?;
            if page.bytes.end > text_bytes {
                return Err(InvalidMap);
            }
            memory += size_of_val(page.boxes.as_slice()) + size_of_val(blocks.as_slice());
            map.pages.push(page);
            map.blocks.extend(blocks);
        }
        Ok(map)
    }
}

fn page(cursor: &mut Cursor<'_>) -> Result<Page, InvalidMap> {
    let number = cursor.u32()?;
    let bytes = cursor.u32()?..cursor.u32()?;
    let chars = cursor.u32()?..cursor.u32()?;
    let (width, height) = (f32::from_bits(cursor.u32()?), f32::from_bits(cursor.u32()?));
    let [reading, confidence, 0, 0] = cursor.u32()?.to_le_bytes() else {
        return Err(InvalidMap);
    };
    let reading = *Reading::ALL.get(usize::from(reading)).ok_or(InvalidMap)?;
    let is_sound = confidence == 0 || (reading == Reading::Ocr && confidence <= PERCENT_MAX);
    // A character has a byte at least, and a page ends behind its start.
    if bytes.start > bytes.end || chars.start > chars.end || chars.len() > bytes.len() || !is_sound {
        return Err(InvalidMap);
    }
    Ok(Page {
        number,
        bytes,
        chars,
        width,
        height,
        reading,
        confidence: (confidence > 0).then_some(confidence),
        boxes: Vec::new(),
    })
}

/// Unpacks a chunk: the blocks within `bytes` of the text, and one box a character, or none.
fn open(
    chunk: &[u8],
    bytes: Range<u32>,
    chars: usize,
    memory_max: usize,
) -> Result<(Vec<Block>, Vec<CharBox>), InvalidMap> {
    let boxes_bytes = chars * size_of::<CharBox>();
    // A block has a byte at least.
    let blocks_max = bytes.len().min(memory_max / size_of::<Block>());
    let raw_max = raw_bytes_max(blocks_max, boxes_bytes, memory_max);
    let mut raw = Vec::new();
    let mut unpacked = DeflateDecoder::new(chunk).take(raw_max as u64 + 1);
    unpacked.read_to_end(&mut raw).map_err(|_| InvalidMap)?;
    let mut cursor = Cursor(&raw);
    let count = cursor.u32()? as usize;
    // The count is not believed: it takes memory before the first block is read.
    if count > blocks_max || count > cursor.0.len() / BLOCK_BYTES_MIN {
        return Err(InvalidMap);
    }
    let mut blocks = Vec::with_capacity(count);
    let mut end = bytes.start;
    for _ in 0..count {
        let block = block(&mut cursor, end)?;
        end = block.bytes.end;
        blocks.push(block);
    }
    match cursor.0.len() {
        0 => Ok((blocks, Vec::new())),
        left if left == boxes_bytes && boxes_bytes + count * size_of::<Block>() <= memory_max => {
            Ok((blocks, boxes(cursor.0, chars)))
        }
        _ => Err(InvalidMap),
    }
}

/// Most bytes of a chunk unpacked. The number of characters is not checked yet, so their boxes count only as far as they may be kept.
fn raw_bytes_max(blocks_max: usize, boxes_bytes: usize, memory_max: usize) -> usize {
    size_of::<u32>() + blocks_max * BLOCK_BYTES_MAX + boxes_bytes.min(memory_max)
}

fn block(cursor: &mut Cursor<'_>, end: u32) -> Result<Block, InvalidMap> {
    let start = end.checked_add(cursor.number()?).ok_or(InvalidMap)?;
    let end = start.checked_add(cursor.number()?).ok_or(InvalidMap)?;
    let region = *Region::ALL.get(cursor.number()? as usize).ok_or(InvalidMap)?;
    let place = match cursor.number()? {
        0 => None,
        1 => Some(Place::Line { line: cursor.number()? }),
        2 => Some(Place::Paragraph {
            paragraph: cursor.number()?,
        }),
        3 => Some(Place::Cell {
            table: cursor.number()?,
            row: cursor.number()?,
            column: cursor.number()?,
        }),
        _ => return Err(InvalidMap),
    };
    Ok(Block {
        bytes: start..end,
        region,
        place,
    })
}

/// The boxes out of four runs of `chars` differences each.
fn boxes(raw: &[u8], chars: usize) -> Vec<CharBox> {
    let mut boxes = vec![CharBox::default(); chars];
    let edges: [fn(&mut CharBox) -> &mut i16; 4] = [
        |of| &mut of.left,
        |of| &mut of.top,
        |of| &mut of.right,
        |of| &mut of.bottom,
    ];
    let (differences, _) = raw.as_chunks::<2>();
    for (run, of) in differences.chunks(chars.max(1)).zip(edges) {
        let mut edge = 0_i16;
        for (shape, difference) in boxes.iter_mut().zip(run) {
            edge = edge.wrapping_add(i16::from_le_bytes(*difference));
            *of(shape) = edge;
        }
    }
    boxes
}

/// The bytes that were not read yet.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], InvalidMap> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(InvalidMap)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, InvalidMap> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(InvalidMap)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*taken))
    }

    /// A number in LEB128.
    fn number(&mut self) -> Result<u32, InvalidMap> {
        let mut number = 0_u64;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(InvalidMap)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(number).map_err(|_| InvalidMap);
            }
        }
        Err(InvalidMap)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: usize = 10_000;
    const TEXT: &str = "Müller\u{c}GmbH, Köln";

    fn shape(left: i16) -> CharBox {
        CharBox {
            left,
            top: -32_768,
            right: 32_767,
            bottom: left.wrapping_mul(3),
        }
    }

    fn paged() -> TextMap {
        let page = |number, bytes: Range<u32>, chars: Range<u32>, reading| Page {
            number,
            boxes: chars
                .clone()
                .map(|at| shape(i16::try_from(at).unwrap() * 1_000))
                .collect(),
            bytes,
            chars,
            width: 595.3,
            height: 841.9,
            reading,
            confidence: (reading == Reading::Ocr).then_some(93),
        };
        let block = |bytes, region| Block {
            bytes,
            region,
            place: None,
        };
        TextMap {
            pages: vec![page(1, 0..7, 0..6, Reading::Text), page(3, 8..19, 7..17, Reading::Ocr)],
            blocks: vec![
                block(0..7, Region::Header),
                block(8..12, Region::Body),
                block(14..19, Region::Footer),
            ],
        }
    }

    fn structured() -> TextMap {
        let block = |bytes, place| Block {
            bytes,
            region: Region::Footnote,
            place: Some(place),
        };
        let cell = Place::Cell {
            table: 1,
            row: 300,
            column: u32::MAX,
        };
        TextMap {
            pages: Vec::new(),
            blocks: vec![
                block(0..1, Place::Line { line: 9 }),
                block(3..7, Place::Paragraph { paragraph: 70_000 }),
                block(8..19, cell),
            ],
        }
    }

    #[test]
    fn a_map_comes_back_as_it_was_stored() {
        for map in [paged(), structured(), TextMap::default()] {
            assert_eq!(map.check(TEXT), Ok(()));
            let (bytes, memory) = (map.to_bytes(), map.memory_bytes());
            if memory > 0 {
                assert_eq!(
                    TextMap::from_bytes(&bytes, 19, memory - 1),
                    Err(InvalidMap),
                    "its room is smaller"
                );
            }
            assert_eq!(TextMap::from_bytes(&bytes, 19, memory), Ok(map));
        }
    }

    #[test]
    fn a_page_is_found_without_the_others() {
        let (map, bytes) = (paged(), paged().to_bytes());
        let size = Index::bytes(&bytes[..Index::HEAD_BYTES]).unwrap();
        let index = Index::read(&bytes[..size]).unwrap();
        let place = index.chunk(1).unwrap();
        let chunk = &bytes[usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap()];
        let (page, blocks) = index.open(1, chunk).unwrap();
        assert_eq!((&page, blocks.as_slice()), (&map.pages[1], &map.blocks[1..]));
        assert_eq!(index.chunk(2), None);
    }

    #[test]
    fn the_layout_is_frozen() {
        let bytes = structured().to_bytes();
        assert_eq!(bytes[..16], *b"DKTMAP1\n\0\0\0\0\x01\0\0\0");
        let hex = |bytes: &[u8]| crate::hex::hex(bytes);
        let mut raw = Vec::new();
        DeflateDecoder::new(&bytes[20..]).read_to_end(&mut raw).unwrap();
        assert_eq!(hex(&raw), "03000000000105010902040502f0a204010b050301ac02ffffffff0f");
    }

    #[test]
    fn what_is_cut_off_is_no_map() {
        let bytes = paged().to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(TextMap::from_bytes(&bytes[..end], 19, ROOM), Err(InvalidMap), "{end}");
        }
        assert_eq!(
            TextMap::from_bytes(&bytes, 18, ROOM),
            Err(InvalidMap),
            "its text is longer"
        );
    }

    #[test]
    fn no_more_is_unpacked_than_may_be_kept() {
        let all = 4_000_000_000;
        assert_eq!(raw_bytes_max(0, all, ROOM), 4 + ROOM);
        let mut map = paged();
        map.pages[0].chars = 0..u32::MAX;
        map.pages[0].bytes = 0..u32::MAX;
        assert_eq!(TextMap::from_bytes(&map.to_bytes(), 19, ROOM), Err(InvalidMap));
        let pages = |count: usize| {
            let mut map = paged();
            map.pages.resize(count, map.pages[1].clone());
            map.to_bytes()
        };
        let index_alone = Index::bytes(&pages(100)).unwrap();
        let room = 100 * size_of::<Page>() - 1;
        assert_eq!(
            TextMap::from_bytes(&pages(100)[..index_alone], 19, room),
            Err(InvalidMap)
        );
    }

    #[test]
    fn a_count_of_blocks_that_are_not_there_takes_no_memory() {
        let page = paged().pages[0].clone();
        let whole = Page {
            bytes: 0..u32::MAX,
            ..page
        };
        let index = Index {
            pages: vec![whole],
            chunks: Vec::new(),
        };
        // Stored without compression: one block of deflate, whose four bytes say that there are 4 billion blocks.
        let chunk = [1, 4, 0, 0xfb, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(index.open(0, &chunk), Err(InvalidMap));
    }

    #[test]
    fn a_map_of_another_text_is_found_out() {
        for (text, map) in [
            ("short", paged()),
            ("short", structured()),
            (&TEXT.replace('ü', "uu"), paged()),
        ] {
            assert!(map.check(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(at in 0_usize..200, byte: u8, more in proptest::collection::vec(any::<u8>(), 0..64)) {
            for map in [paged(), structured()] {
                let mut bytes = map.to_bytes();
                let at = at % bytes.len();
                bytes[at] ^= byte;
                if let Ok(map) = TextMap::from_bytes(&bytes, 19, ROOM) {
                    let _ = map.check(TEXT);
                }
                bytes.truncate(at);
                bytes.extend(&more);
                let _ = TextMap::from_bytes(&bytes, 19, ROOM);
            }
            let _ = TextMap::from_bytes(&more, 19, ROOM);
        }
    }
}
