//! Plain text as paragraphs. Quoted lines stay, with their `>`.

use docket_contract::place::{Place, Region};

use crate::refusal::Refusal;
use crate::writer::Writer;

/// The line before a signature. It ends with a blank and is whole all the same.
const SIGNATURE: &str = "-- ";

/// How a text is broken into lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// As it is to be shown.
    Fixed,
    /// A blank at a line's end says that the next line goes on (RFC 3676).
    Flowed {
        /// Whether that blank is no part of the text.
        blank_is_left_out: bool,
    },
}

/// Writes a text's paragraphs. Empty lines separate them; `paragraphs` counts them.
pub fn write(text: &str, flow: Flow, paragraphs: &mut u32, writer: &mut Writer) -> Result<(), Refusal> {
    let mut within = false;
    let mut before = Before::default();
    for line in text.lines() {
        let (line, before_next) = match flow {
            Flow::Fixed => (Flowed::fixed(line), Before::default()),
            Flow::Flowed { blank_is_left_out } => Flowed::read(line, blank_is_left_out),
        };
        if line.depth == 0 && line.text.trim().is_empty() {
            within = false;
            before = Before::default();
            continue;
        }
        if !within {
            *paragraphs = paragraphs.saturating_add(1);
            writer.begin(Region::Body, Place::Paragraph { paragraph: *paragraphs });
        }
        let goes_on = within && before.goes_on && before.depth == line.depth && !line.is_signature;
        write_line(&line, within, goes_on, writer)?;
        within = true;
        before = before_next;
    }
    writer.end();
    Ok(())
}

fn write_line(line: &Flowed<'_>, within: bool, goes_on: bool, writer: &mut Writer) -> Result<(), Refusal> {
    if !goes_on {
        if within {
            writer.push('\n')?;
        }
        (0..line.depth).try_for_each(|_| writer.push('>'))?;
        if line.depth > 0 && !line.text.is_empty() {
            writer.push(' ')?;
        }
    }
    writer.push_str(line.text)
}

/// What a line says of the next one.
#[derive(Default)]
struct Before {
    goes_on: bool,
    depth: usize,
}

/// A line of a flowed text.
struct Flowed<'a> {
    /// How many `>` stand before the text.
    depth: usize,
    text: &'a str,
    is_signature: bool,
}

impl<'a> Flowed<'a> {
    /// A line as it stands, without blanks at its end.
    fn fixed(line: &'a str) -> Self {
        Self {
            depth: 0,
            text: line.trim_end(),
            is_signature: false,
        }
    }

    /// Takes the `>` and the blank behind them from a line, which stands there so that `From` and `>` do not begin a line.
    fn read(line: &'a str, blank_is_left_out: bool) -> (Self, Before) {
        let text = line.trim_start_matches('>');
        let depth = line.len() - text.len();
        let text = text.strip_prefix(' ').unwrap_or(text);
        let is_signature = text == SIGNATURE;
        let goes_on = text.ends_with(' ') && !is_signature;
        let text = match text.strip_suffix(' ') {
            Some(without) if goes_on && blank_is_left_out => without,
            _ if goes_on => text,
            _ => text.trim_end(),
        };
        (
            Self {
                depth,
                text,
                is_signature,
            },
            Before { goes_on, depth },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn text_of(text: &str, flow: Flow) -> (String, u32) {
        let mut writer = Writer::new(&Limits {
            pages: 1,
            text_bytes: 1_000_000,
            inflated_bytes: 1,
        });
        let mut paragraphs = 0;
        write(text, flow, &mut paragraphs, &mut writer).expect("it is short");
        (writer.finish().0, paragraphs)
    }

    const FLOWED: Flow = Flow::Flowed {
        blank_is_left_out: false,
    };

    #[test]
    fn empty_lines_separate_paragraphs() {
        let text = "\r\nDear Ada,\r\nI am\r\n \t\r\n\r\n> quoted\r\n>\r\n> more  \r\nyours\r\n";
        let expected = "Dear Ada,\nI am\n\n> quoted\n>\n> more\nyours";
        assert_eq!(text_of(text, Flow::Fixed), (expected.into(), 2));
    }

    #[test]
    fn a_flowed_line_goes_on() {
        let text = "one \ntwo\nthree \n\nfour \n>> five \n>> six\n> seven\n-- \nAda \n-- \nx";
        let expected = "one two\nthree\n\nfour \n>> five six\n> seven\n--\nAda \n--\nx";
        assert_eq!(text_of(text, FLOWED), (expected.into(), 2));
        assert_eq!(text_of(" From me\n >x", FLOWED).0, "From me\n>x");
    }

    #[test]
    fn the_blank_of_a_flowed_line_may_be_left_out() {
        let flow = Flow::Flowed {
            blank_is_left_out: true,
        };
        assert_eq!(
            text_of("\u{65e5} \n\u{672c}  \n\u{8a9e}", flow).0,
            "\u{65e5}\u{672c} \u{8a9e}"
        );
    }

    #[test]
    fn a_line_of_quotes_is_written_once() {
        let quotes = ">".repeat(400_000);
        assert_eq!(text_of(&format!("{quotes}a \n{quotes}b"), FLOWED).0.len(), 400_004);
    }
}
