//! Labels in formats whose labels are single words, and the list of an export's labels.

use std::collections::BTreeSet;

/// A label as one word of letters, digits, `_` and `-`: formats that part columns by blanks, and brat, take no other.
pub(crate) fn word(label: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '_' };
    label.chars().map(plain).collect()
}

/// The labels that an export has met. A model and the recognisers have a few dozen.
#[derive(Debug, Default)]
pub(crate) struct Labels(BTreeSet<String>);

impl Labels {
    pub fn add(&mut self, label: &str) {
        if !self.0.contains(label) {
            self.0.insert(label.to_owned());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_becomes_one_word() {
        assert_eq!(word("CASE_CITATION"), "CASE_CITATION");
        assert_eq!(word("law-firm (UK)\t1"), "law-firm__UK__1");
    }
}
