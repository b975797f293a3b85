//! Settles every delivery: the only file that acks. Rows are durable first; the ack comes last.

use std::sync::Arc;
use std::time::Duration;

use docket_contract::backoff;
use docket_contract::ids::ClaimToken;
use docket_contract::job::{AnalyzeDocument, InvalidMessage};
use docket_contract::outcome::{Outcome, Settled, Stage, Then, Unclaimed};
use docket_contract::reason::Reason;
use docket_process::telemetry::context;
use docket_process::{failpoint, metrics, planted, telemetry};
use docket_queue::consume::Delivery;
use docket_store::work::claims::{self, Answer, Claim};
use docket_store::work::results::{self, Analysis, CHUNK_ENTITIES_MAX};
use docket_store::{StoreError, within};
use tokio::time::Instant;
use tracing::Span;

use crate::context::Context;
use crate::disposition::{Disposition, JobError, TRIED_MAX};
use crate::stage::stage;

/// How long a result is held, unacked, for a shard that does not answer: longer than a failover takes.
const HOLD_MAX: Duration = Duration::from_secs(60);
/// Shortest time that a job is put off, the longest being twice this: an overloaded store must not be asked again at once.
const POSTPONED_MIN: Duration = Duration::from_secs(5);
/// Pause between attempts to write a held result.
const HOLD_PAUSE: Duration = Duration::from_secs(1);

/// A message that is no job goes to the dead queue, from where the dispatcher parks it.
pub async fn undecodable(delivery: &Delivery, error: &InvalidMessage) {
    tracing::warn!(error = telemetry::chain(error), "a message is no job");
    metrics::job_settled(Settled::Unclaimed(Unclaimed::Undecodable), None);
    delivery.reject().await;
}

/// A job whose claim was not granted.
pub async fn refused(ctx: &Context, delivery: &Delivery, message: &AnalyzeDocument, answer: &Answer) {
    let (outcome, again) = match answer {
        Answer::Ended => (Unclaimed::Ended, false),
        Answer::NotDue => (Unclaimed::NotDue, false),
        Answer::Paused => (Unclaimed::Paused, false),
        Answer::Expired => (Unclaimed::Expired, false),
        Answer::Poison => {
            metrics::job_failed(Reason::Poison, Then::Failed);
            (Unclaimed::Poison, false)
        }
        // A message delivered before goes back to wait, at hand if the running claim dies. A fresh one is a duplicate.
        Answer::RunningElsewhere => (Unclaimed::RunningElsewhere, delivery.returned),
        Answer::Suspect => (Unclaimed::Suspect, true),
        Answer::Granted(_) => unreachable!("a granted claim is not refused"),
    };
    tracing::info!(job.id = %message.job_id, outcome = outcome.as_str(), "not claimed");
    note(Settled::Unclaimed(outcome), None);
    if again {
        later(ctx, (delivery, message), None).await;
    } else {
        delivery.ack().await;
    }
}

/// A job whose shard did not answer the claim. The shard may have granted the claim all the same.
pub async fn unclaimed(
    ctx: &Context,
    (delivery, message): (&Delivery, &AnalyzeDocument),
    unsettled: ClaimToken,
    error: &StoreError,
) {
    tracing::warn!(job.id = %message.job_id, error = telemetry::chain(error), "not claimed");
    note(Settled::Claimed(Outcome::ShardUnreachable), None); // The shard may have granted the claim.
    ctx.health.in_vain();
    if error.is_overload() {
        ctx.pressure.overloaded();
    }
    later(ctx, (delivery, message), Some(unsettled)).await;
}

/// A job that was not looked at, because the worker stops.
pub async fn untouched(delivery: &Delivery) {
    note(Settled::Unclaimed(Unclaimed::Untouched), None);
    delivery.requeue().await;
}

/// A job that was not looked at, because the worker takes few jobs at a time now.
pub async fn crowded(ctx: &Context, delivery: &Delivery, message: &AnalyzeDocument) {
    note(Settled::Unclaimed(Unclaimed::Crowded), None);
    later(ctx, (delivery, message), delivery.unsettled).await;
}

