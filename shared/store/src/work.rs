//! A job's way: accepted, dispatched, claimed, ended, repaired.

pub mod backlog;
pub mod children;
pub mod claims;
pub mod dispatch;
pub mod gaps;
pub mod granted_claim;
pub mod idempotency;
pub mod jobs;
pub mod lease;
pub mod results;
pub mod sweep;
