//! The fonts of a document, for the character sets of their texts.

use std::borrow::Cow;
use std::collections::HashMap;

use encoding_rs::Encoding;

use super::code_page::{self, Charset};
use super::words::Meaning;

/// Most fonts that are known. Real documents have some 100; text in further ones is read in the document's code page.
const FONTS_MAX: usize = 10_000;
/// The fonts of a document.
#[derive(Debug)]
pub(super) struct Fonts {
    charsets: HashMap<i32, Charset>,
    code_page: &'static Encoding,
    default: i32,
    /// The font that the table of fonts describes.
    described: i32,
}

impl Default for Fonts {
    fn default() -> Self {
        Self {
            charsets: HashMap::new(),
            code_page: encoding_rs::WINDOWS_1252,
            default: 0,
            described: 0,
        }
    }
}

impl Fonts {
    /// Takes a word of the document's head.
    pub(super) fn set(&mut self, meaning: Meaning, number: i32) {
        match meaning {
            Meaning::DefaultFont => self.default = number,
            Meaning::CodePage => self.code_page = code_page::of_number(number).unwrap_or(self.code_page),
            Meaning::Macintosh => self.code_page = encoding_rs::MACINTOSH,
            _ => {}
        }
    }

    /// Takes a word of the table of fonts.
    pub(super) fn describe(&mut self, meaning: Meaning, number: i32) {
        let charset = match meaning {
            Meaning::Font => {
                self.described = number;
                return;
            }
            Meaning::FontCharset => code_page::of_charset(number),
            Meaning::FontCodePage => code_page::of_number(number).map(Charset::Encoding),
            _ => None,
        };
        if let Some(charset) = charset
            && (self.charsets.len() < FONTS_MAX || self.charsets.contains_key(&self.described))
        {
            self.charsets.insert(self.described, charset);
        }
    }

    /// Decodes text in a font; without a font, in the document's.
    pub(super) fn decode<'a>(&self, bytes: &'a [u8], font: Option<i32>) -> Cow<'a, str> {
        let charset = self.charsets.get(&font.unwrap_or(self.default));
        code_page::decode(bytes, charset.copied().unwrap_or(Charset::Document), self.code_page)
    }
}
