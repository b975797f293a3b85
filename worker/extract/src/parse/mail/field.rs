//! The header of a mail or of a part: the fields that matter, as they stand.

/// A field that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Who wrote.
    From,
    /// Whom an answer should go to.
    ReplyTo,
    /// To whom.
    To,
    /// Who got a copy.
    Cc,
    /// Who got a copy that the others do not know of. Only the sender's own copy of the mail says so.
    Bcc,
    /// When.
    Date,
    /// About what.
    Subject,
    /// What a part is.
    ContentType,
    /// Whether a part is to be shown or to be saved.
    ContentDisposition,
    /// How a part's bytes were made text.
    ContentTransferEncoding,
    /// A name that other parts show this part by.
    ContentId,
}

const NAMES: [(&str, Name); 11] = [
    ("from", Name::From),
    ("reply-to", Name::ReplyTo),
    ("to", Name::To),
    ("cc", Name::Cc),
    ("bcc", Name::Bcc),
    ("date", Name::Date),
    ("subject", Name::Subject),
    ("content-type", Name::ContentType),
    ("content-disposition", Name::ContentDisposition),
    ("content-transfer-encoding", Name::ContentTransferEncoding),
    ("content-id", Name::ContentId),
];

/// The fields of a header.
#[derive(Debug, Default)]
pub struct Header<'a> {
    fields: Vec<(Name, &'a [u8])>,
    /// Whether any field was seen, one that matters or not.
    pub has_fields: bool,
}

impl<'a> Header<'a> {
    /// Adds a field: the line with its name, and the lines that continue it.
    pub fn push(&mut self, field: &'a [u8]) {
        let Some((name, value)) = split(field) else { return };
        self.has_fields = true;
        if let Some((_, name)) = NAMES
            .iter()
            .find(|(word, _)| name.eq_ignore_ascii_case(word.as_bytes()))
        {
            self.fields.push((*name, value));
        }
    }

    /// The values of all fields of a name.
    pub fn all(&self, name: Name) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |(of, _)| *of == name)
            .map(|(_, value)| *value)
    }

    /// The value of the first field of a name.
    pub fn first(&self, name: Name) -> Option<&'a [u8]> {
        self.all(name).next()
    }
}

/// A field's name and value. A name has no blanks and no control characters.
pub fn split(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = field.split_at_checked(field.iter().position(|&byte| byte == b':')?)?;
    let name = name.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_name.then_some((name, value.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_a_name_and_a_value() {
        assert_eq!(split(b"To : a:b"), Some((&b"To"[..], &b" a:b"[..])));
        for no_field in ["", "To", ": a", " To: a", "Dear Ada: a", "\u{f6}: a"] {
            assert_eq!(split(no_field.as_bytes()), None, "{no_field}");
        }
    }

    #[test]
    fn fields_are_found_by_name() {
        let mut header = Header::default();
        for field in ["TO: a", "X-To: b", "to: c", "nothing"] {
            header.push(field.as_bytes());
        }
        assert_eq!(header.all(Name::To).collect::<Vec<_>>(), [b" a", b" c"]);
        assert_eq!(header.first(Name::Subject), None);
        assert!(header.has_fields);
    }
}
