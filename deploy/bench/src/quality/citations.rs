//! Citations of cases: how many of the marked ones are found. The README beside the passages says what is marked.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::quality::contestants::Answer;
use crate::quality::scores::share;

/// The label of a case's citation in Docket.
pub const LABEL: &str = "CASE_CITATION";
/// Passages with `Case C-311/18` and its like, which the set does not mark and Docket rightly takes for citations.
const LEFT_OUT: [&str; 4] = ["c207", "c208", "c209", "c237"];
/// Passages whose one mark may fairly be answered by two citations, a supra and a short one.
const TWICE: [&str; 2] = ["c113", "c114"];
/// The passages of other countries than the United States.
const ABROAD: std::ops::RangeInclusive<u32> = 198..=239;

/// A passage of the set.
#[derive(Debug, Deserialize)]
pub struct Passage {
    id: String,
    /// The passage.
    pub text: String,
    citations: Vec<Mark>,
}

/// A marked citation.
#[derive(Debug, Deserialize)]
struct Mark {
    start: usize,
    end: usize,
    form: String,
}

/// How many citations were found.
#[derive(Debug, Default, Serialize)]
pub struct Found {
    /// Marked citations.
    pub expected: usize,
    /// Answers.
    pub answers: usize,
    /// Answers that overlap with a mark; a mark has one answer.
    pub right: usize,
    /// Of these, the answers with exactly the range of the mark.
    pub exact: usize,
    /// Marked citations of each form, and how many of these have no answer.
    pub missed_by_form: BTreeMap<String, (usize, usize)>,
}

impl Found {
    /// Share of the marked citations that were found.
    pub fn recall(&self) -> f64 {
        share(self.right, self.expected)
    }

    /// Share of the answers that are citations.
    pub fn precision(&self) -> f64 {
        share(self.right, self.answers)
    }
}

/// Reads the passages that count.
pub fn read(path: &Path) -> Result<Vec<Passage>> {
    let content = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let passages: Vec<Passage> = content
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is no JSONL of passages", path.display()))?;
    let counting = passages.into_iter().filter(|passage| !LEFT_OUT.contains(&&*passage.id));
    Ok(counting.collect())
}

/// Compares answers with marks, in all passages or in those from the United States, traps included.
pub fn score(passages: &[Passage], answers: &[Vec<Answer>], only_us: bool) -> Found {
    let mut found = Found::default();
    for (passage, answers) in passages.iter().zip(answers) {
        if !(only_us && passage.is_from_abroad()) {
            passage.count(answers, &mut found);
        }
    }
    found
}

impl Passage {
    fn is_from_abroad(&self) -> bool {
        let number = self.id.get(1..).and_then(|number| number.parse().ok());
        number.is_some_and(|number| ABROAD.contains(&number))
    }

    fn count(&self, answers: &[Answer], found: &mut Found) {
        let mut taken = HashSet::new();
        for answer in answers {
            let (start, end) = (
                answer.core_start.unwrap_or(answer.start),
                answer.core_end.unwrap_or(answer.end),
            );
            let overlaps = |mark: &Mark| mark.start < end && start < mark.end;
            let there = self.citations.iter().enumerate().filter(|(_, mark)| overlaps(mark));
            let there: Vec<(usize, &Mark)> = there.collect();
            match there.iter().find(|(at, _)| !taken.contains(at)) {
                Some((at, mark)) => {
                    taken.insert(*at);
                    found.right += 1;
                    found.exact += usize::from((mark.start, mark.end) == (answer.start, answer.end));
                }
                None if !there.is_empty() && TWICE.contains(&&*self.id) => continue,
                None => {}
            }
            found.answers += 1;
        }
        for (at, mark) in self.citations.iter().enumerate() {
            let (of_form, missed) = found.missed_by_form.entry(mark.form.clone()).or_default();
            *of_form += 1;
            *missed += usize::from(!taken.contains(&at));
            found.expected += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(id: &str, marks: &[(usize, usize)]) -> Passage {
        let mark = |&(start, end): &(usize, usize)| Mark {
            start,
            end,
            form: "full".to_owned(),
        };
        Passage {
            id: id.to_owned(),
            text: String::new(),
            citations: marks.iter().map(mark).collect(),
        }
    }

    fn answer(start: usize, end: usize) -> Answer {
        Answer {
            label: LABEL.to_owned(),
            start,
            end,
            core_start: None,
            core_end: None,
            source: None,
        }
    }

    #[test]
    fn a_mark_has_one_answer_and_only_the_whole_range_is_exact() {
        let passages = [passage("c001", &[(10, 20), (30, 40), (50, 60)])];
        let answers = [vec![answer(10, 20), answer(12, 14), answer(28, 35), answer(70, 80)]];
        let found = score(&passages, &answers, false);
        assert_eq!((found.expected, found.answers, found.right, found.exact), (3, 4, 2, 1));
        assert_eq!((found.recall(), found.precision()), (2.0 / 3.0, 0.5));
        assert_eq!(found.missed_by_form["full"], (3, 1));
    }

    #[test]
    fn a_core_decides_what_is_meant_where_wholes_overlap() {
        let passages = [passage("c001", &[(10, 20), (22, 40)])];
        let second = Answer {
            core_start: Some(22),
            core_end: Some(30),
            ..answer(10, 40)
        };
        let found = score(&passages, &[vec![second, answer(10, 20)]], false);
        assert_eq!((found.right, found.answers), (2, 2));
    }

    #[test]
    fn passages_from_abroad_are_no_measure_of_a_tool_for_the_united_states() {
        let passages = [
            passage("c197", &[(0, 1)]),
            passage("c198", &[(0, 1)]),
            passage("c240", &[(0, 1)]),
        ];
        let none = vec![Vec::new(); 3];
        assert_eq!(score(&passages, &none, true).expected, 2);
        assert_eq!(score(&passages, &none, false).expected, 3);
    }

    #[test]
    fn a_second_answer_to_one_mark_is_wrong_save_where_the_set_allows_two() {
        let answers = [vec![answer(0, 5), answer(6, 10)]];
        assert_eq!(score(&[passage("c112", &[(0, 10)])], &answers, false).answers, 2);
        assert_eq!(score(&[passage("c113", &[(0, 10)])], &answers, false).answers, 1);
    }
}
