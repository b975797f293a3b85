//! Accepts the files of a request: writes all document, job and dispatch rows in one transaction.

use docket_store::FencedTx;
use docket_store::work::jobs::{self, HandOver, NewDocument, NewJob};
use serde_json::Value;

use crate::commit::{self, Refusal};
use crate::idempotent::Hold;
use crate::state::ApiState;
use crate::upload::intake::{Intake, Taken};
use docket_dispatch::handover::{Fresh, Place};
use docket_http::caller::Caller;
use docket_http::problem::ApiError;

/// The caller of a request, and what else is written with its rows.
pub struct Acceptance<'a> {
    /// The client that owns the documents.
    pub caller: &'a Caller,
    /// W3C trace context of the request.
    pub trace_parent: Option<&'a str>,
    /// The request's idempotency key, its fingerprint and the answer to keep.
    pub answer: Option<(&'a Hold, [u8; 32], Value)>,
}

/// Writes the rows of all taken files, and publishes the jobs whose rows are leased to this process.
pub async fn accept(state: &ApiState, intake: &Intake, acceptance: Acceptance<'_>) -> Result<(), Refusal> {
    for (place, fresh) in commit::commit(write(state, intake, acceptance)).await? {
        place.publish(fresh);
    }
    Ok(())
}

async fn write(
    state: &ApiState,
    intake: &Intake,
    acceptance: Acceptance<'_>,
) -> Result<(FencedTx, Vec<(Place, Fresh)>), ApiError> {
    let Acceptance {
        caller,
        trace_parent,
        answer,
    } = acceptance;
    let mut tx = state.shards.begin(caller.bucket).await?;
    let mut fresh = Vec::new();
    for taken in intake.taken() {
        let place = state.handover.reserve();
        let mut document = new_document(intake, taken, trace_parent);
        document.job.hand_over = place.is_some();
        let handover = jobs::create(&mut tx, caller.bucket, &caller.client, &document).await?;
        if let (HandOver::Mine(lease), Some(place)) = (handover, place) {
            fresh.push((place, commit::fresh(caller, document.job, lease)));
        }
    }
    if let Some((hold, fingerprint, answer)) = answer {
        hold.answer(&mut tx, &fingerprint, &answer).await?;
    }
    Ok((tx, fresh))
}

fn new_document(intake: &Intake, taken: &Taken, trace_parent: Option<&str>) -> NewDocument {
    let head = &taken.head;
    NewDocument {
        id: taken.document,
        job: NewJob {
            id: taken.job,
            model: intake.model_of(head).clone(),
            schedule: head.fields.schedule,
            trace_parent: trace_parent.map(str::to_owned),
            hand_over: false,
        },
        external_id: head.fields.external_id.clone(),
        file_name: head.file_name.clone(),
        media_type: head.media_type.to_string(),
        pages: head.fields.pages.clone(),
        metadata: head.fields.metadata.clone(),
        key: intake.key_of(taken.document),
        stored: taken.stored.clone(),
    }
}
