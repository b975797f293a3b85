//! Tesseract's TSV -> lines of words with their places in the picture.

/// A word that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Left, upper, right and lower edge, in pixels.
    pub edges: [f32; 4],
    /// How sure Tesseract is, in percent.
    pub confidence: f32,
}

/// What was read of a picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Words {
    /// The lines, in Tesseract's order.
    pub lines: Vec<Vec<Word>>,
}

/// Words of which Tesseract is less sure are left out. It reads such words out of stamps, signatures and speckles.
const CONFIDENCE_MIN: f32 = 30.0;
/// Words of so many characters are wider than high, in any font.
const LONG_CHARS: usize = 4;
/// The level of a row that holds a word.
const WORD_LEVEL: &str = "5";

impl Words {
    /// Reads TSV: level, page, block, paragraph, line, word, left, top, width, height, confidence, text. Rows that are none are
    /// left out.
    pub fn of_tsv(tsv: &str) -> Self {
        let mut words = Self::default();
        let mut last_line = None;
        for row in tsv.lines() {
            let Some((line, word)) = word(row) else { continue };
            if last_line != Some(line) {
                words.lines.push(Vec::new());
                last_line = Some(line);
            }
            if let Some(line) = words.lines.last_mut() {
                line.push(word);
            }
        }
        words
    }

    /// Whether most words stand on their side: Tesseract reads such words, but not the order of their lines.
    pub fn are_sideways(&self) -> bool {
        let long = self
            .lines
            .iter()
            .flatten()
            .filter(|word| word.text.chars().count() >= LONG_CHARS);
        let (mut sideways, mut all) = (0, 0);
        for [left, top, right, bottom] in long.map(|word| word.edges) {
            sideways += usize::from(bottom - top > right - left);
            all += 1;
        }
        sideways * 2 > all
    }

    /// How sure Tesseract is of the average character, in percent; 0 without any.
    pub fn confidence(&self) -> f32 {
        let (mut sure, mut chars) = (0.0, 0.0);
        for word in self.lines.iter().flatten() {
            let of_word = word.text.chars().count() as f32;
            sure += of_word * word.confidence;
            chars += of_word;
        }
        if chars > 0.0 { sure / chars } else { 0.0 }
    }
}

/// A row's line, and its word.
fn word(row: &str) -> Option<([&str; 3], Word)> {
    let mut columns = row.splitn(12, '\t');
    let level = columns.next()?;
    let [_page, block, paragraph, line, _word] = next(&mut columns)?;
    let [left, top, width, height] = next(&mut columns)?.map(|number| number.parse::<u32>().unwrap_or(0) as f32);
    let confidence: f32 = columns.next()?.parse().ok()?;
    let text = columns.next()?.trim();
    let is_word = level == WORD_LEVEL && !text.is_empty() && confidence >= CONFIDENCE_MIN;
    let word = Word {
        text: text.to_owned(),
        edges: [left, top, left + width, top + height],
        confidence: confidence.min(100.0),
    };
    is_word.then_some(([block, paragraph, line], word))
}

fn next<'a, const N: usize>(columns: &mut impl Iterator<Item = &'a str>) -> Option<[&'a str; N]> {
    let mut next = [""; N];
    for column in &mut next {
        *column = columns.next()?;
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TSV: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
        1\t1\t0\t0\t0\t0\t0\t0\t2550\t3300\t-1\t\n\
        4\t1\t1\t1\t1\t0\t364\t349\t1028\t47\t-1\t\n\
        5\t1\t1\t1\t1\t1\t364\t354\t341\t40\t90.5\tACME\n\
        5\t1\t1\t1\t1\t2\t720\t352\t215\t39\t96.5\tLtd.\n\
        5\t1\t1\t1\t2\t1\t369\t432\t101\t37\t12.0\t~;\n\
        5\t1\t2\t1\t1\t1\t369\t532\t101\t37\t93.5\tMay\t6\n";

    #[test]
    fn words_of_a_line_stay_together() {
        let words = Words::of_tsv(TSV);
        let texts = |line: &[Word]| line.iter().map(|word| word.text.clone()).collect::<Vec<_>>();
        let lines: Vec<_> = words.lines.iter().map(|line| texts(line)).collect();
        assert_eq!(lines, [vec!["ACME", "Ltd."], vec!["May\t6"]]);
        assert_eq!(words.lines[0][1].edges, [720.0, 352.0, 935.0, 391.0]);
        assert_eq!(words.confidence().round(), 94.0);
    }

    #[test]
    fn words_on_their_side_are_higher_than_wide() {
        let sideways = TSV
            .replace("364\t354\t341\t40", "364\t354\t40\t341")
            .replace("215\t39", "39\t215");
        assert!(Words::of_tsv(&sideways).are_sideways());
        assert!(!Words::of_tsv(TSV).are_sideways());
        assert!(!Words::default().are_sideways());
    }

    proptest! {
        #[test]
        fn any_text_is_read(tsv in "[0-9a\t\n.-]{0,300}") {
            Words::of_tsv(&tsv);
        }
    }
}
