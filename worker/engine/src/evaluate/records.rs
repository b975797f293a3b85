//! Labelled text: one line of JSON per record, with `tokens` (words) and `labels` (BIO, one per word). Other fields are ignored.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::evaluate::Mention;

/// One line of the data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Record {
    /// The words. Punctuation marks are usually words of their own.
    pub tokens: Vec<String>,
    /// A label for each word: `O`, `B-` and a kind, or `I-` and a kind.
    pub labels: Vec<String>,
}

/// A text made of records, with its expected entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The records' words, joined by single spaces.
    pub text: String,
    /// Place of each word, in bytes.
    pub words: Vec<Range<usize>>,
    /// The expected entities, in reading order.
    pub mentions: Vec<Mention>,
}

/// Why data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The file cannot be read.
    #[error("read {path}")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line is not the JSON it should be.
    #[error("line {line} of {path} is no record")]
    Json {
        /// Path of the file.
        path: PathBuf,
        /// Number of the line, counted from 1.
        line: usize,
        /// What the JSON parser said.
        #[source]
        source: serde_json::Error,
    },
    /// A line contradicts itself.
    #[error("line {line} of {path} cannot be used: {reason}")]
    Invalid {
        /// Path of the file.
        path: PathBuf,
        /// Number of the line, counted from 1.
        line: usize,
        /// What is wrong with the line.
        reason: String,
    },
    /// The file has no record.
    #[error("{path} has no records")]
    Empty {
        /// Path of the file.
        path: PathBuf,
    },
}

/// Reads a file of records. Blocks, so do not call it on an async thread.
pub fn read_records(path: &Path) -> Result<Vec<Record>, RecordsError> {
    let unreadable = |source| RecordsError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut records = Vec::new();
    for (line, json) in (1..).zip(BufReader::new(file).lines()) {
        let json = json.map_err(unreadable)?;
        if json.trim().is_empty() {
            continue;
        }
        let record: Record = serde_json::from_str(&json).map_err(|source| RecordsError::Json {
            path: path.to_owned(),
            line,
            source,
        })?;
        if let Some(reason) = record.fault() {
            return Err(RecordsError::Invalid {
                path: path.to_owned(),
                line,
                reason,
            });
        }
        records.push(record);
    }
    if records.is_empty() {
        return Err(RecordsError::Empty { path: path.to_owned() });
    }
    Ok(records)
}

/// Makes texts of `count` records each; the last one may have fewer.
pub fn join(records: &[Record], count: usize) -> Vec<Tagged> {
    records.chunks(count.max(1)).map(Tagged::of).collect()
}

impl Record {
    fn fault(&self) -> Option<String> {
        let (words, labels) = (self.tokens.len(), self.labels.len());
        if words != labels {
            return Some(format!("{words} tokens have {labels} labels"));
        }
        if let Some(word) = self.tokens.iter().find(|word| word.trim().is_empty()) {
            return Some(format!("{word:?} is no word"));
        }
        let unknown = self.labels.iter().find(|label| Tag::of(label).is_none())?;
        Some(format!("{unknown:?} is no label of the scheme BIO"))
    }

    /// The expected entities, by seqeval's default reading: an `I-` that continues nothing of its kind begins an entity.
    fn mentions(&self) -> Vec<Mention> {
        let mut mentions: Vec<Mention> = Vec::new();
        for (word, tag) in self.labels.iter().map(|label| Tag::of(label)).enumerate() {
            let (kind, goes_on) = match tag {
                None | Some(Tag::Outside) => continue,
                Some(Tag::Begin(kind)) => (kind, false),
                Some(Tag::Inside(kind)) => (kind, true),
            };
            match mentions.last_mut() {
                Some(last) if goes_on && last.label == kind && last.end == word => last.end += 1,
                _ => mentions.push(Mention {
                    label: kind.to_owned(),
                    first: word,
                    end: word + 1,
                }),
            }
        }
        mentions
    }
}

impl Tagged {
    fn of(records: &[Record]) -> Self {
        let mut tagged = Self {
            text: String::new(),
            words: Vec::new(),
            mentions: Vec::new(),
        };
        for record in records {
            let before = tagged.words.len();
            let mentions = record.mentions().into_iter().map(|mention| Mention {
                first: mention.first + before,
                end: mention.end + before,
                ..mention
            });
            tagged.mentions.extend(mentions);
            for word in &record.tokens {
                if !tagged.text.is_empty() {
                    tagged.text.push(' ');
                }
                let start = tagged.text.len();
                tagged.text.push_str(word);
                tagged.words.push(start..tagged.text.len());
            }
        }
        tagged
    }

    /// The words that a range of bytes touches.
    pub fn words_of(&self, bytes: &Range<usize>) -> Range<usize> {
        let first = self.words.partition_point(|word| word.end <= bytes.start);
        let end = self.words.partition_point(|word| word.start < bytes.end);
        first..end.max(first)
    }
}

enum Tag<'a> {
    Outside,
    Begin(&'a str),
    Inside(&'a str),
}

impl<'a> Tag<'a> {
    fn of(label: &'a str) -> Option<Self> {
        match label.split_once('-') {
            None if label == "O" => Some(Self::Outside),
            Some(("B", kind)) if !kind.is_empty() => Some(Self::Begin(kind)),
            Some(("I", kind)) if !kind.is_empty() => Some(Self::Inside(kind)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(tokens: &[&str], labels: &[&str]) -> Record {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Record {
            tokens: owned(tokens),
            labels: owned(labels),
        }
    }

    #[test]
    fn records_become_one_text_and_entities_end_with_their_record() {
        let records = [
            record(&["Ada", "Lovelace"], &["O", "B-P"]),
            record(&["Müller", "und", "K"], &["I-P", "I-P", "B-Q"]),
        ];
        let joined = join(&records, 2);
        assert_eq!(joined.len(), 1);
        assert_eq!(joined[0].text, "Ada Lovelace Müller und K");
        let words: Vec<&str> = joined[0]
            .words
            .iter()
            .map(|word| &joined[0].text[word.clone()])
            .collect();
        assert_eq!(words, ["Ada", "Lovelace", "Müller", "und", "K"]);
        let spans: Vec<_> = joined[0]
            .mentions
            .iter()
            .map(|m| (m.label.as_str(), m.first, m.end))
            .collect();
        assert_eq!(spans, [("P", 1, 2), ("P", 2, 4), ("Q", 4, 5)]);
        assert_eq!(join(&records, 1).len(), 2);
    }

    #[test]
    fn a_range_touches_the_words_it_overlaps() {
        let text = Tagged::of(&[record(&["ab", "c", "def"], &["O", "O", "O"])]);
        assert_eq!(text.words_of(&(0..2)), 0..1);
        assert_eq!(
            text.words_of(&(1..4)),
            0..2,
            "from the middle of a word to the end of the next"
        );
        assert_eq!(text.words_of(&(2..5)), 1..2, "spaces touch nothing");
        assert_eq!(text.words_of(&(6..7)), 2..3);
        assert!(text.words_of(&(2..3)).is_empty());
    }

    #[test]
    fn lines_that_contradict_themselves_are_refused() {
        for (record, reason) in [
            (record(&["a", "b"], &["O"]), "2 tokens have 1 labels"),
            (record(&["a", " "], &["O", "O"]), "no word"),
            (record(&["a"], &["E-X"]), "no label"),
            (record(&["a"], &["B-"]), "no label"),
        ] {
            let fault = record.fault().expect(reason);
            assert!(fault.contains(reason), "{fault}");
        }
    }
}
