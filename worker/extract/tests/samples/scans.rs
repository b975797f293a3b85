//! Scans, read by OCR: their words, and where some of the words stand. Tesseract's next version may read a letter otherwise, so most
//! words count, and not all.

use std::convert::Infallible;
use std::io::Cursor;
use std::time::Duration;

use docket_contract::coverage::PageCoverage;
use docket_contract::text_map;
use docket_extract::limits::Limits;
use docket_extract::sandbox::{OcrSettings, OcrStartError, StartError};
use docket_extract::{ExtractError, Extractor, ParseSettings, Reading, place_for_any_scan};
use image::{DynamicImage, ImageFormat};

use crate::reading::{self, block_on, map, marks, ocr, sample, settings, source};

pub const FACTS: &[(&str, fn())] = &[
    ("a_scanned_pdf_is_read", a_scanned_pdf_is_read),
    ("a_page_upside_down_is_turned", a_page_upside_down_is_turned),
    ("a_page_shown_on_its_side_is_read", a_page_shown_on_its_side_is_read),
    ("a_scan_with_a_stamp_is_read_by_ocr", a_scan_with_a_stamp_is_read_by_ocr),
    ("pictures_of_every_kind_are_read", pictures_of_every_kind_are_read),
    ("only_pages_that_are_asked_for_are_read", only_pages_that_are_asked_for),
    ("pages_after_the_time_for_ocr_say_so", pages_after_the_time_for_ocr),
    ("a_page_that_tesseract_gives_up_says_so", a_page_that_tesseract_gives_up),
    ("a_scan_without_a_place_is_not_read", a_scan_without_a_place_is_not_read),
    (
        "ocr_starts_only_with_its_program_and_languages",
        ocr_starts_only_with_its_program,
    ),
];

const NOTICE: &str = "termination-notice-scan.pdf";
const TERMS: &str = "standard-terms.pdf";
const CONSENT: &str = "consent-scan.tiff";
/// The pages lie 0.4 degrees askew, which moves a word by up to 6 points.
const ASKEW_POINTS: f32 = 7.0;
/// The part of a scan's words that must be read.
const READ_MIN: f32 = 0.97;

fn scanned(name: &str, bytes: Vec<u8>) -> Reading {
    reading::read_with(bytes.into(), name, &settings(Some(ocr())))
}

fn scanned_sample(name: &str) -> Reading {
    scanned(name, std::fs::read(sample(name)).unwrap())
}

