//! `bench worker`: the contestants take turns, so that other load on the machine hits all of them alike.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::bare::BareRun;
use crate::docket::{self, Docket};
use crate::f1::{self, Score};
use crate::peer::{Peer, Variant};
use crate::report::{self, Report};
use crate::settings::Settings;
use crate::stats::{self, Figures};
use crate::windows::{self, Cut};
use crate::{corpus, ours, program};

/// Windows per pass of bare onnxruntime, tried in each round; the better figure counts.
const BARE_ROWS: [&str; 2] = ["1", "8"];
/// Lines of the table, in order.
const LINES: [&str; 20] = [
    "seconds",
    "documents_per_second",
    "words_per_second",
    "model_tokens_per_second",
    "windows",
    "model_tokens",
    "overlap_share",
    "padding_share",
    "cores",
    "cpu_seconds_per_document",
    "model_tokens_per_cpu_second",
    "rss_peak_bytes",
    "f1",
    "rows",
    "thread_cores.infer",
    "thread_cores.tokio-rt-worker",
    "service_cores.postgres",
    "service_cores.beam.smp",
    "service_cores.docket-local",
    "other_cores",
];

/// The input of all contestants.
#[derive(Debug)]
pub struct Corpus {
    /// Texts of the documents.
    pub texts: Vec<String>,
    /// Number of words in all texts.
    pub words: usize,
    /// Windows of the texts, as the worker cuts them.
    pub cut: Cut,
}

/// The figures of each round, by contestant.
type Rounds = BTreeMap<&'static str, Vec<Figures>>;

/// Runs the comparison.
pub async fn run(settings: &Settings) -> Result<()> {
    let logs = docket::logs()?;
    let corpus = Corpus::new(settings)?;
    println!(
        "{} {}, {} words; {} round(s)",
        settings.documents,
        settings.corpus.name(),
        corpus.words,
        settings.rounds
    );
    let stack = docket_testing::stack().await.pid;
    warn_of_debug(stack);
    let mut docket = Docket::start(&logs).await?;
    let peer = Peer::prepare(settings, &corpus, &logs).await?;
    let mut rounds = Rounds::new();
    for round in 1..=settings.rounds {
        let mut note = |name: &'static str, figures: Figures| {
            let rate = figures.get("documents_per_second").copied().unwrap_or_default();
            println!("round {round}: {name:13} {} documents/s", report::show(rate));
            rounds.entry(name).or_default().push(figures);
        };
        note("ours", ours_round(&mut docket, &corpus, settings, stack).await?);
        note("bare", bare_round(&docket, &corpus, settings).await?);
        for variant in peer.iter().flat_map(Peer::variants) {
            let peer = peer.as_ref().context("variants are a peer's")?;
            note(variant.name(), peer.round(variant, &corpus, stack).await?);
        }
    }
    let scores = f1_of_all(&mut docket, peer.as_ref(), settings).await?;
    docket.stop().await?;
    conclude(settings, &rounds, &scores)
}

impl Corpus {
    fn new(settings: &Settings) -> Result<Self> {
        let texts = corpus::texts(settings.corpus, settings.documents as usize, settings.seed);
        Ok(Self {
            words: texts.iter().map(|text| corpus::word_count(text)).sum(),
            cut: windows::cut(&docket::model_folder(), &texts)?,
            texts,
        })
    }