/// A claimed job that ended, with a result or an error.
pub async fn finished(
    ctx: &Context,
    (delivery, message): (&Delivery, &AnalyzeDocument),
    claim: &Claim,
    result: Result<Analysis, JobError>,
    claimed: Instant,
) {
    let written = match result.map(Arc::new) {
        Ok(analysis) => match stage(Stage::Save, save(ctx, claim, &analysis)).await {
            Ok(true) => {
                metrics::succeeded(metrics::Ended {
                    model: claim.model.as_str(),
                    priority: claim.priority.as_str(),
                    after: claim.awaited + claimed.elapsed(),
                    bytes: claim.size_bytes.unsigned_abs(),
                    tokens: analysis.tokens,
                    entities: analysis.entities.len() as u64,
                });
                metrics::document_read(&analysis.coverage);
                Ok(Outcome::Succeeded)
            }
            Ok(false) => {
                planted!("finish_without_the_claim" => drop(docket_store::finish_without_the_claim(&ctx.shards, claim, &analysis).await));
                Ok(Outcome::Superseded)
            }
            Err(error) => match own_fault(error, &analysis) {
                Ok(error) => within(write_failure(ctx, claim, &error)).await,
                Err(error) => Err(error),
            },
        },
        Err(error) => within(write_failure(ctx, claim, &error)).await,
    };
    let outcome = written.unwrap_or_else(|error| {
        tracing::warn!(job.id = %claim.key.job, error = telemetry::chain(&error), "the job's end was not written");
        if error.is_overload() {
            ctx.pressure.overloaded();
        }
        Outcome::ShardUnreachable
    });
    let elapsed = claimed.elapsed();
    let seconds = elapsed.as_secs_f64();
    tracing::info!(job.id = %claim.key.job, attempt = claim.attempt, outcome = outcome.as_str(), seconds, "job settled");
    note(Settled::Claimed(outcome), Some(elapsed));
    failpoint!("worker.before_ack");
    match outcome {
        Outcome::Succeeded | Outcome::Superseded | Outcome::Cancelled | Outcome::Failed => ctx.health.ended(),
        Outcome::Retried | Outcome::Postponed | Outcome::ShardUnreachable => ctx.health.in_vain(),
        Outcome::GivenBack | Outcome::PutOff => {}
    }
    match outcome {
        Outcome::Postponed => ctx.pressure.overloaded(),
        Outcome::Succeeded => ctx.pressure.relieved(),
        Outcome::Superseded
        | Outcome::Cancelled
        | Outcome::Failed
        | Outcome::Retried
        | Outcome::PutOff
        | Outcome::GivenBack
        | Outcome::ShardUnreachable => {}
    }
    match outcome {
        Outcome::GivenBack => delivery.requeue().await,
        Outcome::ShardUnreachable => later(ctx, (delivery, message), Some(claim.token)).await,
        Outcome::Succeeded
        | Outcome::Superseded
        | Outcome::Cancelled
        | Outcome::Failed
        | Outcome::Retried
        | Outcome::Postponed
        | Outcome::PutOff => delivery.ack().await,
    };
}

/// Counts an outcome, and notes it in the trace.
fn note(settled: Settled, elapsed: Option<Duration>) {
    metrics::job_settled(settled, elapsed);
    context::note(&Span::current(), "docket.job.outcome", settled.as_str());
}

/// What becomes of a job that had `errors` before this one and has been tried for `tried_for`.
fn limited(disposition: Disposition, errors: i32, tried_for: Duration) -> Disposition {
    match disposition {
        Disposition::Retry { errors_max } if errors + 1 >= errors_max => Disposition::Fail,
        Disposition::Retry { .. } | Disposition::Postpone | Disposition::PutOff if tried_for >= TRIED_MAX => {
            Disposition::Fail
        }
        within => within,
    }
}

