//! For any text, offsets are exact and no token is left out.

use std::sync::LazyLock;

use docket_contract::entity::Entity;
use docket_engine::decode::{self, WindowScores, WordScore};
use docket_engine::infer::manifest::TOKENIZER_FILE;
use docket_engine::window::{CONTEXT_TOKENS_MAX, PIECE_BYTES_MAX, Windows};
use docket_extract::ExtractedText;
use proptest::prelude::*;
use tokenizers::Tokenizer;
use unicode_segmentation::GraphemeCursor;

use crate::fixture::{CONTRACT, folder, labels, properties, splitter, text};

/// What tokenizers stumble over: composed and decomposed accents, emoji of several scalars, scripts without spaces, syllables
/// that decompose, ligatures, invisible and control characters, all kinds of line ends, special tokens spelled out.
const FRAGMENTS: &[&str] = &[
    "Acme Widgets, Inc.",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\n\n",
    "\u{c}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{0}",
    "\u{7}",
    "caf\u{e9}",
    "cafe\u{301}",
    "\u{301}",
    "e\u{301}\u{323}",
    "Stra\u{df}e",
    "\u{130}stanbul",
    "\u{fb01}nance",
    "agree\u{ad}ment",
    "zero\u{200b}width",
    "\u{202e}abc\u{202c}",
    "\u{1f600}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "\u{1f1e9}\u{1f1ea}",
    "\u{4e2d}\u{6587}\u{3002}",
    "\u{d55c}\u{ad6d}",
    "\u{1112}\u{1161}\u{11ab}",
    "\u{645}\u{62d}\u{645}\u{62f}",
    "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}",
    "\u{2260}",
    "\u{37e}",
    "\u{fffd}",
    "\u{e000}",
    "\u{10ffff}",
    "[SEP]",
    "[PAD]",
    "##ing",
    "10(b)",
    "\u{a7} 107",
    "U.S.C.",
    "$2,500.00",
    "O\u{2019}Brien",
    "x",
    ".",
    "?!",
    "\u{201c}quoted\u{201d}",
    "pneumonoultramicroscopic",
];

pub fn any_text() -> impl Strategy<Value = String> {
    let fragments = prop::collection::vec(prop::sample::select(FRAGMENTS), 0..400).prop_map(|parts| parts.concat());
    prop_oneof![2 => fragments, 1 => any::<String>(), 1 => "\\PC{0,300}"]
}

fn cut(text: &str) -> Windows {
    splitter().split(text).expect("every text can be cut")
}

/// Entities as a model would find them that answers at random, drawn from `dice`.
fn random_entities(text: &ExtractedText, windows: &Windows, dice: &[u8]) -> Vec<Entity> {
    let labels = labels();
    let mut dice = dice.iter().copied().cycle();
    let mut word = |_| WordScore {
        label: u16::from(dice.next().unwrap_or(0)) % labels.len() as u16,
        probability: 0.5,
        goes_on: 0.0,
    };
    let scores = |window| WindowScores {
        words: windows.words(window).map(&mut word).collect(),
    };
    let scores: Vec<WindowScores> = (0..windows.len()).map(scores).collect();
    decode::entities(text, windows, scores, &labels)
}

proptest! {
    #![proptest_config(properties(256))]

    #[test]
    fn entities_stand_where_their_offsets_say(given in any_text(), dice in prop::collection::vec(any::<u8>(), 1..50)) {
        let text = text(&given);
        let mut end_before = 0;
        for entity in random_entities(&text, &cut(&text.text), &dice) {
            let span = entity.span;
            prop_assert_eq!(&text.text[span.bytes()], &entity.text);
            let by_scalars: String = text.text.chars().skip(span.start as usize).take((span.end - span.start) as usize).collect();
            prop_assert_eq!(&by_scalars, &entity.text);
            prop_assert_eq!(entity.text.trim(), &entity.text);
            prop_assert!(!entity.text.is_empty());
            for end in [span.start_byte, span.end_byte] {
                let mut grapheme = GraphemeCursor::new(end as usize, text.text.len(), true);
                prop_assert_eq!(grapheme.is_boundary(&text.text, 0), Ok(true), "{:?} ends inside a character", &entity);
            }
            prop_assert!(!entity.text.contains("\n\n") && !entity.text.contains('\u{c}'), "{entity:?}");
            let mut gaps = entity.text.split(|c: char| !c.is_whitespace() || c == '\n');
            prop_assert!(entity.text.contains(['\n', '\u{2028}']) || gaps.all(|gap| gap.chars().count() < 4), "{entity:?}");
            prop_assert!(span.start_byte >= end_before, "entities overlap or are out of order");
            let feeds = text.text[..span.start_byte as usize].matches('\u{c}').count() as u32;
            prop_assert_eq!(entity.page, text.text.contains('\u{c}').then_some(feeds + 1));
            end_before = span.end_byte;
        }
    }

    #[test]
    fn windows_hold_every_token_and_no_more_than_fit(given in any_text()) {
        let given = text(&given).text.clone();
        let windows = cut(&given);
        let mut next = 0;
        for (window, range) in windows.ranges().iter().enumerate() {
            prop_assert!(range.start <= next && next < range.end, "{range:?} leaves out token {next}, or is in vain");
            prop_assert!(range.len() <= splitter().tokens_max());
            prop_assert_eq!(windows.words(window).len(), windows.word_starts(window).count());
            next = range.end;
        }
        prop_assert_eq!(next, windows.tokens().len());
        for token in 1..windows.tokens().len() {
            let (before, place) = (windows.tokens().bytes(token - 1), windows.tokens().bytes(token));
            prop_assert!(given.is_char_boundary(place.start) && given.is_char_boundary(place.end));
            prop_assert!(before.start <= place.start && before.end <= place.end, "{before:?} {place:?}");
        }
    }
}

