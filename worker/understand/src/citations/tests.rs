use super::*;

mod statutes;

/// Writes findings as `surface -> recogniser: normal form`, for tables that can be read.
fn told(text: &str) -> Vec<String> {
    find(text)
        .iter()
        .map(|finding| {
            format!(
                "{} -> {}: {}",
                &text[finding.bytes.clone()],
                finding.citation.recogniser(),
                normal(&finding.citation)
            )
        })
        .collect()
}

fn normal(citation: &Citation) -> String {
    match citation {
        Citation::Case(case) => {
            let court = case.court.as_ref().map_or(String::new(), |court| format!(" @{court}"));
            let year = case.year.as_ref().map_or(String::new(), |year| format!(" ={year}"));
            let of = case.of.map_or(String::new(), |of| format!(" of {of}"));
            let key = case
                .key
                .clone()
                .or_else(|| case.note.clone())
                .or_else(|| case.pin.clone())
                .unwrap_or_default();
            format!("{key}{court}{year}{of}")
        }
        Citation::Statute(statute) => {
            let section = statute
                .section
                .as_ref()
                .map_or(String::new(), |section| format!(" s. {section}"));
            let year = statute.year.as_ref().map_or(String::new(), |year| format!(" ={year}"));
            statute
                .key
                .clone()
                .unwrap_or_else(|| format!("{}{section}", statute.act))
                + &year
        }
        Citation::Journal(journal) => journal.key.clone(),
        Citation::Court(court) => court.court.clone().unwrap_or_default(),
    }
}

fn assert_finds(table: &[(&str, &[&str])]) {
    for (text, expected) in table {
        assert_eq!(told(text), *expected, "in {text:?}");
    }
}

fn only_case(text: &str) -> Case {
    match find(text).remove(0).citation {
        Citation::Case(case) => case,
        other => panic!("{other:?} is no case"),
    }
}

#[test]
fn full_citations_carry_court_year_and_pin() {
    assert_finds(&[
        (
            "Roe v. Wade, 410 U.S. 113, 153 (1973).",
            &["410 U.S. 113, 153 (1973) -> case_full: 410 U.S. 113 @scotus =1973"],
        ),
        (
            "Hay v. Low, 400 F. 3d 12 (9th Cir. 2005)",
            &["400 F. 3d 12 (9th Cir. 2005) -> case_full: 400 F.3d 12 @ca9 =2005"],
        ),
        (
            "Hay v. Low, 800 F.Supp.2d 12, 14-15 & n.3 (S.D.N.Y. Mar. 3, 2011)",
            &["800 F.Supp.2d 12, 14-15 & n.3 (S.D.N.Y. Mar. 3, 2011) -> case_full: 800 F. Supp. 2d 12 @nysd =2011"],
        ),
        (
            "Hay v. Low, 497 A.2d 792 (Del. Ch. 1985)",
            &["497 A.2d 792 (Del. Ch. 1985) -> case_full: 497 A.2d 792 @delch =1985"],
        ),
        (
            "Hay v. Low, 12 So. 2d 5 (Fla. 1943)",
            &["12 So. 2d 5 (Fla. 1943) -> case_full: 12 So. 2d 5 @fla =1943"],
        ),
        (
            "Hay v. Low, 60 U.S. (19 How.) 393 (1857)",
            &["60 U.S. (19 How.) 393 (1857) -> case_full: 60 U.S. 393 @scotus =1857"],
        ),
        (
            "598 U. S. ___ (2023)",
            &["598 U. S. ___ (2023) -> case_full:  @scotus =2023"],
        ),
        (
            "2011 WL 123456, at *3 (S.D.N.Y. Mar. 3, 2011)",
            &["2011 WL 123456, at *3 (S.D.N.Y. Mar. 3, 2011) -> case_database: 2011 WL 123456 @nysd =2011"],
        ),
        (
            "2020 U.S. Dist. LEXIS 4567",
            &["2020 U.S. Dist. LEXIS 4567 -> case_database: 2020 U.S. Dist. LEXIS 4567 =2020"],
        ),
        (
            "76 Harv. L. Rev. 1, 5 (1962)",
            &["76 Harv. L. Rev. 1, 5 (1962) -> journal: 76 Harv. L. Rev. 1"],
        ),
    ]);
}

