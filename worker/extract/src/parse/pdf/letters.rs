//! What single characters are: which become letters, which are left out, which run from right to left.

/// What becomes of a character of a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// The character is left out: controls, marks of byte order, noncharacters.
    None,
    /// The character separates words.
    Blank,
    /// A hyphen that may stand at a line's end.
    Hyphen,
    /// The character stays.
    One(char),
    /// A ligature becomes its letters.
    Many(&'static str),
}

/// What pdfium writes for a hyphen at the end of a line.
const HYPHEN_AT_LINE_END: char = '\u{2}';
/// The soft hyphen. Where a page shows one, it is a hyphen.
const SOFT_HYPHEN: char = '\u{ad}';

/// What becomes of a character.
pub fn letter(c: char) -> Letter {
    match c {
        HYPHEN_AT_LINE_END | SOFT_HYPHEN => Letter::Hyphen,
        '\u{92}' => Letter::One('\u{2019}'),
        '\u{fb00}' => Letter::Many("ff"),
        '\u{fb01}' => Letter::Many("fi"),
        '\u{fb02}' => Letter::Many("fl"),
        '\u{fb03}' => Letter::Many("ffi"),
        '\u{fb04}' => Letter::Many("ffl"),
        '\u{fb05}' | '\u{fb06}' => Letter::Many("st"),
        '\u{feff}' | '\u{200b}' | '\u{fdd0}'..='\u{fdef}' => Letter::None,
        c if u32::from(c) & 0xFFFE == 0xFFFE => Letter::None,
        c if c.is_whitespace() => Letter::Blank,
        c if c.is_control() => Letter::None,
        c => Letter::One(c),
    }
}

/// Whether a character tells nothing: the text layer has no character for the glyph.
pub fn is_untold(c: char) -> bool {
    let is_control = c.is_control() && !c.is_whitespace() && c != HYPHEN_AT_LINE_END;
    is_control
        || u32::from(c) & 0xFFFE == 0xFFFE
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | char::REPLACEMENT_CHARACTER)
}

/// The way in which a character is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// Letters of most scripts.
    LeftToRight,
    /// Letters of Hebrew, Arabic and their kin.
    RightToLeft,
    /// Digits and all else: their neighbours decide.
    #[default]
    Either,
}

/// The way of a character.
pub fn way(c: char) -> Way {
    match c {
        '\0'..='\u{7f}' => {
            if c.is_ascii_alphabetic() {
                Way::LeftToRight
            } else {
                Way::Either
            }
        }
        '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' => Way::Either,
        '\u{590}'..='\u{8ff}'
        | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}' => Way::RightToLeft,
        c if c.is_alphabetic() => Way::LeftToRight,
        _ => Way::Either,
    }
}

/// Whether a character stands on the one before: accents, points of Hebrew and Arabic.
pub fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}'
        | '\u{5c4}'..='\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{20d0}'..='\u{20f0}')
}

/// Whether words of a character's script stand side by side without blanks: Chinese and Japanese.
pub fn needs_no_blanks(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff60}'
        | '\u{20000}'..='\u{3ffff}')
}
