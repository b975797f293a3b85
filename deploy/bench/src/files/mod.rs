//! Small valid files of every kind that Docket reads, made in code. A seed always gives the same bytes.

pub mod mail;
pub mod markup;
pub mod office;
pub mod pdf;
pub mod plain;
pub mod zip;

use crate::corpus::{self, Random};

/// Words of a sample's text: enough for entities, and few enough that thousands of samples are read in minutes.
const WORDS: (usize, usize) = (60, 160);
/// Number of different texts of a seed.
const TEXTS: usize = 1 << 30;

/// Kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PDF with Flate streams.
    Pdf,
    /// PDF whose streams are plain, so that changed bytes reach the drawing commands.
    PlainPdf,
    /// Word's DOCX.
    Docx,
    /// OpenDocument text.
    Odt,
    /// Rich Text Format.
    Rtf,
    /// HTML.
    Html,
    /// A mail with two alternatives and an attachment.
    Mail,
    /// A ZIP archive of three other files.
    Zip,
    /// Plain text in one of several encodings.
    Plain,
}

/// A file as a caller uploads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The file's name.
    pub name: String,
    /// The content type that the caller declares.
    pub media_type: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Kind {
    /// Each kind once.
    pub const ALL: [Self; 9] = [
        Self::Pdf,
        Self::PlainPdf,
        Self::Docx,
        Self::Odt,
        Self::Rtf,
        Self::Html,
        Self::Mail,
        Self::Zip,
        Self::Plain,
    ];

    /// The ending of the kind's file names.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Pdf | Self::PlainPdf => "pdf",
            Self::Docx => "docx",
            Self::Odt => "odt",
            Self::Rtf => "rtf",
            Self::Html => "html",
            Self::Mail => "eml",
            Self::Zip => "zip",
            Self::Plain => "txt",
        }
    }

    /// The kind's content type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf | Self::PlainPdf => "application/pdf",
            Self::Docx => office::DOCX,
            Self::Odt => office::ODT,
            Self::Rtf => "application/rtf",
            Self::Html => "text/html",
            Self::Mail => "message/rfc822",
            Self::Zip => "application/zip",
            Self::Plain => "text/plain",
        }
    }
}

/// A valid file of a kind.
pub fn sample(kind: Kind, random: &mut Random) -> File {
    let text = text(random);
    let mut media_type = kind.media_type().to_owned();
    let bytes = match kind {
        Kind::Pdf => pdf::of_text(&text, pdf::Streams::Flate),
        Kind::PlainPdf => pdf::of_text(&text, pdf::Streams::Plain),
        Kind::Docx => zip::package(&office::docx(&text)),
        Kind::Odt => zip::package(&office::odt(&text)),
        Kind::Rtf => markup::rtf(&text),
        Kind::Html => markup::html(&text),
        Kind::Mail => mail::mail(&text, &pdf::of_text(&text, pdf::Streams::Flate)),
        Kind::Zip => archive(&text, random),
        Kind::Plain => {
            let encoding = random.below(plain::ENCODINGS.len());
            media_type.push_str(plain::ENCODINGS[encoding].parameter());
            plain::ENCODINGS[encoding].encode(&text)
        }
    };
    File {
        name: format!("sample.{}", kind.ending()),
        media_type,
        bytes,
    }
}

/// A short letter.
pub fn text(random: &mut Random) -> String {
    let words = random.within(WORDS.0, WORDS.1);
    corpus::text(corpus::Kind::Letters, words, random.below(TEXTS) as u64, 0)
}

fn archive(text: &str, random: &mut Random) -> Vec<u8> {
    let kinds = [Kind::Rtf, Kind::Html, Kind::Pdf];
    let mut entries = vec![zip::Entry::deflated("read me.txt", text.as_bytes())];
    for (at, kind) in kinds.into_iter().enumerate() {
        let file = sample(kind, random);
        entries.push(zip::Entry::deflated(&format!("folder/{at}-{}", file.name), &file.bytes));
    }
    zip::archive(&entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_bytes() {
        for kind in Kind::ALL {
            let of = |seed| sample(kind, &mut Random::new(seed));
            assert_eq!(of(5), of(5), "{kind:?}");
            assert_ne!(of(5), of(6), "{kind:?}");
        }
    }
}