#[test]
fn parallel_citations_share_name_year_and_court() {
    let text = "Roe v. Wade, 410 U.S. 113, 93 S. Ct. 705, 35 L. Ed. 2d 147 (1973)";
    assert_finds(&[(
        text,
        &[
            "410 U.S. 113 -> case_full: 410 U.S. 113 @scotus =1973",
            "93 S. Ct. 705 -> case_full: 93 S. Ct. 705 @scotus =1973",
            "35 L. Ed. 2d 147 (1973) -> case_full: 35 L. Ed. 2d 147 @scotus =1973",
        ],
    )]);
    for (index, finding) in find(text).into_iter().enumerate() {
        let Citation::Case(case) = finding.citation else {
            panic!("all three are cases")
        };
        assert_eq!(case.parties, ["Roe", "Wade"]);
        assert_eq!(case.parallel_to, (index > 0).then_some(0));
    }
}

#[test]
fn names_of_cases_stand_before_their_citations() {
    for (text, name) in [
        ("See, e.g., Roe v. Wade, 410 U.S. 113 (1973)", "Roe v. Wade"),
        (
            "The panel relied on Ass'n for Fair Play v. Bd. of Educ., 569 U.S. 576 (2013)",
            "Ass'n for Fair Play v. Bd. of Educ.",
        ),
        (
            "Compare Acme Commc'ns, Inc. v. Barnes Co., 123 F.3d 4 (2d Cir. 1997)",
            "Acme Commc'ns, Inc. v. Barnes Co.",
        ),
        ("We follow In re Gault, 387 U.S. 1 (1967)", "In re Gault"),
        ("People v. Anderson (1972) 6 Cal.3d 628", "People v. Anderson"),
        ("Doe v. Roe, No. 10-1234, 2011 WL 123456 (D. Mass. 2011)", "Doe v. Roe"),
        (
            "in Rao v. Union of India & Ors., reported in (1978) 1 SCC 248",
            "Rao v. Union of India & Ors.",
        ),
        ("Donoghue v Stevenson [1932] AC 562", "Donoghue v Stevenson"),
    ] {
        let case = only_case(text);
        assert_eq!(case.name.as_deref(), Some(name), "in {text:?}");
        assert_eq!(&text[case.name_bytes.unwrap()], name);
    }
    for text in [
        "Roe v. Wade was decided earlier. See 410 U.S. 113 (1973)",
        "The court held. 410 U.S. 113 (1973)",
    ] {
        assert_eq!(only_case(text).name, None, "in {text:?}");
    }
}

#[test]
fn references_back_mean_the_citation_they_name() {
    let text = "Roe v. Wade, 410 U.S. 113 (1973); Doe v. Bolton, 410 U.S. 179 (1973). Wade, 410 U.S. at 120. Bolton, supra, at 190. \
                Id. at 192. Ibid. Smith, supra note 12. Id. 42 U.S.C. § 1983. Id. § 1985. 410 U.S., at 181.";
    assert_finds(&[(
        text,
        &[
            "410 U.S. 113 (1973) -> case_full: 410 U.S. 113 @scotus =1973",
            "410 U.S. 179 (1973) -> case_full: 410 U.S. 179 @scotus =1973",
            "410 U.S. at 120 -> case_short: 120 of 0",
            "supra, at 190 -> supra: 190 of 1",
            "Id. at 192 -> id: 192 of 1",
            "Ibid. -> id:  of 1",
            "supra note 12 -> supra: 12",
            "Id. -> id: ",
            "42 U.S.C. § 1983 -> usc: 42 U.S.C. § 1983",
            "Id. § 1985 -> id: § 1985 of 8",
            "410 U.S., at 181 -> case_short: 181 of 1",
        ],
    )]);
}

#[test]
fn an_id_whose_pin_lies_outside_the_decision_has_no_link() {
    assert_eq!(
        told("Roe v. Wade, 410 U.S. 113 (1973). Id. at 900.")[1],
        "Id. at 900 -> id: 900"
    );
}

