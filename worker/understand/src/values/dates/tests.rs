//! Golden dates.

use crate::values::tests::{check, check_nothing, check_surfaces};

#[test]
fn written_dates_are_exact() {
    let day = |date: &str| format!(r#"{{"kind":"date","date":"{date}","precision":"day"}}"#);
    for (text, surface, date) in [
        ("on January 5, 2024, the", "January 5, 2024", "2024-01-05"),
        ("on Jan. 5th, 2024.", "Jan. 5th, 2024", "2024-01-05"),
        ("JANUARY 5, 2024", "JANUARY 5, 2024", "2024-01-05"),
        ("January\n5, 2024", "January\n5, 2024", "2024-01-05"),
        (
            "January\u{A0}5,\u{202F}2024",
            "January\u{A0}5,\u{202F}2024",
            "2024-01-05",
        ),
        (
            "Dated This The 19Th Day Of February, 2021",
            "19Th Day Of February, 2021",
            "2021-02-19",
        ),
        ("5 January 2024", "5 January 2024", "2024-01-05"),
        ("the 5th day of January, 2024", "5th day of January, 2024", "2024-01-05"),
        ("this 1st day of March 2020", "1st day of March 2020", "2020-03-01"),
        (
            "the fifth day of January, 2024",
            "fifth day of January, 2024",
            "2024-01-05",
        ),
        (
            "the twenty-first day of May 2024",
            "twenty-first day of May 2024",
            "2024-05-21",
        ),
        ("dated 12th Feb 2019", "12th Feb 2019", "2019-02-12"),
        ("dated 12-Feb-2019", "12-Feb-2019", "2019-02-12"),
        ("May 5, 2024", "May 5, 2024", "2024-05-05"),
        ("on 2024-01-05 at", "2024-01-05", "2024-01-05"),
        ("on 2024/01/05 at", "2024/01/05", "2024-01-05"),
        ("on 24.03.1998 the", "24.03.1998", "1998-03-24"),
        ("on 05/05/2024", "05/05/2024", "2024-05-05"),
        ("February 29, 2024", "February 29, 2024", "2024-02-29"),
    ] {
        check("DATE", &[(text, surface, &day(date))]);
    }
}

#[test]
fn what_cannot_be_resolved_says_why() {
    let century = r#"{"kind":"date","precision":"day","unresolved":"century"}"#;
    let impossible = r#"{"kind":"date","precision":"day","unresolved":"impossible"}"#;
    check(
        "DATE",
        &[
            (
                "on 9/10/2023",
                "9/10/2023",
                r#"{"kind":"date","precision":"day","ambiguous":["2023-09-10","2023-10-09"]}"#,
            ),
            (
                "on 5.1.2024",
                "5.1.2024",
                r#"{"kind":"date","precision":"day","ambiguous":["2024-01-05","2024-05-01"]}"#,
            ),
            ("on 5-1-24", "5-1-24", century),
            ("dated 5.1.24", "5.1.24", century),
            ("5 Jan '24", "5 Jan '24", century),
            ("February 30, 2023", "February 30, 2023", impossible),
            ("31 April 2023", "31 April 2023", impossible),
            (
                "by December 31 of each",
                "December 31",
                r#"{"kind":"date","month_day":"12-31","precision":"day","unresolved":"year"}"#,
            ),
        ],
    );
}

#[test]
fn months_quarters_and_years_keep_their_precision() {
    check(
        "DATE",
        &[
            (
                "in January 2024",
                "January 2024",
                r#"{"kind":"date","date":"2024-01","precision":"month"}"#,
            ),
            (
                "in May, 2019",
                "May, 2019",
                r#"{"kind":"date","date":"2019-05","precision":"month"}"#,
            ),
            (
                "for Q1 2024",
                "Q1 2024",
                r#"{"kind":"date","quarter":"2024-Q1","precision":"quarter"}"#,
            ),
            (
                "the third quarter of fiscal 2019",
                "third quarter of fiscal 2019",
                r#"{"kind":"date","quarter":"2019-Q3","precision":"quarter","fiscal":true}"#,
            ),
            (
                "fiscal year 2023",
                "fiscal year 2023",
                r#"{"kind":"date","date":"2023","precision":"year","fiscal":true}"#,
            ),
            (
                "FY2023",
                "FY2023",
                r#"{"kind":"date","date":"2023","precision":"year","fiscal":true}"#,
            ),
            (
                "financial year 2023-24",
                "financial year 2023-24",
                r#"{"kind":"date","date":"2023/2024","precision":"year","fiscal":true}"#,
            ),
            ("in 2019", "2019", r#"{"kind":"date","date":"2019","precision":"year"}"#),
            (
                "the year 2019",
                "2019",
                r#"{"kind":"date","date":"2019","precision":"year"}"#,
            ),
        ],
    );
}

#[test]
fn a_range_is_two_dates() {
    check_surfaces(
        "DATE",
        &[
            (
                "January 1, 2023 through December 31, 2023",
                &["January 1, 2023", "December 31, 2023"],
            ),
            ("(April 1 - March 31)", &["April 1", "March 31"]),
            ("from 1.2.2003–15.3.2004", &["1.2.2003", "15.3.2004"]),
        ],
    );
}

#[test]
fn words_and_numbers_of_other_things_are_no_dates() {
    check_nothing(
        "DATE",
        &[
            "you may 5 times",
            "May I",
            "the march of 20 men",
            "an august body",
            "2019",
            "in 2000 shares",
            "Section 5.1.24",
            "13/13/2020",
            "1.2.3.4",
            "99/99/9999",
            "mayor 5, 2020",
            "January\n\n5 apples",
            "212-555-1234",
            "1-2-2020-7",
            "xJanuary 5, 2024",
            "5.1.24 Notices",
        ],
    );
}
