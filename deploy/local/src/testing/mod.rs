//! The test harness: a stack that all tests of a checkout share, and for each test a world of its own.
//!
//! Everything here panics instead of returning errors, as tests do.

mod binaries;
mod broker;
mod link;
mod message;
mod pgbouncer;
mod prometheus;
mod template;
mod tiny_model;
mod tls;
mod world;

pub use binaries::{binary, build_binaries};
pub use broker::PrivateBroker;
pub use link::{Link, stack};
pub use message::job_message;
pub use pgbouncer::PgBouncer;
pub use prometheus::Prometheus;
pub use tiny_model::{Fault, Scheme, TinyModel};
pub use tls::{TestCertificates, TlsFront};
pub use world::{World, WorldOptions};

use crate::checkout::Checkout;

/// The checkout under test.
pub fn checkout() -> Checkout {
    or_panic("find the checkout", Checkout::find())
}

fn or_panic<T>(what: &str, outcome: anyhow::Result<T>) -> T {
    outcome.unwrap_or_else(|error| panic!("{what}: {error:#}"))
}
