//! What is left out of the counts, if an operator asks for it: the one place for such rules. Nothing is left out by default. A rule
//! holds for every contestant, and for the labelled entities alike.

use clap::ValueEnum;
use serde::Serialize;

/// Labels that the authors of InLegalNER mark in judgments and not in preambles. Their table says so: README of
/// Legal-NLP-EkStep/legal_NER, section 2, column "Extract From" (GPE is our LOCATION, STATUTE our LEGISLATION). ORG is not among
/// them here, since a party of a preamble may be a company.
const JUDGMENTS_ONLY: [&str; 3] = ["DATE", "LOCATION", "LEGISLATION"];

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaveOut {
    /// Dates, places and statutes in records whose `src` names a preamble: InLegalNER marks them in judgments only.
    Preambles,
    /// Dates without a day, such as "1980" and "June 2018": InLegalNER has marked none, though its guidelines do not say so.
    DatesWithoutADay,
}

impl LeaveOut {
    /// Whether the rule leaves out an entity with this label and these words, in a record from this part of a document.
    pub fn leaves_out(self, label: &str, words: &[String], src: Option<&str>) -> bool {
        match self {
            Self::Preambles => {
                src.is_some_and(|src| src.to_lowercase().contains("preamble")) && JUDGMENTS_ONLY.contains(&label)
            }
            Self::DatesWithoutADay => label == "DATE" && is_without_day(words),
        }
    }
}

/// Whether there is a number, and every number is a year: four digits.
fn is_without_day(words: &[String]) -> bool {
    let text = words.join(" ");
    let mut numbers = text
        .split(|character: char| !character.is_ascii_digit())
        .filter(|number| !number.is_empty())
        .peekable();
    numbers.peek().is_some() && numbers.all(|number| number.len() == 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_date_without_a_day_has_years_only() {
        let leaves_out = |text: &str| LeaveOut::DatesWithoutADay.leaves_out("DATE", &words(text), None);
        assert!(leaves_out("1980") && leaves_out("May , 1996") && leaves_out("first quarter of 2019"));
        assert!(!leaves_out("17 - 3 - 2005") && !leaves_out("7Th April 2022") && !leaves_out("the third of May"));
        assert!(!LeaveOut::DatesWithoutADay.leaves_out("ORG", &words("Expo 2000"), None));
    }

    #[test]
    fn in_preambles_only_what_judgments_have_is_left_out() {
        let leaves_out = |label, src| LeaveOut::Preambles.leaves_out(label, &words("x"), src);
        assert!(leaves_out("DATE", Some("NER_DEV_PREAMBLE")));
        assert!(!leaves_out("COURT", Some("NER_DEV_PREAMBLE")));
        assert!(!leaves_out("DATE", Some("NER_DEV_JUDGEMENT")) && !leaves_out("DATE", None));
    }
}