    /// Adds the figures that follow from time and tokens.
    pub fn complete(&self, figures: &mut Figures) {
        let get = |name: &str| figures.get(name).copied().unwrap_or_default();
        let (seconds, documents) = (get("seconds"), self.texts.len() as f64);
        let more = [
            ("documents_per_second", documents / seconds),
            ("words_per_second", self.words as f64 / seconds),
            ("model_tokens_per_second", get("model_tokens") / seconds),
            ("cpu_seconds_per_document", get("cores") * seconds / documents),
            (
                "model_tokens_per_cpu_second",
                get("model_tokens") / (get("cores") * seconds),
            ),
        ];
        figures.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
}

async fn ours_round(docket: &mut Docket, corpus: &Corpus, settings: &Settings, stack: u32) -> Result<Figures> {
    let mut figures = ours::round(docket, &corpus.texts, settings, stack).await?;
    let (ran, cut) = (figures.get("windows").copied(), corpus.cut.windows.len());
    ensure!(
        ran == Some(cut as f64),
        "the worker ran {ran:?} windows, and here are {cut}"
    );
    figures.insert("model_tokens".to_owned(), corpus.cut.tokens() as f64);
    figures.insert("overlap_share".to_owned(), corpus.cut.overlap_share());
    corpus.complete(&mut figures);
    Ok(figures)
}

async fn bare_round(docket: &Docket, corpus: &Corpus, settings: &Settings) -> Result<Figures> {
    let executable = std::env::current_exe().context("find this program")?;
    let mut command = program::on_cores(settings.cores(), executable);
    command.args(["bare", "--corpus", settings.corpus.name()]);
    command.args([
        "--documents",
        &settings.documents.to_string(),
        "--seed",
        &settings.seed.to_string(),
    ]);
    command.args(["--sessions", &settings.sessions.to_string()]);
    command
        .arg("--model")
        .arg(docket::model_folder())
        .arg("--onnxruntime")
        .arg(docket.onnxruntime());
    command.args(BARE_ROWS.iter().flat_map(|rows| ["--rows", rows]));
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .context("run bare onnxruntime")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "bare onnxruntime failed: {said}");
    let runs: Vec<BareRun> = serde_json::from_slice(&output.stdout).context("read what bare onnxruntime says")?;
    let best = runs
        .iter()
        .min_by(|a, b| a.seconds.total_cmp(&b.seconds))
        .context("bare onnxruntime ran")?;
    let tokens = corpus.cut.tokens() as f64;
    let mut figures: Figures = runs
        .iter()
        .map(|run| {
            (
                format!("model_tokens_per_second.rows_{}", run.rows),
                tokens / run.seconds,
            )
        })
        .collect();
    let own = [
        ("seconds", best.seconds),
        ("rows", best.rows as f64),
        ("windows", corpus.cut.windows.len() as f64),
        ("model_tokens", tokens),
        ("overlap_share", corpus.cut.overlap_share()),
        ("padding_share", best.padding_tokens as f64 / tokens),
        ("cores", best.cpu_seconds / best.seconds),
        ("rss_peak_bytes", best.rss_peak_bytes as f64),
    ];
    figures.extend(own.map(|(name, value)| (name.to_owned(), value)));
    corpus.complete(&mut figures);
    Ok(figures)
}

/// The F1 of each contestant that finds entities, on the same texts.
async fn f1_of_all(
    docket: &mut Docket,
    peer: Option<&Peer>,
    settings: &Settings,
) -> Result<BTreeMap<&'static str, Score>> {
    let mut scores = BTreeMap::new();
    let Some(data) = &settings.data else {
        println!("F1 is left out: --data names no labelled records");
        return Ok(scores);
    };
    let texts = f1::read(data, f1::RECORDS_A_TEXT)?;
    scores.insert(
        "ours",
        f1::score(&texts, &ours::entities(docket, &texts, settings).await?),
    );
    for variant in peer.iter().flat_map(|peer| peer.variants()) {
        let found = peer.context("variants are a peer's")?.entities(variant, &texts).await?;
        scores.insert(variant.name(), f1::score(&texts, &found));
    }
    Ok(scores)
}

