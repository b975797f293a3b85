//! Limits that no job may exceed.

use std::time::Duration;

/// Longest run of a job, from the moment it has room in memory to its result. Below RabbitMQ's acknowledgement timeout of 30 min
/// by more than the waits before and after the run. One core with VNNI reads 60 million characters in that time (`bench soak`).
pub const JOB_MAX: Duration = Duration::from_secs(25 * 60);
/// Largest document that a worker fetches, in bytes: ten times the producer's default limit.
pub const DOCUMENT_BYTES_MAX: u64 = 512 * 1024 * 1024;
