//! The pages of a document that a caller wants read: `2-9,12`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Most ranges: a caller who wants more of them wants all pages, or sends a file of its own.
const RANGES_MAX: usize = 100;

/// Pages of a document, counted from 1.
///
/// Invariant: the ranges ascend, do not touch, and are not empty; there is one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRanges(Vec<RangeInclusive<u32>>);

/// Why a text names no pages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pages are written as 2-9,12: numbers from 1, ascending, at most {RANGES_MAX} ranges")]
pub struct InvalidPages;

impl PageRanges {
    /// The first ranges as text, as many as a caller may name.
    pub fn first_ranges(mut self) -> String {
        self.0.truncate(RANGES_MAX);
        self.to_string()
    }

    /// Whether a page is among them.
    pub fn contains(&self, page: u32) -> bool {
        let after = self.0.partition_point(|range| *range.start() <= page);
        after.checked_sub(1).is_some_and(|at| self.0[at].contains(&page))
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[RangeInclusive<u32>] {
        &self.0
    }

    /// Pages as ranges, such as those of which something is said.
    pub fn of(pages: impl IntoIterator<Item = u32>) -> Option<Self> {
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for page in pages {
            match ranges.last_mut() {
                Some(last) if last.end() + 1 == page => *last = *last.start()..=page,
                Some(last) if *last.end() >= page => {}
                Some(_) | None => ranges.push(page..=page),
            }
        }
        (!ranges.is_empty()).then_some(Self(ranges))
    }
}

impl FromStr for PageRanges {
    type Err = InvalidPages;

    fn from_str(text: &str) -> Result<Self, InvalidPages> {
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            let begins = ranges.last().map_or(0, |before| *before.end());
            if first <= begins || last < first || ranges.len() == RANGES_MAX {
                return Err(InvalidPages);
            }
            match ranges.last_mut() {
                Some(before) if first == begins + 1 => *before = *before.start()..=last,
                Some(_) | None => ranges.push(first..=last),
            }
        }
        Ok(Self(ranges))
    }
}

fn number(text: &str) -> Result<u32, InvalidPages> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidPages);
    }
    // Below the largest number, so that one more is a number too.
    let number: u32 = text.parse().map_err(|_| InvalidPages)?;
    if number < u32::MAX {
        Ok(number)
    } else {
        Err(InvalidPages)
    }
}

impl fmt::Display for PageRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_and_written() {
        for (given, written) in [("2-9,12", "2-9,12"), (" 1 , 2-3 ,5", "1-3,5"), ("7", "7")] {
            let pages: PageRanges = given.parse().unwrap();
            assert_eq!(pages.to_string(), written);
            assert_eq!(written.parse(), Ok(pages));
        }
        let pages: PageRanges = "2-4,7".parse().unwrap();
        let inside: Vec<u32> = (0..10).filter(|&page| pages.contains(page)).collect();
        assert_eq!(inside, [2, 3, 4, 7]);
        assert_eq!(PageRanges::of(inside), Some(pages));
        assert_eq!(PageRanges::of([]), None);
    }

    #[test]
    fn what_names_no_pages_is_refused() {
        let many = (1..=201)
            .step_by(2)
            .map(|page: u32| page.to_string())
            .collect::<Vec<_>>()
            .join(",");
        for bad in [
            "",
            "0",
            "a",
            "3-2",
            "5,4",
            "1,1",
            "1-",
            "-1",
            "+1",
            "4294967295",
            "1,,2",
            many.as_str(),
        ] {
            assert_eq!(bad.parse::<PageRanges>(), Err(InvalidPages), "{bad}");
        }
    }
}
