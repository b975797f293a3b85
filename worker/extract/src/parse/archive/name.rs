//! The names in an archive: UTF-8, or the letters of the first PCs.

/// The characters 128 to 255 of code page 437, which ZIP files without any mark are written in.
const UPPER_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A name's text. Many programs write UTF-8 without saying so, and hardly any other name is valid UTF-8 by chance.
pub fn decode(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => {
            let upper: Vec<char> = UPPER_437.chars().collect();
            raw.iter().map(|&byte| of_437(byte, &upper)).collect()
        }
    }
}

fn of_437(byte: u8, upper: &[char]) -> char {
    let upper = byte.checked_sub(128).and_then(|at| upper.get(usize::from(at)));
    upper.copied().unwrap_or(char::from(byte))
}

/// Whether a file is none that a person put into the archive: macOS and Windows write them beside people's files.
pub fn is_left_out(name: &str) -> bool {
    let mut segments = name.split(['/', '\\']);
    let own = segments.clone().next_back().unwrap_or_default();
    let by_system = [".DS_Store", "Thumbs.db", "desktop.ini"];
    own.starts_with("._")
        || by_system.iter().any(|system| own.eq_ignore_ascii_case(system))
        || segments.any(|segment| segment == "__MACOSX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_utf_8_or_code_page_437() {
        assert_eq!(decode("Vertr\u{e4}ge".as_bytes()), "Vertr\u{e4}ge");
        assert_eq!(decode(b"Vertr\x84ge \xe1\xff"), "Vertr\u{e4}ge \u{df}\u{a0}");
        assert_eq!(UPPER_437.chars().count(), 128);
    }

    #[test]
    fn what_systems_write_is_left_out() {
        for name in [
            "__MACOSX/a/._b.pdf",
            "a/.DS_Store",
            "a\\thumbs.db",
            "._b.pdf",
            "Desktop.ini",
        ] {
            assert!(is_left_out(name), "{name}");
        }
        for name in ["a.pdf", "MACOSX/a.pdf", "a/Thumbs.db.pdf", "a/b"] {
            assert!(!is_left_out(name), "{name}");
        }
    }
}
