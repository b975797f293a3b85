//! Changes valid files as damage and attacks change them. The same random numbers always give the same change.

use crate::corpus::Random;
use crate::files::{self, File, Kind, office, zip};

/// Most bytes of a changed file: repeated parts stop growing there.
const BYTES_MAX: usize = 4 << 20;
/// Most bytes that are flipped in one file.
const FLIPS_MAX: usize = 64;
/// Most copies of a repeated part.
const REPEATS_MAX: usize = 60;
/// Numbers that take the place of true lengths, counts and offsets.
const WRONG_NUMBERS: [&str; 8] = [
    "0",
    "-1",
    "1",
    "65536",
    "2147483647",
    "4294967295",
    "9999999999",
    "18446744073709551616",
];
/// Characters that surprise readers of text: NUL, marks of direction, zero width, a private one, a lone byte order mark.
const STRANGE: [&str; 8] = [
    "\0",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "\u{e000}",
    "\u{2028}",
    "\u{1b}",
    "\u{10ffff}",
];

/// A way to change a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// The end is missing.
    Truncated,
    /// Some bytes have other values.
    Flipped,
    /// The beginning of one file and the end of another.
    Spliced,
    /// A part stands several times.
    Repeated,
    /// A number is another one: a length, a count, an offset.
    Numbers,
    /// A part is zeros.
    Blanked,
    /// Strange characters stand between others.
    Strange,
    /// A part of a package is changed, and the package is packed rightly again.
    Inner,
}

impl Mutation {
    /// Each mutation once.
    pub const ALL: [Self; 8] = [
        Self::Truncated,
        Self::Flipped,
        Self::Spliced,
        Self::Repeated,
        Self::Numbers,
        Self::Blanked,
        Self::Strange,
        Self::Inner,
    ];

    /// The mutation's name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Flipped => "flipped",
            Self::Spliced => "spliced",
            Self::Repeated => "repeated",
            Self::Numbers => "numbers",
            Self::Blanked => "blanked",
            Self::Strange => "strange",
            Self::Inner => "inner",
        }
    }

    /// A valid file of a kind, changed.
    pub fn of(self, kind: Kind, random: &mut Random) -> File {
        let mut file = files::sample(kind, random);
        match self {
            Self::Inner => file.bytes = inner(kind, random).unwrap_or_else(|| flipped(file.bytes, random)),
            Self::Spliced => {
                let other = files::sample(Kind::ALL[random.below(Kind::ALL.len())], random);
                file.bytes.truncate(random.below(file.bytes.len()));
                file.bytes.extend(&other.bytes[random.below(other.bytes.len())..]);
            }
            _ => file.bytes = self.changed(file.bytes, random),
        }
        file.name = format!("{}.{}", self.name(), kind.ending());
        file
    }

    fn changed(self, mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
        if bytes.is_empty() {
            return bytes;
        }
        match self {
            Self::Truncated => bytes.truncate(random.below(bytes.len())),
            Self::Repeated => repeat(&mut bytes, random),
            Self::Numbers => return numbered(&bytes, random),
            Self::Blanked => {
                let (from, to) = range(&bytes, random);
                bytes[from..to].fill(0);
            }
            Self::Strange => {
                for _ in 0..random.within(1, REPEATS_MAX) {
                    let at = random.below(bytes.len());
                    bytes.splice(at..at, random.pick(&STRANGE).bytes());
                }
            }
            Self::Flipped | Self::Spliced | Self::Inner => return flipped(bytes, random),
        }
        bytes
    }
}

/// A package with one changed part; `None` for a kind that is no package.
fn inner(kind: Kind, random: &mut Random) -> Option<Vec<u8>> {
    let text = files::text(random);
    let mut parts = match kind {
        Kind::Docx => office::docx(&text),
        Kind::Odt => office::odt(&text),
        _ => return None,
    };
    let part = random.below(parts.len());
    let change = [
        Mutation::Truncated,
        Mutation::Flipped,
        Mutation::Repeated,
        Mutation::Numbers,
        Mutation::Strange,
    ][random.below(5)];
    parts[part].1 = change.changed(std::mem::take(&mut parts[part].1), random);
    Some(zip::package(&parts))
}

fn flipped(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..random.within(1, FLIPS_MAX) {
        if !bytes.is_empty() {
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
        }
    }
    bytes
}

fn repeat(bytes: &mut Vec<u8>, random: &mut Random) {
    let (from, to) = range(bytes, random);
    let room = BYTES_MAX.saturating_sub(bytes.len()) / (to - from);
    let times = random.within(1, REPEATS_MAX).min(room);
    let copies = bytes[from..to].repeat(times);
    bytes.splice(to..to, copies);
}

/// Replaces one to four numbers in decimal digits.
fn numbered(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|&at| bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return flipped(bytes.to_vec(), random);
    }
    let chosen: Vec<usize> = (0..random.within(1, 4))
        .map(|_| starts[random.below(starts.len())])
        .collect();
    let mut changed = Vec::with_capacity(bytes.len() + 64);
    let mut at = 0;
    while at < bytes.len() {
        if chosen.contains(&at) {
            changed.extend(random.pick(&WRONG_NUMBERS).bytes());
            at += bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        } else {
            changed.push(bytes[at]);
            at += 1;
        }
    }
    changed
}

/// A part of the bytes, which must not be empty: not empty either.
fn range(bytes: &[u8], random: &mut Random) -> (usize, usize) {
    let from = random.below(bytes.len());
    (from, random.within(from + 1, bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mutation_changes_each_kind_always_alike() {
        for kind in Kind::ALL {
            for mutation in Mutation::ALL {
                let of = |seed| mutation.of(kind, &mut Random::new(seed));
                assert_eq!(of(3), of(3), "{kind:?} {mutation:?}");
                assert_ne!(
                    of(3).bytes,
                    files::sample(kind, &mut Random::new(3)).bytes,
                    "{kind:?} {mutation:?}"
                );
                assert!((0..20).all(|seed| of(seed).bytes.len() <= BYTES_MAX + (1 << 16)));
            }
        }
    }

    #[test]
    fn only_numbers_are_replaced() {
        let changed = numbered(b"a 12 b", &mut Random::new(1));
        assert!(changed.starts_with(b"a ") && changed.ends_with(b" b") && changed != b"a 12 b");
    }
}
