//! Samples, read by an extractor.

use std::convert::Infallible;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use docket_contract::media_type::Declared;
use docket_contract::place::{Place, Region};
use docket_contract::text_map::{Page, Rectangle, TextMap};
use docket_extract::limits::Limits;
use docket_extract::sandbox::OcrSettings;
use docket_extract::{Extractor, ParseSettings, Reading, Source, place_for_any_scan};

/// Far more than the samples need.
pub const LIMITS: Limits = Limits {
    pages: 100,
    text_bytes: 1 << 20,
    inflated_bytes: 64 << 20,
};
/// Far more than a child needs, on a machine that does other things too.
const WALL: Duration = Duration::from_secs(60);

/// This program, which is also the child.
pub const PROGRAM: &str = "/proc/self/exe";

/// The path of a sample.
pub fn sample(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local/samples");
    folder.join(name)
}

/// The path of pdfium's library.
pub fn pdfium() -> PathBuf {
    let path = std::env::var_os("DOCKET_PDFIUM_LIB");
    path.expect("DOCKET_PDFIUM_LIB must name libpdfium.so, as it does in ./deploy/local/test")
        .into()
}

/// A sample as a worker reads it.
pub fn read(name: &str) -> Reading {
    let bytes = std::fs::read(sample(name)).unwrap();
    read_bytes(bytes.into(), name)
}

/// A file whose kind its caller does not know.
pub fn read_bytes(bytes: Bytes, name: &str) -> Reading {
    read_with(bytes, name, &settings(None))
}

/// The same, by an extractor with these settings.
pub fn read_with(bytes: Bytes, name: &str, settings: &ParseSettings) -> Reading {
    block_on(async {
        let extractor = Extractor::start(settings, PROGRAM.into()).await.unwrap();
        let parsed = extractor.parse(source(name), bytes, place_for_any_scan, async |_| {
            Ok::<(), Infallible>(())
        });
        parsed.await.unwrap().check(&LIMITS).unwrap()
    })
}

pub fn settings(ocr: Option<OcrSettings>) -> ParseSettings {
    ParseSettings {
        pdfium: pdfium(),
        parsers: 1,
        memory_bytes: 512 << 20,
        cpu_seconds: 30,
        wall: WALL,
        limits: LIMITS,
        sandbox_required: false,
        ocr,
    }
}

/// OCR of English by the Tesseract of this machine.
pub fn ocr() -> OcrSettings {
    OcrSettings {
        tesseract: "/usr/bin/tesseract".into(),
        languages: vec!["eng".into()],
        processes: 2,
        document_max: WALL,
    }
}

/// All of a file of this name, whose kind nobody said.
pub fn source(name: &str) -> Source<'_> {
    Source {
        declared: Declared::UNKNOWN,
        file_name: Some(name),
        pages: None,
        files: true,
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

/// The map of a text.
pub fn map(reading: &Reading) -> &TextMap {
    reading.text.map.as_ref().unwrap()
}

/// The bytes of some words that the text has once.
pub fn find(reading: &Reading, words: &str) -> Range<usize> {
    let text = &reading.text.text;
    let found: Vec<usize> = text.match_indices(words).map(|(at, _)| at).collect();
    let [at] = found[..] else {
        panic!("{words:?} stands {} times in {text}", found.len());
    };
    at..at + words.len()
}

/// Region and place of some words.
pub fn stands(reading: &Reading, words: &str) -> (Region, Option<Place>) {
    let byte = u32::try_from(find(reading, words).start).unwrap();
    let block = map(reading).block_at(byte).expect("words stand in a block");
    (block.region, block.place)
}

/// Page and rectangles of some words.
pub fn marks(reading: &Reading, words: &str) -> (u32, Vec<Rectangle>) {
    let bytes = find(reading, words);
    let page: &Page = map(reading).page_at(u32::try_from(bytes.start).unwrap()).unwrap();
    let char = u32::try_from(reading.text.text[..bytes.start].chars().count()).unwrap();
    let chars = u32::try_from(words.chars().count()).unwrap();
    (page.number, page.rectangles(char..char + chars))
}

/// The texts of all blocks of a region.
pub fn blocks(reading: &Reading, region: Region) -> Vec<&str> {
    let of_region = map(reading).blocks.iter().filter(|block| block.region == region);
    of_region
        .map(|block| &reading.text.text[block.bytes.start as usize..block.bytes.end as usize])
        .collect()
}
