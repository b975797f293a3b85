//! Finds what stands on many pages at the same height: running heads, feet, and numbers of pages.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use docket_contract::place::Region;

use super::page::{Line, PageLines};

/// Lines at a page's upper edge, and as many at the lower, that may be heads and feet.
const EDGE_LINES: usize = 4;
/// Heads and feet stand in this part of the page at its edges.
const EDGE: f32 = 0.16;
/// Heads of two pages stand at the same height if they differ by less, in points.
const LEVEL_MAX: f32 = 5.0;
/// Heads of left and right pages differ, so the next page with the same head is at most this far away.
const PAGES_APART_MAX: usize = 2;
/// Most characters of a head or foot: longer lines are text.
const CHARS_MAX: usize = 200;
/// Words that stand beside the number of a page.
const PAGE_WORDS: [&str; 12] = [
    "page", "pages", "pg", "p", "of", "seite", "von", "sur", "página", "pagina", "de", "di",
];
/// Letters of Roman numbers.
const ROMAN: [char; 5] = ['i', 'v', 'x', 'l', 'c'];
/// Most digits of the number of a page.
const NUMBER_DIGITS_MAX: usize = 5;

/// A line at a page's edge.
#[derive(Debug, Clone, Copy)]
struct Edge {
    page: usize,
    line: usize,
    /// Distance of the line from the edge, in points.
    height: f32,
    /// The number in the line, if there is only one.
    number: Option<u32>,
}

/// What lines have in common that are equal but for their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Likeness {
    text: u64,
    kind: Kind,
    is_head: bool,
}

/// What a line at an edge may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// A number, alone.
    Number,
    /// A number with a word that says so: `Page 3 of 5`.
    NamedNumber,
    /// Text.
    Text,
}

/// Marks the heads, feet and numbers of these pages.
pub fn mark(pages: &mut [PageLines]) {
    let mut alike: HashMap<Likeness, Vec<Edge>> = HashMap::new();
    for (number, page) in pages.iter().enumerate() {
        for (edge, likeness) in edges(number, page) {
            alike.entry(likeness).or_default().push(edge);
        }
    }
    for (likeness, edges) in alike {
        for edge in repeated(likeness.kind, &edges) {
            let line = pages.get_mut(edge.page).and_then(|page| page.lines.get_mut(edge.line));
            if let Some(line) = line {
                line.region = region(likeness);
            }
        }
    }
}

const fn region(likeness: Likeness) -> Region {
    match (likeness.kind, likeness.is_head) {
        (Kind::Number | Kind::NamedNumber, _) => Region::PageNumber,
        (Kind::Text, true) => Region::Header,
        (Kind::Text, false) => Region::Footer,
    }
}

/// The lines at the upper and lower edge of a page.
fn edges(number: usize, page: &PageLines) -> Vec<(Edge, Likeness)> {
    let limit = EDGE * page.height;
    let is_edge = |line: &Line| line.is_upright && line.region != Region::LineNumber && line.chars.len() <= CHARS_MAX;
    let outermost = |is_head: bool| {
        let distance = |line: &Line| {
            if is_head {
                line.area.top
            } else {
                page.height - line.area.bottom
            }
        };
        let lines = page
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| is_edge(line) && distance(line) <= limit);
        let mut lines: Vec<(f32, usize)> = lines.map(|(at, line)| (distance(line), at)).collect();
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        lines.truncate(EDGE_LINES);
        lines
            .into_iter()
            .filter_map(move |(height, at)| edge(page, (number, at), height, is_head))
    };
    outermost(true).chain(outermost(false)).collect()
}

fn edge(page: &PageLines, (number, at): (usize, usize), height: f32, is_head: bool) -> Option<(Edge, Likeness)> {
    let likened = liken(page.text_of(page.lines.get(at)?));
    let edge = Edge {
        page: number,
        line: at,
        height,
        number: likened.number,
    };
    let likeness = Likeness {
        text: likened.text,
        kind: likened.kind?,
        is_head,
    };
    Some((edge, likeness))
}

