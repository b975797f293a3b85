//! `bench fairness`: a quiet client alone, beside noisy clients, and beside them with a queue that ignores clients. All clients
//! are on one shard, where they hinder each other most.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::arrivals::{self, Arrival, Rates};
use crate::corpus::{self, Kind};
use crate::docket::{self, Docket, Row, Worker};
use crate::fifo::Fifo;
use crate::ours;
use crate::report::{self, Report};
use crate::stats::{self, Figures};

/// Number of the quiet client; the noisy clients have the next numbers.
const QUIET: usize = 0;
/// Load of all clients together, as a multiple of the worker's capacity.
const OVERLOAD: f64 = 2.0;
/// Documents from which the capacity is measured.
const CAPACITY_DOCUMENTS: usize = 240;
/// Fewest documents of the quiet client in a phase: the 95th percentile is then the sixth longest time.
const QUIET_DOCUMENTS_MIN: f64 = 100.0;
/// Fraction of a phase, at its beginning, that throughput leaves out: until there is a backlog.
const RAMP: f64 = 0.1;
/// Lines of the table, in order.
const LINES: [&str; 9] = [
    "quiet_p50_seconds",
    "quiet_p95_seconds",
    "quiet_to_claim_p95_seconds",
    "quiet_from_claim_p95_seconds",
    "quiet_documents",
    "documents_per_second",
    "accepted_per_second",
    "backlog_documents",
    "seconds",
];

/// How to compare.
#[derive(Debug, Clone, Args, Serialize)]
pub struct FairnessSettings {
    /// Kind of documents, of all clients.
    #[arg(long, default_value = "letters")]
    pub corpus: Kind,
    /// Shortest time of a phase, in seconds; a phase lasts longer if the quiet client would send fewer than 100 documents.
    #[arg(long, default_value_t = 60.0)]
    pub seconds: f64,
    /// Number of noisy clients, which share the noisy load.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub noisy: u32,
    /// The quiet client's share of the load. The load is twice the capacity; keep the quiet client below half of its fair part of
    /// the capacity.
    #[arg(long, default_value_t = 0.1)]
    pub quiet_share: f64,
    /// Seed of documents and arrivals.
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

/// The order in which jobs are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The dispatcher publishes, fairly.
    Fair,
    /// The bench publishes at once, in the order of acceptance.
    Fifo,
}

/// Runs the comparison.
pub async fn run(settings: &FairnessSettings) -> Result<()> {
    let (mut docket, mut worker, capacity) = capacity(settings).await?;
    println!("one worker reads {} documents/s", report::show(capacity));
    let quiet_rate = OVERLOAD * settings.quiet_share * capacity;
    let seconds = settings.seconds.max(QUIET_DOCUMENTS_MIN / quiet_rate);
    let rates = Rates {
        quiet: quiet_rate,
        noisy: OVERLOAD * capacity - quiet_rate,
        noisy_clients: settings.noisy as usize,
    };
    let all = arrivals::of(rates, seconds, settings.seed);
    let quiet: Vec<Arrival> = all.iter().filter(|arrival| arrival.client == QUIET).copied().collect();
    println!("the quiet client alone, {} s", report::show(seconds));
    let alone = phase(&mut docket, &mut worker, &quiet, (settings, None)).await?;
    worker.program.stop().await?;
    docket.stop().await?;
    println!("beside {} noisy", settings.noisy);
    let fair = crowded(&all, settings, Order::Fair).await?;
    println!("the same, first come, first served");
    let fifo = crowded(&all, settings, Order::Fifo).await?;
    conclude(settings, capacity, [&alone, &fair, &fifo])
}

/// A worker's capacity in documents a second, measured on a backlog from before its start. The worker keeps running.
async fn capacity(settings: &FairnessSettings) -> Result<(Docket, Worker, f64)> {
    let mut docket = start(settings, Order::Fair).await?;
    let texts = corpus::texts(settings.corpus, CAPACITY_DOCUMENTS, settings.seed);
    let jobs = docket.upload_all(&texts).await?;
    let mut worker = docket.worker(None, settings.sessions).await?;
    let rows = ours::until_ended(&mut docket, &mut worker, &jobs, jobs.len()).await?;
    let first = rows.iter().filter_map(|row| row.started).fold(f64::INFINITY, f64::min);
    let last = rows.iter().map(|row| row.ended).fold(0.0, f64::max);
    Ok((docket, worker, rows.len() as f64 / (last - first)))
}

