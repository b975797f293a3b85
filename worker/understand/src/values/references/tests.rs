//! Golden references.

use crate::values::tests::{check, check_nothing, check_surfaces};

#[test]
fn single_parts_keep_their_number_as_written() {
    for (text, part, number) in [
        ("Section 5.2(a)(iii)", "section", "5.2(a)(iii)"),
        ("Section\n5.2 (a)", "section", "5.2(a)"),
        ("§ 7", "section", "7"),
        ("Article IV", "article", "IV"),
        ("Clause 12.3", "clause", "12.3"),
        ("paragraph (b)", "paragraph", "(b)"),
        ("Exhibit A", "exhibit", "A"),
        ("Exhibit 10.5", "exhibit", "10.5"),
        ("Exhibit “A”", "exhibit", "A"),
        ("Exhibit A-1", "exhibit", "A-1"),
        ("Schedule 1.1(a)", "schedule", "1.1(a)"),
        ("Annex II", "annex", "II"),
        ("Appendix 3", "appendix", "3"),
        ("Recital (4)", "recital", "(4)"),
        ("Rule 12(b)(6)", "rule", "12(b)(6)"),
        ("Rule 10b-5", "rule", "10b-5"),
        ("Section 498-A", "section", "498-A"),
        ("sub-section (1)", "subsection", "(1)"),
    ] {
        let json = format!(r#"{{"kind":"reference","part":"{part}","numbers":["{number}"]}}"#);
        check("REFERENCE", &[(&format!("under {text}, the"), text, &json)]);
    }
}

#[test]
fn lists_and_ranges_are_taken_apart() {
    for (text, rest) in [
        ("Sections 3 and 4", r#""part":"section","numbers":["3","4"]"#),
        (
            "Sections 2.1 through 2.5",
            r#""part":"section","ranges":[{"from":"2.1","to":"2.5"}]"#,
        ),
        ("§§ 3-5", r#""part":"section","ranges":[{"from":"3","to":"5"}]"#),
        (
            "Sections 1, 2(a) and 4 to 6",
            r#""part":"section","numbers":["1","2(a)"],"ranges":[{"from":"4","to":"6"}]"#,
        ),
        (
            "Paragraphs 10.01(b)-(e)",
            r#""part":"paragraph","ranges":[{"from":"10.01(b)","to":"(e)"}]"#,
        ),
        ("Exhibits A and B", r#""part":"exhibit","numbers":["A","B"]"#),
        (
            "clauses (i), (ii) and (iii)",
            r#""part":"clause","numbers":["(i)","(ii)","(iii)"]"#,
        ),
        (
            "Section 4.1(a) or (b)",
            r#""part":"section","numbers":["4.1(a)","(b)"]"#,
        ),
        (
            "Sections 498-A and 304-B",
            r#""part":"section","numbers":["498-A","304-B"]"#,
        ),
    ] {
        check(
            "REFERENCE",
            &[(
                &format!("under {text} of"),
                text,
                &format!(r#"{{"kind":"reference",{rest}}}"#),
            )],
        );
    }
}

#[test]
fn a_reference_ends_where_its_number_ends() {
    check_surfaces(
        "REFERENCE",
        &[
            ("(“Exhibit A”)", &["Exhibit A"]),
            ("Section 5 and thirty (30) days", &["Section 5"]),
            ("Section 5 and 30 days", &["Section 5"]),
            ("in Section 3.", &["Section 3"]),
            ("42 U.S.C. § 1983", &["§ 1983"]),
        ],
    );
}

#[test]
fn words_without_a_number_are_no_references() {
    check_nothing(
        "REFERENCE",
        &[
            "Intersection 12",
            "SECTION OF",
            "the section",
            "a rule of law",
            "Section A person",
            "exhibit a copy",
            "Articles of",
            "Section12x",
            "as a rule I think",
        ],
    );
}
