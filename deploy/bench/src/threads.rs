//! Sessions or threads per pass, spinning or not: how a worker should use its cores. Only the model runs.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use docket_engine::infer::session::Threads;
use docket_local::checkout::Checkout;
use docket_local::deps::Deps;
use serde::Serialize;
use serde_json::{Value, json};

use crate::bare::{self, BareArgs};
use crate::corpus::{self, Kind};
use crate::report::{Report, show};
use crate::{docket, stats, windows};

/// What is measured on.
#[derive(Debug, Clone, Args, Serialize)]
pub struct ThreadsSettings {
    /// Documents of the corpus.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    documents: u32,
    /// Kind of documents.
    #[arg(long, default_value = "contracts")]
    corpus: Kind,
    /// Seed of the corpus.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Turns of each layout; the figures are medians over the turns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Write all figures to a file, as one JSON object.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    json: Option<PathBuf>,
}

/// A way to use the cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    sessions: usize,
    threads: Threads,
}

/// Tokens a second, of wall time and of CPU time.
type Speed = (f64, f64);

/// Runs all windows of the corpus once per layout and round, and compares each layout with one session per core.
pub async fn run(settings: &ThreadsSettings) -> Result<()> {
    let deps = Deps::ensure(&Checkout::find()?.state()?).await?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let layouts = layouts(cores);
    let measuring = (settings.clone(), layouts.clone());
    let measured = tokio::task::spawn_blocking(move || measure(&measuring.0, &measuring.1, &deps)).await;
    let speeds = measured.context("run the model")??;
    let to = &speeds[a_session_a_core(&layouts, cores)];
    println!("{cores} core(s); {} round(s), medians", settings.rounds);
    println!("sessions  threads  spinning   tokens/s  tokens/CPU s  to a session a core");
    let figures: Vec<Value> = layouts
        .iter()
        .zip(&speeds)
        .map(|(layout, speeds)| report(*layout, speeds, to))
        .collect();
    let asked = serde_json::to_value(settings)?;
    Report::new("threads", asked, json!({ "layouts": figures }), json!({})).write(settings.json.as_deref())
}

/// Speeds of each layout, one per round.
fn measure(settings: &ThreadsSettings, layouts: &[Layout], deps: &Deps) -> Result<Vec<Vec<Speed>>> {
    let texts = corpus::texts(settings.corpus, settings.documents as usize, settings.seed);
    let cut = windows::cut(&docket::model_folder(), &texts)?;
    let tokens = cut.tokens() as f64;
    let mut speeds = vec![Vec::new(); layouts.len()];
    for _ in 0..settings.rounds {
        for (layout, speeds) in layouts.iter().zip(&mut speeds) {
            let runs = bare::run_on(cut.windows.clone(), &bare(*layout, settings, deps))?;
            let run = runs.first().context("the model ran")?;
            speeds.push((tokens / run.seconds, tokens / run.cpu_seconds));
        }
    }
    Ok(speeds)
}

/// Prints a layout's line of the table, and returns its figures.
fn report(layout: Layout, speeds: &[Speed], to: &[Speed]) -> Value {
    let (wall, cpu): (Vec<f64>, Vec<f64>) = speeds.iter().copied().unzip();
    let (wall, cpu) = (stats::median(&wall), stats::median(&cpu));
    let pairs: Vec<(f64, f64)> = speeds.iter().zip(to).map(|(of, to)| (of.0, to.0)).collect();
    let ratio = stats::ratio(&pairs);
    let Layout { sessions, threads } = layout;
    println!(
        "{sessions:8}  {:7}  {:8}  {:>9}  {:>12}  {:>19}",
        threads.count,
        if threads.spinning { "yes" } else { "no" },
        show(wall.unwrap_or_default()),
        show(cpu.unwrap_or_default()),
        show(ratio.unwrap_or_default()),
    );
    json!({
        "sessions": sessions,
        "threads": threads.count,
        "spinning": threads.spinning,
        "model_tokens_per_second": wall,
        "model_tokens_per_cpu_second": cpu,
        "to_a_session_a_core": ratio,
    })
}

/// The layouts: one core; all cores by sessions, by threads, and by both; twice as many sessions as cores.
fn layouts(cores: usize) -> Vec<Layout> {
    let layout = |sessions, count, spinning| Layout {
        sessions,
        threads: Threads { count, spinning },
    };
    let mut layouts = vec![
        layout(1, 1, false),
        layout(cores, 1, false),
        layout(2 * cores, 1, false),
    ];
    layouts.dedup(); // On one core, one session per core is one session.
    if cores > 1 {
        for spinning in [false, true] {
            layouts.push(layout(1, cores, spinning));
            layouts.push(layout(cores, cores, spinning));
        }
    }
    layouts
}

fn a_session_a_core(layouts: &[Layout], cores: usize) -> usize {
    let wanted = |layout: &Layout| layout.sessions == cores && layout.threads.count == 1;
    layouts.iter().position(wanted).expect("every machine has it")
}

fn bare(layout: Layout, settings: &ThreadsSettings, deps: &Deps) -> BareArgs {
    BareArgs {
        corpus: settings.corpus,
        documents: settings.documents as usize,
        seed: settings.seed,
        model: docket::model_folder(),
        onnxruntime: deps.onnxruntime.clone(),
        sessions: layout.sessions,
        threads: layout.threads.count,
        spinning: layout.threads.spinning,
        rows: vec![1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_there_once_and_one_of_them_is_compared_with() {
        for cores in [1, 2, 8] {
            let layouts = layouts(cores);
            let twice = layouts
                .iter()
                .any(|of| layouts.iter().filter(|other| *other == of).count() > 1);
            assert!(!twice, "{cores} cores: {layouts:?}");
            assert_eq!(layouts[a_session_a_core(&layouts, cores)].sessions, cores);
        }
        assert_eq!((layouts(1).len(), layouts(2).len()), (2, 7));
    }
}
