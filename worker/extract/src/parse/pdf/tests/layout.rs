//! The order of characters, from tables of characters and places, without pdfium.

use docket_contract::place::Region;
use docket_contract::text_map::{CharBox, Reading};

use super::super::glyphs::Glyph;
use super::super::page::PageLines;
use super::super::sheet::{Area, Direction};
use super::super::text::Joiner;
use super::super::{footnotes, regions, vertical};

/// Height of the font, in points.
const SIZE: f32 = 10.0;
/// Width of every character, in points.
const ADVANCE: f32 = 5.0;

/// The characters of an upright line that begins here.
fn line(text: &str, (x, base): (f32, f32)) -> Vec<Glyph> {
    sized(text, (x, base), SIZE)
}

fn sized(text: &str, (mut x, base): (f32, f32), size: f32) -> Vec<Glyph> {
    let (mut glyphs, mut follows_blank) = (Vec::new(), false);
    let advance = ADVANCE * size / SIZE;
    for c in text.chars() {
        if c != ' ' {
            glyphs.push(glyph(c, (x, base), (advance, size), follows_blank));
        }
        follows_blank = c == ' ';
        x += advance;
    }
    glyphs
}

fn glyph(c: char, (x, base): (f32, f32), (width, size): (f32, f32), follows_blank: bool) -> Glyph {
    let area = Area {
        left: x,
        top: base - 0.9 * size,
        right: x + width,
        bottom: base + 0.2 * size,
    };
    Glyph {
        c,
        follows_blank,
        direction: Direction::UPRIGHT,
        area,
        base,
        size,
        shown: CharBox::default(),
    }
}

/// The characters of a line that runs from right to left, in the order in which they are read.
fn line_from_right(text: &str, (mut right, base): (f32, f32)) -> Vec<Glyph> {
    let (mut glyphs, mut follows_blank) = (Vec::new(), false);
    for c in text.chars() {
        right -= ADVANCE;
        if c != ' ' {
            glyphs.push(glyph(c, (right, base), (ADVANCE, SIZE), follows_blank));
        }
        follows_blank = c == ' ';
    }
    glyphs
}

fn page(glyphs: &[Glyph]) -> PageLines {
    let mut page = PageLines::without_text(612.0, 792.0, Reading::Text);
    let body_size = page.add_glyphs(glyphs);
    footnotes::mark(&mut page, body_size);
    page
}

fn text_of(glyphs: &[Glyph]) -> String {
    joined(&[page(glyphs)])
}

fn joined(pages: &[PageLines]) -> String {
    let mut joiner = Joiner::new(1 << 20);
    pages
        .iter()
        .for_each(|page| joiner.page(page).expect("the text is short"));
    joiner.finish().0
}

#[test]
fn a_heading_over_two_columns_is_read_first() {
    let mut glyphs = Vec::new();
    for row in 0..6 {
        let base = 150.0 + 12.0 * row as f32;
        glyphs.extend(line("right column of this page here", (320.0, base)));
        glyphs.extend(line("left column of this page and so", (100.0, base)));
    }
    glyphs.extend(sized("A heading over both columns", (150.0, 100.0), 16.0));
    let text = text_of(&glyphs);
    let first = |wanted: &str| text.find(wanted).expect("the text is there");
    assert!(text.starts_with("A heading over both columns\n\nleft"));
    assert!(text.rfind("left") < Some(first("right")), "{text}");
}

#[test]
fn short_columns_that_do_not_stand_level_are_read_one_after_the_other() {
    let mut glyphs = Vec::new();
    for (row, (left, right)) in [("ACME Ltd", "Contoso"), ("12 Street", "3 Road"), ("London", "Paris")]
        .iter()
        .enumerate()
    {
        glyphs.extend(line(left, (100.0, 100.0 + 12.0 * row as f32)));
        glyphs.extend(line(right, (300.0, 106.0 + 12.0 * row as f32)));
    }
    assert_eq!(
        text_of(&glyphs),
        "ACME Ltd\n12 Street\nLondon\n\nContoso\n3 Road\nParis"
    );
}

#[test]
fn a_term_stays_beside_its_definition() {
    let mut glyphs = Vec::new();
    for (row, term) in ["Lessor", "Lessee", "Rent", "Term"].iter().enumerate() {
        let base = 100.0 + 24.0 * row as f32;
        glyphs.extend(line(term, (100.0, base)));
        glyphs.extend(line("means whoever is named as such in", (200.0, base)));
        glyphs.extend(line("the first schedule, and their heirs", (200.0, base + 12.0)));
    }
    assert!(text_of(&glyphs).starts_with("Lessor    means whoever is named as such in\nthe first"));
}

