//! `docket-worker entities`: the entities of texts of one file, without any service.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use docket_contract::entity::Entity;
use docket_engine::evaluate::{Reader, TEXTS_AT_A_TIME};
use docket_engine::model::Model;
use docket_extract::ExtractedText;
use docket_process::settings::Env;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};

use crate::evaluate::Switch;
use crate::models;

/// Which texts to read, with which model.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The model's folder on this machine, with its manifest.json.
    #[arg(long)]
    pub folder: PathBuf,
    /// Texts: a line of JSON per text, with "text". The answer has a line per text: a list of entities, whose "start" and "end"
    /// count Unicode scalar values.
    #[arg(long)]
    pub texts: PathBuf,
    /// Whether recognisers take part, as in a worker: `on`, or `off` for the model alone.
    #[arg(long, default_value = "on")]
    pub understanding: Switch,
}

/// A line of the file. Other fields are ignored, so that labelled texts can be read as they are.
#[derive(Debug, Deserialize)]
struct Line {
    text: String,
}

/// An entity of an answer.
#[derive(Debug, Serialize)]
struct Answer<'e> {
    label: &'e str,
    text: &'e str,
    start: u32,
    end: u32,
    score: f32,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recogniser: Option<&'e str>,
}

/// Reads the texts in their order, and prints a line of JSON for each. A few texts at a time are held in memory.
pub async fn run(env: &Env, options: Options) -> anyhow::Result<()> {
    let named = options.texts.display();
    let file = File::open(&options.texts)
        .await
        .with_context(|| format!("read {named}"))?;
    let model = Model::load(&options.folder, &models::settings(env)?).await?;
    let reader = Reader::new(&model, options.understanding.understand(env)?);
    let mut answers = stream::try_unfold((BufReader::new(file).lines(), 1), next)
        .map_ok(async |text| anyhow::Ok(reader.entities(ExtractedText::from(text)).await?))
        .try_buffered(TEXTS_AT_A_TIME)
        .boxed_local();
    let mut output = std::io::stdout().lock();
    while let Some(entities) = answers.try_next().await.with_context(|| format!("read {named}"))? {
        let answers: Vec<Answer<'_>> = entities.iter().map(Answer::of).collect();
        serde_json::to_writer(&mut output, &answers).context("print entities")?;
        writeln!(output).context("print entities")?;
    }
    drop(answers);
    model.stop().await;
    Ok(())
}

/// The next text of the file, with the rest of the file and the number of the rest's first line.
async fn next((mut lines, number): Rest) -> anyhow::Result<Option<(String, Rest)>> {
    let Some(line) = lines.next_line().await? else {
        return Ok(None);
    };
    let line: Line = serde_json::from_str(&line).with_context(|| format!("line {number} is no JSON with a text"))?;
    Ok(Some((line.text, (lines, number + 1))))
}

/// What is left of a file, and the number of its first line.
type Rest = (Lines<BufReader<File>>, usize);

impl<'e> Answer<'e> {
    fn of(entity: &'e Entity) -> Self {
        Self {
            label: &entity.label,
            text: &entity.text,
            start: entity.span.start,
            end: entity.span.end,
            score: entity.score,
            source: entity.source.as_str(),
            recogniser: entity.recogniser.as_deref(),
        }
    }
}
