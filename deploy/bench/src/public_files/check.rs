//! What may have to be so of a file, and whether it is.

use std::fmt;

use docket_contract::coverage::{PageCoverage, Remark};
use docket_contract::place::Region;
use docket_contract::text_map::{self, Page, TextMap};
use docket_extract::Reading;
use docket_extract::refusal::Refusal;

/// What must be so. Words are compared with one blank between them, wherever a line ends.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// The document has so many pages.
    Pages(u32),
    /// The whole text.
    Whole(&'static str),
    /// The text begins so.
    Starts(&'static str),
    /// The text has these words.
    Contains(&'static str),
    /// The text has these words once.
    Once(&'static str),
    /// The text does not have these words.
    Lacks(&'static str),
    /// A page has these words.
    OnPage(u32, &'static str),
    /// A line of a page has both.
    OneLine(u32, &'static str, &'static str),
    /// A page is shown so wide and high, in points.
    Shown(u32, u16, u16),
    /// A block of this region has these words.
    Within(Region, &'static str),
    /// The text has no character that is several letters.
    NoLigatures,
    /// The document has a file of this name and size.
    Attached(&'static str, usize),
    /// The document needs a password.
    Encrypted,
    /// The document says that it is an XFA form.
    XfaForm,
    /// No page has a text layer; OCR reads these words.
    Scanned(&'static str),
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The fact holds.
    Holds,
    /// The fact does not hold, and what is so instead.
    Fails(String),
    /// OCR is off, and the document says that its pages have no text layer.
    NeedsOcr,
    /// The file is not there.
    Missing,
}

impl Check {
    /// Whether this is so of a file that was read, or refused.
    pub fn verdict(self, read: &Result<Reading, Refusal>) -> Verdict {
        match (self, read) {
            (Self::Encrypted, Err(Refusal::Encrypted)) => Verdict::Holds,
            (_, Err(refusal)) => Verdict::Fails(refusal.to_string()),
            (Self::Encrypted, Ok(_)) => Verdict::Fails("the document was read".to_owned()),
            (Self::Scanned(words), Ok(reading)) => scanned(words, reading),
            (check, Ok(reading)) => match check.failure(reading) {
                None => Verdict::Holds,
                Some(instead) => Verdict::Fails(instead),
            },
        }
    }

    /// What is so instead, if the fact does not hold.
    fn failure(self, reading: &Reading) -> Option<String> {
        let text = flat(&reading.text.text);
        let unless = |holds: bool| (!holds).then(|| format!("the text is {:?}", excerpt(&text)));
        match self {
            Self::Pages(pages) => {
                let total = pages_of(reading).total;
                (total != pages).then(|| format!("the document has {total}"))
            }
            Self::Whole(words) => unless(text == words),
            Self::Starts(words) => unless(text.starts_with(words)),
            Self::Contains(words) => unless(text.contains(words)),
            Self::Once(words) => unless(text.matches(words).count() == 1),
            Self::Lacks(words) => unless(!text.contains(words)),
            Self::OnPage(page, words) => {
                let text = page_text(reading, page);
                (!flat(text).contains(words)).then(|| format!("the page is {:?}", excerpt(text)))
            }
            Self::OneLine(page, first, second) => {
                let text = page_text(reading, page);
                let has_both = text.lines().any(|line| line.contains(first) && line.contains(second));
                (!has_both).then(|| format!("the page is {:?}", excerpt(text)))
            }
            Self::Shown(number, width, height) => {
                let shown = page(reading, number).map(|page| (page.width, page.height));
                (shown != Some((width.into(), height.into()))).then(|| format!("the page is {shown:?}"))
            }
            Self::Within(region, words) => unless(has_words(reading, region, words)),
            Self::NoLigatures => unless(!text.contains(|c| ('\u{fb00}'..='\u{fb06}').contains(&c))),
            Self::Attached(name, bytes) => attached(reading, name, bytes),
            Self::XfaForm => {
                let remarks = &reading.text.coverage.remarks;
                (!remarks.iter().any(|remark| remark == Remark::XfaForm.as_str())).then(|| format!("{remarks:?}"))
            }
            Self::Encrypted | Self::Scanned(_) => None,
        }
    }
}

fn attached(reading: &Reading, name: &str, bytes: usize) -> Option<String> {
    let files = reading.files.iter();
    let files: Vec<_> = files
        .map(|file| (file.file_name.as_deref().unwrap_or_default(), file.bytes.len()))
        .collect();
    (files != [(name, bytes)]).then(|| format!("the files are {files:?}"))
}

fn scanned(words: &str, reading: &Reading) -> Verdict {
    let pages = pages_of(reading);
    if pages.by_ocr > 0 {
        let text = flat(&reading.text.text);
        if text.contains(words) {
            return Verdict::Holds;
        }
        return Verdict::Fails(format!("OCR reads {:?}", excerpt(&text)));
    }
    let no_text_layer = text_map::Reading::NoTextLayer.as_str();
    match &pages.without_text[..] {
        [without] if without.why == no_text_layer && without.count == pages.total => Verdict::NeedsOcr,
        _ => Verdict::Fails(format!("{} of {} pages have text", pages.read, pages.total)),
    }
}

fn pages_of(reading: &Reading) -> PageCoverage {
    reading.text.coverage.pages.clone().unwrap_or_default()
}

fn page(reading: &Reading, number: u32) -> Option<&Page> {
    let pages = &reading.text.map.as_ref()?.pages;
    pages.iter().find(|page| page.number == number)
}

fn page_text(reading: &Reading, number: u32) -> &str {
    let bytes = page(reading, number).map_or(0..0, |page| page.bytes.start as usize..page.bytes.end as usize);
    reading.text.text.get(bytes).unwrap_or_default()
}

fn has_words(reading: &Reading, region: Region, words: &str) -> bool {
    let blocks = |map: &TextMap| {
        let mut of_region = map.blocks.iter().filter(|block| block.region == region);
        of_region.any(|block| {
            let text = reading
                .text
                .text
                .get(block.bytes.start as usize..block.bytes.end as usize);
            text.is_some_and(|text| flat(text).contains(words))
        })
    };
    reading.text.map.as_ref().is_some_and(blocks)
}

/// A text on one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters of a text that a result shows.
const EXCERPT_CHARS: usize = 200;

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pages(pages) => write!(f, "{pages} pages"),
            Self::Whole("") => f.write_str("no text"),
            Self::Whole(words) => write!(f, "only {words:?}"),
            Self::Starts(words) => write!(f, "starts with {words:?}"),
            Self::Contains(words) => write!(f, "{words:?}"),
            Self::Once(words) => write!(f, "{words:?} once"),
            Self::Lacks(words) => write!(f, "no {words:?}"),
            Self::OnPage(page, words) => write!(f, "page {page}: {words:?}"),
            Self::OneLine(page, first, second) => write!(f, "page {page}: {first:?} in a line with {second:?}"),
            Self::Shown(page, width, height) => write!(f, "page {page} is shown {width} x {height}"),
            Self::Within(region, words) => write!(f, "{}: {words:?}", region.as_str()),
            Self::NoLigatures => f.write_str("no ligatures"),
            Self::Attached(name, bytes) => write!(f, "{name:?} attached, {bytes} bytes"),
            Self::Encrypted => f.write_str("encrypted"),
            Self::XfaForm => f.write_str("an XFA form"),
            Self::Scanned(words) => write!(f, "no text layer; by OCR {words:?}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Fails(instead) => write!(f, "FAILS: {instead}"),
            Self::NeedsOcr => f.write_str("not read: OCR is off"),
            Self::Missing => f.write_str("the file is missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use docket_contract::coverage::WithoutText;
    use docket_extract::ExtractedText;

    use super::*;

    fn reading(text: &str) -> Reading {
        Reading {
            text: ExtractedText::from(text.to_owned()),
            map: Bytes::new(),
            files: Vec::new(),
        }
    }

    fn scan(pages: PageCoverage, text: &str) -> Reading {
        let mut reading = reading(text);
        reading.text.coverage.pages = Some(pages);
        reading
    }

    #[test]
    fn words_are_found_over_the_end_of_a_line() {
        let read = Ok(reading("Visible\nheading  line"));
        for (check, holds) in [
            (Check::Contains("Visible heading line"), true),
            (Check::Starts("heading"), false),
            (Check::Lacks("heading line"), false),
            (Check::Once("i"), false),
            (Check::Whole(""), false),
        ] {
            assert_eq!(check.verdict(&read) == Verdict::Holds, holds, "{check}");
        }
    }

    #[test]
    fn a_scan_needs_ocr_only_if_it_says_that_no_page_has_a_text_layer() {
        let check = Check::Scanned("Lease");
        let without = WithoutText {
            why: "no_text_layer".to_owned(),
            count: 1,
            pages: "1".to_owned(),
        };
        let mut pages = PageCoverage {
            total: 1,
            without_text: vec![without],
            ..PageCoverage::default()
        };
        assert_eq!(check.verdict(&Ok(scan(pages.clone(), ""))), Verdict::NeedsOcr);
        pages.total = 2;
        assert!(matches!(check.verdict(&Ok(scan(pages.clone(), ""))), Verdict::Fails(_)));
        pages.by_ocr = 1;
        assert_eq!(check.verdict(&Ok(scan(pages.clone(), "A Lease"))), Verdict::Holds);
        assert!(matches!(check.verdict(&Ok(scan(pages, "A Leaf"))), Verdict::Fails(_)));
    }

    #[test]
    fn a_refused_file_fails_unless_it_must_be_refused() {
        assert_eq!(Check::Encrypted.verdict(&Err(Refusal::Encrypted)), Verdict::Holds);
        assert!(matches!(Check::Encrypted.verdict(&Ok(reading("a"))), Verdict::Fails(_)));
        let refused = Check::Pages(1).verdict(&Err(Refusal::Encrypted));
        assert!(matches!(refused, Verdict::Fails(_)));
    }
}
