//! Entities of labelled texts: every contestant reads every text in both spacings, and is judged by all labels and by each other
//! tool's own labels.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use crate::f1::{self, LabelledText};
use crate::quality::contestants::{Answer, Contestants};
use crate::quality::labels::{self, PEERS, Peer};
use crate::quality::left_out::LeaveOut;
use crate::quality::scores::{self, Table};
use crate::quality::spacing::{SPACINGS, Spacing, spaced};

/// Name of the whole of Docket in figures.
pub const WHOLE: &str = "docket";
/// Name of Docket's model without recognisers.
pub const MODEL_ALONE: &str = "model_alone";

/// The tables of a contestant in one spacing.
#[derive(Debug)]
pub struct Judged {
    /// The contestant's name.
    pub name: &'static str,
    /// How words were separated.
    pub spacing: Spacing,
    /// By all labels of the data.
    pub all: Table,
    /// By the labels that a peer can know, for the peer itself and for Docket.
    pub views: BTreeMap<Peer, Table>,
}

/// Reads and judges.
pub async fn judge(contestants: &Contestants, texts: &[LabelledText], rules: &[LeaveOut]) -> Result<Vec<Judged>> {
    let mut judged = Vec::new();
    for spacing in SPACINGS {
        let texts: Vec<LabelledText> = texts.iter().map(|text| spaced(text, spacing)).collect();
        let strings: Vec<&str> = texts.iter().map(|text| &*text.text).collect();
        for (name, understanding) in [(WHOLE, true), (MODEL_ALONE, false)] {
            let answers = contestants.docket(&strings, understanding).await?;
            let docket = Judge {
                texts: &texts,
                rules,
                peer: None,
            };
            judged.push(docket.judged(name, spacing, &answers));
        }
        if !contestants.has_peers() {
            continue;
        }
        for peer in PEERS {
            let answers = contestants.peer(peer, &strings).await?;
            let peers = Judge {
                texts: &texts,
                rules,
                peer: Some(peer),
            };
            judged.push(peers.judged(peer.name(), spacing, &answers));
        }
    }
    Ok(judged)
}

/// What a contestant is judged by.
#[derive(Debug, Clone, Copy)]
struct Judge<'t> {
    texts: &'t [LabelledText],
    rules: &'t [LeaveOut],
    /// The peer, if the contestant is one: its labels are translated.
    peer: Option<Peer>,
}

impl Judge<'_> {
    fn judged(&self, name: &'static str, spacing: Spacing, answers: &[Vec<Answer>]) -> Judged {
        let views = PEERS
            .into_iter()
            .filter(|peer| self.peer.is_none_or(|own| own == *peer));
        let known = labels::of_data(self.texts);
        let all = |label: &str| known.get(label).map(|known| (*known).to_owned());
        Judged {
            name,
            spacing,
            all: self.table(answers, all),
            views: views
                .map(|peer| (peer, self.table(answers, |label| peer.view(label).map(str::to_owned))))
                .collect(),
        }
    }

    /// Counts in terms of `view`; a label for which it gives `None` does not count.
    fn table(&self, answers: &[Vec<Answer>], view: impl Fn(&str) -> Option<String>) -> Table {
        let mut table = Table::default();
        for (text, answers) in self.texts.iter().zip(answers) {
            let words = text.words();
            let counts = |found: &f1::Found| {
                let words = &words[found.start..found.end];
                let src = text.src.as_deref();
                !self.rules.iter().any(|rule| rule.leaves_out(&found.label, words, src))
            };
            let seen = |found: f1::Found| {
                let label = view(&found.label)?;
                Some(f1::Found { label, ..found })
            };
            let gold = text.gold.iter().filter(|found| counts(found)).cloned().filter_map(seen);
            let placed = answers.iter().filter_map(|answer| {
                let found = self.placed(text, &words, answer).filter(&counts).and_then(seen)?;
                Some(scores::Answer {
                    found,
                    of_recogniser: answer.source.as_deref() == Some("recogniser"),
                })
            });
            table.add(&gold.collect::<Vec<_>>(), &placed.collect::<Vec<_>>());
        }
        table
    }

    /// An answer as a range of tokens with a label of the data.
    fn placed(&self, text: &LabelledText, words: &[String], answer: &Answer) -> Option<f1::Found> {
        let found = f1::Found {
            label: answer.label.clone(),
            start: answer.start,
            end: answer.end,
        };
        match self.peer {
            None => text.in_tokens(&found),
            Some(peer) => {
                let placed = text.in_tokens(&peer.translated(&found)?)?;
                Some(labels::trimmed(placed, words))
            }
        }
    }
}