/// Writes what follows from an error into the job's row, and returns the outcome.
async fn write_failure(ctx: &Context, claim: &Claim, error: &JobError) -> Result<Outcome, StoreError> {
    let (reason, failure) = (error.reason(), error.failure());
    let then = limited(error.disposition(), claim.errors, claim.tried_for);
    match then {
        Disposition::Drop | Disposition::Forget | Disposition::Requeue | Disposition::AwaitTurn(_) => {}
        Disposition::Postpone
        | Disposition::PutOff
        | Disposition::Retry { .. }
        | Disposition::Delay
        | Disposition::Fail => {
            context::failed(&Span::current(), failure.kind);
        }
    }
    match then {
        Disposition::Drop => Ok(Outcome::Superseded),
        Disposition::Forget => Ok(Outcome::Cancelled),
        Disposition::Requeue => claims::give_back(&ctx.shards, claim.key, claim.token)
            .await
            .map(|_| Outcome::GivenBack),
        Disposition::Postpone | Disposition::PutOff => {
            let delay = POSTPONED_MIN + POSTPONED_MIN.mul_f64(rand::random());
            tracing::warn!(job.id = %claim.key.job, kind = failure.kind, error = failure.detail, "the job is put off");
            metrics::job_failed(reason, Then::Postponed);
            let put_off = then == Disposition::PutOff;
            claims::postpone(&ctx.shards, claim, delay, failure.kind)
                .await
                .map(|_| if put_off { Outcome::PutOff } else { Outcome::Postponed })
        }
        Disposition::AwaitTurn(again) => {
            tracing::debug!(job.id = %claim.key.job, seconds = again.as_secs(), "the job waits for its turn among scans");
            metrics::job_failed(reason, Then::Postponed);
            claims::await_turn(&ctx.shards, claim, again)
                .await
                .map(|_| Outcome::PutOff)
        }
        Disposition::Retry { .. } => {
            let delay = backoff::JOB.delay(claim.errors as u32 + 1, rand::random());
            tracing::warn!(job.id = %claim.key.job, kind = failure.kind, error = failure.detail, "the job is tried again");
            metrics::job_failed(reason, Then::Retried);
            claims::wait_again(&ctx.shards, claim, delay, failure.kind)
                .await
                .map(|_| Outcome::Retried)
        }
        Disposition::Fail => {
            tracing::warn!(job.id = %claim.key.job, kind = failure.kind, error = failure.detail, "the job failed");
            metrics::job_failed(reason, Then::Failed);
            results::save_failure(&ctx.shards, claim, &failure)
                .await
                .map(|_| Outcome::Failed)
        }
        Disposition::Delay => Ok(Outcome::ShardUnreachable),
    }
}

/// The job's own error, if the result is to blame: a refused statement or a large result that takes too long would fare no better
/// next time, and is counted. Any other error is the shard's.
fn own_fault(error: StoreError, analysis: &Analysis) -> Result<JobError, StoreError> {
    match error {
        StoreError::Refused { .. } => Ok(error.into()),
        error if is_too_much(&error, analysis) => Ok(JobError::Unwritable {
            entities: analysis.entities.len(),
            source: error,
        }),
        StoreError::Unavailable { .. }
        | StoreError::TimedOut
        | StoreError::Moving(_)
        | StoreError::UnknownShard { .. }
        | StoreError::Homeless { .. } => Err(error),
    }
}

/// Whether time ran out for a result of more entities than one statement writes.
fn is_too_much(error: &StoreError, analysis: &Analysis) -> bool {
    error.is_out_of_time() && analysis.entities.len() > CHUNK_ENTITIES_MAX
}

/// Writes a result. Holds it for up to 60 s when the shard does not answer or the bucket has no owner.
async fn save(ctx: &Context, claim: &Claim, analysis: &Arc<Analysis>) -> Result<bool, StoreError> {
    failpoint!("worker.before_commit");
    let deadline = Instant::now() + HOLD_MAX;
    loop {
        let written = ctx.writer.save(claim, analysis).await;
        failpoint!("worker.after_commit");
        match written {
            Err(error) if is_passing(&error) && !is_too_much(&error, analysis) && Instant::now() < deadline => {
                tracing::warn!(job.id = %claim.key.job, error = telemetry::chain(&error), "a result is held");
                if error.is_overload() {
                    ctx.pressure.overloaded();
                }
                tokio::time::sleep(HOLD_PAUSE).await;
            }
            written => return written,
        }
    }
}

fn is_passing(error: &StoreError) -> bool {
    match error {
        StoreError::Unavailable { .. }
        | StoreError::TimedOut
        | StoreError::Moving(_)
        | StoreError::UnknownShard { .. }
        | StoreError::Homeless { .. } => true,
        StoreError::Refused { .. } => false,
    }
}