/// A line without its numbers.
#[derive(Debug, Default)]
struct Likened {
    text: u64,
    kind: Option<Kind>,
    number: Option<u32>,
}

/// Takes the numbers out of a line. A line of several numbers and no letter is a table's row, and like no other.
fn liken(line: &str) -> Likened {
    let mut hasher = DefaultHasher::new();
    let (mut numbers, mut words, mut page_words) = (Vec::new(), 0_usize, 0_usize);
    for word in line
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let lower = word.to_lowercase();
        if let Some(number) = number(&lower) {
            numbers.push(number);
            '#'.hash(&mut hasher);
            continue;
        }
        words += 1;
        page_words += usize::from(PAGE_WORDS.contains(&lower.as_str()));
        // Digits within words count as numbers too, as in dates and versions.
        lower
            .chars()
            .filter(|c| !c.is_ascii_digit())
            .for_each(|c| c.hash(&mut hasher));
    }
    let kind = match (numbers.len(), words) {
        (1, 0) => Some(Kind::Number),
        (2, 0) if line.contains('/') => Some(Kind::Number),
        (1 | 2, words) if words == page_words => Some(Kind::NamedNumber),
        (_, 0) => None,
        _ => Some(Kind::Text),
    };
    Likened {
        text: hasher.finish(),
        kind,
        number: numbers.first().copied(),
    }
}

/// The value of a number in digits or in small Roman letters.
fn number(word: &str) -> Option<u32> {
    if word.chars().all(|c| c.is_ascii_digit()) && word.len() <= NUMBER_DIGITS_MAX {
        return word.parse().ok();
    }
    roman(word)
}

fn roman(word: &str) -> Option<u32> {
    if word.is_empty() || word.len() > 8 || !word.chars().all(|c| ROMAN.contains(&c)) {
        return None;
    }
    let value = |c: char| match c {
        'i' => 1,
        'v' => 5,
        'x' => 10,
        'l' => 50,
        _ => 100,
    };
    let mut values = word.chars().map(value).peekable();
    let (mut added, mut taken) = (0_u32, 0_u32);
    while let Some(value) = values.next() {
        if values.peek().is_some_and(|&next| next > value) {
            taken += value;
        } else {
            added += value;
        }
    }
    added.checked_sub(taken)
}

/// The lines among those alike that have a fellow at the same height on a page nearby. A lone number also has to count the pages.
fn repeated(kind: Kind, edges: &[Edge]) -> Vec<Edge> {
    if kind == Kind::NamedNumber {
        return edges.to_vec();
    }
    let mut sorted = edges.to_vec();
    sorted.sort_by(|a, b| a.height.total_cmp(&b.height));
    let mut found = Vec::new();
    for level in sorted.chunk_by_mut(|a, b| b.height - a.height <= LEVEL_MAX) {
        level.sort_by_key(|edge| (edge.page, edge.line));
        let mut is_repeated = vec![false; level.len()];
        for (at, pair) in level.windows(2).enumerate() {
            let [one, next] = pair else { continue };
            if is_fellow(kind, *one, *next) {
                is_repeated
                    .iter_mut()
                    .skip(at)
                    .take(2)
                    .for_each(|is_repeated| *is_repeated = true);
            }
        }
        found.extend(
            level
                .iter()
                .zip(is_repeated)
                .filter(|(_, is_repeated)| *is_repeated)
                .map(|(edge, _)| *edge),
        );
    }
    found
}

fn is_fellow(kind: Kind, one: Edge, next: Edge) -> bool {
    let pages = next.page - one.page;
    let counts = match (one.number, next.number) {
        (Some(number), Some(next)) => u32::try_from(pages).is_ok_and(|pages| number.checked_add(pages) == Some(next)),
        _ => false,
    };
    (1..=PAGES_APART_MAX).contains(&pages) && (kind == Kind::Text || counts)
}
