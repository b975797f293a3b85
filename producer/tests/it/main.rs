//! The producer on real services: what its callers see, and what is left in databases, bucket and broker.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod api;
mod auth;
mod backlog;
mod description;
mod dispatch;
mod doctor;
mod export;
mod faults;
mod form;
mod idempotency;
mod inputs;
mod limits;
mod models;
mod operator;
mod read;
mod reanalyse;
mod turns;
mod upload;
mod walks;
