//! Signs, codes and names of currencies.

use super::super::figures::Convention;
use super::super::numbers::Number;

/// ISO 4217 codes of the currencies called dollar.
pub(super) const DOLLARS: [&str; 7] = ["USD", "CAD", "AUD", "HKD", "NZD", "SGD", "TWD"];

/// Codes of currencies that stand beside amounts: ISO 4217, and `RMB`.
pub(in crate::values) const CODES: &[&str] = &[
    "AED", "AUD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS",
    "INR", "JPY", "KRW", "KWD", "MXN", "MYR", "NOK", "NZD", "PHP", "PKR", "PLN", "QAR", "RMB", "RUB", "SAR", "SEK",
    "SGD", "THB", "TRY", "TWD", "USD", "ZAR",
];

/// Signs and names of currencies: in upper case, without blanks and full stops.
const NAMES: &[(&str, &str)] = &[
    ("US$", "USD"),
    ("USD$", "USD"),
    ("USDOLLAR", "USD"),
    ("USADOLLAR", "USD"),
    ("UNITEDSTATESDOLLAR", "USD"),
    ("A$", "AUD"),
    ("AU$", "AUD"),
    ("AUD$", "AUD"),
    ("AUSTRALIANDOLLAR", "AUD"),
    ("C$", "CAD"),
    ("CA$", "CAD"),
    ("CAD$", "CAD"),
    ("CDN$", "CAD"),
    ("CDN", "CAD"),
    ("CANADIANDOLLAR", "CAD"),
    ("HK$", "HKD"),
    ("HKD$", "HKD"),
    ("HONGKONGDOLLAR", "HKD"),
    ("NZ$", "NZD"),
    ("NZD$", "NZD"),
    ("NEWZEALANDDOLLAR", "NZD"),
    ("S$", "SGD"),
    ("SG$", "SGD"),
    ("SGD$", "SGD"),
    ("SINGAPOREDOLLAR", "SGD"),
    ("NT$", "TWD"),
    ("NTD$", "TWD"),
    ("R$", "BRL"),
    ("€", "EUR"),
    ("EUR€", "EUR"),
    ("EURO", "EUR"),
    ("£", "GBP"),
    ("GBP£", "GBP"),
    ("POUNDSTERLING", "GBP"),
    ("POUNDSSTERLING", "GBP"),
    ("PENCE", "GBP"),
    ("₹", "INR"),
    ("RS", "INR"),
    ("RE", "INR"),
    ("RUPEE", "INR"),
    ("INDIANRUPEE", "INR"),
    ("₩", "KRW"),
    ("₽", "RUB"),
    ("₪", "ILS"),
    ("฿", "THB"),
    ("YEN", "JPY"),
    ("JAPANESEYEN", "JPY"),
    ("RMB", "CNY"),
    ("YUAN", "CNY"),
    ("CHINESEYUAN", "CNY"),
    ("RENMINBI", "CNY"),
    ("SWISSFRANC", "CHF"),
];

/// Currencies of countries that write a decimal comma.
const COMMA_COUNTRIES: &[&str] = &[
    "EUR", "BRL", "CLP", "COP", "CZK", "DKK", "HUF", "IDR", "NOK", "PLN", "RUB", "SEK", "TRY",
];

/// A currency, or a sign that several currencies share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Currency {
    /// ISO 4217 code, if known.
    pub(super) code: Option<&'static str>,
    /// The shared sign: `$`, `¥` or `¢`.
    pub(super) symbol: Option<&'static str>,
    /// How figures of the currency are written.
    pub(super) convention: Convention,
    hundredths: bool,
}

impl Currency {
    /// Returns the currency of a sign, a code or a name.
    pub(super) fn of(written: &str) -> Option<Self> {
        let is_filler = |sign: &char| sign.is_whitespace() || *sign == '.';
        let name: String = written
            .chars()
            .filter(|sign| !is_filler(sign))
            .collect::<String>()
            .to_uppercase();
        match name.as_str() {
            "$" | "DOLLAR" | "DOLLARS" => return Some(Self::shared("$")),
            "¥" | "￥" => return Some(Self::shared("¥")),
            "CENT" | "CENTS" => {
                return Some(Self {
                    hundredths: true,
                    ..Self::shared("¢")
                });
            }
            _ => {}
        }
        let singular = name
            .strip_suffix('S')
            .filter(|singular| singular.len() > 3)
            .unwrap_or(&name);
        let named = NAMES
            .iter()
            .find(|(known, _)| *known == name || *known == singular)
            .map(|(_, code)| *code);
        let code = named.or_else(|| code_of(&name))?;
        let convention = if COMMA_COUNTRIES.contains(&code) {
            Convention::Comma
        } else {
            Convention::Point
        };
        Some(Self {
            code: Some(code),
            symbol: None,
            convention,
            hundredths: name == "PENCE",
        })
    }

    fn shared(symbol: &'static str) -> Self {
        Self {
            code: None,
            symbol: Some(symbol),
            convention: Convention::Point,
            hundredths: false,
        }
    }

    /// Combines the currency with a second statement of the currency, such as `CAD` in `$5,000 CAD`. Words that name no
    /// currency change nothing; two different currencies make no amount.
    pub(super) fn narrowed_by(self, other: Option<&str>) -> Option<Self> {
        let Some(other) = other.and_then(Self::of) else {
            return Some(self);
        };
        match (self.code, other.code) {
            (Some(first), Some(second)) if first != second => None,
            (Some(_), _) => Some(self),
            (None, Some(_)) => Some(Self {
                hundredths: self.hundredths,
                ..other
            }),
            (None, None) => Some(self),
        }
    }

    /// Turns cents or pence into the main unit of the currency.
    pub(super) fn in_main_unit(&self, number: Number) -> Number {
        if self.hundredths {
            number.map(|value| value.shift(-2))
        } else {
            number
        }
    }
}

/// Returns the code that begins `name`: `USD`, or `USD$`.
fn code_of(name: &str) -> Option<&'static str> {
    CODES.iter().find(|code| name.get(..3) == Some(code)).copied()
}
