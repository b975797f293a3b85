//! Mails (RFC 5322 and MIME): the lines of the header that say who wrote what to whom, the text, and the attached files.
//!
//! What is written twice, as plain text and as HTML, is read once: the plain text, unless it is empty. Attached mails are files; their
//! text is not taken into the text of the mail that holds them. Pictures that are shown within the text are counted and left out: most
//! are logos in signatures.

mod charset;
mod field;
mod heading;
mod parameters;
mod plain;
mod structure;
mod transfer;
mod words;

use std::borrow::Cow;

use super::attachment::{Attachment, Names};
use crate::limits::Limits;
use crate::refusal::{Format, Problem, Refusal};
use crate::writer::Writer;
use field::Name;
use parameters::Parameterized;
use plain::Flow;
use structure::Part;

/// The type of a file of which nothing is known.
const UNKNOWN_TYPE: &str = "application/octet-stream";
/// Longest name of a file's type or character set: registered types have at most 127 bytes on each side of the slash.
const WORD_BYTES_MAX: usize = 255;

/// Reads the text of an HTML document.
pub type ReadHtml<'a> = &'a dyn Fn(&str, &mut Writer) -> Result<(), Refusal>;

/// What a mail holds besides its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Enclosed {
    /// The attached files, in the order of the mail.
    pub attachments: Vec<Attachment>,
    /// Pictures that are shown within the text, and were left out.
    pub pictures_left_out: usize,
}

/// What a part is to the mail.
#[derive(Debug, PartialEq, Eq)]
enum Role {
    Text,
    Html,
    Attachment,
    Picture,
    /// A signature made by a program, or one more way to write a text that is read.
    LeftOut,
}

/// Writes the header and the text of a mail.
pub fn read(bytes: &[u8], writer: &mut Writer, limits: &Limits, html: ReadHtml<'_>) -> Result<Enclosed, Refusal> {
    let parts = structure::split(bytes)?;
    let mail = Mail { parts: &parts };
    let root = parts.first().filter(|root| root.header.has_fields);
    let root = root.ok_or(Refusal::malformed(Format::Mail, Problem::Structure))?;
    if mail.is_encrypted() {
        return Err(Refusal::Encrypted);
    }
    heading::write(&root.header, writer)?;
    let roles = mail.roles();
    mail.write_body(&roles, writer, html)?;
    mail.enclosed(&roles, limits)
}

/// A mail's parts.
struct Mail<'a> {
    parts: &'a [Part<'a>],
}

