//! What a caller says about a document: type, file name, own id and data, model, schedule. All of it is checked here.

use crate::kinds;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use docket_contract::ids::ModelRef;
use docket_contract::language::Language;
use docket_contract::media_type::{Declared, MediaType, MediaTypeError};
use docket_contract::page_ranges::PageRanges;
use docket_store::work::jobs::Schedule;
use mime::Mime;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{models, schedule};
use docket_http::problem::{ApiError, Kind};

/// Longest file name, in characters: the limit of most file systems.
const FILE_NAME_CHARS_MAX: usize = 255;
/// Longest caller's own id, in characters: two UUIDs and much prose.
const EXTERNAL_ID_CHARS_MAX: usize = 200;
/// Largest metadata, in bytes as sent: room for a few ids and dates, since every list of documents holds them.
pub const METADATA_BYTES_MAX: usize = 4 * 1024;

/// Names of a document's fields, in a query or in a form.
pub const NAMES: [&str; 8] = [
    "external_id",
    "model",
    "language",
    "metadata",
    "priority",
    "not_before",
    "deadline",
    "pages",
];

/// What a caller says about a document, apart from its content.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    /// The caller's own id for the document.
    pub external_id: Option<String>,
    /// The model that the caller named; the default model reads the document otherwise.
    pub model: Option<ModelRef>,
    /// The language of the document, which chooses the model when the caller named none.
    pub language: Option<Language>,
    /// The caller's own data: a JSON object, byte for byte as it was sent.
    pub metadata: Option<String>,
    /// When the document is to be analysed.
    pub schedule: Schedule,
    /// The pages that are to be read; all pages otherwise.
    pub pages: Option<PageRanges>,
}

/// What a caller says about one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The media type, and the character set of a text that is not UTF-8.
    pub media_type: Declared,
    /// The file's name, if it has one.
    pub file_name: Option<String>,
    /// The other fields that hold for the file.
    pub fields: Fields,
}

fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new(Kind::INVALID_FIELD, detail)
}

