//! Small PDFs, written here, read with pdfium. `DOCKET_PDFIUM_LIB` names the library.

mod layout;
mod samples;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use docket_contract::place::Region;
use docket_contract::text_map::CharBox;

use super::*;
use samples::{Sample, at, lines};

const LIMITS: Limits = Limits {
    pages: 100,
    text_bytes: 1 << 20,
    inflated_bytes: 1 << 30,
};

/// pdfium knows no threads, so that one test at a time may use the library.
static TURN: Mutex<()> = Mutex::new(());

struct Pdfium {
    library: Library,
    _turn: MutexGuard<'static, ()>,
}

/// All pages of a file that is not encrypted.
fn whole(bytes: &[u8]) -> Asked<'_> {
    Asked {
        bytes,
        password: None,
        pages: None,
    }
}

impl Pdfium {
    fn load() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let path = std::env::var("DOCKET_PDFIUM_LIB").expect("DOCKET_PDFIUM_LIB names libpdfium.so");
        Self {
            library: Library::load(Path::new(&path)).expect("the library loads"),
            _turn: turn,
        }
    }

    fn read(&self, bytes: &[u8]) -> Result<PdfText, Refusal> {
        read(&self.library, whole(bytes), None, &LIMITS)
    }

    fn text(&self, bytes: &[u8]) -> PdfText {
        let read = self.read(bytes).expect("the sample is a PDF");
        check(&read);
        read
    }
}

/// Checks what holds for every text: boxes and characters agree, and every character but separators is in one block.
fn check(read: &PdfText) {
    let part = |range: &std::ops::Range<u32>| &read.text[range.start as usize..range.end as usize];
    for page in &read.map.pages {
        assert_eq!(part(&page.bytes).chars().count(), page.boxes.len());
        assert_eq!(page.chars.len(), page.boxes.len());
    }
    let mut end = 0;
    for block in &read.map.blocks {
        let between = part(&(end..block.bytes.start));
        assert!(between.chars().all(|c| matches!(c, '\n' | '\u{c}')), "{between:?}");
        assert!(!block.bytes.is_empty());
        end = block.bytes.end;
    }
    let feeds = read.text.matches('\u{c}').count();
    assert_eq!(feeds + 1, read.map.pages.len());
}

/// The texts of the blocks of a region.
fn blocks(read: &PdfText, region: Region) -> Vec<&str> {
    let of_region = read.map.blocks.iter().filter(|block| block.region == region);
    of_region
        .map(|block| &read.text[block.bytes.start as usize..block.bytes.end as usize])
        .collect()
}

/// The box of the first character of a text, on the first page.
fn box_of(read: &PdfText, text: &str) -> CharBox {
    let byte = read.text.find(text).expect("the text is there");
    let char = read.text[..byte].chars().count();
    read.map.pages[0].boxes[char]
}

#[test]
fn columns_are_read_one_after_the_other_whatever_is_drawn_first() {
    let left = [
        "The left column tells of many things",
        "that matter to no one who reads the",
        "results of this test, and ends here.",
    ];
    let right = [
        "The right column comes after the left",
        "one, though it is drawn before, as it",
        "is by some programs that set columns.",
    ];
    let content = lines(&right, (320, 700), 14) + &lines(&left, (72, 700), 14);
    let read = Pdfium::load().text(&Sample::default().page(&content).bytes());
    assert_eq!(read.text, format!("{}\n\n{}", left.join("\n"), right.join("\n")));
}

#[test]
fn a_table_is_read_row_by_row() {
    let rows = ["Austria", "Belgium", "Finland"]
        .iter()
        .zip(["83,879", "30,689", "338,424"]);
    let content: String = rows
        .enumerate()
        .map(|(row, (name, area))| at((72, 700 - 16 * row as i32), name) + &at((250, 700 - 16 * row as i32), area))
        .collect();
    let read = Pdfium::load().text(&Sample::default().page(&content).bytes());
    assert_eq!(read.text, "Austria    83,879\nBelgium    30,689\nFinland    338,424");
}

