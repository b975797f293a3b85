//! Kinds of documents that the product reads: what an upload may declare, and what workers take.

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `text/plain`, in UTF-8.
    Plain,
}

/// Why a content type cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaTypeError {
    /// No worker reads this kind of document.
    #[error("documents of type {0} cannot be read")]
    UnknownType(String),
    /// A character set other than UTF-8 and its subset US-ASCII, which are all that is read.
    #[error("the character set {0} cannot be read; send UTF-8")]
    UnknownCharset(String),
}

/// Names of the character sets that are read: UTF-8 and its subset US-ASCII.
const CHARSETS: [&str; 3] = ["utf-8", "utf8", "us-ascii"];

impl MediaType {
    /// Every kind of document that is read.
    pub const ALL: [Self; 1] = [Self::Plain];

    /// The type as declared in `Content-Type`, without parameters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "text/plain",
        }
    }

    /// Parses a `Content-Type` such as `text/plain; charset=utf-8`. Parameters other than the charset are ignored.
    pub fn parse(content_type: &str) -> Result<Self, MediaTypeError> {
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let known = Self::ALL
            .into_iter()
            .find(|known| essence.eq_ignore_ascii_case(known.as_str()));
        let known = known.ok_or_else(|| MediaTypeError::UnknownType(essence.to_owned()))?;
        for parameter in parts {
            let Some((name, value)) = parameter.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"');
            let is_readable = CHARSETS.iter().any(|known| value.eq_ignore_ascii_case(known));
            if name.trim().eq_ignore_ascii_case("charset") && !is_readable {
                return Err(MediaTypeError::UnknownCharset(value.to_owned()));
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_taken_in_utf_8_only() {
        for good in [
            "text/plain",
            "Text/Plain;charset=UTF-8",
            "text/plain; charset=\"us-ascii\"; format=flowed",
        ] {
            assert_eq!(MediaType::parse(good), Ok(MediaType::Plain), "{good}");
        }
        for (bad, error) in [
            ("", MediaTypeError::UnknownType(String::new())),
            ("application/pdf", MediaTypeError::UnknownType("application/pdf".into())),
            (
                "text/plain; charset=latin1",
                MediaTypeError::UnknownCharset("latin1".into()),
            ),
        ] {
            assert_eq!(MediaType::parse(bad), Err(error), "{bad}");
        }
    }
}
