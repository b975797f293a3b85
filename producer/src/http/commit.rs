//! Accepting: rows are written in one transaction under a deadline, and what is known of them when that fails.

use docket_shared::ids::JobKey;
use docket_shared::job::AnalyzeDocument;
use docket_shared::store::FencedTx;
use docket_shared::store::jobs::NewJob;
use docket_shared::{failpoint, planted};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use uuid::Uuid;

use super::ANSWER_MAX;
use super::auth::Caller;
use super::error::ApiError;
use crate::dispatch::handover::Fresh;

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

/// Commits what was written, and returns what came of it.
pub async fn commit<T>(writing: impl Future<Output = Result<(FencedTx, T), ApiError>>) -> Result<T, Refusal> {
    finish(writing).instrument(tracing::debug_span!("commit")).await
}

async fn finish<T>(writing: impl Future<Output = Result<(FencedTx, T), ApiError>>) -> Result<T, Refusal> {
    let deadline = Instant::now() + ANSWER_MAX;
    let late = |_| ApiError::unavailable("a shard did not answer in time");
    let (tx, written) = timeout_at(deadline, writing).await.map_err(late)??;
    planted!("ack_before_commit" => {
        tokio::spawn(async { tokio::time::sleep(ANSWER_MAX / 30).await; tx.commit().await });
        return Ok(written);
    });
    failpoint!("producer.before_commit");
    let committed = match timeout_at(deadline, tx.commit()).await {
        Ok(committed) => committed.map_err(ApiError::from),
        Err(elapsed) => Err(late(elapsed)),
    };
    failpoint!("producer.after_commit");
    // A commit that failed may have reached its database before the answer was lost.
    committed.map(|()| written).map_err(|error| Refusal {
        error,
        perhaps_accepted: true,
    })
}

/// A job whose row is leased to this process, as the hand-over takes it.
pub fn fresh(caller: &Caller, job: NewJob, lease: Uuid) -> Fresh {
    Fresh {
        key: JobKey {
            bucket: caller.bucket,
            job: job.id,
        },
        message: AnalyzeDocument {
            bucket: caller.bucket.number(),
            job_id: job.id,
            client_id: caller.client.clone(),
            model: job.model.name,
            trace_parent: job.trace_parent,
        },
        lease,
    }
}
