//! Cuts a page into tags, texts and comments, as the HTML standard delimits them, and bounds the attributes of a tag: html5ever
//! compares each attribute with all before it at the same tag.

use crate::refusal::{Parts, Refusal};

/// Most attributes of a tag. Real tags have a few dozen. The tokenizer then compares each with 128
/// others on average.
pub(super) const ATTRIBUTES_MAX: usize = 256;

/// A piece of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text with entities. A `<` in the text begins no tag.
    Text(&'a str),
    /// A whole tag.
    Tag(&'a str),
    /// A comment, a document type or an instruction.
    Comment,
}

/// Cuts a page. Each byte is looked at once, or twice at the seam of two pieces.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html }
    }

    /// The next piece; `None` at the end. A tag or comment that does not end takes the rest of the page, as in browsers.
    pub(super) fn next_piece(&mut self) -> Result<Option<Piece<'a>>, Refusal> {
        let mut bytes = self.rest.bytes();
        Ok(match (bytes.next(), bytes.next(), bytes.next()) {
            (None, ..) => None,
            (Some(b'<'), Some(b'a'..=b'z' | b'A'..=b'Z'), _) => self.tag(1)?,
            (Some(b'<'), Some(b'/'), Some(b'a'..=b'z' | b'A'..=b'Z')) => self.tag(2)?,
            (Some(b'<'), Some(b'!' | b'?'), _) | (Some(b'<'), Some(b'/'), Some(_)) => {
                self.cut(comment_end(self.rest));
                Some(Piece::Comment)
            }
            (Some(_), ..) => Some(Piece::Text(self.text())),
        })
    }

    fn text(&mut self) -> &'a str {
        let mut characters = self.rest.chars();
        characters.next();
        let after_first = characters.as_str();
        let first = self.rest.len().saturating_sub(after_first.len());
        let length = after_first
            .find('<')
            .map_or(self.rest.len(), |at| first.saturating_add(at));
        self.cut(length)
    }

    fn tag(&mut self, name_at: usize) -> Result<Option<Piece<'a>>, Refusal> {
        let length = tag_end(self.rest.as_bytes(), name_at)?;
        let whole = length.is_some();
        let tag = self.cut(length.unwrap_or(self.rest.len()));
        Ok(whole.then_some(Piece::Tag(tag)))
    }

    /// What stands up to the end tag of an element whose content is no markup.
    pub(super) fn raw(&mut self, name: &str) -> &'a str {
        let length = raw_end(self.rest, name);
        self.cut(length)
    }

    fn cut(&mut self, length: usize) -> &'a str {
        let (piece, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        piece
    }
}

/// One past the end of a comment, or of what is read like one.
fn comment_end(html: &str) -> usize {
    let Some(comment) = html.strip_prefix("<!--") else {
        return html.find('>').map_or(html.len(), |at| at.saturating_add(1));
    };
    let mut rest = comment;
    if let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("->")) {
        return html.len().saturating_sub(after.len());
    }
    while let Some(at) = rest.find("--") {
        let after = rest.get(at.saturating_add(2)..).unwrap_or_default();
        if let Some(after) = after.strip_prefix('>').or_else(|| after.strip_prefix("!>")) {
            return html.len().saturating_sub(after.len());
        }
        rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
    }
    html.len()
}

/// Where within a tag a byte stands.
#[derive(Debug, Clone, Copy)]
enum Within {
    Name,
    BeforeAttribute,
    AttributeName,
    AfterAttributeName,
    BeforeValue,
    Value,
    /// Between these quotes; right after them if there is none.
    Quoted(u8),
}

/// One past the end of a tag; `None` for a tag that does not end.
fn tag_end(html: &[u8], name_at: usize) -> Result<Option<usize>, Refusal> {
    let mut within = Within::Name;
    let mut attributes = 0_usize;
    for (at, &byte) in html.iter().enumerate().skip(name_at) {
        let Some(next) = step(within, byte) else {
            return Ok(at.checked_add(1));
        };
        if begins_attribute(within, next) {
            attributes = attributes.saturating_add(1);
        }
        if attributes > ATTRIBUTES_MAX {
            return Err(Refusal::TooMany {
                what: Parts::Attributes,
                max: ATTRIBUTES_MAX,
            });
        }
        within = next;
    }
    Ok(None)
}

fn begins_attribute(before: Within, after: Within) -> bool {
    let between = matches!(
        before,
        Within::BeforeAttribute | Within::AfterAttributeName | Within::Quoted(_)
    );
    between && matches!(after, Within::AttributeName)
}

/// Where the next byte stands; `None` if this byte ends the tag.
fn step(within: Within, byte: u8) -> Option<Within> {
    let is_blank = matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | b' ');
    Some(match (within, byte) {
        (Within::Quoted(0), _) => return step(Within::BeforeAttribute, byte),
        (Within::Quoted(quote), _) if byte == quote => Within::Quoted(0),
        (Within::Quoted(_), _) => within,
        (_, b'>') => return None,
        (Within::Value, _) if !is_blank => Within::Value,
        (Within::BeforeValue, b'"' | b'\'') => Within::Quoted(byte),
        (Within::BeforeValue, _) if is_blank => Within::BeforeValue,
        (Within::BeforeValue, _) => Within::Value,
        (_, b'/') => Within::BeforeAttribute,
        (Within::AttributeName | Within::AfterAttributeName, b'=') => Within::BeforeValue,
        (Within::AttributeName, _) if is_blank => Within::AfterAttributeName,
        (Within::AfterAttributeName, _) if is_blank => Within::AfterAttributeName,
        (_, _) if is_blank => Within::BeforeAttribute,
        (Within::Name, _) => Within::Name,
        (_, _) => Within::AttributeName,
    })
}

