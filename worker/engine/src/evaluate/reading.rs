//! Runs texts through the model, with the worker's own steps from windows to entities.

use docket_contract::outcome::Stage;
use std::sync::Arc;
use std::time::Instant;

use docket_contract::entity::Entity;
use docket_contract::ids::ClientId;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::batch::Progress;
use crate::cpu::{CpuError, CpuPool};
use crate::evaluate::records::Tagged;
use crate::evaluate::{Mention, Speed, Understand};
use crate::infer::InferError;
use crate::model::Model;
use crate::window::WindowError;
use crate::{decode, window};
use docket_extract::ExtractedText;

/// Texts in progress at a time: enough to keep a session per core busy on any machine, in little memory.
pub const TEXTS_AT_A_TIME: usize = 64;
/// The client name under which the evaluation queues its windows. No other client queues.
const CLIENT: &str = "evaluate";

/// What a model found in a text.
#[derive(Debug)]
pub(super) struct Reading {
    /// The text, with its expected entities.
    pub text: Tagged,
    /// Each found entity, with its score.
    pub found: Vec<(Mention, f32)>,
}

/// Why a text could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text could not be cut into windows.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The model failed.
    #[error("read the labelled text")]
    Infer(#[from] InferError),
    /// Decoding panicked.
    #[error("read the labelled text")]
    Cpu(#[from] CpuError),
}

/// Reads texts with a model, step by step as a worker does.
#[derive(Debug)]
pub struct Reader<'m> {
    model: &'m Model,
    understand: Option<Understand>,
    cpu: CpuPool,
    client: ClientId,
}

impl<'m> Reader<'m> {
    /// A reader that computes on all cores. With `understand` the entities pass through that too.
    pub fn new(model: &'m Model, understand: Option<Understand>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            model,
            understand,
            cpu: CpuPool::new(cores),
            client: CLIENT.parse().expect("it is a valid name"),
        }
    }

    /// The entities of a text, in its order.
    pub async fn entities(&self, text: ExtractedText) -> Result<Vec<Entity>, ReadError> {
        let text = Arc::new(text);
        let windows = Arc::new(window::split(&self.cpu, self.model.splitter(), &text).await?);
        let scores = self.model.batcher().score(&self.client, &windows).await?;
        let (labels, understand) = (self.model.labels().clone(), self.understand);
        let decode = move || {
            let entities = decode::entities(&text, &windows, scores, &labels);
            match understand {
                Some(Understand { of_text, score_min }) => of_text(&text, entities, score_min),
                None => entities,
            }
        };
        Ok(self.cpu.run(Stage::Decode, decode).await?)
    }
}

/// Reads all texts, in their order.
pub(super) async fn read(reader: &Reader<'_>, texts: Vec<Tagged>) -> Result<(Vec<Reading>, Speed), ReadError> {
    let (began, before) = (Instant::now(), reader.model.batcher().progress());
    let readings = stream::iter(texts)
        .map(|text| one(reader, text))
        .buffered(TEXTS_AT_A_TIME)
        .try_collect()
        .await?;
    let Progress { tokens, busy, .. } = reader.model.batcher().progress();
    let speed = Speed {
        tokens: tokens - before.tokens,
        elapsed: began.elapsed(),
        busy: busy.saturating_sub(before.busy),
    };
    Ok((readings, speed))
}

async fn one(reader: &Reader<'_>, tagged: Tagged) -> Result<Reading, ReadError> {
    let entities = reader.entities(ExtractedText::from(tagged.text.clone())).await?;
    let mention = |entity: Entity| {
        let words = tagged.words_of(&entity.span.bytes());
        let mention = Mention {
            label: entity.label,
            first: words.start,
            end: words.end,
        };
        (mention, entity.score)
    };
    Ok(Reading {
        found: entities.into_iter().map(mention).collect(),
        text: tagged,
    })
}
