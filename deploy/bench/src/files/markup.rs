//! HTML and Rich Text.

use std::fmt::Write as _;

/// A page with this text, a list and a table.
pub fn html(text: &str) -> Vec<u8> {
    let paragraphs: String = text.lines().map(|line| format!("<p>{}</p>\n", escaped(line))).collect();
    page(&format!(
        "<h1>Letter</h1>\n{paragraphs}<ul><li>First</li><li>Second</li></ul>\n<table><tr><td>Fee</td><td>$1,000</td></tr></table>"
    ))
}

/// A page with this body.
pub fn page(body: &str) -> Vec<u8> {
    format!("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Letter</title></head><body>\n{body}\n</body></html>\n")
        .into_bytes()
}

/// A Rich Text document with this text.
pub fn rtf(text: &str) -> Vec<u8> {
    let mut body = String::new();
    for c in text.chars() {
        match c {
            '\n' => body.push_str("\\par\n"),
            '\\' | '{' | '}' => body.extend(['\\', c]),
            c if c.is_ascii() => body.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(body, "\\u{}?", unit.cast_signed());
                }
            }
        }
    }
    rich_text(&body)
}

/// A Rich Text document with this body.
pub fn rich_text(body: &str) -> Vec<u8> {
    format!(
        "{{\\rtf1\\ansi\\ansicpg1252\\deff0{{\\fonttbl{{\\f0\\froman Times New Roman;}}{{\\f1\\fswiss Arial;}}}}\n\\f0\\fs22 {body}\
         {{\\footnote A note.}}\\par}}"
    )
    .into_bytes()
}

/// A text within XML or HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
