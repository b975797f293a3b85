//! Accepting: writes rows in one transaction under a deadline, and tells after a failure whether they may be there.

use docket_contract::ids::JobKey;
use docket_contract::job::AnalyzeDocument;
use docket_process::{failpoint, planted};
use docket_store::FencedTx;
use docket_store::work::jobs::NewJob;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use uuid::Uuid;

use docket_dispatch::handover::Fresh;
use docket_http::ANSWER_MAX;
use docket_http::caller::Caller;
use docket_http::problem::ApiError;

/// Why a request was not accepted.
pub struct Refusal {
    /// The answer to the caller.
    pub error: ApiError,
    /// Whether the transaction may have been committed all the same: then nothing of the request may be removed.
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

/// Commits what `writing` wrote, and returns its value.
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
    // A failed commit may have been carried out before the database's answer was lost.
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