/// Where the end tag of an element begins whose content is no markup. A script that hides itself from old browsers in a comment may
/// hold a whole script in a string, which does not end the outer one.
fn raw_end(html: &str, name: &str) -> usize {
    let mut rest = html;
    let (mut in_comment, mut in_inner) = (false, false);
    while let Some(at) = rest.find(['<', '-']) {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with("-->") {
            (in_comment, in_inner) = (false, false);
        } else if is_tag(rest, "</", name) {
            if !in_inner {
                return html.len().saturating_sub(rest.len());
            }
            in_inner = false;
        } else if name == "script" {
            in_inner |= in_comment && is_tag(rest, "<", name);
            in_comment |= rest.starts_with("<!--") && !rest.starts_with("<!-->") && !rest.starts_with("<!--->");
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    html.len()
}

/// Whether a tag of this name begins here.
fn is_tag(html: &str, opening: &str, name: &str) -> bool {
    let Some(tag) = html.strip_prefix(opening) else {
        return false;
    };
    let Some((start, after)) = tag.split_at_checked(name.len()) else {
        return false;
    };
    let ends = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{c}' | ' ' | '/' | '>');
    start.eq_ignore_ascii_case(name) && after.starts_with(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(html: &str) -> Vec<Piece<'_>> {
        let mut scanner = Scanner::new(html);
        std::iter::from_fn(|| scanner.next_piece().expect("there are few attributes")).collect()
    }

    #[test]
    fn tags_end_where_browsers_end_them() {
        for tag in [
            "<a>",
            "</a >",
            "<a b=c/>",
            "<a b = '>' c=\">\"d='>'>",
            "<a b=''c>",
            "<a =b>",
            "<a b=c'd\">",
            "<a b/=c>",
            "<a '>",
            "<a \u{e9}=\u{e9}>",
            "<A\nB\u{c}=\r\"<b>\">",
            "<a b=>",
        ] {
            assert_eq!(
                pieces(&format!("{tag}'>\"")),
                [Piece::Tag(tag), Piece::Text("'>\"")],
                "{tag}"
            );
        }
    }

    #[test]
    fn comments_end_where_browsers_end_them() {
        for comment in [
            "<!---->",
            "<!-->",
            "<!--->",
            "<!-- > -- -> --!>",
            "<!--<!---->",
            "<!----->",
            "<!DOCTYPE html \">",
            "<?xml >",
            "</>",
            "</ a>",
            "<!a>",
            "<![CDATA[>",
        ] {
            assert_eq!(
                pieces(&format!("{comment}-->")),
                [Piece::Comment, Piece::Text("-->")],
                "{comment}"
            );
        }
    }

    #[test]
    fn a_tag_that_does_not_end_takes_the_rest() {
        for html in ["<a", "<a b='>", "</a b=\"", "<a b"] {
            assert_eq!(pieces(html), [], "{html}");
        }
        assert_eq!(pieces("<!-- a"), [Piece::Comment]);
        assert_eq!(
            pieces("a < b </"),
            [Piece::Text("a "), Piece::Text("< b "), Piece::Text("</")]
        );
    }

    #[test]
    fn attributes_are_counted() {
        let most = format!("<a{}>", " b".repeat(ATTRIBUTES_MAX));
        assert_eq!(pieces(&most), [Piece::Tag(&most)]);
        for attribute in [" b", "/b", " b=c", " b='c'", " b = \"c\"", "/=b"] {
            let tag = format!("<a {}>", attribute.repeat(ATTRIBUTES_MAX + 1));
            let refused = Scanner::new(&tag).next_piece();
            assert_eq!(
                refused.expect_err("there is one too many").to_string(),
                "the document has more than 256 attributes at one element",
                "{attribute}"
            );
        }
        let quoted = format!("<a b{}>", "='c'd".repeat(ATTRIBUTES_MAX));
        assert!(
            Scanner::new(&quoted).next_piece().is_err(),
            "nothing has to stand between attributes"
        );
    }

    #[test]
    fn raw_text_ends_at_its_end_tag() {
        for (raw, rest) in [
            ("a <b> </scriptx> ", "</script >"),
            ("<!-- a ", "</SCRIPT>"),
            ("<!-- '<script>' '</script>' ", "</script>"),
            ("<!-- '<script>' --> ", "</script> </script>"),
            ("<!--> <script> ", "</script>"),
            ("<script> ", "</script>"),
            ("</script", ""),
            ("", "</script/"),
        ] {
            let mut scanner = Scanner {
                rest: &format!("{raw}{rest}"),
            };
            assert_eq!((scanner.raw("script"), scanner.rest), (raw, rest));
        }
        assert_eq!(Scanner::new("<!-- <style> </style>").raw("style"), "<!-- <style> ");
    }
}
