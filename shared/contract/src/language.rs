//! Languages, as BCP 47 names them: of texts, of models, and in settings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The code of a text whose language is not known: BCP 47's word for that.
pub const UNDETERMINED: &str = "und";

/// The codes that the language of a text can have: those that [`UNDETERMINED`] and the detection of languages know. Norwegian is
/// `no` in both of its forms.
pub const TOLD: &[&str] = &[
    "af",
    "ak",
    "am",
    "ar",
    "az",
    "be",
    "bg",
    "bn",
    "ca",
    "cs",
    "cy",
    "da",
    "de",
    "el",
    "en",
    "eo",
    "es",
    "et",
    "fa",
    "fi",
    "fr",
    "gu",
    "he",
    "hi",
    "hr",
    "hu",
    "hy",
    "id",
    "it",
    "ja",
    "jv",
    "ka",
    "km",
    "kn",
    "ko",
    "la",
    "lt",
    "lv",
    "mk",
    "ml",
    "mr",
    "my",
    "ne",
    "nl",
    "no",
    "or",
    "pa",
    "pl",
    "pt",
    "ro",
    "ru",
    "si",
    "sk",
    "sl",
    "sn",
    "sr",
    "sv",
    "ta",
    "te",
    "th",
    "tk",
    "tl",
    "tr",
    "uk",
    UNDETERMINED,
    "ur",
    "uz",
    "vi",
    "yi",
    "zh",
    "zu",
];

/// A language as BCP 47 names it, without script or region: `de`, `en`, `gsw`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String); // Invariant: two or three letters a to z, and not `und`.

/// Why a language was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a language must be a BCP 47 code of two or three small letters without script or region, such as de")]
pub struct InvalidLanguage;

impl Language {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;

    fn from_str(raw: &str) -> Result<Self, InvalidLanguage> {
        let is_code = (2..=3).contains(&raw.len()) && raw.bytes().all(|byte| byte.is_ascii_lowercase());
        if is_code && raw != UNDETERMINED {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidLanguage)
        }
    }
}

impl TryFrom<String> for Language {
    type Error = InvalidLanguage;

    fn try_from(raw: String) -> Result<Self, InvalidLanguage> {
        raw.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> String {
        language.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The language of a document's text, beside the languages that its model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TextLanguage {
    /// The language as a BCP 47 code; `und` when the text is too short, or in no language for most of its length.
    #[cfg_attr(feature = "schema", schema(examples("en")))]
    pub code: String,
    /// How much of the text that was looked at is in this language, in percent; missing beside `und`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// The languages that the model reads; empty for a model that does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_reads: Vec<String>,
}

impl TextLanguage {
    /// Whether the text is known to be in a language that the model does not read. Unknown on either side is no.
    pub fn is_other(&self) -> bool {
        self.code != UNDETERMINED && !self.model_reads.is_empty() && !self.model_reads.contains(&self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_two_or_three_small_letters() {
        for good in ["de", "en", "gsw"] {
            assert_eq!(good.parse::<Language>().unwrap().as_str(), good);
        }
        for bad in ["", "d", "DE", "de-AT", "de_AT", "german", "d1", "dé", "und"] {
            assert_eq!(bad.parse::<Language>(), Err(InvalidLanguage), "{bad}");
        }
    }

    #[test]
    fn only_what_is_known_to_be_in_another_language_is() {
        let of = |code: &str, reads: &[&str]| TextLanguage {
            code: code.into(),
            confidence: None,
            model_reads: reads.iter().map(|&code| code.into()).collect(),
        };
        assert!(of("de", &["en"]).is_other() && of("de", &["en", "fr"]).is_other());
        assert!(!of("en", &["en"]).is_other() && !of("fr", &["en", "fr"]).is_other());
        assert!(!of("de", &[]).is_other(), "the model does not say what it reads");
        assert!(!of(UNDETERMINED, &["en"]).is_other(), "nothing is guessed");
    }

    #[test]
    fn the_codes_are_in_order_and_each_is_there_once() {
        assert!(TOLD.is_sorted_by(|one, next| one < next));
    }
}
