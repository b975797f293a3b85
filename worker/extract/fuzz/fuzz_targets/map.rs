//! A map of a text, as a parser that was taken over may send it: an index of pages, and chunks that are compressed.
#![no_main]

use std::io::Write;

use arbitrary::Arbitrary;
use docket_contract::text_map::{Index, TextMap};
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Memory that a map may take.
const MEMORY_MAX: usize = 1 << 20;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    text: &'a str,
    memory_max: usize,
    form: Form<'a>,
}

#[derive(Arbitrary, Debug)]
enum Form<'a> {
    Bytes(&'a [u8]),
    Made {
        pages: Vec<[u32; 8]>,
        chunks: Vec<&'a [u8]>,
    },
}

libfuzzer_sys::fuzz_target!(|input: Input| {
    let bytes = match &input.form {
        Form::Bytes(bytes) => bytes.to_vec(),
        Form::Made { pages, chunks } => made(pages, chunks),
    };
    let memory_max = input.memory_max % MEMORY_MAX;
    let text_bytes = input.text.len().try_into().expect("inputs are small");
    open_pages(&bytes);
    let Ok(map) = TextMap::from_bytes(&bytes, text_bytes, memory_max) else {
        return;
    };
    assert!(
        map.memory_bytes() <= memory_max,
        "the map takes {} bytes",
        map.memory_bytes()
    );
    if map.check(input.text).is_ok() {
        let again = TextMap::from_bytes(&map.to_bytes(), text_bytes, memory_max);
        assert_eq!(again, Ok(map), "the map comes back as it was");
    }
});

/// Reads page by page, as an API server reads a stored map.
fn open_pages(bytes: &[u8]) {
    let Ok(index) = Index::read(bytes) else { return };
    for page in 0..index.pages.len() {
        let chunk = index.chunk(page).expect("each page has a chunk");
        let chunk = bytes.get(chunk.start as usize..chunk.end as usize);
        if let Some(chunk) = chunk {
            let _ = index.open(page, chunk);
        }
    }
}

/// A map in the layout that `text_map/write.rs` tells.
fn made(pages: &[[u32; 8]], chunks: &[&[u8]]) -> Vec<u8> {
    let packed: Vec<Vec<u8>> = chunks.iter().map(|chunk| packed(chunk)).collect();
    let count = |count: usize| u32::try_from(count).expect("inputs are small").to_le_bytes();
    let mut bytes = b"DKTMAP1\n".to_vec();
    bytes.extend(count(pages.len()));
    bytes.extend(count(chunks.len()));
    bytes.extend(pages.iter().flatten().flat_map(|number| number.to_le_bytes()));
    bytes.extend(packed.iter().flat_map(|chunk| count(chunk.len())));
    bytes.extend(packed.iter().flatten());
    bytes
}

fn packed(chunk: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(chunk).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}
