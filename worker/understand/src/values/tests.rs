//! What every kind of value must obey, and the comparison that the tables of the kinds use.

use proptest::prelude::*;

use super::*;

/// Tries that the joint between two copies of a text may cost at most: one visit of a token tries fewer patterns.
const TRIES_AT_A_JOINT: usize = 100;

/// Compares the findings of a label: each text holds exactly the given one, with the given JSON.
pub(super) fn check(label: &str, rows: &[(&str, &str, &str)]) {
    for (text, surface, json) in rows {
        assert_eq!(found(label, text), [(*surface, (*json).to_owned())], "in {text:?}");
    }
}

/// Compares the surfaces of all findings of a label.
pub(super) fn check_surfaces(label: &str, rows: &[(&str, &[&str])]) {
    for (text, surfaces) in rows {
        let found: Vec<&str> = found(label, text).into_iter().map(|(surface, _)| surface).collect();
        assert_eq!(found, *surfaces, "in {text:?}");
    }
}

/// Checks that no text holds a finding of a label.
pub(super) fn check_nothing(label: &str, texts: &[&str]) {
    for text in texts {
        assert_eq!(found(label, text), [], "in {text:?}");
    }
}

fn found<'t>(label: &str, text: &'t str) -> Vec<(&'t str, String)> {
    find(text)
        .into_iter()
        .filter(|finding| finding.value.label() == label)
        .map(|finding| (&text[finding.bytes], serde_json::to_string(&finding.value).unwrap()))
        .collect()
}

#[test]
fn a_value_survives_json() {
    let text =
        "On 9/10/2023 pay ten dollars (US$12) or 5% within five (7) days, Sections 1-3, EIN 12-3456789, a@b.org.";
    let values: Vec<Value> = find(text).into_iter().map(|finding| finding.value).collect();
    assert_eq!(values.len(), 7);
    for value in values {
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value, "{json}");
    }
}

#[test]
fn labels_and_recognisers_have_stable_names() {
    let names: Vec<(&str, &str)> = find("EIN 12-3456789, CUSIP 037833100, 5%, Section 2, a@b.org")
        .iter()
        .map(|finding| (finding.value.label(), finding.value.recogniser()))
        .collect();
    let expected = [
        ("IDENTIFIER", "ein"),
        ("IDENTIFIER", "cusip"),
        ("PERCENT", "percent"),
        ("REFERENCE", "reference"),
        ("EMAIL", "email"),
    ];
    assert_eq!(names, expected);
}

#[test]
fn work_grows_in_proportion_to_the_text() {
    let hostile = [
        "1,",
        "$",
        "a@",
        "one hundred ",
        "www.",
        "(212) ",
        "January ",
        "Section 1.",
        "1-",
        "W.P.",
        " \t",
        "§",
    ];
    for fragment in hostile {
        let (short, long) = (fragment.repeat(2_000), fragment.repeat(4_000));
        let (short, long) = (scan::candidates(&short).tries, scan::candidates(&long).tries);
        assert!(
            long <= 2 * short + TRIES_AT_A_JOINT,
            "{fragment:?}: {short} tries, then {long}"
        );
    }
}

const FRAGMENTS: &[&str] = &[
    "January",
    "May",
    "5",
    "2024",
    "31",
    ",",
    ".",
    " ",
    "\n",
    "\n\n",
    "\u{A0}",
    "\u{202F}",
    "–",
    "\u{2011}",
    "’",
    "“",
    "”",
    "$",
    "US$",
    "€",
    "Rs.",
    "1,250,000.00",
    "1.250",
    "5,00,000/-",
    "million",
    "crore",
    "dollars",
    "USD",
    "five",
    "hundred",
    "thirty",
    "(30)",
    "(",
    ")",
    "days",
    "business days",
    "-day",
    "%",
    "percent",
    "basis points",
    "Section",
    "Sections",
    "§",
    "Exhibit",
    "A",
    "IV",
    "(a)",
    "(iii)",
    "and",
    "through",
    "to",
    "of",
    "@",
    "example.com",
    "https://",
    "www.",
    "+44",
    "(212)",
    "555-1234",
    "EIN",
    "12-3456789",
    "CUSIP",
    "037833100",
    "No.",
    "19-1392",
    "Case",
    "C-311/18",
    "1:20-cv-01234",
    "W.P.(C)",
    "/",
    "-",
    "1",
    "٣",
    "５",
    "é",
    "\u{0}",
    "\u{7F}",
    "\u{FEFF}",
    "😀",
    "x",
    "_",
    "#",
    "***-**-1234",
    "st",
    "day",
    "Q1",
    "FY",
    "in",
    "99999999999999999999999999999999",
    "½",
    "\r\n",
    "\t",
];

fn text() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        8 => prop::sample::select(FRAGMENTS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(fragment, 0..60).prop_map(|fragments| fragments.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn findings_are_ordered_apart_and_on_character_boundaries(text in text()) {
        let findings = find(&text);
        let mut last_end = 0;
        for finding in &findings {
            let surface = text.get(finding.bytes.clone());
            prop_assert!(surface.is_some_and(|surface| !surface.trim().is_empty()), "{:?}", finding);
            prop_assert!(finding.bytes.start >= last_end);
            last_end = finding.bytes.end;
        }
        prop_assert_eq!(findings, find(&text));
    }

    #[test]
    fn twice_the_text_is_at_most_twice_the_work(text in text()) {
        let once = scan::candidates(&text).tries;
        let twice = scan::candidates(&text.repeat(2)).tries;
        prop_assert!(twice <= 2 * once + TRIES_AT_A_JOINT, "{} tries, then {}", once, twice);
    }
}
