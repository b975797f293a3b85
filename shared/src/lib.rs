#![doc = include_str!("../README.md")]

pub mod backoff;
pub mod blob;
pub mod config;
pub mod entity;
pub mod failpoint;
pub mod ids;
pub mod job;
pub mod metrics;
pub mod model;
pub mod queue;
pub mod sharding;
pub mod shutdown;
pub mod spool;
pub mod state;
pub mod store;
pub mod telemetry;