#[test]
fn neutral_citations_of_many_countries_are_found() {
    assert_finds(&[
        (
            "2012 IL 112020, ¶ 15",
            &["2012 IL 112020, ¶ 15 -> case_neutral: 2012 IL 112020 =2012"],
        ),
        (
            "2013 IL App (1st) 123456-U",
            &["2013 IL App (1st) 123456-U -> case_neutral: 2013 IL App (1st) 123456-U =2013"],
        ),
        (
            "2003-Ohio-1234",
            &["2003-Ohio-1234 -> case_neutral: 2003-Ohio-1234 =2003"],
        ),
        (
            "[2019] UKSC 41",
            &["[2019] UKSC 41 -> case_neutral: [2019] UKSC 41 @uksc =2019"],
        ),
        (
            "[2004] EWCA Civ 1001 at [52]",
            &["[2004] EWCA Civ 1001 at [52] -> case_neutral: [2004] EWCA Civ 1001 @ewca_civ =2004"],
        ),
        (
            "[2010] EWHC 123 (Ch)",
            &["[2010] EWHC 123 (Ch) -> case_neutral: [2010] EWHC 123 (Ch) @ewhc =2010"],
        ),
        (
            "[1932] A.C. 562",
            &["[1932] A.C. 562 -> case_neutral: [1932] AC 562 =1932"],
        ),
        (
            "(1973) 4 SCC 225",
            &["(1973) 4 SCC 225 -> case_neutral: (1973) 4 SCC 225 =1973"],
        ),
        (
            "1991 Supp (1) SCC 57",
            &["1991 Supp (1) SCC 57 -> case_neutral: (1991) Supp (1) SCC 57 =1991"],
        ),
        (
            "AIR 1973 SC 1461",
            &["AIR 1973 SC 1461 -> case_neutral: AIR 1973 SC 1461 @in_sc =1973"],
        ),
        (
            "A.I.R. 1950 All 12",
            &["A.I.R. 1950 All 12 -> case_neutral: AIR 1950 All 12 =1950"],
        ),
        (
            "2019 SCC OnLine SC 1234",
            &["2019 SCC OnLine SC 1234 -> case_neutral: 2019 SCC OnLine SC 1234 @in_sc =2019"],
        ),
        (
            "[2020] 2 SCR 100",
            &["[2020] 2 SCR 100 -> case_neutral: [2020] 2 SCR 100 =2020"],
        ),
        ("2008 SCC 9", &["2008 SCC 9 -> case_neutral: 2008 SCC 9 =2008"]),
        (
            "[2010] HCA 1",
            &["[2010] HCA 1 -> case_neutral: [2010] HCA 1 @hca =2010"],
        ),
        (
            "ECLI:EU:C:2020:559",
            &["ECLI:EU:C:2020:559 -> case_neutral: ECLI:EU:C:2020:559 @cjeu =2020"],
        ),
        ("Case C-311/18", &["Case C-311/18 -> case_neutral: C-311/18 @cjeu"]),
        (
            "Joined Cases C-92/09 and C-93/09",
            &["Joined Cases C-92/09 and C-93/09 -> case_neutral: C-92/09 and C-93/09 @cjeu"],
        ),
    ]);
}

#[test]
fn spacing_and_line_breaks_do_not_matter() {
    for text in [
        "410\nU.S. 113",
        "410 U. S. 113",
        "410\u{a0}U.S.\u{2009}113",
        "410 US 113",
        "410  U.S.\r\n  113",
    ] {
        assert_eq!(only_case(text).key.as_deref(), Some("410 U.S. 113"), "in {text:?}");
    }
    assert_eq!(
        only_case("800 F. SUPP. 2D 12").key.as_deref(),
        Some("800 F. Supp. 2d 12")
    );
}

#[test]
fn a_year_outside_the_reporter_is_marked() {
    assert!(only_case("Hay v. Low, 12 S.W.3d 100 (Tex. 1950)").doubtful);
    assert!(!only_case("Hay v. Low, 12 S.W.3d 100 (Tex. 2005)").doubtful);
}

#[test]
fn every_reporter_is_found_by_its_own_name() {
    let missed: Vec<_> = tables::rows(include_str!("../../data/reporters.tsv"))
        .filter(|row| {
            row[3] != "neutral"
                && row[4].is_empty()
                && row[0].chars().all(|c| c.is_alphanumeric() || " .&'".contains(c))
        })
        .filter(|row| row[0].starts_with(char::is_uppercase))
        .filter(|row| {
            let volume = if row[0] == "WL" || row[0].ends_with("LEXIS") {
                "2001"
            } else {
                "12"
            };
            let text = format!("Hay v. Low, {volume} {} 34567 (1950)", row[0]);
            find(&text)
                .first()
                .is_none_or(|finding| !text[finding.bytes.clone()].starts_with(volume))
        })
        .map(|row| row[0])
        .collect();
    assert_eq!(missed, Vec::<&str>::new());
}
