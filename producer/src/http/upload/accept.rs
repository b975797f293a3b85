//! Accepting what was taken: document, job and dispatch rows of all files of a request, in one transaction.

use docket_shared::ids::JobKey;
use docket_shared::job::AnalyzeDocument;
use docket_shared::store::jobs::{self, HandOver, NewDocument};
use serde_json::Value;

use super::idempotent::Hold;
use super::intake::{Intake, Taken};
use crate::dispatch::handover::Fresh;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::{ANSWER_MAX, AppState};

/// Why a request was not accepted.
pub struct Refusal {
    /// What its caller is told.
    pub error: ApiError,
    /// The transaction may have been committed all the same: nothing of the request may be taken back.
    pub perhaps_accepted: bool,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self {
            error,
            perhaps_accepted: false,
        }
    }
}

/// Who a request is of, and what else is written with its rows.
pub struct Acceptance<'a> {
    /// Whose documents they become.
    pub caller: &'a Caller,
    /// W3C trace context of the request.
    pub trace_parent: Option<&'a str>,
    /// Its idempotency key, with its fingerprint and the answer to keep.
    pub answer: Option<(&'a Hold, [u8; 32], Value)>,
}

/// Writes the rows of everything that was taken. Returns the jobs that this process is to publish itself.
pub async fn accept(state: &AppState, intake: &Intake, acceptance: Acceptance<'_>) -> Result<Vec<Fresh>, Refusal> {
    let mut committing = false;
    let written = tokio::time::timeout(ANSWER_MAX, write(state, intake, &acceptance, &mut committing)).await;
    let error = match written {
        Ok(Ok(fresh)) => return Ok(fresh),
        Ok(Err(error)) => error,
        Err(_) => ApiError::unavailable("a shard did not answer in time"),
    };
    // A commit that failed may have reached its database before the answer was lost.
    Err(Refusal {
        error,
        perhaps_accepted: committing,
    })
}

async fn write(
    state: &AppState,
    intake: &Intake,
    acceptance: &Acceptance<'_>,
    committing: &mut bool,
) -> Result<Vec<Fresh>, ApiError> {
    let Acceptance {
        caller,
        trace_parent,
        answer,
    } = acceptance;
    let mut tx = state.shards.begin(caller.bucket).await?;
    let mut fresh = Vec::new();
    for taken in intake.taken() {
        let document = new_document(intake, taken, *trace_parent);
        match jobs::create(&mut tx, caller.bucket, &caller.client, &document).await? {
            HandOver::Mine(lease) => fresh.push(Fresh {
                key: JobKey {
                    bucket: caller.bucket,
                    job: document.job,
                },
                message: AnalyzeDocument {
                    bucket: caller.bucket.number(),
                    job_id: document.job,
                    client_id: caller.client.clone(),
                    model: document.model,
                    trace_parent: document.trace_parent,
                },
                lease,
            }),
            HandOver::Dispatcher => {}
        }
    }
    if let Some((hold, fingerprint, answer)) = answer {
        hold.answer(&mut tx, fingerprint, answer).await?;
    }
    *committing = true;
    tx.commit().await?;
    Ok(fresh)
}

fn new_document(intake: &Intake, taken: &Taken, trace_parent: Option<&str>) -> NewDocument {
    let head = &taken.head;
    NewDocument {
        id: taken.document,
        job: taken.job,
        external_id: head.fields.external_id.clone(),
        file_name: head.file_name.clone(),
        media_type: head.media_type.to_owned(),
        metadata: head.fields.metadata.clone(),
        key: intake.key_of(taken.document),
        stored: taken.stored.clone(),
        model: intake.model_of(head).clone(),
        model_version: None,
        trace_parent: trace_parent.map(str::to_owned),
    }
}
