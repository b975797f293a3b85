//! What holds for citations in any text, and the form of a finding on the wire.
use docket_understand::citations::{Citation, find};
use proptest::prelude::*;

#[test]
fn findings_are_flat_json() {
    let json = serde_json::to_value(&find("Roe v. Wade, 410 U.S. 113, 153 (1973)")[0].citation).unwrap();
    let expected = serde_json::json!({
        "kind": "case", "form": "full", "volume": "410", "reporter": "U.S.", "page": "113", "pin": "153", "year": "1973",
        "court": "scotus", "parties": ["Roe", "Wade"], "name": "Roe v. Wade", "name_bytes": {"start": 0, "end": 11}, "key": "410 U.S. 113",
    });
    assert_eq!(json, expected);
    let json = serde_json::to_value(&find("42 U.S.C. § 1983")[0].citation).unwrap();
    let expected = serde_json::json!({
        "kind": "statute", "form": "usc", "act": "U.S.C.", "title": "42", "section": "1983", "key": "42 U.S.C. § 1983",
    });
    assert_eq!(json, expected);
}

/// Pieces that together make and break every kind of citation.
const PIECES: [&str; 48] = [
    "410 ",
    "U.S. ",
    "U. S. ",
    "113",
    ", ",
    "153 ",
    "(1973)",
    "Roe v. Wade, ",
    "v. ",
    "Id. ",
    "id. at ",
    "supra",
    "at ",
    "*",
    "§ ",
    "§§",
    "42 ",
    "U.S.C. ",
    "Section ",
    "of the ",
    "Act ",
    "Code, ",
    "1860",
    "[2019] ",
    "UKSC ",
    "AIR ",
    "(",
    ")",
    "[",
    "]",
    "SC ",
    "ECLI:EU:C:",
    "Case C-",
    "/18",
    "Court ",
    "of ",
    "Ninth Circuit ",
    "\n\n",
    "\n",
    "\u{a0}",
    "—",
    "é",
    "𝔸",
    "Cal. ",
    "Penal ",
    "12(b)",
    "In re ",
    "&",
];

proptest! {
    #[test]
    fn findings_are_valid_ordered_and_repeatable(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        check(&pieces.concat());
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        check(&text);
    }
}

fn check(text: &str) {
    let findings = find(text);
    let mut end = 0;
    for (index, finding) in findings.iter().enumerate() {
        assert!(finding.bytes.start >= end && !finding.bytes.is_empty(), "{findings:?}");
        assert!(text.get(finding.bytes.clone()).is_some(), "{findings:?}");
        end = finding.bytes.end;
        if let Citation::Case(case) = &finding.citation {
            assert!(case.of.is_none_or(|of| of < index) && case.parallel_to.is_none_or(|of| of < index));
            assert!(case.name_bytes.clone().is_none_or(|bytes| text.get(bytes).is_some()));
        }
    }
    assert_eq!(findings, find(text));
}

#[test]
fn a_long_chain_of_references_keeps_its_links() {
    const REFERENCES: usize = 20_000;
    let text = format!(
        "Roe v. Wade, 410 U.S. 113 (1973). {}",
        "Id. at 120. 410 U.S. at 120. ".repeat(REFERENCES)
    );
    let findings = find(&text);
    assert_eq!(findings.len(), 2 * REFERENCES + 1);
    let linked = |citation: &Citation| matches!(citation, Citation::Case(case) if case.of == Some(0));
    assert!(findings[1..].iter().all(|finding| linked(&finding.citation)));
}