impl Fields {
    /// Sets a field by its name; `false` when no field has this name.
    pub fn set(&mut self, name: &str, value: String) -> Result<bool, ApiError> {
        match name {
            "external_id" => self.external_id = Some(external_id(value)?),
            "model" => self.model = Some(models::parse(&value)?),
            "language" => self.language = Some(models::language(&value)?),
            "metadata" => self.metadata = Some(metadata(value)?),
            "priority" => self.schedule.priority = schedule::priority(&value)?,
            "not_before" => self.schedule.not_before = Some(schedule::time(name, &value)?),
            "deadline" => self.schedule.deadline = Some(schedule::time(name, &value)?),
            "pages" => self.pages = Some(value.parse().map_err(|error| invalid(format!("{error}.")))?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn external_id(id: String) -> Result<String, ApiError> {
    let fits = (1..=EXTERNAL_ID_CHARS_MAX).contains(&id.chars().count());
    if fits && !id.chars().any(char::is_control) {
        return Ok(id);
    }
    Err(invalid(format!(
        "external_id must have 1 to {EXTERNAL_ID_CHARS_MAX} characters, none of them control ones."
    )))
}

fn metadata(text: String) -> Result<String, ApiError> {
    if text.len() > METADATA_BYTES_MAX {
        return Err(invalid(format!(
            "metadata must have at most {METADATA_BYTES_MAX} bytes."
        )));
    }
    let value: Value =
        serde_json::from_str(&text).map_err(|error| invalid(format!("metadata is not JSON: {error}.")))?;
    if !value.is_object() {
        return Err(invalid("metadata must be a JSON object."));
    }
    if holds_nul(&value) {
        return Err(invalid("metadata must not hold the character NUL."));
    }
    Ok(text)
}

/// Whether a value holds NUL, which PostgreSQL's text cannot hold.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(values) => values.iter().any(|(key, value)| key.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The media type that a request or a part of a form names.
pub fn media_type(headers: &HeaderMap) -> Result<Declared, ApiError> {
    let unsupported = |detail: String| ApiError::new(kinds::UNSUPPORTED_MEDIA_TYPE, detail);
    let known = MediaType::NAMES.join(", ");
    let header = headers
        .get(CONTENT_TYPE)
        .ok_or_else(|| unsupported(format!("Say what the document is: {known}.")))?;
    let said = header.to_str().ok().filter(|text| text.parse::<Mime>().is_ok());
    let said = said.ok_or_else(|| unsupported(format!("The content type is malformed; known are {known}.")))?;
    Declared::parse(said).map_err(|error| match error {
        MediaTypeError::UnknownType(said) => unsupported(format!("{said} cannot be read; known are {known}.")),
        MediaTypeError::UnknownCharset(said) => unsupported(format!(
            "The character set {said} is not known. Name one of the WHATWG Encoding Standard, or none: then it is detected."
        )),
    })
}

/// The file's name by `Content-Disposition`, without its path.
pub fn file_name(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(said) = said_name(headers)? else {
        return Ok(None);
    };
    let base = said.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = base.chars().filter(|char| !char.is_control()).collect();
    let name = name.trim();
    if name.chars().count() > FILE_NAME_CHARS_MAX {
        return Err(invalid(format!(
            "The file's name must have at most {FILE_NAME_CHARS_MAX} characters."
        )));
    }
    Ok((!name.is_empty() && name != "." && name != "..").then(|| name.to_owned()))
}

/// Whether a part of a form is a file.
pub fn has_file_name(headers: &HeaderMap) -> Result<bool, ApiError> {
    Ok(said_name(headers)?.is_some())
}

/// The name as `Content-Disposition` gives it. An unreadable name is refused: without it the document would have none.
fn said_name(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(header) = headers.get(CONTENT_DISPOSITION) else {
        return Ok(None);
    };
    let header = str::from_utf8(header.as_bytes());
    let name = header.map_err(|_| NotUtf8).and_then(disposition_name);
    name.map_err(|NotUtf8| invalid("The file's name in Content-Disposition must be UTF-8."))
}

/// A header's text is in another character set than UTF-8.
struct NotUtf8;

/// `filename*` (RFC 8187) before `filename`; `filename` is percent-decoded, as browsers and most libraries write it.
fn disposition_name(header: &str) -> Result<Option<String>, NotUtf8> {
    let parameters = parameters(header);
    let find = |wanted: &str| {
        let mut found = parameters.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value)
    };
    let (extended, plain) = (find("filename*"), find("filename"));
    match (extended.and_then(|value| extended_name(value)), plain, extended) {
        (Some(name), _, _) => Ok(Some(name)),
        (None, Some(plain), _) => Ok(Some(
            percent_decode_str(plain)
                .decode_utf8()
                .map_or_else(|_| plain.clone(), String::from),
        )),
        (None, None, Some(_)) => Err(NotUtf8),
        (None, None, None) => Ok(None),
    }
}

/// Reads a name written as `UTF-8'language'percent-encoded`.
fn extended_name(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    let decoded = percent_decode_str(encoded).decode_utf8().ok();
    decoded
        .filter(|_| charset.eq_ignore_ascii_case("utf-8"))
        .map(String::from)
}

/// The parameters of a header such as `attachment; a=b; c="d;\"e"`, in order and unquoted.
fn parameters(header: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, value)) = rest.split_once('=') {
        let (value, after) = parameter_value(value.trim_start());
        found.push((name.trim_matches([' ', '\t', ';']), value));
        rest = after;
    }
    found
}

/// Reads a token or a quoted string; returns it and the rest of the text.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, after) = text.split_once(';').unwrap_or((text, ""));
        return (token.trim().to_owned(), after);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, &quoted[at + 1..]),
            // Only a quote or a backslash is escaped; other backslashes belong to a path.
            '\\' if quoted[at + 1..].starts_with(['"', '\\']) => value.extend(chars.next().map(|(_, char)| char)),
            _ => value.push(char),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(header: &str) -> Option<String> {
        let value = axum::http::HeaderValue::from_bytes(header.as_bytes()).unwrap();
        file_name(&HeaderMap::from_iter([(CONTENT_DISPOSITION, value)])).unwrap()
    }

    #[test]
    fn names_of_files_come_in_many_forms() {
        for (header, name) in [
            ("attachment; filename=a.txt", "a.txt"),
            (r#"attachment; filename="a b; c.txt"; x=y"#, "a b; c.txt"),
            (r#"form-data; name="file"; filename="say \"hi\".txt""#, "say \"hi\".txt"),
            (
                r#"attachment; filename="Übernahmevertrag – 契約.txt""#,
                "Übernahmevertrag – 契約.txt",
            ),
            ("attachment; filename=\"na%C3%AFve%20%22x%22.txt\"", "naïve \"x\".txt"),
            ("attachment; filename=\"100%.txt\"", "100%.txt"),
            (
                "attachment; filename=\"x.txt\"; filename*=UTF-8''%E2%82%AC%20rates.txt",
                "€ rates.txt",
            ),
            ("attachment; FileName*=utf-8'de'%C3%A4.txt", "ä.txt"),
            (
                "attachment; filename*=iso-8859-1''%E4.txt; filename=plain.txt",
                "plain.txt",
            ),
            (r#"attachment; filename="C:\Users\me\nda.txt""#, "nda.txt"),
            ("attachment; filename=\"../../etc/passwd\"", "passwd"),
            ("attachment; filename=\"a%00%0Ab.txt\"", "ab.txt"),
            ("attachment; filename=\"open.txt", "open.txt"),
        ] {
            assert_eq!(named(header).as_deref(), Some(name), "{header}");
        }
        for header in [
            "attachment",
            "inline; x=y",
            "attachment; filename=\"..\"",
            "attachment; filename=\"a/\"",
            "",
        ] {
            assert_eq!(named(header), None, "{header}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_read_is_refused_and_not_left_out() {
        for header in [
            &b"attachment; filename=\"M\xfcller.txt\""[..],
            b"attachment; filename*=UTF-8''M%FCller.txt",
            b"attachment; filename*=iso-8859-1''M%FCller.txt",
            b"attachment; filename*=a.txt",
        ] {
            let value = axum::http::HeaderValue::from_bytes(header).unwrap();
            let headers = HeaderMap::from_iter([(CONTENT_DISPOSITION, value)]);
            assert_eq!(
                file_name(&headers).unwrap_err().kind(),
                Kind::INVALID_FIELD,
                "{headers:?}"
            );
            assert!(has_file_name(&headers).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn a_name_is_as_long_as_file_systems_take() {
        let named = |chars: usize| {
            let header = format!("attachment; filename*=UTF-8''{}", "%C3%A4".repeat(chars));
            file_name(&HeaderMap::from_iter([(CONTENT_DISPOSITION, header.parse().unwrap())]))
        };
        assert_eq!(
            named(FILE_NAME_CHARS_MAX).unwrap().unwrap().chars().count(),
            FILE_NAME_CHARS_MAX
        );
        assert_eq!(named(FILE_NAME_CHARS_MAX + 1).unwrap_err().kind(), Kind::INVALID_FIELD);
    }

    #[test]
    fn a_document_is_of_a_kind_that_is_read() {
        let typed = |value: &str| media_type(&HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]));
        for (good, stored) in [
            ("text/plain", "text/plain"),
            ("Text/Plain; charset=UTF-8", "text/plain"),
            ("text/plain; charset=latin1", "text/plain; charset=windows-1252"),
            ("application/pdf", "application/pdf"),
            ("application/octet-stream", "application/octet-stream"),
        ] {
            assert_eq!(typed(good).unwrap().to_string(), stored, "{good}");
        }
        for bad in ["image/gif", "text/plain; charset=klingon", "plain", ""] {
            assert_eq!(typed(bad).unwrap_err().kind(), kinds::UNSUPPORTED_MEDIA_TYPE, "{bad}");
        }
        assert!(media_type(&HeaderMap::new()).is_err());
    }

    #[test]
    fn fields_are_checked_at_their_limits() {
        let mut fields = Fields::default();
        let mut takes = |name: &str, value: String| fields.set(name, value).is_ok_and(|known| known);
        assert!(takes("external_id", "ä".repeat(EXTERNAL_ID_CHARS_MAX)));
        assert!(!takes("external_id", "ä".repeat(EXTERNAL_ID_CHARS_MAX + 1)));
        assert!(!takes("external_id", String::new()) && !takes("external_id", "a\0".into()));
        let filled = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "b".repeat(bytes - 8));
        assert!(takes("metadata", filled(METADATA_BYTES_MAX)) && !takes("metadata", filled(METADATA_BYTES_MAX + 1)));
        for bad in ["", "[]", "1", "{", r#"{"a":["\u0000"]}"#, r#"{"\u0000":1}"#] {
            assert!(!takes("metadata", bad.into()), "{bad}");
        }
        assert!(takes("model", "ner-legal".into()) && takes("model", "ner-legal@2".into()));
        assert!(!takes("model", "no such/model".into()) && !takes("model", "ner-legal@".into()));
        assert!(
            takes("language", "de".into()) && !takes("language", "German".into()) && !takes("language", "und".into())
        );
        assert!(takes("priority", "bulk".into()) && takes("deadline", "2027-01-31T18:00:00Z".into()));
        assert!(!takes("priority", "high".into()) && !takes("not_before", "soon".into()));
        assert!(takes("pages", "2-9,12".into()) && !takes("pages", "0".into()) && !takes("pages", String::new()));
        assert!(!takes("other", String::new()));
    }
}
