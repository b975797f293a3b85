//! Each adapter on its real service, each test in a world of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backlog;
mod blob;
mod claims;
mod dead;
mod dispatch;
mod fence;
mod fixture;
mod grants;
mod idempotency;
mod jobs;
mod model;
mod queue;
mod standing;
mod states;
mod tls;
mod transactions;
