//! Characters of symbol fonts, which have no meaning without their font. Word keeps them in U+F000 to U+F0FF.

/// The character that a reader sees for a code of a font; nothing where no such character is known.
pub fn character(font: &str, code: u32) -> Option<char> {
    let low = code & 0xFF;
    let is_private = (0xF000..=0xF0FF).contains(&code);
    match font {
        "Symbol" => greek(low).or_else(|| symbol(low)),
        "Wingdings" => wingdings(low),
        "Wingdings 2" => wingdings_2(low),
        "Webdings" | "Wingdings 3" | "Marlett" => None,
        // Any other font: Word adds 0xF000 to characters of Windows' own code page, such as the section sign.
        _ if is_private => western(low),
        _ => char::from_u32(code).filter(|c| !is_private_use(*c)),
    }
}

/// The character that a reader sees for one that stands in text, where the font is not known. Codes of symbol fonts are nearly
/// always bullets there.
pub fn in_text(c: char) -> Option<char> {
    match u32::from(c) {
        code @ 0xF000..=0xF0FF => bullet(code & 0xFF),
        _ => Some(c),
    }
}

fn is_private_use(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}')
}

fn bullet(low: u32) -> Option<char> {
    match low {
        0xB7 | 0x6C => Some('•'),
        0xA7 => Some('▪'),
        0xA8 => Some('☐'),
        0xD8 => Some('➢'),
        0xFC => Some('✓'),
        _ => None,
    }
}

fn western(low: u32) -> Option<char> {
    let byte = [u8::try_from(low).ok()?];
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte);
    text.chars().next().filter(|c| !c.is_control())
}

fn wingdings(low: u32) -> Option<char> {
    match low {
        0x6E => Some('■'),
        0x6F | 0x71 | 0x72 | 0xA8 => Some('☐'),
        0x74 | 0x75 => Some('◆'),
        0x78 | 0xFD => Some('☒'),
        0xFE => Some('☑'),
        0xFB => Some('✗'),
        0x9F => Some('•'),
        0xE0 | 0xE8 => Some('→'),
        0xDF => Some('←'),
        _ => bullet(low),
    }
}

fn wingdings_2(low: u32) -> Option<char> {
    match low {
        0x50 => Some('✓'),
        0x4F => Some('✗'),
        0x52 => Some('☑'),
        0x51 | 0x53 | 0x54 => Some('☒'),
        0x2A | 0xA3 => Some('☐'),
        0x97 => Some('•'),
        _ => None,
    }
}

fn greek(low: u32) -> Option<char> {
    /// The letters of Symbol from 0x41 and from 0x61 on.
    const UPPER: &str = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ";
    const LOWER: &str = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ";
    let (letters, first) = match low {
        0x41..=0x5A => (UPPER, 0x41),
        0x61..=0x7A => (LOWER, 0x61),
        _ => return None,
    };
    letters.chars().nth(usize::try_from(low - first).ok()?)
}

fn symbol(low: u32) -> Option<char> {
    match low {
        // Digits, blanks and brackets stand where ASCII has them.
        0x20
        | 0x21
        | 0x23
        | 0x25
        | 0x26
        | 0x28..=0x2A
        | 0x2B
        | 0x2C
        | 0x2E..=0x3F
        | 0x5B
        | 0x5D
        | 0x5F
        | 0x7B..=0x7D => char::from_u32(low),
        0x2D => Some('−'),
        0xA3 => Some('≤'),
        0xA5 => Some('∞'),
        0xAB => Some('↔'),
        0xAC => Some('←'),
        0xAE => Some('→'),
        0xB0 => Some('°'),
        0xB1 => Some('±'),
        0xB2 => Some('″'),
        0xB3 => Some('≥'),
        0xB4 => Some('×'),
        0xB7 => Some('•'),
        0xB8 => Some('÷'),
        0xB9 => Some('≠'),
        0xBA => Some('≡'),
        0xBB => Some('≈'),
        0xBC => Some('…'),
        0xD2 | 0xE2 => Some('®'),
        0xD3 | 0xE3 => Some('©'),
        0xD4 | 0xE4 => Some('™'),
        0xA2 => Some('′'),
        0xA0 => Some('€'),
        _ => None,
    }
}