/// The table of a contestant that counts: a peer's better spacing; for Docket always the data's own.
pub fn counting<'j>(judged: &'j [Judged], name: &str) -> Option<&'j Judged> {
    let of = judged.iter().filter(|one| one.name == name);
    let is_docket = name == WHOLE || name == MODEL_ALONE;
    of.filter(|one| !is_docket || one.spacing == Spacing::Data)
        .max_by(|one, other| one.all.micro().f1().total_cmp(&other.all.micro().f1()))
}

/// All tables as JSON.
pub fn figures(judged: &[Judged]) -> Value {
    let mut figures = json!({});
    for one in judged {
        let views: BTreeMap<&str, Value> = one
            .views
            .iter()
            .map(|(peer, table)| {
                (
                    peer.name(),
                    json!({ "labels": table.rows(), "micro_f1": table.micro().f1() }),
                )
            })
            .collect();
        let spacing = serde_json::to_value(one.spacing).unwrap_or_default();
        figures[one.name][spacing.as_str().unwrap_or_default()] = json!({
            "labels": one.all.rows(),
            "micro_f1": one.all.micro().f1(),
            "by_labels_of": views,
        });
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> LabelledText {
        let found = |label: &str, start, end| f1::Found {
            label: label.to_owned(),
            start,
            end,
        };
        LabelledText {
            text: "The Supreme Court heard Ann in 1980".to_owned(),
            tokens: vec![0..3, 4..11, 12..17, 18..23, 24..27, 28..30, 31..35],
            gold: vec![found("COURT", 1, 3), found("PERSON", 4, 5)],
            src: None,
        }
    }

    fn answer(label: &str, start: usize, end: usize) -> Answer {
        Answer {
            label: label.to_owned(),
            start,
            end,
            core_start: None,
            core_end: None,
            source: Some("recogniser".to_owned()),
        }
    }

    #[test]
    fn a_court_that_a_peer_calls_an_organisation_is_wrong_by_all_labels_and_right_by_its_own() {
        let texts = [text()];
        let judge = Judge {
            texts: &texts,
            rules: &[],
            peer: Some(Peer::Spacy),
        };
        let judged = judge.judged(
            "spacy",
            Spacing::Data,
            &[vec![answer("ORG", 0, 17), answer("CARDINAL", 31, 35)]],
        );
        assert_eq!(judged.views[&Peer::Spacy].0["ORG"].right, 1);
        // The data has no ORG, so an ORG cannot be judged by its labels.
        assert_eq!((judged.all.micro().found, judged.all.micro().expected), (0, 2));
    }

    #[test]
    fn a_rule_leaves_out_answers_of_anybody() {
        let mut texts = [text()];
        texts[0].gold[1].label = "DATE".to_owned();
        let answers = [vec![answer("DATE", 31, 35)]];
        let found = |rules: &[LeaveOut]| {
            let judge = Judge {
                texts: &texts,
                rules,
                peer: None,
            };
            judge.judged(WHOLE, Spacing::Data, &answers).all.micro().found
        };
        assert_eq!((found(&[]), found(&[LeaveOut::DatesWithoutADay])), (1, 0));
    }
}
