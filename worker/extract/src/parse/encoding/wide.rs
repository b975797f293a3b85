//! UTF-16 without a byte order mark, and UTF-32.
//!
//! Read as any other character set, such text has control characters: the upper byte of a Latin letter is 0, of a Cyrillic one 4,
//! and the lower byte of the Japanese full stop is 2. So the shape is looked for only where control characters are, and found where
//! nearly all units are characters of living scripts.

/// Bytes that are looked at. The shape of a text shows in its first sentences.
const SAMPLE_BYTES: usize = 4096;
/// Fewest units that show a shape.
const UNITS_MIN: usize = 4;
/// Most control characters of a text in UTF-8, in percent: half the bytes of UTF-16 in Cyrillic are control characters.
const NARROW_PERCENT_MAX: usize = 25;
/// Share of the units that have to be characters of living scripts, in percent.
const PLAUSIBLE_PERCENT_MIN: usize = 95;

/// A character set whose units are wider than a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wide {
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// UTF-32, low byte first.
    Utf32Le,
    /// UTF-32, high byte first.
    Utf32Be,
}

impl Wide {
    /// The character set's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Utf32Le => "UTF-32LE",
            Self::Utf32Be => "UTF-32BE",
        }
    }
}

/// The byte order mark of UTF-32, and what follows. The little-endian mark begins with that of UTF-16; a text in UTF-16 does not
/// begin with a NUL.
pub(super) fn mark(bytes: &[u8]) -> Option<(Wide, &[u8])> {
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] if bytes.len().is_multiple_of(4) => Some((Wide::Utf32Le, rest)),
        [0, 0, 0xfe, 0xff, rest @ ..] => Some((Wide::Utf32Be, rest)),
        _ => None,
    }
}

/// The character set whose shape the bytes have, if they have one.
pub fn shape(bytes: &[u8]) -> Option<Wide> {
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    let controls = sample.iter().filter(|&&byte| is_control(byte)).count();
    if controls == 0 || is_narrow(sample, controls) {
        return None;
    }
    utf_32_shape(sample).or_else(|| utf_16_shape(sample))
}

/// Whether the bytes are UTF-8 with a few control characters. Letters of ASCII, taken in pairs, would be Chinese ideographs.
fn is_narrow(sample: &[u8], controls: usize) -> bool {
    let is_utf_8 = std::str::from_utf8(sample).map_or_else(|error| error.error_len().is_none(), |_| true);
    is_utf_8 && !sample.contains(&0) && controls.saturating_mul(100) <= sample.len().saturating_mul(NARROW_PERCENT_MAX)
}

/// Whether the byte is a control character in every character set of bytes. The escape of ISO-2022-JP is none of them.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)
}

fn utf_32_shape(sample: &[u8]) -> Option<Wide> {
    let (units, _) = sample.as_chunks::<4>();
    let all = |of: fn([u8; 4]) -> u32| {
        units
            .iter()
            .all(|&unit| char::from_u32(of(unit)).is_some_and(is_written))
    };
    if units.len() < UNITS_MIN {
        return None;
    }
    match () {
        () if all(u32::from_le_bytes) => Some(Wide::Utf32Le),
        () if all(u32::from_be_bytes) => Some(Wide::Utf32Be),
        () => None,
    }
}

fn utf_16_shape(sample: &[u8]) -> Option<Wide> {
    let (units, _) = sample.as_chunks::<2>();
    let count = |of: fn([u8; 2]) -> u16| units.iter().filter(|&&unit| is_plausible(of(unit))).count();
    let (little, big) = (count(u16::from_le_bytes), count(u16::from_be_bytes));
    let (most, wide) = if little >= big {
        (little, Wide::Utf16Le)
    } else {
        (big, Wide::Utf16Be)
    };
    let enough = units.len().saturating_mul(PLAUSIBLE_PERCENT_MIN);
    (units.len() >= UNITS_MIN && most.saturating_mul(100) >= enough).then_some(wide)
}

/// Whether the unit is a character of a living script, or half of one beyond the first 65,536.
fn is_plausible(unit: u16) -> bool {
    match unit {
        // A Latin letter read in the wrong order is such an ideograph.
        0x3400..=0xd7ff if unit & 0xff == 0 => false,
        0xd800..=0xdfff => true,
        unit => char::from_u32(u32::from(unit)).is_some_and(is_written),
    }
}

/// Whether the character belongs to a living script, or is white space or punctuation.
fn is_written(c: char) -> bool {
    matches!(c,
        '\t' | '\n' | '\r' | '\u{c}' | ' '..='~' | '\u{a0}'..='\u{24f}' | '\u{2b0}'..='\u{33f}' | '\u{370}'..='\u{6ff}'
        | '\u{900}'..='\u{dff}' | '\u{e00}'..='\u{fff}' | '\u{10a0}'..='\u{11ff}' | '\u{1e00}'..='\u{1fff}'
        | '\u{2009}'..='\u{203f}' | '\u{20a0}'..='\u{20bf}' | '\u{2100}'..='\u{214f}' | '\u{2190}'..='\u{21ff}'
        | '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ffef}'
        | '\u{1f000}'..='\u{1faff}')
}

/// Decodes UTF-32, and counts what is lost.
pub(super) fn utf_32(bytes: &[u8], of: fn([u8; 4]) -> u32) -> (String, usize) {
    let (units, rest) = bytes.as_chunks::<4>();
    let mut lost = usize::from(!rest.is_empty());
    let mut text = String::with_capacity(units.len());
    for &unit in units {
        let c = char::from_u32(of(unit));
        lost = lost.saturating_add(usize::from(c.is_none()));
        text.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    (text, lost)
}
