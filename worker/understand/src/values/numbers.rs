//! Exact decimal numbers, numbers in words, and numbers that a text states twice: `thirty (30)`.

use std::fmt;

/// Digits of the largest number that is read: 10^30 leaves room to multiply by a trillion within 128 bits.
const DIGITS_MAX: usize = 24;
/// Most decimal places that survive a multiplication or division by a power of ten.
const SCALE_MAX: u32 = 30;

/// An exact decimal number that keeps the number of decimal places as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u128,
    scale: u32,
}

impl Decimal {
    /// Makes a whole number.
    pub(super) fn whole(digits: u128) -> Self {
        Self { digits, scale: 0 }
    }

    /// Reads ASCII digits with at most one decimal point.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{decimals}");
        if digits.len() > DIGITS_MAX || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            digits: digits.parse().ok()?,
            scale: u32::try_from(decimals.len()).ok()?,
        })
    }

    /// Multiplies by ten to the given power, without losing a digit.
    pub(super) fn shift(self, power: i32) -> Option<Self> {
        let scale = i64::from(self.scale) - i64::from(power);
        if scale >= 0 {
            let scale = u32::try_from(scale).ok().filter(|scale| *scale <= SCALE_MAX)?;
            return Some(Self {
                digits: self.digits,
                scale,
            });
        }
        let zeros = u32::try_from(-scale).ok()?;
        Some(Self {
            digits: self.digits.checked_mul(10_u128.checked_pow(zeros)?)?,
            scale: 0,
        })
    }

    /// Adds, and keeps the larger number of decimal places.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Some(Self {
            digits: self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?,
            scale,
        })
    }

    /// Multiplies by a whole number.
    pub(super) fn times(self, factor: u32) -> Option<Self> {
        Some(Self {
            digits: self.digits.checked_mul(u128::from(factor))?,
            scale: self.scale,
        })
    }

    /// Says whether two numbers are equal, however many decimal places they were written with.
    pub(super) fn equals(self, other: Self) -> bool {
        let scale = self.scale.max(other.scale);
        match (self.at_scale(scale), other.at_scale(scale)) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        }
    }

    fn at_scale(self, scale: u32) -> Option<u128> {
        self.digits.checked_mul(10_u128.checked_pow(scale - self.scale)?)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(formatter, "{}", self.digits);
        }
        let scale = usize::try_from(self.scale).map_err(|_| fmt::Error)?;
        let digits = format!("{:0>width$}", self.digits, width = scale + 1);
        let (whole, decimals) = digits.split_at(digits.len() - scale);
        write!(formatter, "{whole}.{decimals}")
    }
}

/// What a written number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// One reading.
    Exact(Decimal),
    /// Two readings, between which the text does not decide.
    Either(Decimal, Decimal),
    /// No reading.
    Unreadable,
}

impl Number {
    /// Applies a calculation to each reading.
    pub(super) fn map(self, calculate: impl Fn(Decimal) -> Option<Decimal>) -> Self {
        match self {
            Self::Exact(value) => calculate(value).map_or(Self::Unreadable, Self::Exact),
            Self::Either(first, second) => match (calculate(first), calculate(second)) {
                (Some(first), Some(second)) => Self::Either(first, second),
                _ => Self::Unreadable,
            },
            Self::Unreadable => Self::Unreadable,
        }
    }

    /// Compares two statements of the same number: equal statements are exact, different statements are two readings.
    pub(super) fn confirmed_by(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(first), Self::Exact(second)) if first.equals(second) => Self::Exact(second),
            (Self::Exact(first), Self::Exact(second)) => Self::Either(first, second),
            // A figure with two readings is settled by the words beside the figure.
            (Self::Exact(exact), Self::Either(first, second)) | (Self::Either(first, second), Self::Exact(exact)) => {
                if exact.equals(first) {
                    Self::Exact(first)
                } else if exact.equals(second) {
                    Self::Exact(second)
                } else {
                    Self::Unreadable
                }
            }
            _ => Self::Unreadable,
        }
    }

    /// Reads a number in words.
    pub(super) fn in_words(words: &str) -> Self {
        parse_words(words).map_or(Self::Unreadable, Self::Exact)
    }

    /// Reads a number in digits with commas between groups and a decimal point.
    pub(super) fn in_digits(digits: &str) -> Self {
        Decimal::parse(&digits.replace(',', "")).map_or(Self::Unreadable, Self::Exact)
    }

    /// Reads a number that a text states in words, in digits, or in both.
    pub(super) fn stated(words: Option<&str>, digits: Option<&str>) -> Self {
        match (words.map(Self::in_words), digits.map(Self::in_digits)) {
            (Some(words), Some(digits)) => words.confirmed_by(digits),
            (Some(number), None) | (None, Some(number)) => number,
            (None, None) => Self::Unreadable,
        }
    }
}

/// What a word adds to a number.
enum Word {
    /// A number below twenty.
    Small(u128),
    /// A multiple of ten below a hundred.
    Tens(u128),
    /// The word `hundred`.
    Hundred,
    /// A power of ten above a hundred.
    Scale(u32),
    /// A fraction, in thousandths.
    Fraction(u128),
}

/// Words that begin a number in words: those below twenty, the tens, and two that are often misspelt.
pub(super) const NUMBER_WORDS: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "fourty",
    "ninty",
];
/// The first of the tens in the list.
const TWENTY: usize = 20;
/// The first misspelt word in the list.
const MISSPELT: usize = 28;

