//! PDFs: pages, regions, and the rectangles that mark words.

use docket_contract::coverage::{PageCoverage, WithoutText};
use docket_contract::place::Region;
use docket_contract::text_map;
use docket_contract::text_map::Rectangle;
use docket_extract::Reading;

use crate::reading::{blocks, map, marks, read, stands};

pub const FACTS: &[(&str, fn())] = &[
    (
        "pages_are_as_large_as_they_are_shown",
        pages_are_as_large_as_they_are_shown,
    ),
    (
        "heads_feet_and_numbers_of_pages_are_told",
        heads_feet_and_numbers_of_pages,
    ),
    ("a_note_is_told_from_the_text_above", a_note_is_told_from_the_text_above),
    ("words_are_marked_where_the_page_shows_them", words_are_marked),
    ("words_over_two_lines_have_two_rectangles", words_over_two_lines),
    (
        "words_of_the_second_column_are_marked_there",
        words_of_the_second_column,
    ),
    ("a_divided_word_is_one_word_with_two_rectangles", a_divided_word),
    ("without_ocr_a_scan_has_a_page_without_text", a_scan_has_no_text_layer),
];

const CONTRACT: &str = "services-agreement.pdf";
const TERMS: &str = "standard-terms.pdf";

fn rectangle(left: f32, top: f32, right: f32, bottom: f32) -> Rectangle {
    Rectangle {
        left,
        top,
        right,
        bottom,
    }
}

fn pages(reading: &Reading) -> PageCoverage {
    reading.text.coverage.pages.clone().unwrap()
}

fn pages_are_as_large_as_they_are_shown() {
    let contract = read(CONTRACT);
    let sizes: Vec<_> = map(&contract)
        .pages
        .iter()
        .map(|page| (page.number, page.width, page.height))
        .collect();
    assert_eq!(sizes, [(1, 612.0, 792.0), (2, 612.0, 792.0), (3, 612.0, 792.0)]);
    let all_read = PageCoverage {
        total: 3,
        read: 3,
        by_ocr: 0,
        ocr_confidence: None,
        without_text: Vec::new(),
    };
    assert_eq!(pages(&contract), all_read);
}

fn heads_feet_and_numbers_of_pages() {
    let contract = read(CONTRACT);
    let head = "Master Services Agreement – Larkspur Tidewater Logistics, Inc.";
    assert_eq!(blocks(&contract, Region::Header), [head; 3]);
    assert_eq!(
        blocks(&contract, Region::Footer),
        ["Contract No. LTL-2024-0317 – Confidential"; 3]
    );
    assert_eq!(
        blocks(&contract, Region::PageNumber),
        ["Page 1 of 3", "Page 2 of 3", "Page 3 of 3"]
    );
    assert_eq!(stands(&contract, "MASTER SERVICES AGREEMENT"), (Region::Body, None));
}

fn a_note_is_told_from_the_text_above() {
    let contract = read(CONTRACT);
    assert_eq!(stands(&contract, "signed at Savannah"), (Region::Footnote, None));
    assert_eq!(stands(&contract, "parties.1"), (Region::Body, None));
}

fn words_are_marked() {
    let contract = read(CONTRACT);
    for (words, page, expected) in [
        (
            "Captain Ignatius Mbeki-Lowell",
            1,
            rectangle(221.9, 288.5, 374.0, 302.0),
        ),
        (
            "Saltmarsh Mutual Assurance Company",
            2,
            rectangle(181.7, 264.5, 381.2, 278.0),
        ),
        ("$14,250.00", 3, rectangle(430.0, 132.5, 484.0, 146.0)),
    ] {
        assert_eq!(marks(&contract, words), (page, vec![expected]), "{words}");
    }
}

fn words_over_two_lines() {
    let expected = [
        rectangle(348.6, 539.5, 522.0, 553.0),
        rectangle(90.0, 556.5, 162.7, 570.0),
    ];
    let words = "National Oceanic and Atmospheric\nAdministration";
    assert_eq!(marks(&read(CONTRACT), words), (1, expected.to_vec()));
}

fn words_of_the_second_column() {
    let terms = read(TERMS);
    let middle = map(&terms).pages[0].width / 2.0;
    for (words, expected) in [
        (
            "Cobalt Heron Instruments, Inc., an",
            rectangle(60.0, 126.5, 208.3, 137.0),
        ),
        ("Nakamura Ferrite Works", rectangle(443.5, 264.5, 541.8, 275.0)),
    ] {
        assert_eq!(marks(&terms, words), (1, vec![expected]), "{words}");
        assert_eq!(expected.left > middle, words.starts_with("Nakamura"));
    }
}

fn a_divided_word() {
    let expected = [
        rectangle(499.7, 201.2, 549.0, 211.8),
        rectangle(318.0, 212.7, 374.5, 223.3),
    ];
    assert_eq!(marks(&read(TERMS), "Oregon Secretary of State"), (1, expected.to_vec()));
}

fn a_scan_has_no_text_layer() {
    let scan = read("termination-notice-scan.pdf");
    let not_read = PageCoverage {
        total: 1,
        read: 0,
        by_ocr: 0,
        ocr_confidence: None,
        without_text: vec![WithoutText {
            why: text_map::Reading::NoTextLayer.as_str().to_owned(),
            count: 1,
            pages: "1".to_owned(),
        }],
    };
    assert_eq!(pages(&scan), not_read);
    assert_eq!(scan.text.text, "");
}