#[test]
fn heads_feet_and_numbers_of_pages_are_blocks_of_their_own() {
    let mut sample = Sample::default();
    for page in 1..=5 {
        let body = format!(
            "Body of the page that is called {}.",
            ["", "one", "two", "three", "four", "five"][page]
        );
        let content = at((72, 740), "Lease of 12 May 2020")
            + &at((72, 400), &body)
            + &at((72, 60), "Draft, for discussion only")
            + &at((300, 40), &page.to_string());
        sample = sample.page(&content);
    }
    let read = Pdfium::load().text(&sample.bytes());
    assert_eq!(blocks(&read, Region::Header), ["Lease of 12 May 2020"; 5]);
    assert_eq!(blocks(&read, Region::Footer), ["Draft, for discussion only"; 5]);
    assert_eq!(blocks(&read, Region::PageNumber), ["1", "2", "3", "4", "5"]);
    assert_eq!(blocks(&read, Region::Body).len(), 5);
    assert!(
        read.text
            .starts_with("Lease of 12 May 2020\n\nBody of the page that is called one.\n\nDraft")
    );
}

#[test]
fn numbers_of_lines_do_not_stand_within_sentences() {
    let content: String = (1..=12)
        .map(|line| {
            let y = 720 - 24 * line;
            at((50, y), &line.to_string()) + &at((90, y), "the witness said so and went on to")
        })
        .collect();
    let read = Pdfium::load().text(&Sample::default().page(&content).bytes());
    assert_eq!(
        blocks(&read, Region::LineNumber),
        ["1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12"]
    );
    assert!(
        blocks(&read, Region::Body)
            .iter()
            .all(|block| !block.contains(|c: char| c.is_ascii_digit()))
    );
}

#[test]
fn words_divided_between_lines_become_whole() {
    let text = [
        "This agree-",
        "ment with Baden-",
        "Baden of the EU-",
        "wide covid-",
        "19 rules, pre-",
        "and postnatal, state-of-the-",
        "art.",
    ];
    let read = Pdfium::load().text(&Sample::default().page(&lines(&text, (72, 700), 14)).bytes());
    assert_eq!(
        read.text,
        "This agreement with Baden-Baden of the EU-wide covid-19 rules, pre-\nand postnatal, state-of-the-art."
    );
}

#[test]
fn boxes_are_those_of_the_page_as_shown() {
    // A crop box of 400 x 600 at (100, 100), turned by 90 degrees: shown 600 wide and 400 high.
    let content = at((110, 120), "Inside") + &at((20, 20), "Outside");
    let sample = Sample::default().page_with(&content, "/CropBox [100 100 500 700] /Rotate 90");
    let read = Pdfium::load().text(&sample.bytes());
    assert_eq!(read.text, "Inside");
    let page = &read.map.pages[0];
    assert_eq!((page.width, page.height), (600.0, 400.0));
    // The text's line stands 20 points over the crop box's lower edge, and begins 10 points from its left edge.
    let first = page.boxes[0];
    assert!((100..=103).contains(&first.top), "{first:?}");
    assert!(
        first.left < 200 && first.right > 200 && first.right - first.left < 160,
        "{first:?}"
    );
    assert!(page.boxes[1].top >= first.bottom - 1);
}

#[test]
fn boxes_of_a_line_are_equally_high() {
    let read = Pdfium::load().text(&Sample::default().page(&at((72, 700), "ax.Qg")).bytes());
    let heights: Vec<(i16, i16)> = read.map.pages[0].boxes.iter().map(|of| (of.top, of.bottom)).collect();
    assert!(heights.iter().all(|height| *height == heights[0]), "{heights:?}");
    assert!((790..=830).contains(&heights[0].0) && heights[0].1 > 920);
}

#[test]
fn turned_text_is_a_block_of_its_own() {
    let content = at((72, 700), "The text of the page runs as all text does.")
        + "BT /F 10 Tf 0 1 -1 0 40 300 Tm (Received 3 June) Tj ET\n"
        + &at((72, 680), "It has a second line.");
    let read = Pdfium::load().text(&Sample::default().page(&content).bytes());
    assert_eq!(
        blocks(&read, Region::Body),
        [
            "The text of the page runs as all text does.\nIt has a second line.",
            "Received 3 June"
        ]
    );
    let margin = box_of(&read, "Received");
    assert!(margin.bottom <= 4_920 + 2 && margin.right <= 500, "{margin:?}");
}