/// Sends the message to the delay queue, with a claim to give back. The delivery is acked only once the delay queue has the
/// message.
async fn later(
    ctx: &Context,
    (delivery, message): (&Delivery, &AnalyzeDocument),
    unsettled: Option<ClaimToken>,
) -> bool {
    match ctx.publisher.later(message, unsettled).await {
        Ok(()) => delivery.ack().await,
        Err(error) => {
            tracing::warn!(job.id = %message.job_id, error = telemetry::chain(&error), "returned instead of delayed");
            delivery.requeue().await
        }
    }
}

#[cfg(test)]
mod tests {
    use docket_contract::object_key::BlobKey;
    use docket_objects::BlobError;

    use super::*;
    use crate::admit::memory::MemoryError;
    use crate::fetch::FetchError;
    use crate::serving::ServeError;
    use docket_engine::infer::InferError;

    const NEVER: Duration = Duration::ZERO;

    /// What becomes of a job for this error, after `errors` others within `tried_for`.
    fn becomes(error: &JobError, errors: i32, tried_for: Duration) -> Disposition {
        limited(error.disposition(), errors, tried_for)
    }

    fn storage_away() -> JobError {
        BlobError::Unavailable {
            action: "read",
            key: BlobKey::from_stored("documents/x".into()),
            source: "away".into(),
        }
        .into()
    }

    #[test]
    fn what_may_pass_is_tried_again_until_it_had_its_errors() {
        let (no_numbers, panicked) = (InferError::NotFinite.into(), InferError::Panicked.into());
        for (error, errors_max) in [(no_numbers, 10), (panicked, 3), (JobError::TooLong(NEVER), 3)] {
            let again = Disposition::Retry { errors_max };
            assert_eq!(becomes(&error, 0, NEVER), again, "{error}");
            assert_eq!(becomes(&error, errors_max - 2, NEVER), again, "{error}");
            assert_eq!(becomes(&error, errors_max - 1, NEVER), Disposition::Fail, "{error}");
        }
    }

    #[test]
    fn a_job_is_put_off_however_many_errors_it_had() {
        assert_eq!(becomes(&storage_away(), 100, NEVER), Disposition::Postpone);
    }

    #[test]
    fn a_document_that_finds_no_room_leaves_the_worker_its_other_jobs() {
        let no_room = JobError::Memory(MemoryError::NoRoom);
        assert_eq!(becomes(&no_room, 100, NEVER), Disposition::PutOff);
    }

    #[test]
    fn a_version_that_must_wait_for_its_turn_costs_its_jobs_nothing() {
        let busy = || JobError::Model(ServeError::Busy("ner@2".parse().expect("it is a version")));
        assert_eq!(becomes(&busy(), 100, NEVER), Disposition::PutOff);
        let told_again = JobError::Model(ServeError::Shared(Arc::new(ServeError::Fetch(
            FetchError::NotPublished { model: "ner@2".into() },
        ))));
        assert_eq!(becomes(&told_again, 0, NEVER), Disposition::Fail);
        assert_eq!(told_again.failure().kind, "unknown_model");
    }

    #[test]
    fn a_job_that_was_tried_for_a_day_fails() {
        let almost = TRIED_MAX - Duration::from_secs(1);
        for error in [storage_away(), JobError::TooLong(NEVER)] {
            assert_ne!(becomes(&error, 0, almost), Disposition::Fail, "{error}");
            assert_eq!(becomes(&error, 0, TRIED_MAX), Disposition::Fail, "{error}");
        }
    }

    #[test]
    fn what_is_not_the_jobs_doing_never_fails_it() {
        let silent = StoreError::TimedOut.into();
        for (error, then) in [
            (JobError::Interrupted, Disposition::Requeue),
            (InferError::Stopped.into(), Disposition::Requeue),
            (JobError::Superseded, Disposition::Drop),
            (JobError::Cancelled, Disposition::Forget),
            (silent, Disposition::Delay),
        ] {
            assert_eq!(becomes(&error, 100, 2 * TRIED_MAX), then, "{error}");
        }
    }
}
