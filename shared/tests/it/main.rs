//! Each adapter on its real service, each test in a world of its own.

mod blob;
mod claims;
mod dispatch;
mod fence;
mod fixture;
mod idempotency;
mod queue;
