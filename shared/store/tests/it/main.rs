//! Every statement on real databases, each test in a world of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backlog;
mod children;
mod claims;
mod dead;
mod dispatch;
mod facts;
mod fence;
mod fixture;
mod grants;
mod idempotency;
mod jobs;
mod model;
mod open_work;
mod statements;
mod states;
mod transactions;
