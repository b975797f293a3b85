#![doc = include_str!("../README.md")]

mod broker;
mod message;
mod pgbouncer;
mod prometheus;
mod template;
mod tiny_model;
mod tls;
mod world;

pub use broker::PrivateBroker;
pub use docket_local::binaries::{binary, build_binaries};
pub use docket_local::link::stack;
pub use message::job_message;
pub use pgbouncer::PgBouncer;
pub use prometheus::Prometheus;
pub use tiny_model::{Fault, Scheme, TinyModel};
pub use tls::{TestCertificates, TlsFront};
pub use world::{World, WorldOptions};

use docket_local::checkout::Checkout;

/// The checkout whose code is tested.
pub fn checkout() -> Checkout {
    or_panic("find the checkout", Checkout::find())
}

fn or_panic<T>(what: &str, outcome: anyhow::Result<T>) -> T {
    outcome.unwrap_or_else(|error| panic!("{what}: {error:#}"))
}
