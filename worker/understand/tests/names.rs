//! What holds for names in any text: mentions stand in order, apart and on whole characters, and each is of one thing.
use std::ops::Range;

use docket_understand::names::{Carrying, Mention, things};
use docket_understand::pieces::pieces;
use proptest::prelude::*;

const LABELS: [&str; 6] = ["ORG", "PERSON", "LOCATION", "LEGISLATION", "COURT", "DATE"];
/// Pieces that together make and break names, definitions and what stands beside them.
const PIECES: [&str; 30] = [
    "Acme ",
    "ACME ",
    "acme ",
    "Acme Corp. ",
    "Corporation",
    ", Inc.",
    "(the \"",
    "\") ",
    "Company",
    "company ",
    "Jane ",
    "Jane Roe ",
    "Roe's ",
    "Roe-",
    "\u{201c}Seller\u{201d}",
    "hereinafter ",
    " means ",
    "the ",
    "of 1933 ",
    "Act ",
    "\n",
    "\n\n",
    "    ",
    "\u{301}",
    "\u{1f600}",
    "\u{ad}",
    "(ACME) ",
    ".",
    "-",
    "'",
];

/// A text, and mentions in it: every piece with a label.
fn marked(pieces: &[(&str, usize)]) -> (String, Vec<(usize, Range<usize>)>) {
    let (mut text, mut mentions) = (String::new(), Vec::new());
    for (piece, label) in pieces {
        let start = text.len();
        text.push_str(piece);
        if *label < LABELS.len() {
            mentions.push((*label, start..text.len()));
        }
    }
    (text, mentions)
}

fn mention((label, bytes): &(usize, Range<usize>)) -> Mention<'static> {
    Mention {
        label: LABELS[*label],
        bytes: bytes.clone(),
        score: 1.0,
        value: None,
    }
}

proptest! {
    #[test]
    fn carried_mentions_are_whole_and_apart(
        parts in prop::collection::vec((prop::sample::select(&PIECES[..]), 0_usize..12), 0..60),
    ) {
        let (text, marks) = marked(&parts);
        let mentions: Vec<Mention<'_>> = marks.iter().map(mention).collect();
        let mut carrying = Carrying::of(&text, &mentions);
        for piece in pieces(&text) {
            carrying.read(&text, piece);
        }
        let (carried, of) = carrying.finish();
        prop_assert_eq!(of.len(), mentions.len());
        let mut end = 0;
        for one in &carried {
            prop_assert!(end <= one.bytes.start && one.bytes.start < one.bytes.end, "{carried:?}");
            prop_assert!(text.get(one.bytes.clone()).is_some_and(|words| words.trim() == words), "{carried:?}");
            let apart = |other: &Mention<'_>| other.bytes.end <= one.bytes.start || one.bytes.end <= other.bytes.start;
            prop_assert!(mentions.iter().all(apart), "{carried:?}");
            end = one.bytes.end;
        }
        let things = things(&text, &mentions, &of, |_| false);
        let told: usize = things.iter().map(|one| one.mentions.len()).sum();
        prop_assert_eq!(told, of.iter().flatten().count(), "each mention is of one thing");
        for one in things {
            prop_assert_eq!(one.thing.mention_count as usize, one.mentions.len());
            prop_assert_eq!(one.thing.mentions[0] as usize, one.mentions[0] + 1);
        }
    }
}
