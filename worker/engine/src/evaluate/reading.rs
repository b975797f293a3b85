//! Runs texts through the model, with the worker's own steps from windows to entities.

use docket_contract::outcome::Stage;
use std::sync::Arc;
use std::time::Instant;

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
const TEXTS_AT_A_TIME: usize = 64;
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

/// Reads all texts, in their order.
pub(super) async fn read(
    model: &Model,
    texts: Vec<Tagged>,
    understand: Option<Understand>,
) -> Result<(Vec<Reading>, Speed), ReadError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = CpuPool::new(cores);
    let client: ClientId = CLIENT.parse().expect("it is a valid name");
    let (began, before) = (Instant::now(), model.batcher().progress());
    let readings = stream::iter(texts)
        .map(|text| one((model, understand.clone()), &cpu, &client, text))
        .buffered(TEXTS_AT_A_TIME)
        .try_collect()
        .await?;
    let Progress { tokens, busy, .. } = model.batcher().progress();
    let speed = Speed {
        tokens: tokens - before.tokens,
        elapsed: began.elapsed(),
        busy: busy.saturating_sub(before.busy),
    };
    Ok((readings, speed))
}

async fn one(
    (model, understand): (&Model, Option<Understand>),
    cpu: &CpuPool,
    client: &ClientId,
    tagged: Tagged,
) -> Result<Reading, ReadError> {
    let text = Arc::new(ExtractedText::from(tagged.text.clone()));
    let windows = Arc::new(window::split(cpu, model.splitter(), &text).await?);
    let scores = model.batcher().score(client, &windows).await?;
    let labels = model.labels().clone();
    let entities = cpu
        .run(Stage::Decode, move || {
            let entities = decode::entities(&text, &windows, scores, &labels);
            match understand {
                Some(understand) => understand(&text, entities),
                None => entities,
            }
        })
        .await?;
    let mention = |entity: docket_contract::entity::Entity| {
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
