//! The Celery pipeline as a contestant, on the same servers, with the vhost, bucket and schemas of a world of its own.

use std::collections::HashMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use docket_engine::infer::manifest::{CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE};
use docket_local::poll;
use docket_testing::World;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::contest::Corpus;
use crate::docket;
use crate::f1::{Found, LabelledText};
use crate::meter::Meter;
use crate::program::{self, Program};
use crate::settings::Settings;
use crate::stats::Figures;

/// Longest time of a round.
const ROUND_MAX: Duration = Duration::from_secs(30 * 60);
/// Schema of the pipeline's tables, whose names are those of Docket's tables.
const SCHEMA: &str = "peer";
/// Command line of the pipeline's worker.
const CELERY: [&str; 12] = [
    "-m",
    "celery",
    "-A",
    "peer.worker",
    "worker",
    "-O",
    "fair",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel",
    "WARNING",
];

/// How the pipeline is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// The quantized model; windows of the length that it reads best, sorted by length.
    Tuned,
    /// The model as trained; windows of the longest length that it accepts, padded.
    Typical,
}

/// The pipeline, ready to run.
pub struct Peer {
    world: World,
    python: PathBuf,
    folder: PathBuf,
    models: TempDir,
    cores: Option<String>,
    processes: usize,
    has_fp32: bool,
    logs: PathBuf,
}

/// The windows of a variant.
#[derive(Debug, Deserialize)]
struct Shapes {
    windows: usize,
    tokens: usize,
    padding_tokens: usize,
}

/// Progress in the pipeline's shards: ended documents, failed ones, and seconds from the first start to the last end.
#[derive(Debug, Clone, Copy)]
struct Progress {
    ended: i64,
    failed: i64,
    first: f64,
    last: f64,
}

impl Variant {
    /// Name of the variant in figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tuned => "tuned_peer",
            Self::Typical => "typical_peer",
        }
    }

    /// Name of the variant in the pipeline's setting.
    fn setting(self) -> &'static str {
        match self {
            Self::Tuned => "tuned",
            Self::Typical => "typical",
        }
    }
}

impl Peer {
    /// Makes the schemas and the folder of models. Without a Python in the settings, prints a line and returns `None`.
    pub async fn prepare(settings: &Settings, corpus: &Corpus, logs: &Path) -> Result<Option<Self>> {
        let Some(python) = &settings.peer_python else {
            println!("the peer is left out: --peer-python names no Python (see deploy/bench/peer/README.md)");
            return Ok(None);
        };
        if settings.fp32.is_none() {
            println!("the typical peer is left out: --fp32 names no model");
        }
        let peer = Self {
            world: World::start().await,
            // Links stay: a virtual environment is known by the link that its Python is.
            python: std::path::absolute(python).context("find the peer's Python")?,
            folder: docket_testing::checkout().root().join("deploy/bench/peer"),
            models: models(settings.fp32.as_deref())?,
            cores: settings.cores.clone(),
            processes: settings.sessions,
            has_fp32: settings.fp32.is_some(),
            logs: logs.to_owned(),
        };
        let tables = std::fs::read_to_string(peer.folder.join("peer/schema.sql")).context("read the peer's schema")?;
        for (_, url) in &peer.world.shards {
            let mut shard = PgConnection::connect(url).await.context("connect to a shard")?;
            let script = format!("create schema {SCHEMA}; set search_path to {SCHEMA}; {tables}");
            sqlx::raw_sql(AssertSqlSafe(script))
                .execute(&mut shard)
                .await
                .context("make the peer's tables")?;
        }
        std::fs::write(peer.texts_file(), serde_json::to_vec(&corpus.texts)?).context("write the texts")?;
        Ok(Some(peer))
    }

    /// The variants that can run.
    pub fn variants(&self) -> Vec<Variant> {
        let all = [Variant::Tuned, Variant::Typical].into_iter();
        all.filter(|variant| *variant == Variant::Tuned || self.has_fp32)
            .collect()
    }

    /// Reads the corpus once. Time runs from the first start of a task to the last result in Postgres.
    pub async fn round(&self, variant: Variant, corpus: &Corpus, stack: u32) -> Result<Figures> {
        let documents: i64 = self.drive(variant, "feed", &self.texts_file()).await?;
        let shapes: Shapes = self.drive(variant, "shapes", &self.texts_file()).await?;
        let mut command = program::on_cores(self.cores.as_deref(), &self.python);
        command
            .args(CELERY)
            .arg("--concurrency")
            .arg(self.processes.to_string())
            .current_dir(&self.folder);
        let mut worker = Program::start(variant.name(), command, &self.env(variant), &self.logs)?;
        self.until_ended(&mut worker, 1).await?;
        let meter = Meter::start(worker.pid(), stack);
        let progress = self.until_ended(&mut worker, documents).await?;
        let mut figures = meter.stop();
        worker.stop().await?;
        figures.retain(|name, _| !name.starts_with("thread_cores"));
        ensure!(
            progress.failed == 0,
            "{} documents failed in {}",
            progress.failed,
            variant.name()
        );
        // The pipeline adds two special tokens to each window, as BERT does.
        let read = (shapes.tokens - 2 * shapes.windows) as f64;
        let more = [
            ("seconds", progress.last - progress.first),
            ("windows", shapes.windows as f64),
            ("model_tokens", shapes.tokens as f64),
            ("padding_share", shapes.padding_tokens as f64 / shapes.tokens as f64),
            ("overlap_share", read / corpus.cut.text_tokens as f64 - 1.0),
        ];
        figures.extend(more.map(|(name, value)| (name.to_owned(), value)));
        corpus.complete(&mut figures);
        Ok(figures)
    }

