//! Mails (RFC 5322 and MIME).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::markup;

/// Characters of a line of base64, by RFC 2045.
const LINE: usize = 76;
/// The lines of the head that name people and the subject.
pub const HEAD: &str = "From: =?utf-8?Q?J=C3=BCrgen?= Falk <falk@example.com>\r\nTo: \"Ada King\" <ada@example.org>\r\n\
    Date: Tue, 1 Dec 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nSubject: The lease of 4 Mill Lane\r\nMIME-Version: 1.0\r\n";

/// A mail whose text is written as plain text and as HTML, with an attached PDF.
pub fn mail(text: &str, pdf: &[u8]) -> Vec<u8> {
    let html = String::from_utf8_lossy(&markup::html(text)).into_owned();
    let alternatives = multipart(
        "alternative",
        "inner",
        &[
            &part("text/plain; charset=utf-8", "base64", &base64(text.as_bytes())),
            &part("text/html; charset=utf-8", "base64", &base64(html.as_bytes())),
        ],
    );
    let attached = format!(
        "Content-Type: application/pdf; name=\"lease.pdf\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; \
         filename=\"lease.pdf\"\r\n\r\n{}",
        base64(pdf)
    );
    format!("{HEAD}{}", multipart("mixed", "outer", &[&alternatives, &attached])).into_bytes()
}

/// A part of parts: its head and its parts.
pub fn multipart(kind: &str, boundary: &str, parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
    format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n{parts}--{boundary}--\r\n")
}

/// A part: its head and its body.
pub fn part(media_type: &str, encoding: &str, body: &str) -> String {
    format!("Content-Type: {media_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}")
}

fn base64(bytes: &[u8]) -> String {
    let coded = BASE64_STANDARD.encode(bytes);
    let mut lines = String::with_capacity(coded.len() + coded.len() / LINE * 2 + 2);
    for (at, c) in coded.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            lines.push_str("\r\n");
        }
        lines.push(c);
    }
    lines
}