#[test]
fn a_raised_mark_stays_on_its_line() {
    let mut glyphs = line("The rent", (100.0, 100.0));
    glyphs.extend(sized("2", (140.0, 96.5), 6.0));
    glyphs.extend(line("is due", (148.0, 100.0)));
    glyphs.extend(line("monthly.", (100.0, 112.0)));
    assert_eq!(text_of(&glyphs), "The rent2 is due\nmonthly.");
}

#[test]
fn lines_from_right_to_left_keep_their_words_in_order() {
    let mut glyphs = line_from_right("שלום עולם", (500.0, 100.0));
    glyphs.extend(line("Python 3", (410.0, 100.0)));
    glyphs.extend(line_from_right("טוב", (400.0, 100.0)));
    assert_eq!(text_of(&glyphs), "שלום עולם Python 3 טוב");
}

#[test]
fn a_hebrew_name_in_an_english_line_keeps_its_order() {
    let mut glyphs = line("signed by", (100.0, 100.0));
    glyphs.extend(line_from_right("דוד לוי", (190.0, 100.0)));
    glyphs.extend(line("in person", (195.0, 100.0)));
    assert_eq!(text_of(&glyphs), "signed by דוד לוי in person");
}

#[test]
fn japanese_columns_are_read_from_the_right() {
    let column = |text: &str, x: f32| -> Vec<Glyph> {
        let places = text.chars().zip(0_u8..);
        places
            .map(|(c, row)| glyph(c, (x, 100.0 + 10.0 * f32::from(row)), (10.0, SIZE), false))
            .collect()
    };
    let mut glyphs = column("契約書第一条", 300.0);
    glyphs.extend(column("甲は乙に", 280.0));
    vertical::mark(&mut glyphs);
    assert_eq!(text_of(&glyphs), "契約書第一条\n甲は乙に");
}

#[test]
fn notes_at_the_foot_are_marked() {
    let mut glyphs = Vec::new();
    for row in 0..10 {
        glyphs.extend(line(
            "The body of the page has lines.",
            (100.0, 300.0 + 12.0 * row as f32),
        ));
    }
    glyphs.extend(sized("1 See the first schedule.", (100.0, 700.0), 8.0));
    let page = page(&glyphs);
    let regions: Vec<Region> = page.lines.iter().map(|line| line.region).collect();
    assert_eq!(regions[..10], [Region::Body; 10]);
    assert_eq!(regions[10..], [Region::Footnote]);
}

#[test]
fn lines_that_two_pages_share_in_the_middle_are_no_heads() {
    let mut pages = [
        page(&line("Signed", (100.0, 400.0))),
        page(&line("Signed", (100.0, 400.0))),
    ];
    regions::mark(&mut pages);
    assert!(pages.iter().all(|page| page.lines[0].region == Region::Body));
}

#[test]
fn numbers_at_the_edge_that_do_not_count_pages_are_no_numbers_of_pages() {
    let mut pages = ["500", "900", "1"].map(|number| page(&line(number, (100.0, 780.0))));
    regions::mark(&mut pages);
    assert!(pages.iter().all(|page| page.lines[0].region == Region::Body));
    let mut pages = ["xi", "xii", "xiii"].map(|number| page(&line(number, (100.0, 780.0))));
    regions::mark(&mut pages);
    assert!(pages.iter().all(|page| page.lines[0].region == Region::PageNumber));
}

#[test]
fn places_that_are_no_numbers_do_no_harm() {
    let places = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 0.0];
    let mut glyphs = Vec::new();
    for x in places {
        for base in places {
            glyphs.extend(sized("ab", (x, base), 10.0));
            glyphs.extend(sized("1", (x, base), f32::NAN));
        }
    }
    assert_eq!(text_of(&glyphs).chars().filter(|c| !c.is_whitespace()).count(), 108);
}

#[test]
fn a_page_of_many_scattered_characters_is_read_whole() {
    let mut state = 7_u32;
    let mut next = |max: f32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 * max
    };
    let glyphs: Vec<Glyph> = (0..100_000)
        .map(|_| glyph('x', (next(612.0), next(792.0)), (0.5, 1.0), false))
        .collect();
    assert_eq!(text_of(&glyphs).matches('x').count(), 100_000);
}
