//! Character sets of fonts and code pages of documents.

use std::borrow::Cow;

use encoding_rs::*;

/// The character set of a font.
#[derive(Debug, Clone, Copy)]
pub(super) enum Charset {
    /// The document's code page.
    Document,
    /// A character set.
    Encoding(&'static Encoding),
    /// Pictures in place of letters.
    Symbols,
}

/// The character set that a font names by number, as Windows numbers them.
pub(super) fn of_charset(number: i32) -> Option<Charset> {
    Some(Charset::Encoding(match number {
        0 => WINDOWS_1252,
        1 => return Some(Charset::Document),
        2 => return Some(Charset::Symbols),
        77 => MACINTOSH,
        128 => SHIFT_JIS,
        129 | 130 => EUC_KR,
        134 => GBK,
        136 => BIG5,
        161 => WINDOWS_1253,
        162 => WINDOWS_1254,
        163 => WINDOWS_1258,
        177 => WINDOWS_1255,
        178..=180 => WINDOWS_1256,
        186 => WINDOWS_1257,
        204 => WINDOWS_1251,
        222 => WINDOWS_874,
        238 => WINDOWS_1250,
        _ => return None,
    }))
}

/// The character set of a code page. The code pages of DOS (437, 850) are not known.
pub(super) fn of_number(number: i32) -> Option<&'static Encoding> {
    Some(match number {
        866 => IBM866,
        874 => WINDOWS_874,
        932 => SHIFT_JIS,
        936 => GBK,
        949 | 1361 => EUC_KR,
        950 => BIG5,
        1250 => WINDOWS_1250,
        1251 => WINDOWS_1251,
        1252 => WINDOWS_1252,
        1253 => WINDOWS_1253,
        1254 => WINDOWS_1254,
        1255 => WINDOWS_1255,
        1256 => WINDOWS_1256,
        1257 => WINDOWS_1257,
        1258 => WINDOWS_1258,
        10_000 => MACINTOSH,
        10_007 => X_MAC_CYRILLIC,
        20_866 => KOI8_R,
        54_936 => GB18030,
        65_001 => UTF_8,
        _ => return None,
    })
}

/// Decodes bytes of a font. Characters that cannot be decoded become U+FFFD.
pub(super) fn decode<'a>(bytes: &'a [u8], charset: Charset, code_page: &'static Encoding) -> Cow<'a, str> {
    match charset {
        Charset::Document => code_page.decode_without_bom_handling(bytes).0,
        Charset::Encoding(encoding) => encoding.decode_without_bom_handling(bytes).0,
        Charset::Symbols => bytes.iter().map(|&byte| symbol(byte)).collect(),
    }
}

/// A picture of a font. Word puts those that are no letters into the area for private use.
fn symbol(byte: u8) -> char {
    let private = 0xf000_u32.saturating_add(u32::from(byte));
    match byte {
        0..=0x7f => char::from(byte),
        _ => without_private_bullets(char::from_u32(private).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
}

/// The bullet of Symbol as a bullet of Unicode: no other picture is as frequent.
pub(super) fn without_private_bullets(c: char) -> char {
    if c == '\u{f0b7}' { '\u{2022}' } else { c }
}
