//! Tells HTML and mail from other text by the first lines.

/// Bytes before the first tag that may be something else than HTML, such as the warning of a program that made the page.
const JUNK_BYTES_MAX: usize = 1024;
/// Elements that pages and pieces of pages begin with.
const ELEMENTS: [&[u8]; 44] = [
    b"html",
    b"head",
    b"body",
    b"title",
    b"meta",
    b"link",
    b"base",
    b"script",
    b"style",
    b"noscript",
    b"div",
    b"span",
    b"p",
    b"br",
    b"hr",
    b"a",
    b"b",
    b"i",
    b"u",
    b"em",
    b"strong",
    b"font",
    b"center",
    b"table",
    b"tr",
    b"td",
    b"ul",
    b"ol",
    b"li",
    b"dl",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"img",
    b"iframe",
    b"form",
    b"article",
    b"section",
    b"main",
    b"header",
    b"blockquote",
];
/// Fields of a mail's head. Two of them make a mail, because a contract or a memo may begin with one.
const MAIL_FIELDS: [&[u8]; 22] = [
    b"from",
    b"to",
    b"cc",
    b"bcc",
    b"subject",
    b"date",
    b"sender",
    b"reply-to",
    b"received",
    b"return-path",
    b"delivered-to",
    b"message-id",
    b"in-reply-to",
    b"references",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"dkim-signature",
    b"x-mailer",
    b"x-originating-ip",
    b"envelope-to",
    b"authentication-results",
];
/// Fewest fields that make a mail.
const MAIL_FIELDS_MIN: usize = 2;

/// Whether the text is HTML.
pub(super) fn is_html(head: &[u8]) -> bool {
    let start = after_prolog(head);
    if let Some(kind) = strip_prefix(start, b"<!doctype") {
        return strip_prefix(kind.trim_ascii_start(), b"html").is_some();
    }
    begins_with_element(start, &ELEMENTS) || has_late_start(head)
}

/// Whether a line within the first bytes begins a page.
fn has_late_start(head: &[u8]) -> bool {
    let head = head.get(..JUNK_BYTES_MAX).unwrap_or(head);
    head.split(|&byte| byte == b'\n').skip(1).any(|line| {
        let line = line.trim_ascii_start();
        strip_prefix(line, b"<!doctype html").is_some() || begins_with_element(line, &[b"html"])
    })
}

/// The text after white space, comments and the declaration of XML.
fn after_prolog(head: &[u8]) -> &[u8] {
    let mut rest = head.trim_ascii_start();
    loop {
        let end: &[u8] = match rest {
            [b'<', b'!', b'-', b'-', ..] => b"-->",
            [b'<', b'?', ..] => b">",
            _ => return rest,
        };
        let Some(at) = super::find(rest, end) else { return rest };
        rest = rest
            .get(at.saturating_add(end.len())..)
            .unwrap_or_default()
            .trim_ascii_start();
    }
}

fn begins_with_element(text: &[u8], elements: &[&[u8]]) -> bool {
    let Some(tag) = text.strip_prefix(b"<") else {
        return false;
    };
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/');
    let Some(length) = tag.iter().position(ends) else {
        return false;
    };
    let name = tag.get(..length).unwrap_or_default();
    elements.iter().any(|element| name.eq_ignore_ascii_case(element))
}

fn strip_prefix<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether the text begins with the head of a mail: nothing but fields up to an empty line, and at least two that mails have. The
/// last line of a text that is cut is not judged.
pub(super) fn is_mail(head: &[u8], is_cut: bool) -> bool {
    let mut seen = [false; MAIL_FIELDS.len()];
    let last_line = head.iter().rposition(|&byte| byte == b'\n').filter(|_| is_cut);
    let head = last_line.and_then(|at| head.get(..at)).unwrap_or(head);
    for line in head.trim_ascii_start().split(|&byte| byte == b'\n') {
        match line.trim_ascii_end() {
            [] => break,
            // Folded fields, and the line that a mailbox begins a mail with.
            [b' ' | b'\t', ..] | [b'F', b'r', b'o', b'm', b' ', ..] | [b'>', b'F', b'r', b'o', b'm', b' ', ..] => {}
            line => match field(line) {
                Some(name) => mark(&mut seen, name),
                None => return false,
            },
        }
    }
    seen.iter().filter(|seen| **seen).count() >= MAIL_FIELDS_MIN
}

/// The name of the field that a line holds.
fn field(line: &[u8]) -> Option<&[u8]> {
    let end = line.iter().position(|&byte| byte == b':')?;
    let name = line.get(..end)?.trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

fn mark(seen: &mut [bool], name: &[u8]) {
    for (seen, known) in seen.iter_mut().zip(MAIL_FIELDS) {
        *seen |= name.eq_ignore_ascii_case(known);
    }
}
