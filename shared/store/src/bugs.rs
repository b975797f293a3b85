//! Bugs that tests plant, to see whether they are found.

use docket_contract::state::Event;

use crate::sql::sql;
use crate::work::claims::Claim;
use crate::work::results::Analysis;
use crate::{Shards, StoreError};

/// More ordinals than a job of a test has entities.
const ORDINALS_AN_ATTEMPT: i32 = 1_000_000;

/// Ends a job whoever it belongs to, and adds the entities to those that are there. So would a worker do that does not
/// ask whether its claim still is the job's.
pub async fn finish_without_the_claim(shards: &Shards, claim: &Claim, analysis: &Analysis) -> Result<(), StoreError> {
    let mut tx = shards.begin(claim.key.bucket).await?;
    let (bucket, job) = (claim.key.bucket.number(), claim.key.job.0);
    let end = sql!("bugs/end_any").bind(bucket).bind(job);
    tx.execute(end.bind(Event::Succeeded.entry(None, None))).await?;
    // A worker may not read entities, so the new ones get ordinals that no earlier attempt has.
    let first = claim.attempt * ORDINALS_AN_ATTEMPT;
    for (ordinal, entity) in (first..).zip(&analysis.entities) {
        let insert = sql!("bugs/entity_add")
            .bind(bucket)
            .bind(job)
            .bind(ordinal)
            .bind(&entity.label)
            .bind(&entity.text)
            .bind(entity.span.start.cast_signed())
            .bind(entity.span.end.cast_signed());
        let insert = insert
            .bind(entity.span.start_byte.cast_signed())
            .bind(entity.span.end_byte.cast_signed())
            .bind(entity.score);
        tx.execute(insert).await?;
    }
    tx.commit().await
}