fn conclude(settings: &Settings, rounds: &Rounds, scores: &BTreeMap<&'static str, Score>) -> Result<()> {
    let mut medians: BTreeMap<&str, Figures> = rounds
        .iter()
        .map(|(name, rounds)| (*name, stats::medians(rounds)))
        .collect();
    for (name, score) in scores {
        medians.entry(name).or_default().insert("f1".to_owned(), score.f1);
    }
    let names = ["ours", "bare", Variant::Tuned.name(), Variant::Typical.name()];
    let columns: Vec<(&str, &Figures)> = names
        .iter()
        .filter_map(|name| Some((*name, medians.get(name)?)))
        .collect();
    println!(
        "\nmedians of {} round(s)\n{}",
        settings.rounds,
        report::table(&columns, &LINES)
    );
    if let Some(ours) = medians.get("ours") {
        println!(
            "\nseconds of each stage of ours, summed over documents, waiting included; of them on a core\n{}",
            stages(ours)
        );
    }
    let ratios = ratios(rounds);
    println!("\nratios, the median of each round's own\n{ratios:#}");
    let mut figures = json!({ "contestants": medians, "rounds": rounds });
    for (name, score) in scores {
        let key = if *name == "ours" {
            "f1".to_owned()
        } else {
            format!("f1_{name}")
        };
        figures[key] = json!(score.f1);
    }
    Report::new("worker", serde_json::to_value(settings)?, figures, ratios).write(settings.json.as_deref())
}

fn stages(ours: &Figures) -> String {
    let stages = ours
        .iter()
        .filter_map(|(name, seconds)| Some((name.strip_prefix("stage_seconds.")?, seconds)));
    let lines: Vec<String> = stages
        .map(|(name, seconds)| {
            let cpu = ours.get(&format!("stage_cpu_seconds.{name}"));
            let cpu = cpu.map(|seconds| report::show(*seconds)).unwrap_or_default();
            format!("  {name:12} {:>8} {cpu:>8}", report::show(*seconds))
        })
        .collect();
    lines.join("\n")
}

/// Docket's figures relative to each other contestant: model tokens a second for bare onnxruntime, documents a second for the
/// peer.
fn ratios(rounds: &Rounds) -> Value {
    let pairs = |other: &str, figure: &str| -> Vec<(f64, f64)> {
        let of = |name: &str| {
            rounds
                .get(name)
                .into_iter()
                .flatten()
                .filter_map(|round| round.get(figure).copied())
        };
        of("ours").zip(of(other)).collect()
    };
    json!({
        "to_bare": stats::ratio(&pairs("bare", "model_tokens_per_second")),
        "to_bare_by_cpu": stats::ratio(&pairs("bare", "model_tokens_per_cpu_second")),
        "to_tuned_peer": stats::ratio(&pairs(Variant::Tuned.name(), "documents_per_second")),
        "to_typical_peer": stats::ratio(&pairs(Variant::Typical.name(), "documents_per_second")),
        "model_tokens_to_tuned_peer": stats::ratio(&pairs(Variant::Tuned.name(), "model_tokens")),
        "cpu_to_tuned_peer": stats::ratio(&pairs(Variant::Tuned.name(), "cpu_seconds_per_document")),
    })
}

/// Warns of a debug build: the S3 service is part of the stack's process, and would slow down every contestant.
fn warn_of_debug(stack: u32) {
    let program = std::fs::read_link(format!("/proc/{stack}/exe")).unwrap_or_default();
    if program.components().any(|part| part.as_os_str() == "debug") {
        println!("note: the running test stack is a debug build, and its S3 service is slow");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_the_same_round_and_absent_without_a_contestant() {
        let round = |figure: &str, value| Figures::from([(figure.to_owned(), value)]);
        let tokens = |value| round("model_tokens_per_second", value);
        let rounds = Rounds::from([
            ("ours", vec![tokens(90.0), tokens(9.5), tokens(96.0)]),
            ("bare", vec![tokens(100.0), tokens(10.0), tokens(100.0)]),
        ]);
        let ratios = ratios(&rounds);
        assert_eq!(ratios["to_bare"], json!(0.95));
        assert_eq!(ratios["to_tuned_peer"], Value::Null);
    }
}
