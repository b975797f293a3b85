//! Which way up a page is: a page that reads badly is turned and read again.

use std::collections::VecDeque;
use std::time::Duration;

use docket_contract::text_map::Reading;

use super::Ocr;
use super::words::Words;
use crate::refusal::Refusal;
use crate::sandbox::{self, Picture, PictureHead};

/// A page reads well if Tesseract is so sure of its average character, in percent. Scans that people can read have 80 and more, pages
/// that stand on their head below 60.
const CONFIDENCE_GOOD: f32 = 70.0;
/// Pages with fewer pixels that are seen are blank: a letter of 12 points at 300 dpi has some 300.
const SEEN_PIXELS_MIN: usize = 100;
/// A pixel is seen if its shade differs so much from the paper's. Faint print does, and the grain of paper does not.
const CONTRAST_MIN: usize = 40;
/// Quarter turns that are tried.
const TURNS: u8 = 4;

/// A page that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Its words, with their places in the picture.
    pub words: Words,
    /// The picture's size.
    pub picture: PictureHead,
    /// Quarter turns, clockwise, from the page as shown to the picture.
    pub turns: u8,
}

/// A page whose picture is being read.
struct Asked {
    page: usize,
    picture: PictureHead,
    turns: u8,
    /// How often the page was read before.
    tried: u8,
    /// What was read best before.
    best: Option<Scan>,
}

/// Reads the pages of one document, several at a time.
struct Turning<'a, D> {
    ocr: &'a mut Ocr,
    draw: D,
    asked: VecDeque<Asked>,
    /// How the last page that read well was turned: pages of a scan are most often turned alike.
    turns: u8,
    /// Whether the document's time for OCR is over.
    is_late: bool,
}

/// Reads `pages`, several at a time. `draw` gives a page's picture, turned clockwise by quarters. `take` gets
/// every page once, in any order.
pub fn read(
    ocr: &mut Ocr,
    pages: &[usize],
    draw: impl FnMut(usize, u8) -> Option<Picture>,
    mut take: impl FnMut(usize, Result<Scan, Reading>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut turning = Turning {
        ocr,
        draw,
        asked: VecDeque::new(),
        turns: 0,
        is_late: false,
    };
    let mut pages = pages.iter();
    loop {
        let next = (turning.asked.len() < turning.ocr.at_once.max(1))
            .then(|| pages.next())
            .flatten();
        let done = match next {
            Some(&page) => turning.ask(page, turning.turns, 0, None),
            None => match turning.asked.pop_front() {
                Some(asked) => turning.answer(asked),
                None => return Ok(()),
            },
        };
        if let Some((page, scan)) = done {
            take(page, scan)?;
        }
    }
}

type Done = Option<(usize, Result<Scan, Reading>)>;

impl<D: FnMut(usize, u8) -> Option<Picture>> Turning<'_, D> {
    /// Draws a page and sends it; the page is done if there is nothing to send.
    fn ask(&mut self, page: usize, turns: u8, tried: u8, best: Option<Scan>) -> Done {
        self.is_late = self.is_late || cpu_time() >= self.ocr.cpu_max;
        if self.is_late {
            return Some((page, best.ok_or(Reading::OcrLimit)));
        }
        let Some(picture) = (self.draw)(page, turns) else {
            return Some((page, best.ok_or(Reading::Unreadable)));
        };
        if is_blank(&picture) {
            return Some((page, Err(Reading::Empty)));
        }
        self.ocr
            .reader
            .send(&picture)
            .expect("the parent takes pictures while it lives");
        let picture = picture.head;
        self.asked.push_back(Asked {
            page,
            picture,
            turns,
            tried,
            best,
        });
        None
    }

    /// Takes what was read of the page that was asked first; the page may have to be turned.
    fn answer(&mut self, asked: Asked) -> Done {
        let Asked { page, turns, best, .. } = asked;
        let words = self.ocr.reader.receive().expect("the parent answers while it lives");
        let scan = match words {
            sandbox::Words::Read(tsv) => Scan {
                words: Words::of_tsv(&String::from_utf8_lossy(&tsv)),
                picture: asked.picture,
                turns,
            },
            sandbox::Words::Failed => return Some((page, best.ok_or(Reading::OcrFailed))),
            sandbox::Words::Late => {
                self.is_late = true;
                return Some((page, best.ok_or(Reading::OcrLimit)));
            }
        };
        let is_good = quality(&scan) >= CONFIDENCE_GOOD;
        let best = better(best, scan);
        if is_good {
            self.turns = turns;
        }
        if is_good || asked.tried + 1 >= TURNS {
            return Some((page, Ok(best)));
        }
        self.ask(page, (turns + 1) % TURNS, asked.tried + 1, Some(best))
    }
}

/// The scan that reads better.
fn better(best: Option<Scan>, scan: Scan) -> Scan {
    match best {
        Some(best) if quality(&best) >= quality(&scan) => best,
        Some(_) | None => scan,
    }
}

/// How well a scan reads: as sure as Tesseract is, in percent.
fn quality(scan: &Scan) -> f32 {
    if scan.words.are_sideways() {
        return 0.0;
    }
    scan.words.confidence()
}

/// Whether nothing is seen: hardly a pixel differs from the paper, whatever the paper's shade.
fn is_blank(picture: &Picture) -> bool {
    let mut counts = [0_usize; 256];
    picture.pixels.iter().for_each(|&shade| counts[usize::from(shade)] += 1);
    let usual = counts.iter().enumerate().max_by_key(|(_, count)| **count);
    let paper = usual.map_or(255, |(shade, _)| shade);
    let is_seen = |shade: usize| shade.abs_diff(paper) >= CONTRAST_MIN;
    let seen: usize = counts
        .iter()
        .enumerate()
        .filter(|(shade, _)| is_seen(*shade))
        .map(|(_, count)| count)
        .sum();
    seen < SEEN_PIXELS_MIN
}

/// CPU time that this process has used.
fn cpu_time() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        used.tv_sec.unsigned_abs(),
        u32::try_from(used.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faint_letters_are_seen_and_even_paper_is_blank() {
        let page = |paper: u8, letters: u8, count: usize| {
            let mut pixels = vec![paper; 10_000];
            pixels[..count].fill(letters);
            let head = PictureHead {
                width: 100,
                height: 100,
                dpi: 300,
            };
            is_blank(&Picture { head, pixels })
        };
        assert!(page(255, 255, 0) && page(128, 120, 5_000) && page(255, 0, 50));
        assert!(!page(255, 190, 200) && !page(0, 255, 200) && !page(120, 60, 200));
    }
}
