//! `bench documents`: what it costs to read PDFs, beside `pdftotext`, beside plain text, and to the neighbours of large PDFs; and what
//! OCR reads.

mod delay;
mod neighbours;
mod pages;
mod scans;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};

use crate::report::{self, Report};
use crate::stats::Figures;

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Pages a CPU second.
    Pages,
    /// Scanned pages that OCR reads.
    Scans,
    /// From accept to entities, PDF and text.
    Delay,
    /// Letters beside large PDFs.
    Neighbours,
}

/// What to measure.
#[derive(Debug, Clone, Args, Serialize)]
pub struct DocumentsSettings {
    /// Parts to run, separated by commas; all without this option.
    #[arg(long, value_delimiter = ',')]
    pub parts: Vec<Part>,
    /// Real PDFs for the pages a CPU second, in place of generated ones. Files that either reader refuses are left out.
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Rounds of the pages a CPU second; the ratio is the median over them.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rounds: u32,
    /// Documents of each kind that are timed from accept to entities.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub documents: u32,
    /// Letters that are timed alone, and as many beside large PDFs.
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub letters: u32,
    /// Pages of a large PDF.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub large_pages: u32,
    /// Seconds between two large PDFs.
    #[arg(long, default_value_t = 5.0)]
    pub large_every: f64,
    /// Seed of all documents.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Model calls at the same time.
    #[arg(long, default_value_t = 1)]
    pub sessions: usize,
    /// Write all figures to a file, as one JSON object.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub json: Option<PathBuf>,
}

impl DocumentsSettings {
    fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

/// Runs the wanted parts.
pub async fn run(settings: &DocumentsSettings) -> Result<()> {
    let (mut figures, mut ratios) = (json!({}), json!({}));
    if settings.wants(Part::Pages) {
        let measured = pages::measure(settings).await?;
        show(&[("docket", &measured.ours), ("pdftotext", &measured.theirs)]);
        figures["pages_per_cpu_second"] = json!({ "docket": measured.ours, "pdftotext": measured.theirs });
        figures["left_out"] = json!(measured.left_out);
        merge(
            &mut ratios,
            json!({ "to_pdftotext": measured.ratio, "to_pdftotext_of": measured.ratios }),
        );
    }
    if settings.wants(Part::Scans) {
        let of_scans = scans::measure(settings).await?;
        show(&[("scans", &of_scans)]);
        figures["scans"] = json!(of_scans);
    }
    if settings.wants(Part::Delay) {
        let (of_delay, of_ratios) = delay::measure(settings).await?;
        show(&[("delay", &of_delay)]);
        figures["delay"] = json!(of_delay);
        merge(&mut ratios, json!(of_ratios));
    }
    if settings.wants(Part::Neighbours) {
        let (of_neighbours, of_ratios) = neighbours::measure(settings).await?;
        show(&[("neighbours", &of_neighbours)]);
        figures["neighbours"] = json!(of_neighbours);
        merge(&mut ratios, json!(of_ratios));
    }
    println!("\nratios\n{ratios:#}");
    Report::new("documents", serde_json::to_value(settings)?, figures, ratios).write(settings.json.as_deref())
}

fn show(columns: &[(&str, &Figures)]) {
    let mut lines: Vec<&str> = columns
        .iter()
        .flat_map(|(_, figures)| figures.keys().map(String::as_str))
        .collect();
    lines.sort_unstable();
    lines.dedup();
    println!("\n{}", report::table(columns, &lines));
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
