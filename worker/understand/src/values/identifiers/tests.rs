//! Golden identifiers.

use crate::values::tests::{check, check_nothing};

/// Text, surface, scheme and value.
const GOLDEN: &[(&str, &str, &str, &str)] = &[
    ("EIN 12-3456789", "12-3456789", "ein", "12-3456789"),
    (
        "Employer Identification No.: 12-3456789",
        "12-3456789",
        "ein",
        "12-3456789",
    ),
    ("SSN: 123-45-6789", "123-45-6789", "ssn", "123-45-6789"),
    ("SSN XXX-XX-1234", "XXX-XX-1234", "ssn", "XXX-XX-1234"),
    ("***-**-1234", "***-**-1234", "ssn", "***-**-1234"),
    ("CUSIP No. 037833100", "037833100", "cusip", "037833100"),
    ("the note US0378331005 of", "US0378331005", "isin", "US0378331005"),
    (
        "LEI: 5493001KJTIIGC8Y1R12",
        "5493001KJTIIGC8Y1R12",
        "lei",
        "5493001KJTIIGC8Y1R12",
    ),
    ("company number 01234567", "01234567", "company_number", "01234567"),
    (
        "registered in England and Wales (No. 01234567)",
        "01234567",
        "company_number",
        "01234567",
    ),
    (
        "Commission File Number: 001-12345",
        "001-12345",
        "commission_file_number",
        "001-12345",
    ),
    ("File No. 001-12345", "001-12345", "commission_file_number", "001-12345"),
    ("VAT No. GB 123 4567 89", "GB 123 4567 89", "vat", "GB123456789"),
    (
        "Case No. 1:20-cv-01234-ABC",
        "Case No. 1:20-cv-01234-ABC",
        "case_number",
        "1:20-cv-01234-ABC",
    ),
    (
        "in 1:20-cv-01234-ABC, the",
        "1:20-cv-01234-ABC",
        "case_number",
        "1:20-cv-01234-ABC",
    ),
    ("v. Jones, No. 19-1392", "No. 19-1392", "case_number", "19-1392"),
    (
        "Civil Appeal No. 1234 of 2010",
        "Civil Appeal No. 1234 of 2010",
        "case_number",
        "Civil Appeal No. 1234 of 2010",
    ),
    ("Docket No. 45", "Docket No. 45", "case_number", "45"),
    (
        "C.A. No. 2017-0001-JTL",
        "C.A. No. 2017-0001-JTL",
        "case_number",
        "2017-0001-JTL",
    ),
    (
        "W.P.(C) No. 123/2015",
        "W.P.(C) No. 123/2015",
        "case_number",
        "W.P.(C) No. 123/2015",
    ),
    (
        "Crl.A. No. 5/2009",
        "Crl.A. No. 5/2009",
        "case_number",
        "Crl.A. No. 5/2009",
    ),
    (
        "ECLI:EU:C:2020:559.",
        "ECLI:EU:C:2020:559",
        "ecli",
        "ECLI:EU:C:2020:559",
    ),
    ("Case C-311/18 Schrems", "C-311/18", "eu_case", "C-311/18"),
    (
        "U.S. Patent No. 7,123,456",
        "U.S. Patent No. 7,123,456",
        "patent",
        "US7123456",
    ),
];

#[test]
fn identifiers_have_a_scheme_and_a_value() {
    for (text, surface, scheme, value) in GOLDEN {
        let json = format!(r#"{{"kind":"identifier","scheme":"{scheme}","value":"{value}"}}"#);
        check("IDENTIFIER", &[(text, surface, json.as_str())]);
    }
}

#[test]
fn a_wrong_check_digit_is_reported_beside_its_word_and_hides_a_code_alone() {
    let json = r#"{"kind":"identifier","scheme":"cusip","value":"037833101","unresolved":"check_digit"}"#;
    check("IDENTIFIER", &[("CUSIP 037833101", "037833101", json)]);
    check_nothing("IDENTIFIER", &["the note US0378331006 of"]);
}

#[test]
fn other_codes_are_no_identifiers() {
    check_nothing(
        "IDENTIFIER",
        &[
            "12-3456789",
            "C-311/18",
            "Policy No. 19-1392",
            "No. 5",
            "case no. one",
            "000-12-3456",
            "212-555-1234",
            "in case no 5 people",
            "001-12345",
            "a company of 12345678 shares",
        ],
    );
}
