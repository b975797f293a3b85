//! Files that are small to send and dear to read, and files that lie. Each is always the same.
//!
//! What is dear here is the reading: texts stay below some hundred kilobytes, since a long text rightly keeps the model busy.

mod archives;
mod mails;
mod markup;
mod pdfs;
mod pictures;
mod texts;
mod xml;

use crate::files::File;

/// A file made to hurt.
#[derive(Debug, Clone, Copy)]
pub struct Bomb {
    /// The file's name: what it does, with the ending of its kind.
    pub name: &'static str,
    /// The content type that is declared.
    pub media_type: &'static str,
    /// Makes the content.
    pub make: fn() -> Vec<u8>,
}

impl Bomb {
    /// The file.
    pub fn file(&self) -> File {
        File {
            name: self.name.to_owned(),
            media_type: self.media_type.to_owned(),
            bytes: (self.make)(),
        }
    }
}

/// Every bomb.
pub fn all() -> Vec<Bomb> {
    [
        archives::ALL,
        xml::ALL,
        pdfs::ALL,
        pictures::ALL,
        markup::ALL,
        mails::ALL,
        texts::ALL,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Most bytes of an upload that a worker reads.
    const UPLOAD_BYTES_MAX: usize = 50 << 20;

    #[test]
    fn bombs_have_names_of_their_own_and_can_be_uploaded() {
        let names: HashSet<&str> = all().iter().map(|bomb| bomb.name).collect();
        assert_eq!(names.len(), all().len());
        for bomb in all() {
            let bytes = (bomb.make)();
            assert!(
                !bytes.is_empty() && bytes.len() <= UPLOAD_BYTES_MAX,
                "{}: {} bytes",
                bomb.name,
                bytes.len()
            );
        }
    }
}
