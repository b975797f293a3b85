//! However a text is cut, and whatever shares its passes: every token is read, and the answer is the same.
//!
//! These models label each word as they were told, wherever the word stands. So their answer must not depend on windows: if it
//! does, cutting, merging or batching is at fault.

use std::path::PathBuf;
use std::sync::LazyLock;

use docket_contract::entity::Entity;
use docket_engine::batch::PassLimits;
use docket_engine::decode::{self, WindowScores};
use docket_engine::infer::manifest::TOKENIZER_FILE;
use docket_engine::model::{Model, ModelSettings};
use docket_engine::window::{CONTEXT_TOKENS_MAX, Splitter, TextTokenizer, Windows};
use docket_testing::{Scheme, TinyModel};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::fixture::{client, library, properties, settings, text};
use crate::unicode::any_text;

/// Window and overlap in tokens, from a window that holds every text of [`phrases`] to the shortest allowed. Where windows
/// overlap, the overlap is longer than any name of [`phrases`].
const CUTS: [(usize, usize); 6] = [(4_096, 0), (100, 50), (64, 16), (40, 9), (24, 11), (16, 8)];

/// The runtime that every model here lives on.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads can be started"));

/// A model that labels names of one, two and three words, each word one piece, and one word of four pieces.
fn named(scheme: Scheme) -> TinyModel {
    let tiny = TinyModel::new("tiny", "1").scheme(scheme).kinds(&["A", "B"]);
    let labels = match scheme {
        Scheme::Bio => ["B-A", "I-A", "I-A", "B-B", "B-A"],
        Scheme::Bioes => ["B-A", "I-A", "E-A", "S-B", "S-A"],
        Scheme::Bilou => ["B-A", "I-A", "L-A", "U-B", "U-A"],
        Scheme::Plain => ["A", "A", "A", "B", "A"],
    };
    let words = ["first", "middle", "last", "acme", "x"];
    let tiny = words
        .iter()
        .zip(labels)
        .fold(tiny, |tiny, (word, label)| tiny.word(word, label));
    // Letters, for words of any number of pieces, even more than a window has.
    ["a", "##a", "##b", "##c"]
        .iter()
        .fold(tiny, |tiny, piece| tiny.word(piece, "O"))
}

fn write(tiny: &TinyModel, name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("windows").join(name);
    tiny.write(&folder);
    folder
}

fn load(tiny: &TinyModel, name: &str, settings: &ModelSettings) -> Model {
    let folder = write(tiny, name);
    RUNTIME
        .block_on(Model::load(&folder, settings))
        .expect("the tiny model loads")
}

/// One model of the scheme for each of [`CUTS`].
fn cut_models(scheme: Scheme) -> Vec<Model> {
    let settings = RUNTIME.block_on(settings());
    let load = |(window, overlap): (usize, usize)| {
        let tiny = named(scheme).windows(window, overlap);
        load(&tiny, &format!("{scheme:?}-{window}"), &settings)
    };
    CUTS.map(load).into()
}

fn score(model: &Model, windows: Windows) -> Vec<WindowScores> {
    let (owner, windows) = (client("alone"), windows.into());
    let scores = RUNTIME.block_on(model.batcher().score(&owner, &windows));
    scores.expect("the model runs")
}

fn entities(model: &Model, given: &str) -> Vec<Entity> {
    let text = text(given);
    let windows = model.splitter().split(&text.text).expect("every text can be cut");
    let scores = score(model, windows.clone());
    decode::entities(&text, &windows, scores, model.labels())
}

/// Sentences of names, in an order that the scheme allows, and of words outside names.
fn phrases() -> impl Strategy<Value = String> {
    let phrases = &[
        "first last",
        "first middle last",
        "acme",
        "the",
        "of the",
        "aabc",
        "\u{4e2d}\u{6587}",
        "x",
    ];
    let ends = &[" ", " ", " ", " ", ", ", ". ", ".\n\n", "; "];
    let parts = (prop::sample::select(phrases), prop::sample::select(ends));
    // A word between names: the plain scheme would take two adjacent names for one.
    let part = parts.prop_map(|(phrase, end)| format!("{phrase} and{end}"));
    prop::collection::vec(part, 0..120).prop_map(|parts| parts.concat())
}

