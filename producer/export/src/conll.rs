//! Words with BIO tags, in the four columns of CoNLL-2003 with `-X-` and `_` for what Docket does not know: part of speech and
//! chunk.
//!
//! A tag belongs to a word, so entities that overlap cannot all stand: of such entities the longest stands. Words are those of
//! UAX #29, and end where an entity begins or ends. A line of the text is a sentence; an entity keeps its lines together. Offsets
//! have no place in the format.

use std::collections::VecDeque;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::found::Found;
use crate::label;
use crate::part::{ExportError, Part, Want, Writer};
use crate::window::Window;

/// Longest stretch without a blank that is kept together, in bytes: longer ones are no words, and memory is bounded.
const UNBROKEN_BYTES_MAX: usize = 64 * 1024;
/// What ends a line.
const LINE_ENDS: [char; 6] = ['\n', '\r', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];

/// An entity that may stand.
struct Tagged {
    ordinal: i32,
    bytes: Range<usize>,
    label: String,
}

pub(crate) struct Conll {
    window: Window,
    /// Bytes of the text whose words were written.
    written: usize,
    text_ended: bool,
    entities_ended: bool,
    /// The entity that stands unless a longer one overlaps it.
    best: Option<Tagged>,
    /// Entities that stand.
    chosen: VecDeque<Tagged>,
    /// Whether the sentence has a word.
    in_sentence: bool,
}

impl Writer for Conll {
    fn wants(&self) -> Want {
        match (self.entities_ended, self.chosen.is_empty(), self.text_ended) {
            (false, true, _) => Want::Entity,
            (_, _, false) => Want::Text,
            (_, _, true) => Want::Nothing,
        }
    }

    fn take(&mut self, part: Part<'_>, out: &mut Vec<u8>) -> Result<(), ExportError> {
        match part {
            Part::Text(piece) => {
                self.window.forget_before(self.written);
                self.window.push(piece);
            }
            Part::TextEnd => self.text_ended = true,
            Part::Entity(found) => self.choose(&found),
            Part::EntityEnd => {
                self.entities_ended = true;
                self.chosen.extend(self.best.take());
            }
            _ => return Err(ExportError::NotWanted),
        }
        self.write(out)?;
        match self.chosen.front() {
            Some(Tagged { ordinal, .. }) if self.text_ended => Err(ExportError::Misplaced { ordinal: *ordinal }),
            _ => Ok(()),
        }
    }
}

impl Conll {
    pub fn new(out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"-DOCSTART- -X- O O\n\n");
        Self {
            window: Window::default(),
            written: 0,
            text_ended: false,
            entities_ended: false,
            best: None,
            chosen: VecDeque::new(),
            in_sentence: false,
        }
    }

    fn choose(&mut self, found: &Found) {
        let entity = Tagged {
            ordinal: found.ordinal,
            bytes: found.entity.span.bytes(),
            label: label::word(&found.entity.label),
        };
        match &self.best {
            Some(best) if entity.bytes.start < best.bytes.end => {
                if entity.bytes.len() > best.bytes.len() {
                    self.best = Some(entity);
                }
            }
            _ => self.chosen.extend(self.best.replace(entity)),
        }
    }

    /// Writes the words that are complete.
    fn write(&mut self, out: &mut Vec<u8>) -> Result<(), ExportError> {
        while let Some(entity) = self.chosen.pop_front_if(|entity| entity.bytes.end <= self.window.end()) {
            let Range { start, end } = entity.bytes;
            let before = self.window.get(self.written..start);
            let (Some(before), Some(words)) = (before, self.window.get(start..end)) else {
                let ordinal = entity.ordinal;
                return Err(ExportError::Misplaced { ordinal });
            };
            outside(out, before, &mut self.in_sentence);
            inside(out, words, &entity.label, &mut self.in_sentence);
            self.written = end;
        }
        let end = match self.chosen.front() {
            Some(entity) => entity.bytes.start.min(self.window.end()),
            None if self.entities_ended => self.window.end(),
            // An entity that is not known yet may begin anywhere.
            None => return Ok(()),
        };
        let text = self.window.get(self.written..end).unwrap_or_default();
        let complete = if self.text_ended { text } else { without_last_word(text) };
        outside(out, complete, &mut self.in_sentence);
        self.written += complete.len();
        Ok(())
    }
}

/// The text up to its last blank, behind which a word may go on.
fn without_last_word(text: &str) -> &str {
    let last_blank = text.char_indices().rfind(|(_, c)| c.is_whitespace());
    match last_blank {
        Some((at, blank)) => &text[..at + blank.len_utf8()],
        None if text.len() > UNBROKEN_BYTES_MAX => text,
        None => "",
    }
}

/// Writes words outside of entities, and ends a sentence with each line.
fn outside(out: &mut Vec<u8>, text: &str, in_sentence: &mut bool) {
    for line in text.split_inclusive(LINE_ENDS) {
        for word in words(line) {
            push(out, word, "O", "");
            *in_sentence = true;
        }
        if *in_sentence && line.ends_with(LINE_ENDS) {
            out.push(b'\n');
            *in_sentence = false;
        }
    }
}

/// Writes the words of an entity.
fn inside(out: &mut Vec<u8>, text: &str, label: &str, in_sentence: &mut bool) {
    for (at, word) in words(text).enumerate() {
        push(out, word, if at == 0 { "B-" } else { "I-" }, label);
        *in_sentence = true;
    }
}

fn push(out: &mut Vec<u8>, word: &str, tag: &str, label: &str) {
    for part in [word, " -X- _ ", tag, label, "\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// The words and marks of a text. None holds a blank or a control character, at which readers part columns and lines.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = |c: char| c.is_whitespace() || c.is_control();
    let pieces = text.split_word_bounds().flat_map(move |piece| piece.split(parts));
    pieces.filter(|word| !word.is_empty())
}
