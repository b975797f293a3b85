//! Pages: how many entries, and where the next page begins. A cursor is opaque to callers: its content may change.

use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use docket_contract::ids::JobId;
use uuid::Uuid;

use crate::problem::{ApiError, Kind};

/// Length of a UUID in a cursor, in bytes.
const ID_BYTES: usize = 16;

/// The limit that was asked for, checked against its bounds; `default` when none was asked for.
pub fn limit(asked: Option<u32>, default: u32, bounds: RangeInclusive<u32>) -> Result<usize, ApiError> {
    let limit = asked.unwrap_or(default);
    if bounds.contains(&limit) {
        return Ok(limit as usize);
    }
    let (least, most) = bounds.into_inner();
    Err(ApiError::new(
        Kind::INVALID_REQUEST,
        format!("limit must be from {least} to {most}."),
    ))
}

/// Cuts a list that was read with one entry more than the page. Returns the page's last entry if a next page follows.
pub fn cut<T>(entries: &mut Vec<T>, limit: usize) -> Option<&T> {
    let more = entries.len() > limit;
    entries.truncate(limit);
    entries.last().filter(|_| more)
}

/// A cursor into a list that is ordered by id.
pub fn after(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

/// The id at which a cursor stands.
pub fn at(cursor: &str) -> Result<Uuid, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| not_a_cursor())?;
    Uuid::from_slice(&bytes).map_err(|_| not_a_cursor())
}

/// A cursor into a job's entities.
pub fn after_entity(job: JobId, ordinal: i32) -> String {
    URL_SAFE_NO_PAD.encode([job.0.as_bytes().as_slice(), &ordinal.to_be_bytes()].concat())
}

/// The job and the ordinal at which a cursor stands. The job is part of the cursor so that all pages are of one analysis,
/// whatever succeeds meanwhile.
fn entity(cursor: &str) -> Result<(JobId, i32), ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| not_a_cursor())?;
    let (id, ordinal) = bytes.split_at_checked(ID_BYTES).ok_or_else(not_a_cursor)?;
    let id = Uuid::from_slice(id).map_err(|_| not_a_cursor())?;
    let ordinal = ordinal.try_into().map_err(|_| not_a_cursor())?;
    Ok((JobId(id), i32::from_be_bytes(ordinal)))
}

/// The analysis of a page of entities, and the ordinal after which the page begins: those of the cursor, if there is one. An error
/// if the cursor is of another analysis than the one that was asked for.
pub fn of_analysis(asked: Option<JobId>, cursor: Option<&str>) -> Result<(Option<JobId>, i32), ApiError> {
    match cursor.map(entity).transpose()? {
        Some((job, _)) if asked.is_some_and(|asked| asked != job) => Err(ApiError::new(
            Kind::INVALID_REQUEST,
            "The cursor is of another analysis; begin again without one.",
        )),
        Some((job, ordinal)) => Ok((Some(job), ordinal)),
        None => Ok((asked, 0)),
    }
}

fn not_a_cursor() -> ApiError {
    ApiError::new(
        Kind::INVALID_REQUEST,
        "cursor must be the next_cursor of an earlier page.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_nothing_else_is_one() {
        let job = JobId::generate();
        assert_eq!(at(&after(job.0)).unwrap(), job.0);
        assert_eq!(entity(&after_entity(job, 7)).unwrap(), (job, 7));
        for bad in ["", "?", "AAAA", &after_entity(job, 7)] {
            assert!(at(bad).is_err(), "{bad:?} was taken");
        }
        for bad in ["", "?", "AAAA", &after(job.0)] {
            assert!(entity(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_page_goes_on_only_if_there_is_more() {
        assert_eq!(cut(&mut vec![1, 2, 3], 2), Some(&2));
        assert_eq!(cut(&mut vec![1, 2], 2), None);
        assert_eq!(cut(&mut Vec::<u8>::new(), 2), None);
        assert!(limit(Some(0), 1, 1..=2).is_err() && limit(Some(3), 1, 1..=2).is_err());
        assert_eq!(limit(None, 1, 1..=2).unwrap(), 1);
    }
}
