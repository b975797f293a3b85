//! The labels of numbered paragraphs. Word computes them, so they stand in no file, and a contract without them has no section 2.1.

use std::collections::{HashMap, HashSet};

use super::lists::{LEVELS, Level, List, Lists, Shape};
use super::styles::{StyleList, Styles};
use super::symbol;

/// Characters of a label's pattern: `Section %1.%2.%3:` has 20. A longer pattern is no label.
const PATTERN_CHARS_MAX: usize = 64;
/// The largest number in Roman digits: a larger one would need a digit for each thousand.
const ROMAN_MAX: u32 = 3_999;
/// The largest number in letters. Word repeats the letter after each 26, and nobody reads 20 of them.
const LETTERS_MAX: u32 = 26 * 20;

/// Counts the paragraphs of lists.
#[derive(Debug, Default)]
pub struct Numbering {
    lists: Lists,
    /// The last number of each level, by shape: lists of one shape go on counting.
    numbers: HashMap<String, [Option<u32>; LEVELS]>,
    /// Lists that began.
    begun: HashSet<String>,
}

/// The properties of a paragraph that decide on its label.
#[derive(Debug, Default)]
pub struct Numbered<'p> {
    /// The paragraph's style.
    pub style: Option<&'p str>,
    /// The list that the paragraph itself names.
    pub list: Option<&'p str>,
    /// The level that the paragraph itself names.
    pub level: Option<u32>,
}

impl Numbering {
    /// Lists that count from their beginning.
    pub fn new(lists: Lists) -> Self {
        Self {
            lists,
            ..Self::default()
        }
    }

    /// Counts a paragraph, and gives its label with the blank that follows.
    pub fn label(&mut self, styles: &Styles, paragraph: &Numbered<'_>) -> Option<String> {
        let by_style = paragraph.style.and_then(|style| styles.list(style));
        let id = paragraph.list.or(by_style.as_ref().map(|by_style| by_style.list))?;
        let list = self.lists.lists.get(id)?;
        let (shape_id, shape) = shape_of(&self.lists, styles, list)?;
        let level = paragraph.level.or_else(|| level_of(by_style.as_ref()?, shape));
        let level = usize::try_from(level.unwrap_or(0)).ok()?;
        let looks: [Option<&Level>; LEVELS] =
            std::array::from_fn(|at| list.levels.get(at)?.as_ref().or(shape.levels.get(at)?.as_ref()));
        let look = looks.get(level).copied().flatten()?;

        let numbers = self.numbers.entry(shape_id.to_owned()).or_default();
        if self.begun.insert(id.to_owned()) {
            begin(numbers, &list.starts);
        }
        count(numbers, &looks, &list.starts, level);
        let label = written(look, &looks, numbers)?;
        let blank = if look.suffix == "nothing" { "" } else { " " };
        Some(label + blank)
    }
}

/// The level of a style in its list, as the style or the list says.
fn level_of(style: &StyleList<'_>, shape: &Shape) -> Option<u32> {
    let names_style =
        |level: &Option<Level>| level.as_ref().and_then(|level| level.style.as_deref()) == Some(style.named_by);
    let by_shape = || u32::try_from(shape.levels.iter().position(names_style)?).ok();
    style.level.or_else(by_shape)
}

/// The shape of a list. A shape may name a style, whose list has the shape.
fn shape_of<'l>(lists: &'l Lists, styles: &Styles, list: &'l List) -> Option<(&'l str, &'l Shape)> {
    let shape = lists.shapes.get(&list.shape)?;
    let linked = shape.style.as_deref().and_then(|style| {
        let list = lists.lists.get(styles.list(style)?.list)?;
        Some((list.shape.as_str(), lists.shapes.get(&list.shape)?))
    });
    Some(linked.unwrap_or((&list.shape, shape)))
}

/// Lets levels begin anew for which the list has a first number of its own.
fn begin(numbers: &mut [Option<u32>; LEVELS], starts: &[Option<u32>; LEVELS]) {
    for (number, start) in numbers.iter_mut().zip(starts) {
        if start.is_some() {
            *number = None;
        }
    }
}

/// Counts one more at a level. Levels above that have not begun begin; levels below begin anew.
fn count(
    numbers: &mut [Option<u32>; LEVELS],
    looks: &[Option<&Level>; LEVELS],
    starts: &[Option<u32>; LEVELS],
    level: usize,
) {
    for (at, ((number, look), start)) in numbers.iter_mut().zip(looks).zip(starts).enumerate() {
        let first = start.or(look.and_then(|look| look.start)).unwrap_or(1);
        if at < level {
            number.get_or_insert(first);
        } else if at == level {
            *number = Some(number.map_or(first, |number| number.saturating_add(1)));
        } else if restarts(*look, level) {
            *number = None;
        }
    }
}

/// Whether a level begins anew after a level above it.
fn restarts(look: Option<&Level>, after: usize) -> bool {
    let restart = look.and_then(|look| look.restart);
    restart.is_none_or(|restart| usize::try_from(restart).is_ok_and(|restart| after < restart))
}

/// The label as it is written.
fn written(look: &Level, looks: &[Option<&Level>; LEVELS], numbers: &[Option<u32>; LEVELS]) -> Option<String> {
    if look.text.is_empty() || look.text.chars().nth(PATTERN_CHARS_MAX).is_some() {
        return None;
    }
    if look.format == "bullet" {
        return Some(bullet(&look.text).to_string());
    }
    let mut label = String::new();
    let mut pattern = look.text.chars().peekable();
    while let Some(c) = pattern.next() {
        let digit = pattern
            .peek()
            .and_then(|c| c.to_digit(10))
            .filter(|digit| c == '%' && *digit > 0);
        let Some(digit) = digit else {
            label.push(c);
            continue;
        };
        pattern.next();
        let at = usize::try_from(digit).ok()?.checked_sub(1)?;
        let format = looks.get(at).copied().flatten().map_or("decimal", |look| &look.format);
        let format = if look.in_digits { "decimal" } else { format };
        label += &number(numbers.get(at).copied().flatten().unwrap_or(1), format);
    }
    Some(label).filter(|label| !label.trim().is_empty())
}

/// A bullet as a reader sees it. Letters are shapes of symbol fonts.
fn bullet(text: &str) -> char {
    let first = text.chars().find_map(symbol::in_text);
    first
        .filter(|c| !c.is_alphanumeric() && !c.is_whitespace())
        .unwrap_or('•')
}

fn number(number: u32, format: &str) -> String {
    match format {
        "none" => String::new(),
        "decimalZero" => format!("{number:02}"),
        "lowerRoman" if number <= ROMAN_MAX => roman(number).to_lowercase(),
        "upperRoman" if number <= ROMAN_MAX => roman(number),
        "lowerLetter" if number <= LETTERS_MAX => letters(number, b'a'),
        "upperLetter" if number <= LETTERS_MAX => letters(number, b'A'),
        _ => number.to_string(),
    }
}

fn roman(mut number: u32) -> String {
    const DIGITS: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut roman = String::new();
    for (value, digit) in DIGITS {
        while number >= value {
            roman.push_str(digit);
            number -= value;
        }
    }
    roman
}

/// The 2nd is `b`, the 28th `bb`.
fn letters(number: u32, first: u8) -> String {
    let Some(from_zero) = number.checked_sub(1) else {
        return number.to_string();
    };
    let letter = char::from(first.saturating_add(u8::try_from(from_zero % 26).unwrap_or(0)));
    let times = usize::try_from(from_zero / 26 + 1).unwrap_or(1);
    std::iter::repeat_n(letter, times).collect()
}
