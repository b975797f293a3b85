use super::{assert_finds, told};

#[test]
fn codes_and_regulations_are_found() {
    assert_finds(&[
        (
            "42 U. S. C. A. §§ 1983, 1985(3)",
            &["42 U. S. C. A. §§ 1983, 1985(3) -> usc: 42 U.S.C. § 1983, 1985(3)"],
        ),
        (
            "42 U.S.C.\u{a0}§1983 (2000)",
            &["42 U.S.C.\u{a0}§1983 (2000) -> usc: 42 U.S.C. § 1983 =2000"],
        ),
        (
            "42 U.S.C. § 1983, 28 U.S.C. § 1331",
            &[
                "42 U.S.C. § 1983 -> usc: 42 U.S.C. § 1983",
                "28 U.S.C. § 1331 -> usc: 28 U.S.C. § 1331",
            ],
        ),
        (
            "17 C.F.R. § 240.10b-5",
            &["17 C.F.R. § 240.10b-5 -> cfr: 17 C.F.R. § 240.10b-5"],
        ),
        (
            "Pub. L. No. 111-203, 124 Stat. 1376",
            &[
                "Pub. L. No. 111-203 -> public_law: Pub. L. 111-203",
                "124 Stat. 1376 -> stat: 124 Stat. 1376",
            ],
        ),
        (
            "Cal. Penal Code § 187",
            &["Cal. Penal Code § 187 -> state_code: Cal. Penal Code § 187"],
        ),
        (
            "8 Del. C. § 102(b)(7)",
            &["8 Del. C. § 102(b)(7) -> state_code: 8 Del. C. § 102(b)(7)"],
        ),
        (
            "N.Y. Gen. Bus. Law § 349",
            &["N.Y. Gen. Bus. Law § 349 -> state_code: N.Y. Gen. Bus. Law § 349"],
        ),
        (
            "Tex. Bus. & Com. Code Ann. § 17.46 (West 2011)",
            &["Tex. Bus. & Com. Code Ann. § 17.46 (West 2011) -> state_code: Tex. Bus. & Com. Code Ann. § 17.46 =2011"],
        ),
        (
            "735 ILCS 5/2-615",
            &["735 ILCS 5/2-615 -> state_code: 735 ILCS § 5/2-615"],
        ),
        (
            "Fed. R. Civ. P. 12(b)(6)",
            &["Fed. R. Civ. P. 12(b)(6) -> rule: Fed. R. Civ. P. 12(b)(6)"],
        ),
        (
            "Exec. Order No. 13,769",
            &["Exec. Order No. 13,769 -> executive_order: Exec. Order 13769"],
        ),
        (
            "85 Fed. Reg. 12,345",
            &["85 Fed. Reg. 12,345 -> register: 85 Fed. Reg. 12345"],
        ),
        (
            "U.S. Const. art. I, § 8, cl. 3",
            &["U.S. Const. art. I, § 8, cl. 3 -> constitution: U.S. Const. art. I, § 8, cl. 3"],
        ),
    ]);
}

#[test]
fn acts_are_found_by_name() {
    assert_finds(&[
        (
            "Section 10(b) of the Securities Exchange Act of 1934",
            &["Section 10(b) of the Securities Exchange Act of 1934 -> act: Securities Exchange Act s. 10(b) =1934"],
        ),
        (
            "section 302 of the Indian Penal Code, 1860",
            &["section 302 of the Indian Penal Code, 1860 -> act: Indian Penal Code § 302 =1860"],
        ),
        (
            "S. 138 of the Negotiable Instruments Act",
            &["S. 138 of the Negotiable Instruments Act -> act: Negotiable Instruments Act s. 138"],
        ),
        (
            "Article 21 of the Constitution of India",
            &["Article 21 of the Constitution of India -> constitution: Constitution of India § 21"],
        ),
        ("Art. 6 GDPR.", &["Art. 6 GDPR -> eu_act: GDPR § 6"]),
        (
            "u/s 482 Cr.P.C.",
            &["u/s 482 Cr.P.C. -> act: Code of Criminal Procedure § 482"],
        ),
        (
            "Sections 498A/406 IPC",
            &["Sections 498A/406 IPC -> act: Indian Penal Code § 498A/406"],
        ),
        (
            "Regulation (EU) 2016/679",
            &["Regulation (EU) 2016/679 -> eu_act: Regulation 2016/679 =2016"],
        ),
        (
            "Council Directive 93/13/EEC",
            &["Council Directive 93/13/EEC -> eu_act: Directive 93/13 =1993"],
        ),
        (
            "Regulation (EC) No 1/2003",
            &["Regulation (EC) No 1/2003 -> eu_act: Regulation 1/2003 =2003"],
        ),
        ("Article 101 TFEU", &["Article 101 TFEU -> eu_act: TFEU § 101"]),
        (
            "Companies Act 2006, s 172",
            &["Companies Act 2006, s 172 -> uk_act: Companies Act s. 172 =2006"],
        ),
        (
            "the Human Rights Act 1998",
            &["Human Rights Act 1998 -> uk_act: Human Rights Act =1998"],
        ),
        (
            "the Punjab Act 2 of 1985",
            &["Punjab Act 2 of 1985 -> act: Punjab Act =1985"],
        ),
        ("SI 2019/419", &["SI 2019/419 -> uk_instrument: SI 2019/419 =2019"]),
    ]);
}

#[test]
fn courts_are_found_in_prose() {
    assert_finds(&[
        (
            "the United States District Court for the Southern District of New York held",
            &["United States District Court for the Southern District of New York -> court: nysd"],
        ),
        (
            "the Supreme Court of India",
            &["Supreme Court of India -> court: in_sc"],
        ),
        (
            "the Court of Chancery of the State of Delaware",
            &["Court of Chancery of the State of Delaware -> court: delch"],
        ),
        ("the Ninth Circuit", &["Ninth Circuit -> court: ca9"]),
        (
            "I N  T H E  S U P R E M E  C O U R T  O F  I N D I A CIVIL",
            &["S U P R E M E  C O U R T  O F  I N D I A -> court: in_sc"],
        ),
        (
            "of Rajasthan High Court and Gujarat High Court",
            &[
                "Rajasthan High Court -> court: in_hc_rajasthan",
                "Gujarat High Court -> court: in_hc_gujarat",
            ],
        ),
        (
            "the High Court of Judicature at Bombay",
            &["High Court of Judicature at Bombay -> court: in_hc_bombay"],
        ),
        (
            "the Court of Justice of the European Union",
            &["Court of Justice of the European Union -> court: cjeu"],
        ),
        ("the Supreme Court", &["Supreme Court -> court: "]),
    ]);
}

#[test]
fn prose_is_not_cited() {
    for text in [
        "On 5 May 2010 he paid 10 Days 20 for 2 East 45th Street.",
        "See 1 Bl. 2 and 10 P. 20 and 12 Dec. 2010 and 5 A. 10.",
        "It boils 10 F. at 20 degrees. Of 1995 U.S. 45 were ill; 10 US 5.5 was paid.",
        "The Court, any court of competent jurisdiction, the High Court and the Act.",
        "Source Code, Object Code and the Code of Conduct. Section 5 of the Act; Section 5 hereof.",
        "The user id. The Tax Id. No. 12-34. See supra Part II.",
        "Room 42, U.S. citizens. Versus v. Section 8. (2010) 5 USD 100.",
        "$410 U.S. 113",
        "410\n\nU.S. 113",
    ] {
        assert_eq!(told(text), Vec::<String>::new(), "in {text:?}");
    }
}