    /// The entities that the pipeline's extractor finds in labelled texts.
    pub async fn entities(&self, variant: Variant, texts: &[LabelledText]) -> Result<Vec<Vec<Found>>> {
        let texts: Vec<&str> = texts.iter().map(|text| &*text.text).collect();
        let file = self.models.path().join("labelled.json");
        std::fs::write(&file, serde_json::to_vec(&texts)?).context("write the labelled texts")?;
        self.drive(variant, "entities", &file).await
    }

    fn texts_file(&self) -> PathBuf {
        self.models.path().join("texts.json")
    }

    async fn drive<T: DeserializeOwned>(&self, variant: Variant, what: &str, texts: &Path) -> Result<T> {
        let mut command = program::command(&self.python);
        command
            .args(["drive.py", what])
            .arg(texts)
            .current_dir(&self.folder)
            .envs(self.env(variant));
        let output = command
            .kill_on_drop(true)
            .output()
            .await
            .context("run the peer's Python")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "drive.py {what} failed: {said}");
        serde_json::from_slice(&output.stdout).with_context(|| format!("read what drive.py {what} says"))
    }

    fn env(&self, variant: Variant) -> HashMap<String, String> {
        let world = &self.world;
        let shards = world.shards.iter().map(|(_, url)| {
            let url = url.replacen("postgres://", "postgresql://", 1);
            format!("{url}?options=-csearch_path%3D{SCHEMA}")
        });
        let settings = [
            ("PEER_AMQP_URL", world.amqp_url.clone()),
            ("PEER_SHARDS", shards.collect::<Vec<_>>().join(",")),
            ("PEER_S3_URL", world.s3.url.clone()),
            ("PEER_S3_KEY", world.s3.access_key.clone()),
            ("PEER_S3_SECRET", world.s3.secret_key.clone()),
            ("PEER_S3_BUCKET", world.bucket.clone()),
            ("PEER_VARIANT", variant.setting().to_owned()),
            ("PEER_THREADS", "1".to_owned()),
            ("MODEL_DIR", self.models.path().display().to_string()),
            ("PYTHONPATH", self.folder.display().to_string()),
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ];
        settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    async fn until_ended(&self, worker: &mut Program, count: i64) -> Result<Progress> {
        let mut shards = Vec::new();
        for (_, url) in &self.world.shards {
            shards.push(PgConnection::connect(url).await.context("connect to a shard")?);
        }
        poll::until("the peer ends its documents", ROUND_MAX, async || {
            worker.check()?;
            let progress = progress(&mut shards).await?;
            Ok((progress.ended >= count).then_some(progress))
        })
        .await
    }
}

async fn progress(shards: &mut [PgConnection]) -> Result<Progress> {
    let mut all = Progress {
        ended: 0,
        failed: 0,
        first: f64::INFINITY,
        last: 0.0,
    };
    for shard in shards {
        let query = sqlx::query_as(
            "select count(*) filter (where status <> 'queued'), count(*) filter (where status = 'failed'), \
             coalesce(extract(epoch from min(started_at)), 'infinity')::float8, \
             coalesce(extract(epoch from max(finished_at)), 0)::float8 from peer.documents",
        );
        let (ended, failed, first, last): (i64, i64, f64, f64) = query.fetch_one(shard).await.context("ask a shard")?;
        all.ended += ended;
        all.failed += failed;
        all.first = all.first.min(first);
        all.last = all.last.max(last);
    }
    Ok(all)
}

/// A folder of the models, under the names that the pipeline expects.
fn models(fp32: Option<&Path>) -> Result<TempDir> {
    let folder = TempDir::with_prefix("docket-bench-peer-").context("make a folder for the peer's models")?;
    let ours = docket::model_folder();
    let link = |from: &Path, name: &str| {
        let from = from
            .canonicalize()
            .with_context(|| format!("find {}", from.display()))?;
        symlink(&from, folder.path().join(name)).with_context(|| format!("link {}", from.display()))
    };
    link(&ours.join(MODEL_FILE), "model_quantized.onnx")?;
    link(&ours.join(TOKENIZER_FILE), "tokenizer.json")?;
    link(&ours.join(CONFIG_FILE), "config.json")?;
    if let Some(fp32) = fp32 {
        link(fp32, "model.onnx")?;
    }
    Ok(folder)
}
