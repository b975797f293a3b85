//! The character set that an HTML page declares: `<meta charset>`, `<meta http-equiv>` and the declaration of XML.

use encoding_rs::Encoding;

/// Bytes in which a page declares its character set. Browsers look at 1,024; pages with long comments at their start exist.
const SAMPLE_BYTES: usize = 4096;
/// Longest label of a character set, in bytes: longer ones are no label.
const LABEL_BYTES_MAX: usize = 40;

/// The character set that the page declares, if the set is known.
pub(super) fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes).to_ascii_lowercase();
    of_xml(&sample).or_else(|| of_meta(&sample)).map(of_bytes)
}

fn of_xml(sample: &[u8]) -> Option<&'static Encoding> {
    let start = sample.trim_ascii_start().strip_prefix(b"<?xml")?;
    label_after(until(start, b'>'), b"encoding")
}

/// The first `meta` that names a known character set. Those in comments do not count.
fn of_meta(sample: &[u8]) -> Option<&'static Encoding> {
    let mut rest = sample;
    loop {
        let at = rest.iter().position(|&byte| byte == b'<')?;
        rest = rest.get(at..)?;
        if let Some(comment) = rest.strip_prefix(b"<!--") {
            rest = comment.get(find(comment, b"-->")?..)?;
        } else if let Some(meta) = rest.strip_prefix(b"<meta") {
            let meta = until(meta, b'>');
            if let Some(encoding) = label_after(meta, b"charset") {
                return Some(encoding);
            }
            rest = rest.get(meta.len()..)?;
        }
        rest = rest.get(1..)?;
    }
}

/// The character set whose label follows a name and `=`.
fn label_after(tag: &[u8], name: &[u8]) -> Option<&'static Encoding> {
    let after = tag.get(find(tag, name)?.checked_add(name.len())?..)?;
    let label = after.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let label = label
        .strip_prefix(b"\"")
        .or_else(|| label.strip_prefix(b"'"))
        .unwrap_or(label);
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b';' | b'>' | b'/' | b'?');
    let length = label.iter().position(ends).unwrap_or(label.len());
    Encoding::for_label_no_replacement(label.get(..length.min(LABEL_BYTES_MAX))?)
}

fn until(bytes: &[u8], end: u8) -> &[u8] {
    let length = bytes.iter().position(|&byte| byte == end).unwrap_or(bytes.len());
    bytes.get(..length).unwrap_or(bytes)
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// A page whose declaration could be read as bytes is not in UTF-16, whatever the declaration says.
fn of_bytes(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == encoding_rs::UTF_16LE || encoding == encoding_rs::UTF_16BE {
        return encoding_rs::UTF_8;
    }
    encoding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_found_as_browsers_find_it() {
        for (page, name) in [
            ("<meta charset=windows-1251>", Some("windows-1251")),
            ("<META CHARSET = 'KOI8-R' />", Some("KOI8-R")),
            (
                "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-2\">",
                Some("ISO-8859-2"),
            ),
            (
                "<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><html>",
                Some("Shift_JIS"),
            ),
            ("<!-- <meta charset=koi8-r> --><meta charset=big5>", Some("Big5")),
            ("<meta name=x><meta charset=nonsense><meta charset=gbk>", Some("GBK")),
            ("<meta charset=utf-16>", Some("UTF-8")),
            ("<meta charset=", None),
            ("<!-- <meta charset=koi8-r>", None),
            ("charset=koi8-r", None),
        ] {
            assert_eq!(declared(page.as_bytes()).map(Encoding::name), name, "{page}");
        }
    }
}
