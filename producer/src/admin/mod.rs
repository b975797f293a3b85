//! Operator commands: one file each.

pub mod migrate;
pub mod requeue;
pub mod settings;
pub mod token;
