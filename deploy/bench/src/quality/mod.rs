//! `bench quality`: how many entities and citations Docket finds, and how many other people's tools find in the same texts.

pub mod citations;
pub mod contestants;
pub mod entities;
pub mod labels;
pub mod left_out;
pub mod scores;
pub mod spacing;
pub mod tables;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use docket_local::checkout::Checkout;
use serde::Serialize;
use serde_json::{Value, json};

use crate::f1;
use crate::quality::contestants::{Answer, Contestants};
use crate::quality::entities::{MODEL_ALONE, WHOLE};
use crate::quality::labels::PEERS;
use crate::quality::left_out::LeaveOut;
use crate::report::Report;

/// Records in one text. Those of InLegalNER are single sentences of many judgments.
const RECORDS_A_TEXT: usize = 1;
/// The passages with marked citations, below the checkout.
const CITATIONS: &str = "deploy/bench/quality/citations.jsonl";

/// What is measured.
#[derive(Debug, Clone, Args, Serialize)]
pub struct QualitySettings {
    /// Labelled records (JSONL of `tokens` and BIO `labels`); without this option only citations are measured.
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Python with `deploy/bench/quality/requirements.txt` installed; without this option Docket is measured alone.
    #[arg(long, value_name = "PYTHON")]
    pub peer_python: Option<PathBuf>,
    /// What to leave out of the counts, separated by commas; nothing without this option.
    #[arg(long, value_delimiter = ',')]
    pub leave_out: Vec<LeaveOut>,
    /// Write all figures to a file, as one JSON object.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub json: Option<PathBuf>,
}

/// Reads all texts with all contestants, and counts.
pub async fn run(settings: &QualitySettings) -> Result<()> {
    let contestants = Contestants::find(settings.peer_python.as_deref()).await?;
    let mut figures = json!({});
    if contestants.has_peers() {
        figures["peers"] = contestants.versions().await?;
        println!("peers: {}", figures["peers"]);
    } else {
        println!(
            "other people's tools are left out: --peer-python names no Python (see deploy/bench/quality/README.md)"
        );
    }
    of_citations(&contestants, &mut figures).await?;
    of_entities(&contestants, settings, &mut figures).await?;
    Report::new("quality", serde_json::to_value(settings)?, figures, json!({})).write(settings.json.as_deref())
}

async fn of_citations(contestants: &Contestants, figures: &mut Value) -> Result<()> {
    let passages = citations::read(&Checkout::find()?.root().join(CITATIONS))?;
    let texts: Vec<&str> = passages.iter().map(|passage| &*passage.text).collect();
    println!("\n{} passages with marked citations", passages.len());
    let mut docket = contestants.docket(&texts, true).await?;
    for answers in &mut docket {
        answers.retain(|answer| answer.label == citations::LABEL);
    }
    let mut count = |name: &str, suffix: &str, answers: &[Vec<Answer>]| {
        let all = citations::score(&passages, answers, false);
        let us = citations::score(&passages, answers, true);
        figures[format!("citations_recall{suffix}")] = json!(all.recall());
        figures[format!("citations_precision{suffix}")] = json!(all.precision());
        figures[format!("citations_recall_us{suffix}")] = json!(us.recall());
        figures[format!("citations_precision_us{suffix}")] = json!(us.precision());
        tables::print_citations(name, &all, &us);
        figures["citations"][name] = json!({ "all": all, "us": us });
    };
    count("docket", "", &docket);
    if contestants.has_peers() {
        count("eyecite", "_eyecite", &contestants.eyecite(&texts).await?);
    }
    Ok(())
}

async fn of_entities(contestants: &Contestants, settings: &QualitySettings, figures: &mut Value) -> Result<()> {
    let Some(data) = &settings.data else {
        println!("\nentities are left out: --data names no labelled records");
        return Ok(());
    };
    let texts = f1::read(data, RECORDS_A_TEXT)?;
    let labelled: usize = texts.iter().map(|text| text.gold.len()).sum();
    println!("\n{} labelled records, {labelled} entities", texts.len());
    let judged = entities::judge(contestants, &texts, &settings.leave_out).await?;
    for (key, name) in [("f1", WHOLE), ("f1_model_alone", MODEL_ALONE)] {
        figures[key] = json!(entities::counting(&judged, name).map(|one| one.all.micro().f1()));
    }
    for peer in PEERS {
        let (of_peer, name) = (entities::counting(&judged, peer.name()), peer.name());
        let by_view = |one: &entities::Judged| one.views.get(&peer).map(|table| table.micro().f1());
        figures[format!("f1_{name}")] = json!(of_peer.map(|one| one.all.micro().f1()));
        figures[format!("f1_{name}_own_labels")] = json!(of_peer.and_then(by_view));
        let docket = entities::counting(&judged, WHOLE);
        figures[format!("f1_own_labels_of_{name}")] = json!(docket.and_then(by_view));
    }
    figures["entities"] = entities::figures(&judged);
    tables::print_entities(&judged);
    Ok(())
}
