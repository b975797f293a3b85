//! How each contestant reads texts: a program that gets a file of texts, and answers with a line of JSON for each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use docket_local::checkout::Checkout;
use docket_local::deps::Deps;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::quality::labels::Peer;
use crate::{docket, program};

/// Longest reading of all texts: Presidio needs two minutes for the development set on a busy core.
const READING_MAX: Duration = Duration::from_secs(30 * 60);
/// The script that runs other people's tools, below the checkout.
const PEERS: &str = "deploy/bench/quality/peers.py";

/// An answer of a contestant. Places are in Unicode scalar values.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    /// The contestant's own label.
    pub label: String,
    /// First character.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
    /// First character of volume, reporter and page, where the contestant tells it apart.
    pub core_start: Option<usize>,
    /// One past the last character of volume, reporter and page.
    pub core_end: Option<usize>,
    /// What found it in Docket: `model` or `recogniser`.
    pub source: Option<String>,
}

/// Runs all contestants of a run.
#[derive(Debug)]
pub struct Contestants {
    folder: TempDir,
    root: PathBuf,
    worker: PathBuf,
    onnxruntime: PathBuf,
    python: Option<PathBuf>,
}

impl Contestants {
    /// Finds the programs. Without a Python the other tools are left out.
    pub async fn find(python: Option<&Path>) -> Result<Self> {
        let checkout = Checkout::find()?;
        Ok(Self {
            folder: TempDir::with_prefix("docket-bench-quality-").context("make a folder for texts")?,
            root: checkout.root().to_owned(),
            worker: Checkout::sibling("docket-worker")?,
            onnxruntime: Deps::ensure(&checkout.state()?).await?.onnxruntime,
            // Links stay: a virtual environment is known by the link that its Python is.
            python: python
                .map(std::path::absolute)
                .transpose()
                .context("find the peers' Python")?,
        })
    }

    /// Whether other people's tools can run.
    pub fn has_peers(&self) -> bool {
        self.python.is_some()
    }

    /// What Docket finds, as a worker does: with recognisers, or the model alone.
    pub async fn docket(&self, texts: &[&str], understanding: bool) -> Result<Vec<Vec<Answer>>> {
        let mut command = program::command(&self.worker);
        command
            .env("DOCKET_ONNXRUNTIME_LIB", &self.onnxruntime)
            .args(["entities", "--understanding", if understanding { "on" } else { "off" }])
            .arg("--folder")
            .arg(docket::model_folder())
            .arg("--texts")
            .arg(self.file(texts)?);
        answers(command, texts.len()).await
    }

    /// What a tool of other people finds.
    pub async fn peer(&self, peer: Peer, texts: &[&str]) -> Result<Vec<Vec<Answer>>> {
        self.script(peer.name(), texts).await
    }

    /// The citations of cases that eyecite finds.
    pub async fn eyecite(&self, texts: &[&str]) -> Result<Vec<Vec<Answer>>> {
        self.script("eyecite", texts).await
    }

    /// The versions of other people's tools.
    pub async fn versions(&self) -> Result<Value> {
        let output = output(self.python("versions")?).await?;
        serde_json::from_str(&output).context("read the versions of the peers")
    }

    async fn script(&self, tool: &str, texts: &[&str]) -> Result<Vec<Vec<Answer>>> {
        let mut command = self.python(tool)?;
        command.arg(self.file(texts)?);
        answers(command, texts.len()).await
    }

    fn python(&self, what: &str) -> Result<Command> {
        let python = self.python.as_ref().context("--peer-python names no Python")?;
        let mut command = program::command(python);
        command.arg(self.root.join(PEERS)).arg(what);
        Ok(command)
    }

    fn file(&self, texts: &[&str]) -> Result<PathBuf> {
        let file = self.folder.path().join("texts.jsonl");
        let lines = texts
            .iter()
            .map(|text| serde_json::json!({ "text": text }).to_string() + "\n");
        std::fs::write(&file, lines.collect::<String>()).context("write the texts")?;
        Ok(file)
    }
}

async fn answers(command: Command, texts: usize) -> Result<Vec<Vec<Answer>>> {
    let output = output(command).await?;
    let answers: Vec<Vec<Answer>> = output
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .context("read what a contestant says")?;
    ensure!(answers.len() == texts, "{texts} texts have {} answers", answers.len());
    Ok(answers)
}

async fn output(mut command: Command) -> Result<String> {
    let named = format!("{:?}", command.as_std().get_program());
    let running = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(READING_MAX, running)
        .await
        .with_context(|| format!("{named} has not ended after {} minutes", READING_MAX.as_secs() / 60))?
        .with_context(|| format!("run {named}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{named} failed: {said}");
    String::from_utf8(output.stdout).with_context(|| format!("read what {named} says"))
}