/// The words of a scan, as its maker wrote them.
fn words_of(name: &str) -> String {
    let path = format!("{}/tests/expected/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Checks that most of the expected words were read, in their order.
fn assert_reads(expected: &str, reading: &Reading) {
    let mut text = reading.text.text.as_str();
    let (mut found, mut all) = (0, 0);
    for word in expected.split_whitespace() {
        all += 1;
        if let Some(at) = text.find(word) {
            found += 1;
            text = &text[at + word.len()..];
        }
    }
    assert!(
        found as f32 >= READ_MIN * all as f32,
        "{found} of {all} words in\n{}",
        reading.text.text
    );
}

/// Checks that some words stand at this left and upper edge of a page.
fn assert_near(reading: &Reading, words: &str, page: u32, (left, top): (f32, f32)) {
    let (found, boxes) = marks(reading, words);
    let [first] = boxes[..] else {
        panic!("{words}: {boxes:?}")
    };
    let is_near = |a: f32, b: f32| (a - b).abs() <= ASKEW_POINTS;
    assert!(
        found == page && is_near(first.left, left) && is_near(first.top, top),
        "{words}: {found} {first:?}"
    );
}

fn page_coverage(reading: &Reading) -> PageCoverage {
    reading.text.coverage.pages.clone().unwrap()
}

/// A PDF whose every page is the same scan.
fn many_scans(pages: usize) -> Vec<u8> {
    let notice = std::fs::read(sample(NOTICE)).unwrap();
    let place = |words: &[u8]| notice.windows(words.len()).position(|window| window == words).unwrap();
    let start = place(b"Kids[");
    let end = start + notice[start..].windows(2).position(|window| window == b">>").unwrap();
    let page = String::from_utf8_lossy(&notice[start + 5..end]);
    let page = page.split(']').next().unwrap();
    let kids = format!("Kids[{}]/Count {pages}", format!("{page} ").repeat(pages));
    [&notice[..start], kids.as_bytes(), &notice[end..]].concat()
}

fn readings(reading: &Reading) -> Vec<text_map::Reading> {
    map(reading).pages.iter().map(|page| page.reading).collect()
}

fn a_scanned_pdf_is_read() {
    let notice = scanned_sample(NOTICE);
    assert_reads(&words_of(NOTICE), &notice);
    let pages = page_coverage(&notice);
    assert_eq!((pages.total, pages.by_ocr, pages.without_text), (1, 1, Vec::new()));
    assert!(pages.ocr_confidence.unwrap() >= 90);
    assert_eq!(map(&notice).pages[0].confidence, pages.ocr_confidence);
    // The maker draws lines of 13 points, 18 apart, from 90 points left and 92 points down.
    assert_near(&notice, "HALVORSEN BRIGHT PROPERTIES", 1, (90.0, 83.0));
    assert_near(&notice, "Ingrid Halvorsen", 1, (90.0, 83.0 + 29.0 * 18.0));
}

fn a_page_upside_down_is_turned() {
    let consent = scanned_sample(CONSENT);
    assert_reads(&words_of(CONSENT), &consent);
    assert_eq!(readings(&consent), [text_map::Reading::Ocr; 2]);
    assert_near(&consent, "CONSENT TO ASSIGNMENT", 1, (90.0, 83.0));
    // What stands at the left and top of the paper is at the right and bottom of the page as shown.
    let (page, boxes) = marks(&consent, "Ingrid Halvorsen, General Partner");
    assert_eq!((page, boxes.len()), (2, 1));
    assert!((boxes[0].right - (612.0 - 90.0)).abs() <= ASKEW_POINTS, "{boxes:?}");
    assert!(
        (boxes[0].bottom - (792.0 - 83.0 - 7.0 * 18.0)).abs() <= ASKEW_POINTS,
        "{boxes:?}"
    );
}

fn a_page_shown_on_its_side_is_read() {
    let notice = std::fs::read(sample(NOTICE)).unwrap();
    let at = notice.windows(10).position(|window| window == b"/MediaBox[").unwrap();
    let turned = [&notice[..at], b"/Rotate 90", &notice[at..]].concat();
    let notice = scanned(NOTICE, turned);
    assert_reads(&words_of(NOTICE), &notice);
    let page = &map(&notice).pages[0];
    assert_eq!((page.width, page.height), (792.0, 612.0));
    // Turned clockwise, the paper's top is at the right, and its lines run down.
    let (_, boxes) = marks(&notice, "TERMINATION OF LEASE");
    let name = boxes[0];
    assert!(name.bottom - name.top > name.right - name.left, "{name:?}");
    assert!(
        (name.right - (792.0 - 83.0 - 11.0 * 18.0)).abs() <= ASKEW_POINTS,
        "{name:?}"
    );
}

/// A file with some of its bytes exchanged.
fn exchanged(file: &[u8], words: &[u8], by: &[u8]) -> Vec<u8> {
    let place = file.windows(words.len()).position(|window| window == words).unwrap();
    [&file[..place], by, &file[place + words.len()..]].concat()
}

fn a_scan_with_a_stamp_is_read_by_ocr() {
    const STAMP: &str = "Case 1:24-cv-00071 Document 12 Filed 05/09/24";
    let drawing = "q 612 0 0 792 0 0 cm /Scan Do Q";
    let stamped = format!("{drawing} BT /F 10 Tf 150 770 Td ({STAMP}) Tj ET");
    let notice = std::fs::read(sample(NOTICE)).unwrap();
    let notice = exchanged(&notice, drawing.as_bytes(), stamped.as_bytes());
    let notice = exchanged(
        &notice,
        b"/Length 31>>",
        format!("/Length {}>>", stamped.len()).as_bytes(),
    );
    let font = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>/XObject<</Scan";
    let notice = exchanged(&notice, b"/XObject<</Scan", font);
    let without_ocr = reading::read_bytes(notice.clone().into(), NOTICE);
    assert_eq!(readings(&without_ocr), [text_map::Reading::Text]);
    assert_eq!(without_ocr.text.text, STAMP);
    let read = scanned(NOTICE, notice);
    assert_eq!(readings(&read), [text_map::Reading::Ocr]);
    assert_reads(&words_of(NOTICE), &read);
    assert!(read.text.text.contains("Document 12"), "{}", read.text.text);
}

fn pictures_of_every_kind_are_read() {
    let first_page = image::open(sample(CONSENT)).unwrap();
    let first_words = words_of(CONSENT);
    let first_words = first_words.split('\u{c}').next().unwrap();
    let stored = |picture: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let grey = DynamicImage::from(first_page.to_luma8());
    let with_alpha = DynamicImage::from(first_page.to_rgba8());
    let at_600_dpi = grey.resize_exact(4_960, 7_016, image::imageops::FilterType::Nearest);
    let on_its_side = grey.rotate90();
    for (name, bytes) in [
        ("grey.png", stored(&grey, ImageFormat::Png)),
        ("alpha.png", stored(&with_alpha, ImageFormat::Png)),
        ("grey.jpg", stored(&grey, ImageFormat::Jpeg)),
        ("side.png", stored(&on_its_side, ImageFormat::Png)),
        ("600-dpi.png", stored(&at_600_dpi, ImageFormat::Png)),
    ] {
        let reading = scanned(name, bytes);
        assert_reads(first_words, &reading);
        let longer = map(&reading).pages[0].width.max(map(&reading).pages[0].height);
        assert!((longer - 792.0).abs() < 0.01, "{name} is {longer} points long");
    }
}

fn only_pages_that_are_asked_for() {
    let pages = "1".parse().unwrap();
    let bytes = std::fs::read(sample(CONSENT)).unwrap();
    let consent = block_on(async {
        let extractor = Extractor::start(&settings(Some(ocr())), reading::PROGRAM.into())
            .await
            .unwrap();
        let source = docket_extract::Source {
            pages: Some(&pages),
            ..source(CONSENT)
        };
        let parsed = extractor.parse(source, bytes.into(), place_for_any_scan, async |_| {
            Ok::<(), Infallible>(())
        });
        parsed.await.unwrap().check(&reading::LIMITS).unwrap()
    });
    assert_eq!(
        readings(&consent),
        [text_map::Reading::Ocr, text_map::Reading::NotAsked]
    );
}

fn pages_after_the_time_for_ocr() {
    let short = OcrSettings {
        document_max: Duration::ZERO,
        ..ocr()
    };
    let bytes = std::fs::read(sample(CONSENT)).unwrap();
    let consent = reading::read_with(bytes.into(), CONSENT, &settings(Some(short)));
    assert_eq!(readings(&consent), [text_map::Reading::OcrLimit; 2]);
    assert_eq!(page_coverage(&consent).without_text[0].why, "ocr_limit");
    // No page is drawn in vain: a thousand would take minutes of CPU time.
    let short = OcrSettings {
        document_max: Duration::ZERO,
        ..ocr()
    };
    let limits = Limits {
        pages: 1_000,
        ..reading::LIMITS
    };
    let settings = ParseSettings {
        cpu_seconds: 10,
        limits,
        ..settings(Some(short))
    };
    let many = reading::read_with(many_scans(1_000).into(), NOTICE, &settings);
    assert_eq!(readings(&many), [text_map::Reading::OcrLimit; 1_000]);
}

/// A program in the place of Tesseract that knows English and otherwise does as its script says.
fn in_its_place(name: &str, script: &str) -> OcrSettings {
    use std::os::unix::fs::PermissionsExt as _;
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let script = format!("#!/bin/sh\n[ \"$1\" = --list-langs ] && echo eng && exit 0\n{script}\n");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    OcrSettings {
        tesseract: path,
        ..ocr()
    }
}

fn a_page_that_tesseract_gives_up() {
    for (name, script) in [
        ("gives-up", "exit 1"),
        (
            "floods",
            "while true; do echo 5555555555555555555555555555555555555555555555555555555555555555555555; done",
        ),
        ("asks-for-the-network", "exec /usr/bin/getent ahosts example.invalid"),
        ("starts-a-process", "/bin/true; exit 0"),
    ] {
        let bytes = std::fs::read(sample(NOTICE)).unwrap();
        let notice = reading::read_with(bytes.into(), NOTICE, &settings(Some(in_its_place(name, script))));
        assert_eq!(readings(&notice), [text_map::Reading::OcrFailed], "{name}");
        assert_eq!(notice.text.text, "");
    }
}

fn a_scan_without_a_place_is_not_read() {
    let bytes = bytes::Bytes::from(std::fs::read(sample(NOTICE)).unwrap());
    let text = std::fs::read(sample(TERMS)).unwrap().into();
    let no_place = || Err("no place");
    let room = async |_| Ok::<(), &str>(());
    let (scan, terms) = block_on(async {
        let extractor = Extractor::start(&settings(Some(ocr())), reading::PROGRAM.into())
            .await
            .unwrap();
        let scan = extractor.parse(source(NOTICE), bytes, no_place, room).await;
        (scan, extractor.parse(source(TERMS), text, no_place, room).await)
    });
    assert!(matches!(scan, Err(ExtractError::NoRoom("no place"))), "{scan:?}");
    assert!(terms.is_ok(), "{terms:?}: pages with text need no place");
}

fn ocr_starts_only_with_its_program() {
    let start = |ocr: OcrSettings| {
        let started = block_on(Extractor::start(&settings(Some(ocr)), reading::PROGRAM.into()));
        match started {
            Err(StartError::Ocr(error)) => error,
            started => panic!("{started:?}"),
        }
    };
    let unknown = OcrSettings {
        languages: vec!["eng".to_owned(), "tlh".to_owned()],
        ..ocr()
    };
    assert!(matches!(start(unknown), OcrStartError::Language(language) if language == "tlh"));
    let missing = OcrSettings {
        tesseract: "/usr/bin/no-such-program".into(),
        ..ocr()
    };
    assert!(matches!(start(missing), OcrStartError::Program(_)));
}
