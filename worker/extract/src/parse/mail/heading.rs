//! The lines at the head of a mail: who wrote when to whom about what.

use docket_contract::place::{Place, Region};

use super::field::{Header, Name};
use super::words;
use crate::refusal::Refusal;
use crate::writer::Writer;

/// The fields that are written, in this order, each with its word.
const LINES: [(Name, &str); 7] = [
    (Name::From, "From"),
    (Name::ReplyTo, "Reply-To"),
    (Name::To, "To"),
    (Name::Cc, "Cc"),
    (Name::Bcc, "Bcc"),
    (Name::Date, "Date"),
    (Name::Subject, "Subject"),
];

/// Writes each field that matters as a paragraph of its own: `From: Ada Lovelace <ada@example.org>`.
pub fn write(header: &Header<'_>, writer: &mut Writer) -> Result<(), Refusal> {
    let sender = text(header, Name::From);
    let mut paragraph = 0;
    for (name, word) in LINES {
        let value = text(header, name);
        let says_nothing_new = name == Name::ReplyTo && address(&value).eq_ignore_ascii_case(address(&sender));
        if value.is_empty() || says_nothing_new {
            continue;
        }
        paragraph += 1;
        writer.begin(Region::MailHeader, Place::Paragraph { paragraph });
        writer.push_str(word)?;
        writer.push_str(": ")?;
        writer.push_str(&value)?;
        writer.end();
    }
    Ok(())
}

/// The text of all fields of a name. Some mails name each receiver in a field of its own.
fn text(header: &Header<'_>, name: Name) -> String {
    let values = header.all(name).map(words::decode).filter(|value| !value.is_empty());
    let all = values.collect::<Vec<_>>().join(", ");
    match name {
        Name::From | Name::ReplyTo | Name::To | Name::Cc | Name::Bcc => without_quotes(&all),
        _ => all,
    }
}

/// The address of a line with a single one.
fn address(line: &str) -> &str {
    let behind = line.rsplit_once('<').map_or(line, |(_, address)| address);
    behind.trim().trim_end_matches('>').trim()
}

/// Takes the quotes from names. A name with a comma keeps them: without, it would read as two.
fn without_quotes(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('"') {
        text.push_str(before);
        let Some((quoted, behind)) = after.split_once('"') else {
            text.push('"');
            rest = after;
            break;
        };
        if quoted.contains([',', ';', '\\', '<', '>']) {
            text.extend(["\"", quoted, "\""]);
        } else {
            text.push_str(quoted);
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_quotes_unless_they_have_a_comma() {
        for (line, expected) in [
            ("\"Ada Lovelace\" <ada@a.org>", "Ada Lovelace <ada@a.org>"),
            (
                "\"Lovelace, Ada\" <ada@a.org>, \"B\" <b@b.org>",
                "\"Lovelace, Ada\" <ada@a.org>, B <b@b.org>",
            ),
            ("\"open <a@a.org>", "\"open <a@a.org>"),
            ("a@a.org", "a@a.org"),
        ] {
            assert_eq!(without_quotes(line), expected);
        }
    }

    #[test]
    fn an_address_stands_in_angle_brackets_or_alone() {
        assert_eq!(address("Ada <a@a.org> "), "a@a.org");
        assert_eq!(address(" a@a.org"), "a@a.org");
    }
}
