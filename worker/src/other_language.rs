//! What becomes of documents whose text is in another language than their model reads.

use std::str::FromStr;

/// What becomes of documents whose text is in another language than their model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherLanguage {
    /// The document is read, and its result says so.
    Warn,
    /// The document fails.
    Refuse,
}

impl FromStr for OtherLanguage {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "warn" => Ok(Self::Warn),
            "refuse" => Ok(Self::Refuse),
            _ => Err("it is neither warn nor refuse".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_one_of_two_words() {
        assert_eq!("warn".parse(), Ok(OtherLanguage::Warn));
        assert_eq!("refuse".parse(), Ok(OtherLanguage::Refuse));
        assert!("Refuse".parse::<OtherLanguage>().is_err() && "".parse::<OtherLanguage>().is_err());
    }
}
