//! Plain text in several encodings.

use encoding_rs::{Encoding as CharacterSet, GB18030, SHIFT_JIS, WINDOWS_1252};

/// An encoding of a plain text.
#[derive(Debug, Clone, Copy)]
pub enum Encoding {
    /// UTF-8 without a mark.
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8WithMark,
    /// UTF-16, little end first, with a byte order mark.
    Utf16Little,
    /// UTF-16, big end first, with a byte order mark.
    Utf16Big,
    /// An older character set, which the content type names.
    Declared(&'static CharacterSet, &'static str),
}

/// The encodings of samples.
pub const ENCODINGS: [Encoding; 7] = [
    Encoding::Utf8,
    Encoding::Utf8WithMark,
    Encoding::Utf16Little,
    Encoding::Utf16Big,
    Encoding::Declared(WINDOWS_1252, "; charset=windows-1252"),
    Encoding::Declared(SHIFT_JIS, "; charset=shift_jis"),
    Encoding::Declared(GB18030, "; charset=gb18030"),
];

impl Encoding {
    /// What a content type says of the encoding after `text/plain`.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Declared(_, parameter) => parameter,
            Self::Utf8 | Self::Utf8WithMark | Self::Utf16Little | Self::Utf16Big => "",
        }
    }

    /// The bytes of a text.
    pub fn encode(self, text: &str) -> Vec<u8> {
        let wide = |to_bytes: fn(u16) -> [u8; 2]| {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(to_bytes).collect()
        };
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf8WithMark => format!("\u{feff}{text}").into_bytes(),
            Self::Utf16Little => wide(u16::to_le_bytes),
            Self::Utf16Big => wide(u16::to_be_bytes),
            Self::Declared(set, _) => set.encode(text).0.into_owned(),
        }
    }
}
