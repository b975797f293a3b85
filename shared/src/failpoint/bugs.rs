//! Bugs that tests plant, to see that they are found.

use crate::store::claims::Claim;
use crate::store::results::Analysis;
use crate::store::{Shards, StoreError};

/// More ordinals than a job of a test has entities.
const ORDINALS_AN_ATTEMPT: i32 = 1_000_000;

/// Ends a job whoever it belongs to, and adds the entities to those that are there: what a worker did that does not ask
/// whether its claim still is the job's.
pub async fn finish_without_the_claim(shards: &Shards, claim: &Claim, analysis: &Analysis) -> Result<(), StoreError> {
    let mut tx = shards.begin(claim.key.bucket).await?;
    let (bucket, job) = (claim.key.bucket.number(), claim.key.job.0);
    let ended = tx
        .query(
            "update jobs set state = 'succeeded', ended_at = now(), history = docket_history(history,
                 jsonb_build_object('event', 'succeeded', 'at', now())) where bucket = $1 and id = $2",
        )
        .bind(bucket)
        .bind(job);
    ended.execute(tx.connection()).await.map_err(|error| tx.failed(error))?;
    // Behind those that are there, which a worker may not look at.
    let behind = claim.attempt * ORDINALS_AN_ATTEMPT;
    for (ordinal, entity) in (behind..).zip(&analysis.entities) {
        let insert = tx
            .query(
                "insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, score)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(bucket)
            .bind(job)
            .bind(ordinal)
            .bind(entity.label.clone())
            .bind(entity.text.clone())
            .bind(entity.span.start.cast_signed())
            .bind(entity.span.end.cast_signed());
        let insert = insert
            .bind(entity.span.start_byte.cast_signed())
            .bind(entity.span.end_byte.cast_signed())
            .bind(entity.score);
        insert
            .execute(tx.connection())
            .await
            .map_err(|error| tx.failed(error))?;
    }
    tx.commit().await
}
