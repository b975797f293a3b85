//! Golden amounts of money.

use crate::values::tests::{check, check_nothing, check_surfaces};

#[test]
fn amounts_with_a_named_currency_are_exact() {
    let money =
        |amount: &str, currency: &str| format!(r#"{{"kind":"money","amount":"{amount}","currency":"{currency}"}}"#);
    for (text, surface, amount, currency) in [
        ("US$ 5 million", "US$ 5 million", "5000000", "USD"),
        ("U.S.$1,000.00", "U.S.$1,000.00", "1000.00", "USD"),
        ("USD 5,000", "USD 5,000", "5000", "USD"),
        ("1 250 000 EUR", "1 250 000 EUR", "1250000", "EUR"),
        ("1.250.000,00 €", "1.250.000,00 €", "1250000.00", "EUR"),
        ("€1.2bn", "€1.2bn", "1200000000", "EUR"),
        ("Rs. 5,00,000/-", "Rs. 5,00,000/-", "500000", "INR"),
        ("Rs 5 lakh", "Rs 5 lakh", "500000", "INR"),
        ("INR 2 crore", "INR 2 crore", "20000000", "INR"),
        ("£3,000", "£3,000", "3000", "GBP"),
        ("A$50", "A$50", "50", "AUD"),
        ("C$50", "C$50", "50", "CAD"),
        ("HK$50", "HK$50", "50", "HKD"),
        ("CHF 1'000.50", "CHF 1'000.50", "1000.50", "CHF"),
        ("$5,000 CAD", "$5,000 CAD", "5000", "CAD"),
        ("ten U.S. dollars", "ten U.S. dollars", "10", "USD"),
        (
            "five million euros (€5,000,000)",
            "five million euros (€5,000,000)",
            "5000000",
            "EUR",
        ),
        (
            "Rs. 5,00,000/- (Rupees Five Lakhs only)",
            "Rs. 5,00,000/- (Rupees Five Lakhs only)",
            "500000",
            "INR",
        ),
        ("Rupees Five Lakhs", "Rupees Five Lakhs", "500000", "INR"),
        ("50 pence", "50 pence", "0.50", "GBP"),
    ] {
        check("MONEY", &[(text, surface, &money(amount, currency))]);
    }
}

#[test]
fn a_plain_dollar_keeps_its_sign() {
    let dollars = |amount: &str| format!(r#"{{"kind":"money","amount":"{amount}","symbol":"$"}}"#);
    for (text, surface, amount) in [
        ("pay $1,250,000.00 now", "$1,250,000.00", "1250000.00"),
        (
            "Two Hundred Fifty Thousand Dollars ($250,000.00)",
            "Two Hundred Fifty Thousand Dollars ($250,000.00)",
            "250000.00",
        ),
        ("$0.01 per share", "$0.01", "0.01"),
        ("$.01 par value", "$.01", "0.01"),
        ("ten dollars", "ten dollars", "10"),
        (
            "five thousand ($5,000) dollars",
            "five thousand ($5,000) dollars",
            "5000",
        ),
        (
            "One Hundred and 50/100 Dollars ($100.50)",
            "One Hundred and 50/100 Dollars ($100.50)",
            "100.50",
        ),
        ("$5 100 shares", "$5", "5"),
        ("$2.5 million", "$2.5 million", "2500000"),
        ("$5M", "$5M", "5000000"),
        ("$1.250", "$1.250", "1.250"),
    ] {
        check("MONEY", &[(text, surface, &dollars(amount))]);
    }
}

#[test]
fn a_document_that_names_one_dollar_currency_means_it_by_a_plain_dollar() {
    let named = r#"{"kind":"money","amount":"5","currency":"USD","symbol":"$"}"#;
    check("MONEY", &[("All sums are in U.S. dollars. Pay $5.", "$5", named)]);
    check("MONEY", &[("United States Dollars (US$): $5.", "$5", named)]);
    let open = r#"{"kind":"money","amount":"5","symbol":"$"}"#;
    check(
        "MONEY",
        &[("In U.S. dollars, not in Canadian dollars: $5.", "$5", open)],
    );
}

#[test]
fn two_readings_are_both_listed() {
    check(
        "MONEY",
        &[
            (
                "1.250 EUR",
                "1.250 EUR",
                r#"{"kind":"money","currency":"EUR","ambiguous":["1250","1.250"]}"#,
            ),
            (
                "Five Thousand Dollars ($6,000)",
                "Five Thousand Dollars ($6,000)",
                r#"{"kind":"money","symbol":"$","ambiguous":["5000","6000"]}"#,
            ),
            ("¥500", "¥500", r#"{"kind":"money","amount":"500","symbol":"¥"}"#),
            (
                "50 cents",
                "50 cents",
                r#"{"kind":"money","amount":"0.50","symbol":"¢"}"#,
            ),
            (
                "$5-10 million",
                "$5-10 million",
                r#"{"kind":"money","symbol":"$","unresolved":"range"}"#,
            ),
        ],
    );
    check_surfaces("MONEY", &[("from $500-$1,000", &["$500", "$1,000"])]);
}

#[test]
fn other_numbers_are_no_money() {
    check_nothing(
        "MONEY",
        &[
            "$",
            "$ each",
            "1.2.3.4",
            "USD",
            "ten",
            "US 5",
            "A 5",
            "Section 5",
            "500",
            "$1.2.3.4",
            "percents",
        ],
    );
}