#[test]
fn what_is_written_into_a_field_is_read_and_hidden_annotations_are_not() {
    let sample = Sample::default()
        .page_with(&at((72, 700), "Name:"), "/Annots [10 0 R 11 0 R]")
        .object(
            10,
            "<</Type/Annot/Subtype/Widget/FT/Tx/T(n)/V(Ada)/Rect[120 690 300 712]/F 4/AP<</N 12 0 R>>>>",
        )
        .object(
            11,
            "<</Type/Annot/Subtype/FreeText/Contents(no)/Rect[120 600 300 620]/F 2/AP<</N 13 0 R>>>>",
        )
        .stream(
            12,
            "/Type/XObject/Subtype/Form/BBox[0 0 180 22]/Resources<</Font<</F 3 0 R>>>>",
            &at((2, 10), "Ada"),
        )
        .stream(
            13,
            "/Type/XObject/Subtype/Form/BBox[0 0 180 20]/Resources<</Font<</F 3 0 R>>>>",
            &at((2, 5), "hidden"),
        );
    let read = Pdfium::load().text(&sample.bytes());
    assert_eq!(read.text, "Name: Ada");
}

#[test]
fn pages_without_text_say_why() {
    let picture = "q 100 0 0 100 100 100 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \u{7f} EI Q\n";
    let sample = Sample::default().page("").page(picture).page(&at((72, 700), "text"));
    let read = Pdfium::load().text(&sample.bytes());
    let readings: Vec<Reading> = read.map.pages.iter().map(|page| page.reading).collect();
    assert_eq!(readings, [Reading::Empty, Reading::NoTextLayer, Reading::Text]);
    assert_eq!(read.text, "\u{c}\u{c}text");
    assert_eq!(read.map.pages[2].bytes, 2..6);
}

#[test]
fn only_the_pages_asked_for_are_read() {
    let sample = Sample::default()
        .page(&at((72, 700), "one"))
        .page(&at((72, 700), "two"))
        .page(&at((72, 700), "three"));
    let pdfium = Pdfium::load();
    let pages = "2".parse().expect("a page");
    let bytes = sample.bytes();
    let asked = Asked {
        pages: Some(&pages),
        ..whole(&bytes)
    };
    let read = read(&pdfium.library, asked, None, &LIMITS).expect("the sample is a PDF");
    assert_eq!(read.text, "\u{c}two\u{c}");
    assert_eq!(read.map.pages[0].reading, Reading::NotAsked);
    assert_eq!((read.map.pages[0].width, read.pages_total), (612.0, 3));
}

#[test]
fn limits_are_refused_with_their_names() {
    let bytes = Sample::default().page(&at((72, 700), "four")).page("").bytes();
    let pdfium = Pdfium::load();
    let with = |pages, text_bytes| {
        let limits = Limits {
            pages,
            text_bytes,
            ..LIMITS
        };
        super::read(&pdfium.library, whole(&bytes), None, &limits).map(|read| read.text)
    };
    assert_eq!(with(2, 5).as_deref(), Ok("four\u{c}"));
    assert_eq!(with(1, 5), Err(Refusal::TooManyPages { pages: 2, max: 1 }));
    assert_eq!(with(2, 4), Err(Refusal::TextTooLarge { max: 4 }));
    assert_eq!(with(2, 3), Err(Refusal::TextTooLarge { max: 3 }));
}

#[test]
fn bytes_that_are_no_pdf_are_malformed() {
    let pdfium = Pdfium::load();
    let malformed = Refusal::malformed(Format::Pdf, Problem::Structure);
    assert_eq!(pdfium.read(b"").map(|read| read.text), Err(malformed.clone()));
    assert_eq!(pdfium.read(b"Hello").map(|read| read.text), Err(malformed));
    let asked = Asked {
        password: Some("a\0b"),
        ..whole(b"%PDF-1.4")
    };
    let password = read(&pdfium.library, asked, None, &LIMITS);
    assert_eq!(password.map(|read| read.text), Err(Refusal::Encrypted));
}

#[test]
fn no_cut_and_no_change_of_a_file_ends_the_process() {
    let pdfium = Pdfium::load();
    let bytes = Sample::default()
        .page(&at((72, 700), "Some text, (nothing) more."))
        .bytes();
    for end in 0..bytes.len() {
        let _ = pdfium.read(&bytes[..end]).map(|read| check(&read));
    }
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize
    };
    for _ in 0..2_000 {
        let mut changed = bytes.clone();
        for _ in 0..=next() % 4 {
            let at = next() % changed.len();
            changed[at] = next() as u8;
        }
        let _ = pdfium.read(&changed).map(|read| check(&read));
    }
}
