#![doc = include_str!("../README.md")]

pub mod failpoint;
pub mod metrics;
pub mod probe;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
