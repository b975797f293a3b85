//! Evaluation: the counts are seqeval's, and the text passes through the worker's own steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use docket_engine::evaluate::scores::{Figures, Scores};
use docket_engine::evaluate::{Evaluation, Record, evaluate, join, read_records};
use docket_engine::model::Model;
use docket_testing::TinyModel;
use serde_json::{Value, json};

use crate::fixture::{library, settings};

/// A sequence's true labels, and the labels that a model gave it.
type Sequence = (&'static [&'static str], &'static [&'static str]);

pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("evaluate").join(test);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

fn record(labels: &[&str]) -> Record {
    Record {
        tokens: labels.iter().map(|_| "word".to_owned()).collect(),
        labels: labels.iter().map(|&label| label.to_owned()).collect(),
    }
}

fn scores(sequences: &[Sequence]) -> Scores {
    let mut scores = Scores::default();
    for (expected, found) in sequences {
        let texts = join(&[record(expected), record(found)], 1);
        let expected: Vec<_> = texts[0].mentions.iter().collect();
        scores.add(&expected, texts[1].mentions.iter());
    }
    scores
}

#[track_caller]
fn assert_figures(figures: Figures, expected: [f64; 3]) {
    let got = [figures.precision, figures.recall, figures.f1];
    let close = got
        .iter()
        .zip(expected)
        .all(|(got, expected)| (got - expected).abs() < 1e-6);
    assert!(close, "{got:?} instead of {expected:?}");
}

/// The expected figures are what `classification_report` of seqeval 1.2.2 says in its default mode.
#[test]
fn figures_are_those_of_seqeval() {
    let shifted: [Sequence; 2] = [
        (
            &["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"],
            &["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"],
        ),
        (&["B-PER", "I-PER", "O"], &["B-PER", "I-PER", "O"]),
    ];
    let scored = scores(&shifted);
    assert_figures(scored.labels["MISC"].figures(), [0.0; 3]);
    assert_figures(scored.micro().figures(), [0.5; 3]);
    assert_figures(scored.macro_average(), [0.5; 3]);

    let mixed: [Sequence; 3] = [
        (
            &["B-PER", "I-PER", "O", "B-ORG", "I-ORG", "I-ORG", "O", "B-DATE"],
            &["B-PER", "I-PER", "O", "B-ORG", "I-ORG", "O", "O", "B-DATE"],
        ),
        (&["O", "B-LOC", "O", "B-PER"], &["B-MONEY", "B-ORG", "O", "B-PER"]),
        (
            &["B-ORG", "O", "B-DATE", "I-DATE"],
            &["B-ORG", "B-ORG", "B-DATE", "I-DATE"],
        ),
    ];
    let scored = scores(&mixed);
    assert_figures(scored.labels["DATE"].figures(), [1.0; 3]);
    assert_figures(scored.labels["ORG"].figures(), [0.25, 0.5, 0.333_333_3]);
    assert_figures(scored.micro().figures(), [0.555_555_6, 0.714_285_7, 0.625]);
    assert_figures(scored.macro_average(), [0.45, 0.5, 0.466_666_7]);
    assert_eq!(scored.unseen().collect::<Vec<_>>(), ["MONEY"]);

    assert_figures(scores(&[(&["O", "B-PER"], &["O", "O"])]).micro().figures(), [0.0; 3]);
}

/// The expected figures are again those of seqeval 1.2.2, for labels that BIO forbids.
#[test]
fn torn_labels_are_mended_as_seqeval_does() {
    let torn: [Sequence; 1] = [(
        &["I-PER", "I-PER", "O", "I-ORG", "I-PER", "B-PER", "B-PER", "I-ORG"],
        &["B-PER", "I-PER", "O", "B-ORG", "B-PER", "I-PER", "B-PER", "B-ORG"],
    )];
    let scored = scores(&torn);
    assert_figures(scored.labels["ORG"].figures(), [1.0; 3]);
    assert_figures(scored.labels["PER"].figures(), [0.666_666_7, 0.5, 0.571_428_6]);
    assert_figures(scored.micro().figures(), [0.8, 0.666_666_7, 0.727_272_7]);
    assert_figures(scored.macro_average(), [0.833_333_3, 0.75, 0.785_714_3]);
}

/// A model that knows a party of two words and a place.
pub fn tiny() -> TinyModel {
    TinyModel::new("tiny", "1")
        .kinds(&["PARTY", "PLACE"])
        .word("alice", "B-PARTY")
        .word("smith", "I-PARTY")
        .word("paris", "B-PLACE")
}

const DATA: &str = r#"
{"tokens": ["Then", "Alice", "Smith's", "horse"], "labels": ["O", "B-PARTY", "I-PARTY", "O"], "source": "letters"}
{"tokens": ["saw", "Paris", "and", "(Alice)"], "labels": ["O", "O", "O", "B-PARTY"]}

