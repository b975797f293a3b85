//! Where the names that a model marked begin and end, by rule.
//!
//! A model reads words. It cannot know that a stop ends a sentence and not a name, or that a bracket was never closed. Each rule
//! here moves an end of a mark by a few characters; no rule looks farther than a word. A mark of which nothing is left, or that no
//! name can be, is dropped.

mod edges;
mod joints;
mod junk;
mod stops;

use std::ops::Range;

/// What a model marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark<'a> {
    /// The model's label, for instance `ORG`.
    pub label: &'a str,
    /// The range of the text, in bytes.
    pub bytes: Range<usize>,
}

/// The ranges of marks by the rules; `None` for a mark that is dropped, or that became a part of the mark before it. Marks come in
/// the order of the text, without overlap, and so do the ranges.
pub fn settled(text: &str, marks: &[Mark<'_>]) -> Vec<Option<Range<usize>>> {
    let capitals = junk::has_capitals(text);
    let mut ranges: Vec<Option<Range<usize>>> = Vec::with_capacity(marks.len());
    let mut free_from = 0;
    for (at, mark) in marks.iter().enumerate() {
        let free = free_from..marks.get(at + 1).map_or(text.len(), |next| next.bytes.start);
        let range = (mark.bytes.start >= free_from)
            .then(|| settle(text, mark, &free))
            .flatten();
        let range = match marks.get(at + 1) {
            Some(next) => range.map(|range| joints::with_next(text, mark, range, next)),
            None => range,
        };
        let range = range.filter(|range| !junk::is_junk(&text[range.clone()], mark.label, capitals));
        let range = range.filter(|range| !junk::is_of_a_sum(mark.label, &text[range.end..]));
        free_from = range.as_ref().map_or(free_from, |range| range.end);
        ranges.push(range);
    }
    ranges
}

/// One mark, which may grow within `free`.
fn settle(text: &str, mark: &Mark<'_>, free: &Range<usize>) -> Option<Range<usize>> {
    let range = edges::trimmed(text, mark.bytes.clone(), mark.label);
    let range = edges::balanced(text, range, free);
    let range = joints::with_parts(text, range, free, mark.label);
    let range = stops::settled(text, range, free);
    let range = edges::trimmed(text, range, mark.label);
    (!range.is_empty()).then_some(range)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::marked;

    /// What stands of the marks of a text. A mark is written as `«LABEL|words»`.
    fn stands(marked: &str) -> Vec<String> {
        let (text, marks) = marked::read(marked);
        let marks = marks.into_iter().map(|(label, bytes)| Mark { label, bytes });
        let marks: Vec<Mark<'_>> = marks.collect();
        let ranges = settled(&text, &marks).into_iter().flatten();
        ranges.map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn quotes_separators_and_signs_at_the_ends_are_no_part_of_a_name() {
        assert_eq!(stands("by «ORG|“Acme Ltd”,» and «ORG|Beta® »now"), ["Acme Ltd", "Beta"]);
        assert_eq!(stands("«ORG|*VIBEX™»  «PERSON|Jane Roe²»"), ["VIBEX", "Jane Roe"]);
        assert_eq!(
            stands("«ORG|- Foo -» «ORG|Yahoo!» «ORG|A&B &»"),
            ["Foo", "Yahoo!", "A&B"]
        );
        assert_eq!(stands("«MONEY|$1,150,000,» to «MONEY|100 €»,"), ["$1,150,000", "100 €"]);
        assert_eq!(stands("«LEGISLATION|§ 12» «PERCENT|5%»"), ["§ 12", "5%"]);
    }

    #[test]
    fn the_last_accent_of_a_name_stays() {
        assert_eq!(stands("«PERSON|Ade\u{301}» said"), ["Ade\u{301}"]);
        assert_eq!(stands("«PERSON|Jose\u{301},» said"), ["Jose\u{301}"]);
    }

    #[test]
    fn a_stop_stays_with_an_abbreviation_and_leaves_a_sentence() {
        assert_eq!(stands("paid «MONEY|$240,000.» per"), ["$240,000"]);
        assert_eq!(
            stands("to «ORG|Acme Corp» today, «ORG|Beta Inc». By"),
            ["Acme Corp", "Beta Inc."]
        );
        assert_eq!(stands("«ORG|Janssen.» Then"), ["Janssen"]);
        assert_eq!(
            stands("«LOCATION|U.S». law, «LOCATION|St.» «LOCATION|P. R.»"),
            ["U.S.", "St.", "P. R."]
        );
        assert_eq!(stands("«ORG|Acme...»"), ["Acme"]);
    }

    #[test]
    fn brackets_stand_in_pairs() {
        assert_eq!(
            stands("(«LEGISLATION|42 U.S.C. § 1320a-7b)», the"),
            ["42 U.S.C. § 1320a-7b"]
        );
        assert_eq!(stands("«LEGISLATION|21 U.S.C. §335(a») or"), ["21 U.S.C. §335(a)"]);
        assert_eq!(stands("«ORG|Instituto Superior (»Portugal)"), ["Instituto Superior"]);
        assert_eq!(stands("«LEGISLATION|ESIGN) Act of 2000», and"), ["Act of 2000"]);
        assert_eq!(stands("«ORG|Acme (UK) Ltd»"), ["Acme (UK) Ltd"]);
    }

    #[test]
    fn a_part_behind_a_hyphen_belongs_to_the_name() {
        assert_eq!(
            stands("Ms «PERSON|Wilhelmina Abernathy»-Sato said"),
            ["Wilhelmina Abernathy-Sato"]
        );
        assert_eq!(stands("Ms Abernathy-«PERSON|Sato» said"), ["Abernathy-Sato"]);
        assert_eq!(
            stands("Respondent-«PERSON|Balbir Singh» and «PERSON|Rao»-PW"),
            ["Balbir Singh", "Rao"]
        );
        assert_eq!(stands("non-«LOCATION|U.S.» courts"), ["U.S."]);
        assert_eq!(stands("«ORG|JRVS»-elected audit"), ["JRVS"]);
        assert_eq!(stands("«ORG|CERES»-«ORG|IGER» agreement"), ["CERES", "IGER"]);
        assert_eq!(stands("«PERSON|Mary Smith»-«PERSON|Jones» left"), ["Mary Smith-Jones"]);
    }

    #[test]
    fn an_initial_does_not_end_a_persons_name() {
        assert_eq!(stands("/s/ «PERSON|Maria V». Shaffer, Vice"), ["Maria V. Shaffer"]);
        assert_eq!(
            stands("by «PERSON|Mitchell S». «PERSON|Felder», M.D."),
            ["Mitchell S. Felder"]
        );
        assert_eq!(stands("to «PERSON|Plan B». The board"), ["Plan B"]);
    }

    #[test]
    fn what_stands_before_and_behind_a_persons_name_is_no_part_of_it() {
        assert_eq!(
            stands("«PERSON|1. Jane Roe» «PERSON|v. N.D. Grover» «PERSON|Vs . Shah»"),
            ["Jane Roe", "N.D. Grover", "Shah"]
        );
        assert_eq!(
            stands("in «PERSON|Baladin2» and «PERSON|J. Roe», «ORG|W2E» «PERSON|V. Kumar»"),
            ["Baladin", "J. Roe", "W2E", "V. Kumar"]
        );
        assert_eq!(stands("in «LOCATION|U.S.» dollars and the «LOCATION|U.S.»"), ["U.S."]);
    }

    #[test]
    fn a_possessive_is_no_part_of_a_name() {
        assert_eq!(
            stands("«ORG|Janssen's» request, «ORG|Moody's» Investors"),
            ["Janssen", "Moody's"]
        );
        assert_eq!(stands("«ORG|Partners'» share"), ["Partners"]);
    }

    #[test]
    fn what_no_name_can_be_is_dropped() {
        assert_eq!(stands("SCHEDULE «DATE|1» of «DATE|May 5»"), ["May 5"]);
        assert_eq!(
            stands("«ORG|***» «PERSON|12» «ORG|d» «ORG|3M» «PERSON|C.S.C.» «ORG|entrust» «LOCATION|115114» X"),
            ["3M"]
        );
        assert_eq!(stands("all small: «ORG|acme»"), ["acme"], "a text without capitals");
    }

    proptest! {
        #[test]
        fn ranges_are_whole_characters_in_the_order_of_the_text(
            pieces in prop::collection::vec(("[ ]?[-a-zA-Z0-9.,()\"'\u{e9}\u{301}\u{201c}\u{2122}]{1,6}", 0_usize..4), 0..30),
        ) {
            const LABELS: [&str; 3] = ["PERSON", "ORG", "DATE"];
            let (mut text, mut marks) = (String::new(), Vec::new());
            for (piece, label) in &pieces {
                let start = text.len();
                text.push_str(piece);
                if let Some(label) = LABELS.get(*label) {
                    marks.push(Mark { label, bytes: start..text.len() });
                }
            }
            let ranges = settled(&text, &marks);
            prop_assert_eq!(ranges.len(), marks.len());
            let mut from = 0;
            for range in ranges.into_iter().flatten() {
                prop_assert!(from <= range.start && range.start < range.end && range.end <= text.len());
                prop_assert!(!text[range.clone()].is_empty());
                from = range.end;
            }
        }
    }
}
