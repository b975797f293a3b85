//! `docket-worker evaluate`.

use std::num::NonZeroUsize;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use docket_contract::ids::ModelRef;
use docket_objects::{BlobConfig, BlobStore};
use docket_process::settings::Env;
use tempfile::TempDir;

use crate::cache::InUse;
use crate::config;
use crate::fetch::fetch;
use crate::{models, understanding};
use docket_engine::evaluate::report::{Report, Subject};
use docket_engine::evaluate::{JOIN_DEFAULT, Understand, evaluate, join, read_records};
use docket_engine::infer::manifest::{FileEntry, MANIFEST_FILE, MODEL_FILE, Manifest};
use docket_engine::model::Model;

/// What to evaluate on what.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// A model of the bucket; without a version, the current version. Needs the settings of S3.
    #[arg(long, value_name = "NAME[@VERSION]", required_unless_present = "folder")]
    pub model: Option<ModelRef>,
    /// A model's folder on this machine, with its manifest.json.
    #[arg(long, conflicts_with = "model")]
    pub folder: Option<PathBuf>,
    /// Labelled text: a line of JSON per record, with "tokens" (words) and "labels" (BIO, a label per word).
    #[arg(long)]
    pub data: PathBuf,
    /// Graph to run instead of the model's own graph, such as the same weights in 32-bit floats.
    #[arg(long)]
    pub onnx: Option<PathBuf>,
    /// Records in each text, joined by spaces.
    #[arg(long, default_value_t = NonZeroUsize::new(JOIN_DEFAULT).expect("it is not 0"))]
    pub join: NonZeroUsize,
    /// Labels to count, separated by commas; without this option all labels count.
    #[arg(long, value_delimiter = ',')]
    pub labels: Option<Vec<String>>,
    /// Whether recognisers take part, as in a worker: `on`, or `off` for the model alone.
    #[arg(long, default_value = "on")]
    pub understanding: Switch,
    /// File to which all figures are written as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Whether something takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// It does.
    On,
    /// It does not.
    Off,
}

impl Switch {
    /// What is done with a text's entities after the model.
    pub(crate) fn understand(self, env: &Env) -> anyhow::Result<Option<Understand>> {
        let score_min = config::score_min(env)?;
        let of_text = understanding::of_text;
        Ok((self == Self::On).then_some(Understand { of_text, score_min }))
    }
}

/// Evaluates a model and prints its figures.
pub async fn run(env: &Env, options: Options) -> anyhow::Result<()> {
    let report = match (&options.folder, &options.model) {
        (Some(folder), _) => report(env, folder, &options).await?,
        (None, Some(model)) => report(env, from_bucket(env, model).await?.folder(), &options).await?,
        (None, None) => anyhow::bail!("name a model or a folder"),
    };
    print!("{report}");
    if let Some(path) = &options.json {
        let written = tokio::fs::write(path, report.to_json()).await;
        written.with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

async fn from_bucket(env: &Env, model: &ModelRef) -> anyhow::Result<InUse> {
    let blobs = BlobStore::connect(&BlobConfig::from_env(env)?).await;
    let release = models::release_of(&blobs, model).await?;
    Ok(fetch(&blobs, &release, &config::model_cache(env)?).await?)
}

async fn report(env: &Env, folder: &Path, options: &Options) -> anyhow::Result<Report> {
    let settings = models::settings(env)?;
    let data = options.data.clone();
    let records = tokio::task::spawn_blocking(move || read_records(&data)).await??;
    let with_graph = match options.onnx.clone() {
        Some(onnx) => {
            let folder = folder.to_owned();
            Some(tokio::task::spawn_blocking(move || with_graph(&folder, &onnx)).await??)
        }
        None => None,
    };
    let folder = with_graph.as_ref().map_or(folder, TempDir::path);
    let model = Model::load(folder, &settings).await?;
    let texts = join(&records, options.join.get());
    let understand = options.understanding.understand(env)?;
    let evaluation = evaluate(&model, texts, options.labels.as_deref(), understand).await?;
    let subject = Subject {
        model: model.manifest().release().to_string(),
        onnx: options.onnx.as_ref().map(|onnx| onnx.display().to_string()),
        data: options.data.display().to_string(),
        records: records.len(),
        join: options.join.get(),
    };
    model.stop().await;
    Ok(Report::new(subject, evaluation))
}

/// A copy of the model with another graph: a folder of links, and a manifest that names the graph.
fn with_graph(folder: &Path, onnx: &Path) -> anyhow::Result<TempDir> {
    let mut manifest = Manifest::from_folder(folder)?;
    let graph = FileEntry::of(onnx)?;
    let linked = tempfile::tempdir().context("make a temporary folder")?;
    for file in manifest.files.keys() {
        let target = if file == MODEL_FILE {
            onnx.to_owned()
        } else {
            folder.join(file)
        };
        let target = std::path::absolute(target)?;
        symlink(target, linked.path().join(file)).context("link the model's files")?;
    }
    manifest.files.insert(MODEL_FILE.to_owned(), graph);
    std::fs::write(linked.path().join(MANIFEST_FILE), manifest.to_json())?;
    Ok(linked)
}
