use docket_contract::language::{TOLD, UNDETERMINED};

use super::*;

/// A contract's first clauses in each of eight languages, written for these tests.
const CONTRACTS: [(&str, &str); 8] = [
    ("de", include_str!("texts/de.txt")),
    ("en", include_str!("texts/en.txt")),
    ("es", include_str!("texts/es.txt")),
    ("fr", include_str!("texts/fr.txt")),
    ("it", include_str!("texts/it.txt")),
    ("nl", include_str!("texts/nl.txt")),
    ("pl", include_str!("texts/pl.txt")),
    ("pt", include_str!("texts/pt.txt")),
];

fn contract(code: &str) -> &'static str {
    let (_, text) = CONTRACTS.iter().find(|(known, _)| *known == code).unwrap();
    text
}

fn told(text: &str) -> Option<&'static str> {
    language(text).map(|told| told.code)
}

#[test]
fn contracts_are_in_their_languages_also_in_capitals_and_when_they_are_long() {
    for (code, text) in CONTRACTS {
        let all = Some(Told { code, percent: 100 });
        assert_eq!(language(text), all);
        assert_eq!(language(&text.to_uppercase()), all);
        assert_eq!(language(&text.repeat(1_000)), all);
    }
}

#[test]
fn a_part_of_a_contract_is_in_its_language_or_in_none() {
    let mut known = 0;
    for (code, text) in CONTRACTS {
        let starts = text.char_indices().map(|(start, _)| start).step_by(20);
        for start in starts {
            let end = text.floor_char_boundary(start + 120);
            let told = told(&text[start..end]);
            assert!(
                told.is_none_or(|told| told == code),
                "{:?} of {code}",
                &text[start..end]
            );
            known += usize::from(told.is_some());
        }
    }
    assert!(known > 200, "{known}");
}

#[test]
fn an_english_cover_page_does_not_decide() {
    let cover = contract("en");
    let german = contract("de").repeat(30);
    assert_eq!(told(&format!("{cover}\n\n{german}\n\n{cover}")), Some("de"));
}

#[test]
fn a_contract_in_two_languages_is_in_none() {
    let (english, german) = (contract("en").repeat(5), contract("de").repeat(5));
    assert_eq!(told(&format!("{english}\n{german}")), None);
}

#[test]
fn what_is_too_short_or_no_language_is_in_none() {
    for text in [
        "",
        " ",
        "Exhibit A",
        "NDA - Falkenberg Logistik GmbH",
        "Smith v. Jones, 410 U.S. 113",
        "\u{0}\u{fffd}",
    ] {
        assert_eq!(told(text), None, "{text:?}");
    }
    for piece in [
        "12,450.00 EUR 3.5 % ",
        "ab",
        "\u{1f600}",
        "\u{301}",
        "x\u{200b}",
        "0123456789abcdef ",
    ] {
        assert_eq!(told(&piece.repeat(2_000)), None, "{piece:?}");
    }
}

#[test]
fn tables_of_numbers_do_not_hide_a_language() {
    let table = "1,234.50  17  2024-01-31\n".repeat(30);
    let text = format!("{}{table}", contract("fr")).repeat(20);
    assert_eq!(told(&text), Some("fr"));
}

#[test]
fn the_pieces_are_bounded_and_lie_from_the_start_to_the_end() {
    for text in [
        "",
        "ä",
        &"ä\u{20ac}\u{1f600}".repeat(5),
        &"ä\u{20ac}\u{1f600}".repeat(100_000),
    ] {
        let pieces: Vec<&str> = pieces(text).collect();
        assert!((1..=PIECES_MAX).contains(&pieces.len()));
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
        assert!(text.starts_with(pieces[0]) && text.ends_with(pieces[pieces.len() - 1]));
    }
}

#[test]
fn every_language_has_a_code_that_metrics_know() {
    for lang in Lang::all() {
        assert!(code(*lang).is_some_and(|code| TOLD.contains(&code)), "{lang}");
    }
    assert_eq!(TOLD.len(), CODES.len() + 1, "and {UNDETERMINED}");
}