/// Runs a phase in a world of its own, which is dropped with its backlog.
async fn crowded(arrivals: &[Arrival], settings: &FairnessSettings, order: Order) -> Result<Figures> {
    let mut docket = start(settings, order).await?;
    let mut worker = docket.worker(None, settings.sessions).await?;
    let fifo = match order {
        Order::Fair => None,
        Order::Fifo => Some(Fifo::start(&docket.env()).await?),
    };
    let figures = phase(&mut docket, &mut worker, arrivals, (settings, fifo)).await?;
    worker.program.stop().await?;
    docket.stop().await?;
    Ok(figures)
}

async fn start(settings: &FairnessSettings, order: Order) -> Result<Docket> {
    let roles = match order {
        Order::Fair => docket::ALL_ROLES,
        Order::Fifo => "api",
    };
    Docket::on_one_shard(&docket::logs()?, roles, 1 + settings.noisy as usize).await
}

/// Uploads each document on arrival, and waits until the quiet client has all its results.
async fn phase(
    docket: &mut Docket,
    worker: &mut Worker,
    arrivals: &[Arrival],
    (settings, fifo): (&FairnessSettings, Option<Fifo>),
) -> Result<Figures> {
    let jobs = arrivals::upload(docket, arrivals, (settings.corpus, settings.seed), fifo.as_ref()).await?;
    if let Some(fifo) = fifo {
        fifo.finish().await?;
    }
    let of_quiet: Vec<_> = jobs.iter().filter(|job| job.client == QUIET).cloned().collect();
    let quiet = ours::until_ended(docket, worker, &of_quiet, of_quiet.len()).await?;
    let accepted = docket.created(&jobs).await?;
    let rows = docket.ended(&jobs).await?;
    Ok(figures(&quiet, &rows, &accepted))
}

/// Figures of a phase; `accepted` are the times of acceptance of all jobs, `rows` the ended jobs.
fn figures(quiet: &[Row], rows: &[Row], accepted: &[f64]) -> Figures {
    let first = accepted.iter().copied().fold(f64::INFINITY, f64::min);
    let last = accepted.iter().copied().fold(0.0, f64::max);
    let from = first + RAMP * (last - first);
    let ended = |after: f64| rows.iter().filter(|row| row.ended > after && row.ended <= last).count() as f64;
    let times = |of: fn(&Row) -> f64| quiet.iter().map(of).collect::<Vec<f64>>();
    let total = times(|row| row.ended - row.created);
    let to_claim = times(|row| row.started.unwrap_or(row.ended) - row.created);
    let from_claim = times(|row| row.ended - row.started.unwrap_or(row.ended));
    let named = [
        ("quiet_p50_seconds", stats::median(&total)),
        ("quiet_p95_seconds", stats::percentile(&total, 0.95)),
        ("quiet_to_claim_p95_seconds", stats::percentile(&to_claim, 0.95)),
        ("quiet_from_claim_p95_seconds", stats::percentile(&from_claim, 0.95)),
        ("quiet_documents", Some(quiet.len() as f64)),
        ("documents_per_second", Some(ended(from) / (last - from))),
        ("accepted_per_second", Some(accepted.len() as f64 / (last - first))),
        ("backlog_documents", Some(accepted.len() as f64 - ended(0.0))),
        ("seconds", Some(last - first)),
    ];
    named
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn conclude(settings: &FairnessSettings, capacity: f64, [alone, fair, fifo]: [&Figures; 3]) -> Result<()> {
    let ratio = |name: &str, of: &Figures, to: &Figures| Some(of.get(name)? / to.get(name)?);
    let ratios = json!({
        "quiet_p95": ratio("quiet_p95_seconds", fair, alone),
        "quiet_p50": ratio("quiet_p50_seconds", fair, alone),
        "throughput": ratio("documents_per_second", fair, fifo),
        "fifo_quiet_p95": ratio("quiet_p95_seconds", fifo, alone),
        "load": fair.get("accepted_per_second").map(|rate| rate / capacity),
    });
    println!(
        "\n{}\n\nratios\n{ratios:#}",
        report::table(&[("alone", alone), ("fair", fair), ("fifo", fifo)], &LINES)
    );
    let figures = json!({
        "capacity_documents_per_second": capacity,
        "alone": alone,
        "fair": fair,
        "fifo": fifo,
        "fifo_quiet_p95": fifo.get("quiet_p95_seconds"),
    });
    Report::new("fairness", serde_json::to_value(settings)?, figures, ratios).write(settings.json.as_deref())?;
    let backlog = |of: &Figures| of.get("backlog_documents").is_some_and(|&documents| documents > 0.0);
    ensure!(
        backlog(fair) && backlog(fifo),
        "there was no backlog: the load was too small to say anything"
    );
    Ok(())
}
