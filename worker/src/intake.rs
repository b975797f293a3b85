//! Takes each delivery through its steps: claim, process, settle.

use std::sync::Arc;
use std::time::Duration;

use docket_contract::ids::{ClaimToken, JobKey};
use docket_contract::job::{AnalyzeDocument, JobMessage};
use docket_engine::infer::InferError;
use docket_process::failpoint;
use docket_process::metrics;
use docket_process::telemetry::context;
use docket_queue::consume::{Deliveries, Delivery};
use docket_store::work::claims::{self, Answer, Asker, Claim};
use docket_store::{StoreError, within};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::context::Context;
use crate::disposition::JobError;
use crate::{pipeline, settle};

/// How long a delivery waits for a place while a store is overloaded. Then the message goes into the delay queue.
const PLACE_MAX: Duration = Duration::from_secs(60);

/// Starts one task per delivery. The prefetch bounds their number, and the memory's permits bound their size.
pub(crate) async fn intake(ctx: Arc<Context>, mut deliveries: Deliveries) -> Deliveries {
    while let Some(delivery) = ctx.shutdown.until_soft(deliveries.next()).await {
        ctx.shutdown.spawn(handle(ctx.clone(), delivery));
    }
    deliveries
}

async fn handle(ctx: Arc<Context>, delivery: Delivery) {
    match JobMessage::decode(&delivery.body) {
        Ok((key, message)) => {
            let span = delivery.processing(&message);
            take(&ctx, key, (&delivery, &message)).instrument(span).await;
        }
        Err(error) => settle::undecodable(&delivery, &error).await,
    }
}

async fn take(ctx: &Context, key: JobKey, of: (&Delivery, &AnalyzeDocument)) {
    let Some(place) = ctx
        .shutdown
        .until_soft(tokio::time::timeout(PLACE_MAX, ctx.pressure.enter()))
        .await
    else {
        return settle::untouched(of.0).await;
    };
    let Ok(_place) = place else {
        return settle::crowded(ctx, of.0, of.1).await;
    };
    let Some(company) = ctx.shutdown.until_soft(ctx.company.join()).await else {
        return settle::untouched(of.0).await;
    };
    if let Err((unsettled, error)) = give_back(ctx, key, of.0.unsettled).await {
        return settle::unclaimed(ctx, of, unsettled, &error).await;
    }
    match claim(ctx, key, false).await {
        Ok(Answer::Granted(claim)) => work(ctx, &claim, of).await,
        Ok(Answer::Suspect) => {
            drop(company);
            alone(ctx, key, of).await;
        }
        Ok(answer) => settle::refused(ctx, of.0, of.1, &answer).await,
        Err((unsettled, error)) => settle::unclaimed(ctx, of, unsettled, &error).await,
    }
}

/// Runs a suspect with nothing beside it. A suspect that this worker cannot run now goes into the delay queue.
async fn alone(ctx: &Context, key: JobKey, of: (&Delivery, &AnalyzeDocument)) {
    let Some(chosen) = ctx.company.choose() else {
        return settle::refused(ctx, of.0, of.1, &Answer::Suspect).await;
    };
    let Some(_alone) = ctx.shutdown.until_soft(chosen.alone()).await else {
        return settle::untouched(of.0).await;
    };
    match claim(ctx, key, true).await {
        Ok(Answer::Granted(claim)) => work(ctx, &claim, of).await,
        Ok(answer) => settle::refused(ctx, of.0, of.1, &answer).await,
        Err((unsettled, error)) => settle::unclaimed(ctx, of, unsettled, &error).await,
    }
}

/// A claim that its shard may still hold, and the error that kept the shard from hearing of the claim's end.
type Unsettled = (ClaimToken, StoreError);

/// Gives back the claim that the message brought along. Else the shard would take its silence for a crash.
async fn give_back(ctx: &Context, key: JobKey, unsettled: Option<ClaimToken>) -> Result<(), Unsettled> {
    let Some(token) = unsettled else { return Ok(()) };
    match within(claims::give_back(&ctx.shards, key, token)).await {
        Ok(_) => Ok(()),
        Err(error) => Err((token, error)),
    }
}

/// Asks the shard for the job. A lost answer costs nothing: asking again with the same token continues the claim. If that answer
/// is lost too, the claim is given back later.
async fn claim(ctx: &Context, key: JobKey, alone: bool) -> Result<Answer, Unsettled> {
    let asker = Asker {
        worker: &ctx.worker,
        token: ClaimToken::generate(),
        alone,
    };
    let ask = || within(claims::claim(&ctx.shards, key, asker));
    let asking = async {
        match ask().await {
            Err(StoreError::Unavailable { .. } | StoreError::TimedOut) => ask().await,
            answer => answer,
        }
    };
    let answer = asking.instrument(tracing::debug_span!("claim")).await;
    answer.map_err(|error| (asker.token, error))
}

async fn work(ctx: &Context, claim: &Claim, of: (&Delivery, &AnalyzeDocument)) {
    failpoint!("worker.after_claim");
    context::note(&Span::current(), "docket.job.attempt", i64::from(claim.attempt));
    let began = Instant::now();
    metrics::claimed(claim.priority.as_str(), claim.due);
    let alive = ctx.claims.hold(claim.key, claim.token);
    let result = tokio::select! {
        biased;
        () = ctx.shutdown.hard() => Err(JobError::Interrupted),
        loss = alive.lost() => Err(loss.into()),
        result = pipeline::process(ctx, claim, &alive.read) => result,
    };
    if matches!(result, Err(JobError::Infer(InferError::Stopped))) {
        ctx.give_up();
    }
    settle::finished(ctx, of, claim, result, began).await;
}