proptest! {
    #![proptest_config(properties(24))]

    #[test]
    fn pieces_give_the_tokens_of_the_whole(unit in any_text()) {
        // Longer than a piece. Without the control characters for which this tokenizer is shown blanks.
        let unit = unit.replace(|c: char| c.is_control() && !"\t\n\r".contains(c), "") + " and ";
        let given = unit.repeat(3 * PIECE_BYTES_MAX / unit.len() + 1);

        static WHOLE: LazyLock<Tokenizer> = LazyLock::new(|| {
            let mut tokenizer = Tokenizer::from_file(folder().join(TOKENIZER_FILE)).expect("the tokenizer loads");
            tokenizer.set_encode_special_tokens(true);
            tokenizer
        });
        let whole = WHOLE.encode(given.as_str(), false).expect("every text can be encoded");
        let windows = cut(&given);
        let tokens = windows.tokens();
        prop_assert_eq!(tokens.ids(), whole.get_ids());
        let mut word_before = None;
        for (token, (&(start, end), &word)) in whole.get_offsets().iter().zip(whole.get_word_ids()).enumerate() {
            prop_assert_eq!(tokens.bytes(token), start..end);
            prop_assert_eq!(tokens.starts_word(token), word != word_before);
            word_before = word;
        }
    }
}

#[test]
fn a_new_page_begins_a_new_word() {
    let windows = cut("the Agreement\u{c}Section");
    let words: Vec<_> = (0..windows.tokens().len())
        .map(|token| windows.tokens().word(token))
        .collect();
    assert_eq!(words, [0, 1, 2]);
}

#[test]
fn the_text_at_a_token_is_the_token() {
    let tokenizer = Tokenizer::from_file(folder().join(TOKENIZER_FILE)).expect("the tokenizer loads");
    let windows = cut(CONTRACT);
    for (token, &id) in windows.tokens().ids().iter().enumerate() {
        let piece = tokenizer.id_to_token(id).expect("it is in the vocabulary");
        let surface = &CONTRACT[windows.tokens().bytes(token)];
        assert_eq!(surface.to_lowercase(), piece.trim_start_matches("##"));
    }
}

#[test]
fn a_document_cannot_speak_in_special_tokens() {
    let windows = cut("[SEP] [CLS] [PAD]");
    assert_eq!(windows.tokens().word_count(), 9, "brackets are words of their own");
    assert!(windows.tokens().ids().iter().all(|id| ![0, 101, 102].contains(id)));
    assert_eq!(splitter().tokenizer().before(), [101]);
    assert_eq!(splitter().tokenizer().after(), [102]);
}

#[test]
fn whole_sentences_are_packed_and_only_longer_ones_are_cut() {
    let sentence =
        "The Borrower shall pay the principal and the interest to the Lender on the last day of each month. ";
    let windows = cut(&sentence.repeat(60));
    let ranges = windows.ranges();
    assert!(ranges[0].len() > 160, "a window is as full as whole sentences make it");
    let long = sentence.repeat(60);
    for pair in ranges.windows(2) {
        let end = windows.tokens().bytes(pair[1].start - 1).end;
        assert!(
            long[..end].ends_with('.'),
            "the next window begins with a sentence: {pair:?}"
        );
        let again = pair[0].end - pair[1].start;
        assert!((1..=CONTEXT_TOKENS_MAX).contains(&again), "{pair:?}");
    }

    let clause = "and the Borrower shall pay the principal, ";
    let windows = cut(&clause.repeat(60));
    let ranges = windows.ranges();
    assert!(
        ranges
            .windows(2)
            .all(|pair| (1..=32).contains(&(pair[0].end - pair[1].start))),
        "{ranges:?}"
    );
}

#[test]
fn a_text_of_one_word_is_read_whole() {
    for word in [
        "x".repeat(100_000),
        "\u{4e2d}".repeat(50_000),
        "\u{1f600}".repeat(30_000),
    ] {
        let windows = cut(&word);
        assert!(!windows.is_empty());
        let last = windows.tokens().len() - 1;
        assert_eq!(windows.tokens().bytes(0).start, 0);
        assert_eq!(windows.tokens().bytes(last).end, word.len());
    }
    for nothing in ["", " \n\t ", "\u{200b}"] {
        assert!(cut(nothing).is_empty(), "{nothing:?}");
    }
}