fn word(text: &str) -> Option<Word> {
    let scale = |power| Some(Word::Scale(power));
    let fraction = |thousandths| Some(Word::Fraction(thousandths));
    match text {
        "a" => return Some(Word::Small(1)),
        "fourty" => return Some(Word::Tens(40)),
        "ninty" => return Some(Word::Tens(90)),
        "hundred" => return Some(Word::Hundred),
        "thousand" => return scale(3),
        "lakh" | "lakhs" | "lac" | "lacs" => return scale(5),
        "million" => return scale(6),
        "crore" | "crores" => return scale(7),
        "billion" => return scale(9),
        "trillion" => return scale(12),
        "half" | "halves" => return fraction(500),
        "quarter" | "quarters" | "fourth" | "fourths" => return fraction(250),
        "fifth" | "fifths" => return fraction(200),
        "eighth" | "eighths" => return fraction(125),
        "tenth" | "tenths" => return fraction(100),
        _ => {}
    }
    let at = NUMBER_WORDS[..MISSPELT].iter().position(|known| *known == text)?;
    let number = u128::try_from(at).ok()?;
    Some(if at < TWENTY {
        Word::Small(number)
    } else {
        Word::Tens((number - 18) * 10)
    })
}

/// Reads a number in words; refuses words in an order that makes no number, such as `five twenty`.
fn parse_words(text: &str) -> Option<Decimal> {
    let lower = text.to_lowercase();
    let is_joint = |sign: char| sign.is_whitespace() || matches!(sign, '-' | '\u{2010}' | '\u{2011}' | ',');
    let mut words = Vec::new();
    for part in lower.split(is_joint).filter(|part| !part.is_empty() && *part != "and") {
        words.push(word(part)?);
    }
    if let Some(Word::Fraction(thousandths)) = words.last() {
        let thousandths = *thousandths;
        words.pop();
        let Some(Word::Small(parts)) = words.pop() else {
            return None;
        };
        let fraction = shortest(thousandths.checked_mul(parts)?);
        return if words.is_empty() {
            Some(fraction)
        } else {
            whole(&words)?.plus(fraction)
        };
    }
    whole(&words)
}

fn whole(words: &[Word]) -> Option<Decimal> {
    let mut total: u128 = 0;
    let mut group: Option<u128> = None;
    let (mut last_scale, mut largest_scale) = (u32::MAX, 0);
    for word in words {
        group = match (word, group) {
            (Word::Small(value) | Word::Tens(value), None) => Some(*value),
            (Word::Small(value), Some(group)) if fits_below(*value, group) => Some(group + value),
            (Word::Tens(value), Some(group)) if group > 0 && group.is_multiple_of(100) => Some(group + value),
            (Word::Hundred, Some(group)) if (1..100).contains(&group) => Some(group * 100),
            (Word::Scale(power), Some(group)) if group > 0 && *power < last_scale => {
                last_scale = *power;
                largest_scale = largest_scale.max(*power);
                total = total.checked_add(group.checked_mul(10_u128.checked_pow(*power)?)?)?;
                None
            }
            // `one thousand seven hundred crore`: a larger scale multiplies all that stands before.
            (Word::Scale(power), group) if total > 0 && *power > largest_scale => {
                (last_scale, largest_scale) = (*power, *power);
                let before = total.checked_add(group.unwrap_or(0))?;
                total = before.checked_mul(10_u128.checked_pow(*power)?)?;
                None
            }
            _ => return None,
        };
    }
    Some(Decimal::whole(total.checked_add(group.unwrap_or(0))?))
}

/// Says whether a number below twenty may follow `group`: `twenty five` and `hundred twelve` do, `five five` does not.
fn fits_below(value: u128, group: u128) -> bool {
    let after_hundred = group > 0 && group.is_multiple_of(100);
    let after_tens = group % 100 >= 20 && group.is_multiple_of(10) && (1..10).contains(&value);
    after_hundred || after_tens
}

/// Makes a decimal of thousandths, without trailing zeros.
fn shortest(thousandths: u128) -> Decimal {
    let mut decimal = Decimal {
        digits: thousandths,
        scale: 3,
    };
    while decimal.scale > 0 && decimal.digits.is_multiple_of(10) {
        decimal = Decimal {
            digits: decimal.digits / 10,
            scale: decimal.scale - 1,
        };
    }
    decimal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_make_numbers() {
        for (words, number) in [
            ("thirty", "30"),
            ("Twenty-Five", "25"),
            ("one hundred and five", "105"),
            ("Two Hundred Fifty Thousand", "250000"),
            ("one million, two hundred thousand", "1200000"),
            ("Five Lakhs Twenty Thousand", "520000"),
            ("two crore", "20000000"),
            ("one thousand seven hundred forty two crore four lakh", "17420400000"),
            ("one-half", "0.5"),
            ("two and one-half", "2.5"),
            ("three quarters", "0.75"),
            ("zero", "0"),
        ] {
            assert_eq!(parse_words(words).unwrap().to_string(), number, "{words}");
        }
    }

    #[test]
    fn words_in_no_order_make_no_number() {
        for words in [
            "five twenty",
            "five five",
            "hundred",
            "nineteen ninety",
            "one million thousand million",
            "half",
            "",
        ] {
            assert!(
                parse_words(words).is_none_or(|value| words.is_empty() && value.digits == 0),
                "{words}"
            );
        }
    }

    #[test]
    fn decimals_lose_nothing() {
        let value = Decimal::parse("1.20").unwrap();
        assert_eq!(value.to_string(), "1.20");
        assert_eq!(value.shift(9).unwrap().to_string(), "1200000000");
        assert_eq!(value.shift(-2).unwrap().to_string(), "0.0120");
        assert!(value.equals(Decimal::parse("1.2").unwrap()));
        assert_eq!(Decimal::parse("9999999999999999999999999"), None);
    }
}
