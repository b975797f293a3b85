#![doc = include_str!("../README.md")]

pub mod caller;
pub mod conditional;
pub mod extract;
pub mod health;
pub mod held;
mod linger;
mod observe;
pub mod openapi;
pub mod pace;
pub mod page;
pub mod places;
pub mod problem;
mod query;
pub mod reads;
pub mod router;
mod server;
pub mod settings;
mod taker;
pub mod times;

use std::time::Duration;

pub use server::serve;

/// How long an answer without an upload may take: a shard that is away is noticed in half of this time.
pub const ANSWER_MAX: Duration = Duration::from_secs(15);
