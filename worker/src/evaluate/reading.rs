//! Texts through the model: the steps of a document's way, from windows to entities, and nothing else.

use std::sync::Arc;
use std::time::Instant;

use docket_shared::ids::ClientId;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::records::Tagged;
use super::{Mention, Speed};
use crate::batch::Progress;
use crate::cpu::{CpuError, CpuPool};
use crate::extract::ExtractedText;
use crate::infer::InferError;
use crate::model::Model;
use crate::window::WindowError;
use crate::{decode, window};

/// Texts worked on at a time: enough to keep a session a core busy on any machine, and little memory.
const TEXTS_AT_A_TIME: usize = 64;
/// Who asks, to the queue's fair turns; nobody else does.
const CLIENT: &str = "evaluate";

/// What a model found in a text.
#[derive(Debug)]
pub(super) struct Reading {
    /// The text, with what there is to be found.
    pub text: Tagged,
    /// What was found, with its score.
    pub found: Vec<(Mention, f32)>,
}

/// Why a text could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It could not be cut.
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
pub(super) async fn read(model: &Model, texts: Vec<Tagged>) -> Result<(Vec<Reading>, Speed), ReadError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = CpuPool::new(cores);
    let client: ClientId = CLIENT.parse().expect("it is a valid name");
    let (began, before) = (Instant::now(), model.batcher().progress());
    let readings = stream::iter(texts)
        .map(|text| one(model, &cpu, &client, text))
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

async fn one(model: &Model, cpu: &CpuPool, client: &ClientId, tagged: Tagged) -> Result<Reading, ReadError> {
    let text = Arc::new(ExtractedText::from(tagged.text.clone()));
    let windows = Arc::new(window::split(cpu, model.splitter(), &text).await?);
    let scores = model.batcher().score(client, &windows).await?;
    let labels = model.labels().clone();
    let entities = cpu
        .run("decode", move || decode::entities(&text, &windows, scores, &labels))
        .await?;
    let mention = |entity: docket_shared::entity::Entity| {
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