impl<'a> Mail<'a> {
    /// Whether the mail's text is encrypted, by PGP or S/MIME.
    fn is_encrypted(&self) -> bool {
        self.parts
            .first()
            .is_some_and(|root| match root.content_type.value.as_str() {
                "multipart/encrypted" => true,
                "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                    let kind = root.content_type.get("smime-type").unwrap_or("enveloped-data");
                    !kind.eq_ignore_ascii_case("signed-data") && !kind.eq_ignore_ascii_case("certs-only")
                }
                _ => false,
            })
    }

    /// The roles of all parts. A multipart that holds parts has none.
    fn roles(&self) -> Vec<Option<Role>> {
        let alternatives = self.outermost("multipart/alternative");
        let mut is_first = true;
        let mut roles = Vec::with_capacity(self.parts.len());
        for (part, alternative) in self.parts.iter().zip(&alternatives) {
            let role = (!part.has_parts).then(|| self.role(part, is_first, alternative.is_some()));
            is_first &= role.is_none();
            roles.push(role);
        }
        self.choose(&mut roles, &alternatives);
        roles
    }

    /// For each part, the outermost multipart of a type that holds the part. A parent stands before its parts.
    fn outermost(&self, media_type: &str) -> Vec<Option<usize>> {
        let mut holders: Vec<Option<usize>> = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            let holder = part.parent.and_then(|parent| {
                let is_holder = self.parts.get(parent)?.content_type.value == media_type;
                holders.get(parent).copied().flatten().or(is_holder.then_some(parent))
            });
            holders.push(holder);
        }
        holders
    }

    fn role(&self, part: &Part<'_>, is_first: bool, is_alternative: bool) -> Role {
        let media_type = self.media_type(part);
        let disposition = part.disposition();
        let is_shown = disposition.value != "attachment";
        let is_body = is_shown && (is_first || is_alternative || part.file_name(&disposition).is_none());
        match media_type.as_ref() {
            "application/pgp-signature" | "application/pkcs7-signature" | "application/x-pkcs7-signature" => {
                Role::LeftOut
            }
            "text/plain" if is_body => Role::Text,
            "text/html" if is_body => Role::Html,
            of if of.starts_with("image/") && is_shown && self.is_shown_by_others(part) => Role::Picture,
            of if of.starts_with("text/") && is_alternative && is_body => Role::LeftOut,
            _ => Role::Attachment,
        }
    }

    /// Whether other parts show this one: it has a name for them, or stands beside them for this purpose.
    fn is_shown_by_others(&self, part: &Part<'_>) -> bool {
        let parent = part.parent.and_then(|parent| self.parts.get(parent));
        part.header.first(Name::ContentId).is_some()
            || parent.is_some_and(|parent| parent.content_type.value == "multipart/related")
    }

    /// Of the texts of each alternative, keeps the plain ones if one of them has a character that is seen, and otherwise the HTML.
    fn choose(&self, roles: &mut [Option<Role>], alternatives: &[Option<usize>]) {
        let mut is_plain_seen = vec![false; self.parts.len()];
        for ((part, role), alternative) in self.parts.iter().zip(&*roles).zip(alternatives) {
            if let (Some(Role::Text), Some(at)) = (role, alternative)
                && let Some(seen) = is_plain_seen.get_mut(*at)
            {
                *seen |= part.text().chars().any(|c| !c.is_whitespace());
            }
        }
        for (role, alternative) in roles.iter_mut().zip(alternatives) {
            let seen = alternative
                .and_then(|at| is_plain_seen.get(at))
                .copied()
                .unwrap_or_default();
            if seen && *role == Some(Role::Html) {
                *role = Some(Role::LeftOut);
            }
        }
    }

    fn write_body(&self, roles: &[Option<Role>], writer: &mut Writer, html: ReadHtml<'_>) -> Result<(), Refusal> {
        let mut paragraphs = 0;
        for (part, role) in self.parts.iter().zip(roles) {
            match role {
                Some(Role::Text) => plain::write(&part.text(), part.flow(), &mut paragraphs, writer)?,
                Some(Role::Html) => html(&part.text(), writer)?,
                _ => {}
            }
        }
        writer.end();
        Ok(())
    }

    fn enclosed(&self, roles: &[Option<Role>], limits: &Limits) -> Result<Enclosed, Refusal> {
        let mut enclosed = Enclosed::default();
        let mut names = Names::default();
        let mut total = 0_u64;
        for (part, role) in self.parts.iter().zip(roles) {
            enclosed.pictures_left_out += usize::from(*role == Some(Role::Picture));
            if *role != Some(Role::Attachment) {
                continue;
            }
            let bytes = part.bytes().into_owned();
            total = total.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            if total > limits.inflated_bytes {
                return Err(Refusal::InflatedTooLarge {
                    max: limits.inflated_bytes,
                });
            }
            if !bytes.is_empty() {
                enclosed.attachments.push(self.attachment(part, bytes, &mut names));
            }
        }
        Ok(enclosed)
    }

    fn attachment(&self, part: &Part<'_>, bytes: Vec<u8>, names: &mut Names) -> Attachment {
        let name = part.file_name(&part.disposition());
        Attachment {
            file_name: name.and_then(|name| names.give(&name)),
            media_type: word(&self.media_type(part)).unwrap_or(UNKNOWN_TYPE).to_owned(),
            charset: part.content_type.get("charset").and_then(word).map(str::to_owned),
            bytes: Ok(bytes),
        }
    }

    /// What a part is. One that does not say is a plain text, or a mail in a digest.
    fn media_type(&self, part: &'a Part<'_>) -> Cow<'a, str> {
        let value = part.content_type.value.as_str();
        let parent = part.parent.and_then(|parent| self.parts.get(parent));
        if value.starts_with("multipart/") {
            // The boundary never comes, so the parts are not to be told from each other.
            return Cow::Borrowed("text/plain");
        }
        if value.contains('/') {
            return Cow::Borrowed(value);
        }
        let is_digest = parent.is_some_and(|parent| parent.content_type.value == "multipart/digest");
        match (value.is_empty(), is_digest) {
            (true, true) => Cow::Borrowed("message/rfc822"),
            (false, _) if part.file_name(&part.disposition()).is_some() => Cow::Borrowed(UNKNOWN_TYPE),
            _ => Cow::Borrowed("text/plain"),
        }
    }
}

/// A name of a type or of a character set, unless it is longer than any that is known.
fn word(name: &str) -> Option<&str> {
    (name.len() <= WORD_BYTES_MAX).then_some(name)
}

impl<'a> Part<'a> {
    fn disposition(&self) -> Parameterized {
        let field = self.header.first(Name::ContentDisposition);
        field.map(Parameterized::read).unwrap_or_default()
    }

    fn file_name(&self, disposition: &Parameterized) -> Option<String> {
        let name = disposition.get("filename").or_else(|| self.content_type.get("name"));
        name.map(str::to_owned)
    }

    /// The bytes that the part holds.
    fn bytes(&self) -> Cow<'a, [u8]> {
        transfer::decode(self.header.first(Name::ContentTransferEncoding), self.body)
    }

    /// The part's text.
    fn text(&self) -> String {
        charset::decode(self.content_type.get("charset"), &self.bytes()).into_owned()
    }

    fn flow(&self) -> Flow {
        let says = |name, value: &str| {
            self.content_type
                .get(name)
                .is_some_and(|said: &str| said.eq_ignore_ascii_case(value))
        };
        if says("format", "flowed") {
            Flow::Flowed {
                blank_is_left_out: says("delsp", "yes"),
            }
        } else {
            Flow::Fixed
        }
    }
}

#[cfg(test)]
mod tests;
