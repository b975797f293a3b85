//! A file within a mail or an archive: a document of its own, with a name that is safe to show and to store.

use std::collections::BTreeMap;

use crate::refusal::Refusal;

/// Longest file name in bytes: what file systems take.
const NAME_BYTES_MAX: usize = 255;
/// Longest ending of a file name, with its dot, that stays when a name is cut: `.numbers` has 8 bytes.
const ENDING_BYTES_MAX: usize = 16;
/// Bytes that stay free in a name for the number that tells names apart: ` (1000)` has 7.
const NUMBER_BYTES: usize = 8;

/// A file within a mail or an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file's name without folders, as [`Names::give`] made it.
    pub file_name: Option<String>,
    /// What the sender says the file is, in lower case and without parameters. An archive says nothing, so its files are
    /// `application/octet-stream`.
    pub media_type: String,
    /// The character set that the sender says a text has.
    pub charset: Option<String>,
    /// The file's bytes, or why this one file cannot be read.
    pub bytes: Result<Vec<u8>, Refusal>,
}

/// The names that the files of a mail or an archive have had so far.
#[derive(Debug, Default)]
pub struct Names {
    /// For each name, in lower case, the number that a further file of this name is tried with.
    taken: BTreeMap<String, usize>,
}

impl Names {
    /// A file's own name: the last segment of the path `raw`, without characters that are not seen. A name that was given before
    /// gets a number, so no two files have one name. `None` if nothing of the name is left.
    pub fn give(&mut self, raw: &str) -> Option<String> {
        let name = last_segment(raw)?;
        let mut candidate = name.clone();
        let mut number = self.taken.get(&name.to_lowercase()).copied().unwrap_or(1);
        while self.taken.contains_key(&candidate.to_lowercase()) {
            number = number.saturating_add(1);
            candidate = numbered(&name, number);
        }
        self.taken.insert(name.to_lowercase(), number);
        self.taken.entry(candidate.to_lowercase()).or_insert(1);
        Some(candidate)
    }
}

/// The last segment of a path, cut to the length that a name may have.
fn last_segment(raw: &str) -> Option<String> {
    let segment = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen: String = segment.chars().filter(|&c| is_seen(c)).collect();
    let name = seen.trim();
    if name.trim_matches('.').is_empty() {
        return None;
    }
    let (stem, ending) = split_ending(name);
    let stem_max = NAME_BYTES_MAX - ENDING_BYTES_MAX - NUMBER_BYTES;
    Some(format!("{}{ending}", cut(stem, stem_max)))
}

/// Whether a character is seen. Marks that turn the direction of writing are not: they show `exe.fdp` as `pdf.exe`.
fn is_seen(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns && !matches!(c, '\u{feff}' | '\u{fffe}')
}

fn numbered(name: &str, number: usize) -> String {
    let (stem, ending) = split_ending(name);
    format!("{stem} ({number}){ending}")
}

/// A name's stem, and its ending with the dot.
fn split_ending(name: &str) -> (&str, &str) {
    let dot = name
        .rfind('.')
        .filter(|&at| at > 0 && name.len() - at <= ENDING_BYTES_MAX);
    name.split_at_checked(dot.unwrap_or(name.len())).unwrap_or((name, ""))
}

/// The longest start of `text` that has at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(raw: &str) -> Option<String> {
        Names::default().give(raw)
    }

    #[test]
    fn a_name_is_the_last_segment_of_a_path() {
        for path in [
            "lease.pdf",
            "../../lease.pdf",
            "/etc/lease.pdf",
            "C:\\Users\\x\\lease.pdf",
            " lease.pdf ",
        ] {
            assert_eq!(name(path).as_deref(), Some("lease.pdf"), "{path}");
        }
        for nothing in ["", ".", "..", "a/..", "a/", " \u{0} "] {
            assert_eq!(name(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn characters_that_are_not_seen_are_left_out() {
        assert_eq!(name("a\u{202e}fdp\r\n\0.exe").as_deref(), Some("afdp.exe"));
    }

    #[test]
    fn no_two_files_have_one_name() {
        let mut names = Names::default();
        let given: Vec<_> = ["a.pdf", "x/A.pdf", "a (2).pdf", "a.pdf", "a (2).pdf", "b"]
            .iter()
            .filter_map(|raw| names.give(raw))
            .collect();
        assert_eq!(
            given,
            ["a.pdf", "A (2).pdf", "a (2) (2).pdf", "a (3).pdf", "a (2) (3).pdf", "b"]
        );
    }

    #[test]
    fn a_long_name_is_cut_and_keeps_its_ending() {
        let given = name(&format!("{}.pdf", "\u{e4}".repeat(1_000))).expect("it is a name");
        assert!(given.len() < NAME_BYTES_MAX && given.ends_with("\u{e4}.pdf"), "{given}");
        let given = name(&format!("a.{}", "b".repeat(1_000))).expect("it is a name");
        assert!(given.len() < NAME_BYTES_MAX, "{given}");
    }
}