/// Any text with names anywhere in it.
fn text_with_names() -> impl Strategy<Value = String> {
    let names = &[
        "first",
        " first",
        " middle ",
        "last ",
        " acme",
        "x",
        " aabcabcabcabcabcabcabcabcabcabc",
    ];
    let part = prop_oneof![2 => any_text(), 3 => prop::sample::select(names).prop_map(String::from)];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(properties(128))]

    #[test]
    fn every_token_is_read_however_a_text_is_cut(
        given in text_with_names(),
        window in 16_usize..200,
        overlap_percent in 0_usize..=50,
    ) {
        static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| write(&named(Scheme::Plain), "tokens"));
        let overlap = window * overlap_percent / 100;
        let tokenizer = TextTokenizer::from_file(&FOLDER.join(TOKENIZER_FILE)).expect("the tokenizer loads");
        let splitter = Splitter::new(tokenizer, window, overlap);
        let windows = splitter.split(&given).expect("every text can be cut");

        let mut read = 0;
        let mut words = 0;
        for (number, range) in windows.ranges().iter().enumerate() {
            prop_assert!(range.len() <= splitter.tokens_max(), "{range:?} is longer than {window}");
            prop_assert!(range.start <= read && read < range.end, "{range:?} leaves out token {read}, or is in vain");
            let again = overlap.max(CONTEXT_TOKENS_MAX);
            prop_assert!(read - range.start <= again, "{range:?} reads more than {again} tokens again, up to {read}");
            prop_assert!(windows.words(number).start <= words, "a word is in no window's reading");
            read = range.end;
            words = windows.words(number).end;
        }
        prop_assert_eq!(read, windows.tokens().len());
        prop_assert_eq!(words, windows.tokens().word_count());
    }

}

proptest! {
    // Each text is cut and run at least six times.
    #![proptest_config(properties(48))]

    #[test]
    fn plain_labels_are_the_same_however_a_text_is_cut(given in text_with_names()) {
        static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| cut_models(Scheme::Plain));
        let whole = entities(&MODELS[0], &given);
        for model in &MODELS[1..] {
            let mut cut = entities(model, &given);
            for (cut, whole) in cut.iter_mut().zip(&whole) {
                // At a window's start the model does not know whether a word continues the one before.
                prop_assert!((cut.score - whole.score).abs() < 0.001);
                cut.score = whole.score;
            }
            prop_assert_eq!(&cut, &whole, "{:?}", model.splitter());
        }
        let stored = &text(&given).text;
        for entity in &whole {
            prop_assert_eq!(&stored[entity.span.bytes()], &entity.text);
            let scalars = stored.chars().skip(entity.span.start as usize);
            let by_scalars: String = scalars.take((entity.span.end - entity.span.start) as usize).collect();
            prop_assert_eq!(&by_scalars, &entity.text);
        }
    }

    #[test]
    fn names_are_torn_by_no_cut(given in phrases()) {
        static MODELS: LazyLock<[Vec<Model>; 3]> =
            LazyLock::new(|| [Scheme::Bio, Scheme::Bioes, Scheme::Bilou].map(cut_models));
        let names = ["first last", "first middle last", "acme", "x"];
        let count = |name: &str| given.match_indices(name).filter(|(at, _)| given[at + name.len()..].starts_with(" and")).count();
        let expected: usize = names.into_iter().map(count).sum();
        for models in &*MODELS {
            let whole = entities(&models[0], &given);
            prop_assert_eq!(whole.len(), expected);
            prop_assert!(whole.iter().all(|entity| names.contains(&entity.text.as_str())), "{whole:?}");
            for model in &models[1..] {
                prop_assert_eq!(&entities(model, &given), &whole, "{:?}", model.splitter());
            }
        }
    }

    #[test]
    fn an_answer_is_the_same_whoever_shares_its_passes(
        jobs in prop::collection::vec((0_usize..4, phrases()), 1..16),
        rows_max in 2_usize..=8,
    ) {
        static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| (1..=8).map(batching_model).collect());
        let cut = |given: &str| MODELS[0].splitter().split(given).expect("every text can be cut");
        let alone: Vec<_> = jobs.iter().map(|(_, given)| score(&MODELS[0], cut(given))).collect();
        let together = jobs.iter().map(|(owner, given)| async move {
            let owner = client(&format!("client-{owner}"));
            MODELS[rows_max - 1].batcher().score(&owner, &cut(given).into()).await
        });
        let together = RUNTIME.block_on(futures::future::join_all(together));
        let together: Vec<_> = together.into_iter().map(|scores| scores.expect("the model runs")).collect();
        prop_assert_eq!(together, alone, "floats do not depend on their neighbours, not even in the last bit");
    }
}

/// A model that runs up to `rows_max` windows in a pass.
fn batching_model(rows_max: usize) -> Model {
    let settings = ModelSettings {
        pass: PassLimits {
            tokens_max: usize::MAX,
            rows_max,
        },
        ..ModelSettings::for_cpu(RUNTIME.block_on(library()), 1)
    };
    let tiny = named(Scheme::Bioes).windows(48, 16).token_types();
    load(&tiny, &format!("rows-{rows_max}"), &settings)
}
