//! Amounts of money: an exact decimal number and an ISO 4217 currency.
//!
//! A `$` alone, and the word `dollars` alone, belong to many currencies. The rule: a document that names exactly one
//! dollar currency (`US$`, `CAD`, `U.S. dollars`) means that currency by a plain `$`. In every other document the
//! currency stays open. `¥` stays open always; `Rs.` is the Indian rupee, since the text says so where it is another.

mod currencies;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::numbers::{Decimal, NUMBER_WORDS, Number};
use super::pattern::{Matched, Pattern, Reading, Start};
use super::{Finding, Unresolved, Value, figures};
pub(super) use currencies::CODES;
use currencies::Currency;

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The amount as a decimal number with the decimal places that the text has: `1250000.00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// ISO 4217 code of the currency, where the text tells the currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The sign that several currencies share, such as `$`. A currency beside the sign comes from elsewhere in the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Both amounts, where the words and the figure disagree or the separators have two readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ambiguous: Vec<String>,
    /// Why there is no amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unresolved: Option<Unresolved>,
}

impl Money {
    /// Returns the currency as a code of the tables, if the text itself names a dollar currency.
    pub(super) fn dollar_code(&self) -> Option<&'static str> {
        let code = self.currency.as_deref()?;
        currencies::DOLLARS.iter().find(|dollar| **dollar == code).copied()
    }
}

/// Gives the plain `$` of a text its currency, if the text names exactly one dollar currency.
pub(super) fn name_plain_dollars(findings: &mut [Finding], named: &BTreeSet<&'static str>) {
    let (Some(only), 1) = (named.first(), named.len()) else {
        return;
    };
    for finding in findings {
        if let Value::Money(money) = &mut finding.value
            && money.symbol.as_deref() == Some("$")
        {
            money.currency = Some((*only).to_owned());
        }
    }
}

/// Signs that begin an amount or a currency.
const SYMBOLS: &[char] = &['$', '€', '£', '¥', '￥', '₹', '₩', '₽', '₪', '฿'];
/// Letters that stand before a `$`, and short names of currencies.
const MARK_WORDS: &[&str] = &[
    "us", "u", "a", "au", "c", "ca", "cdn", "hk", "nz", "s", "sg", "nt", "r", "rs", "re",
];
/// First words of the name of a currency that stands before the number.
const UNIT_WORDS: &[&str] = &["rupees", "dollars", "us", "u", "united", "euros", "euro"];

/// The table of amounts.
pub(super) const PATTERNS: &[Pattern] = &[
    Pattern {
        name: "money_before",
        starts: &[Start::Symbols(SYMBOLS), Start::Words(MARK_WORDS), Start::Words(CODES)],
        regex: concat!(
            r"(?P<mark>{mark}){opt}(?P<figure>{figure})(?:{dash}(?P<high>{figure}))?{amount_scale}(?:{gap}(?P<code>{code}|CDN){end})?",
            r"(?:{opt}[(\[]{opt}(?i:(?:rupees|rs\.?|euros?|(?:us{gap})?dollars?){gap})?(?P<words>{spelled})(?:{gap}{unit})?(?:{gap}(?i:only)\.?)?{opt}[)\]])?",
        ),
        read: read_before,
    },
    Pattern {
        name: "money_after",
        starts: &[Start::Digit],
        regex: r"(?P<figure>{figure}){amount_scale}(?:{opt}\({opt}(?P<words>{spelled}){opt}\))?{opt}(?P<unit>{unit})",
        read: read_after,
    },
    Pattern {
        name: "money_in_words",
        starts: &[Start::Words(NUMBER_WORDS)],
        regex: concat!(
            r"(?P<words>{spelled})(?:{gap}(?i:and){gap}(?P<hundredths>[0-9]{2}|(?i:no|xx))/100(?:ths)?)?{gap}(?P<unit>{unit})",
            r"(?:{gap}(?i:and){gap}(?:(?P<hundredths_after>[0-9]{2}|(?i:no|xx))/100(?:ths)?|(?P<cents>{spelled}){gap}(?i:cents?|paise?)))?(?:{gap}(?i:only))?",
            r"(?:,?{opt}[(\[]{opt}(?P<mark>{mark})?{opt}(?P<figure>{figure}){amount_scale}(?:{gap}(?P<code>{code}))?{opt}[)\]])?",
        ),
        read: read_words,
    },
    Pattern {
        name: "money_in_words_around_figure",
        starts: &[Start::Words(NUMBER_WORDS)],
        regex: r"(?P<words>{spelled}){opt}[(\[]{opt}(?P<mark>{mark})?{opt}(?P<figure>{figure}){amount_scale}{opt}[)\]](?:{gap}(?P<unit>{unit}))?",
        read: read_words,
    },
    Pattern {
        name: "money_unit_before_words",
        starts: &[Start::Words(UNIT_WORDS)],
        regex: concat!(
            r"(?P<unit>{unit}){gap}(?P<words>{spelled})(?:{gap}(?i:only))?",
            r"(?:{opt}[(\[]{opt}(?P<mark>{mark})?{opt}(?P<figure>{figure}){amount_scale}{opt}[)\]])?",
        ),
        read: read_words,
    },
    Pattern {
        name: "dollar_currency",
        starts: &[Start::Words(&[
            "us",
            "u",
            "usd",
            "united",
            "canadian",
            "cad",
            "australian",
            "aud",
            "hong",
            "hkd",
            "singapore",
            "sgd",
            "new",
        ])],
        regex: r"(?P<unit>{unit}|US\$|HK\$)",
        read: read_currency_name,
    },
];

fn found(number: Number, currency: &Currency) -> Option<Reading> {
    let mut money = Money {
        amount: None,
        currency: currency.code.map(str::to_owned),
        symbol: currency.symbol.map(str::to_owned),
        ambiguous: Vec::new(),
        unresolved: None,
    };
    match number {
        Number::Exact(amount) => money.amount = Some(amount.to_string()),
        Number::Either(first, second) => money.ambiguous = vec![first.to_string(), second.to_string()],
        Number::Unreadable => money.unresolved = Some(Unresolved::Unreadable),
    }
    Some(Reading::Value(Value::Money(money)))
}

fn read_before(matched: &Matched<'_>) -> Option<Reading> {
    let currency = Currency::of(matched.group("mark")?)?.narrowed_by(matched.group("code"))?;
    if matched.group("high").is_some() {
        let unresolved = Some(Unresolved::Range);
        let Some(Reading::Value(Value::Money(money))) = found(Number::Unreadable, &currency) else {
            return None;
        };
        return Some(Reading::Value(Value::Money(Money { unresolved, ..money })));
    }
    let figure_text = matched.group("figure")?;
    if currency.symbol == Some("$")
        && let Some((first, _)) = figure_text.split_once(' ')
    {
        // `$5 100 shares`: in a country of the dollar, a blank does not divide groups.
        let length = matched.surface().find(figure_text)? + first.len();
        let Reading::Value(value) = found(figures::read(first, currency.convention), &currency)? else {
            return None;
        };
        return Some(Reading::Beginning(value, length));
    }
    found(confirmed(matched, figure(matched, &currency)?), &currency)
}

fn read_after(matched: &Matched<'_>) -> Option<Reading> {
    let unit = matched.group("unit")?;
    let number_follows = matched
        .after()
        .trim_start()
        .starts_with(|sign: char| sign.is_ascii_digit() || sign == '.');
    if unit.ends_with(['$', '€', '£', '₹']) && number_follows {
        return None;
    }
    let currency = Currency::of(unit)?;
    let number = confirmed(matched, figure(matched, &currency)?);
    found(currency.in_main_unit(number), &currency)
}

/// Reads the figure with its scale; refuses a figure that looks like no amount, such as `1.2.3.4`.
fn figure(matched: &Matched<'_>, currency: &Currency) -> Option<Number> {
    let figure = matched.group("figure")?;
    let number = figures::read(figure, currency.convention);
    if number == Number::Unreadable && figure.contains('.') && !figure.contains(',') {
        return None;
    }
    Some(match matched.group("scale").or_else(|| matched.group("letter")) {
        None => number,
        Some(scale) => number.map(|value| value.shift(power_of(scale)?)),
    })
}

fn power_of(scale: &str) -> Option<i32> {
    match scale.to_lowercase().as_str() {
        "thousand" | "k" => Some(3),
        "lakh" | "lakhs" | "lac" | "lacs" => Some(5),
        "million" | "mn" | "mm" | "mln" | "m" => Some(6),
        "crore" | "crores" => Some(7),
        "billion" | "bn" | "b" => Some(9),
        "trillion" => Some(12),
        _ => None,
    }
}

/// Compares a figure with the same amount in words, where the text has such words.
fn confirmed(matched: &Matched<'_>, figure: Number) -> Number {
    matched
        .group("words")
        .map_or(figure, |words| Number::in_words(words).confirmed_by(figure))
}

fn read_words(matched: &Matched<'_>) -> Option<Reading> {
    let unit = matched.group("unit").or_else(|| matched.group("mark"))?;
    let unit = Currency::of(unit)?.narrowed_by(matched.group("code"))?;
    let currency = match matched.group("mark") {
        Some(mark) => unit.narrowed_by(Some(mark))?,
        None => unit,
    };
    let words = with_hundredths(matched, Number::in_words(matched.group("words")?));
    let words = currency.in_main_unit(words);
    match matched.group("figure") {
        Some(_) => found(words.confirmed_by(figure(matched, &currency)?), &currency),
        None => found(words, &currency),
    }
}

/// Adds `and 50/100` or `and fifty cents` to an amount.
fn with_hundredths(matched: &Matched<'_>, amount: Number) -> Number {
    let fraction = matched
        .group("hundredths")
        .or_else(|| matched.group("hundredths_after"));
    let hundredths = match (fraction, matched.group("cents")) {
        (Some(fraction), _) => Number::Exact(Decimal::parse(fraction).unwrap_or(Decimal::whole(0))),
        (None, Some(cents)) => Number::in_words(cents),
        (None, None) => return amount,
    };
    let Number::Exact(hundredths) = hundredths else {
        return Number::Unreadable;
    };
    amount.map(|amount| amount.plus(hundredths.shift(-2)?))
}

/// Reads the name of a dollar currency that stands without an amount.
fn read_currency_name(matched: &Matched<'_>) -> Option<Reading> {
    let code = Currency::of(matched.group("unit")?)?.code?;
    currencies::DOLLARS
        .iter()
        .find(|dollar| **dollar == code)
        .map(|dollar| Reading::DollarNamed(dollar))
}
