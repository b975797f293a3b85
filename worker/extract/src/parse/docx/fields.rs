//! The fields of a story. A field has an instruction for Word and a result for the reader, and only the result is text. Fields of
//! forms keep a choice or a tick as data instead of a result.

/// The fields that are open, the innermost last.
#[derive(Debug, Default)]
pub struct Fields {
    /// For each open field that is still in its instruction, the paragraph in which the field began.
    open: Vec<Option<u64>>,
    /// How many fields are in their instruction in this paragraph.
    in_instruction: usize,
    /// Paragraphs that ended so far.
    paragraph: u64,
}

impl Fields {
    /// Follows a mark of a field: its beginning, the beginning of its result, its end. Marks that fit nothing change nothing.
    pub fn mark(&mut self, kind: &str) {
        match kind {
            "begin" => {
                self.open.push(Some(self.paragraph));
                self.in_instruction += 1;
            }
            "separate" => {
                let began = self.open.last_mut().and_then(Option::take);
                self.end_instruction(began);
            }
            "end" => {
                let began = self.open.pop().flatten();
                self.end_instruction(began);
            }
            _ => {}
        }
    }

    fn end_instruction(&mut self, began: Option<u64>) {
        if began == Some(self.paragraph) {
            self.in_instruction = self.in_instruction.saturating_sub(1);
        }
    }

    /// Whether text is part of an instruction.
    pub fn hide_text(&self) -> bool {
        self.in_instruction > 0
    }

    /// Ends all instructions, as a paragraph does when it ends. A field whose other marks are missing would hide the rest of the
    /// document.
    pub fn end_paragraph(&mut self) {
        self.paragraph = self.paragraph.saturating_add(1);
        self.in_instruction = 0;
    }
}

/// A field of a form that is read.
#[derive(Debug, Default)]
pub struct FormField {
    /// The entries of a list.
    pub entries: Vec<String>,
    /// The entry that a box begins with.
    pub default: Option<u32>,
    /// The entry that was chosen, or 1 for a tick and 0 for none.
    pub chosen: Option<u32>,
}

impl FormField {
    /// The entry that a reader sees.
    pub fn entry(self) -> Option<String> {
        let chosen = self.chosen.or(self.default).unwrap_or(0);
        self.entries.into_iter().nth(usize::try_from(chosen).ok()?)
    }

    /// The box that a reader sees.
    pub fn tick(&self) -> char {
        if self.chosen.or(self.default).unwrap_or(0) > 0 {
            '☒'
        } else {
            '☐'
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_results_of_nested_fields_are_seen() {
        let mut fields = Fields::default();
        let mut hidden = Vec::new();
        for mark in [
            "begin", "begin", "separate", "end", "separate", "begin", "separate", "end", "end",
        ] {
            fields.mark(mark);
            hidden.push(fields.hide_text());
        }
        assert_eq!(hidden, [true, true, true, true, false, true, false, false, false]);
    }

    #[test]
    fn a_field_without_an_end_hides_its_paragraph_only() {
        let mut fields = Fields::default();
        fields.mark("begin");
        fields.end_paragraph();
        assert!(!fields.hide_text());
        fields.mark("separate");
        fields.mark("end");
        fields.mark("end");
        fields.mark("begin");
        assert!(fields.hide_text());
        fields.mark("end");
        assert!(!fields.hide_text());
    }
}