{"tokens": ["Bob", "slept", "in", "Rome"], "labels": ["B-PARTY", "O", "O", "B-CITY"]}
"#;

/// Each label, with its entities expected, found and correct.
fn rows(evaluation: &Evaluation) -> Vec<(&str, usize, usize, usize)> {
    let labels = evaluation.scores.labels.iter();
    labels
        .map(|(label, counts)| (label.as_str(), counts.expected, counts.found, counts.correct))
        .collect()
}

#[tokio::test]
async fn text_goes_the_workers_way_and_words_are_found_again() {
    let folder = folder("words");
    tiny().write(&folder);
    let data = folder.join("data.jsonl");
    std::fs::write(&data, DATA).expect("it can be written");
    let records = read_records(&data).expect("they are records");
    let model = Model::load(&folder, &settings().await).await.expect("it loads");
    let alone = evaluate(&model, join(&records, 1), None, None).await.expect("it runs");
    assert_eq!((alone.texts, alone.words), (3, 12));
    // A word counts as found when a part of it is: "Smith's", "(Alice)". The model knows neither Bob nor Rome.
    let expected = [("CITY", 1, 0, 0), ("PARTY", 3, 2, 2), ("PLACE", 0, 1, 0)];
    assert_eq!(rows(&alone), expected);
    let filled: Vec<_> = alone.reliability.bins.iter().filter(|bin| bin.count > 0).collect();
    assert_eq!((filled.len(), filled[0].count), (1, 3));
    assert!((filled[0].precision - 2.0 / 3.0).abs() < 1e-9);
    assert!(alone.speed.tokens >= 12 && alone.speed.tokens_per_second() > 0.0);

    let joined = evaluate(&model, join(&records, 3), None, None).await.expect("it runs");
    assert_eq!((joined.texts, joined.words, rows(&joined)), (1, 12, rows(&alone)));

    let only = ["PARTY".to_owned()];
    let parties = evaluate(&model, join(&records, 1), Some(&only), None)
        .await
        .expect("it runs");
    assert_eq!(rows(&parties), [("PARTY", 3, 2, 2)]);
    model.stop().await;
}

/// Runs the program. Returns whether it succeeded, and what it printed.
pub async fn run(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_docket-worker"))
        .args(arguments)
        .env("DOCKET_ONNXRUNTIME_LIB", library().await)
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is UTF-8");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn the_command_needs_no_server_and_writes_json() {
    let folder = folder("command");
    // The other graph finds no places. The evaluation must run that graph, with the folder's tokenizer and labels.
    let other = folder.join("other");
    tiny().write(&folder);
    TinyModel::new("tiny", "1")
        .kinds(&["PARTY", "PLACE"])
        .word("alice", "B-PARTY")
        .word("smith", "I-PARTY")
        .word("paris", "O")
        .write(&other);
    let (data, json_file) = (folder.join("data.jsonl"), folder.join("report.json"));
    std::fs::write(&data, DATA).expect("it can be written");
    let path = |path: &Path| path.to_str().expect("it is UTF-8").to_owned();
    let mut arguments = vec!["evaluate".to_owned(), "--folder".into(), path(&folder)];
    arguments.extend(["--data".into(), path(&data), "--json".into(), path(&json_file)]);
    arguments.extend(["--onnx".into(), path(&other.join("model.onnx"))]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (is_success, stdout, stderr) = run(&arguments).await;
    assert!(is_success, "{stderr}");
    assert!(
        stdout.contains("PARTY") && stdout.contains("expected calibration error"),
        "{stdout}"
    );
    let report = std::fs::read(&json_file).expect("it was written");
    let report: BTreeMap<String, Value> = serde_json::from_slice(&report).expect("it is JSON");
    assert_eq!(report["model"], json!("tiny@1"));
    assert_eq!(report["labels"]["PARTY"]["correct"], json!(2));
    assert_eq!(report["labels"].get("PLACE"), None);
    assert_eq!(report["micro"]["precision"], json!(1.0));
    assert_eq!(report["reliability"]["bins"].as_array().map(Vec::len), Some(10));
}

#[tokio::test]
async fn data_that_cannot_be_used_is_said_in_one_line() {
    let folder = folder("errors");
    tiny().write(&folder);
    let data = folder.join("data.jsonl");
    std::fs::write(
        &data,
        "{\"tokens\": [\"a\"], \"labels\": [\"O\"]}\n{\"tokens\": [\"a\"], \"labels\": []}\n",
    )
    .expect("it can be written");
    let (folder, data) = (folder.to_str().expect("UTF-8"), data.to_str().expect("UTF-8"));
    let (is_success, _, stderr) = run(&["evaluate", "--folder", folder, "--data", data]).await;
    assert!(!is_success);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.contains("line 2") && stderr.contains("1 tokens have 0 labels"),
        "{stderr}"
    );
}
