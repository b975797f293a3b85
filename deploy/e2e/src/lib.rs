#![doc = include_str!("../README.md")]

pub mod api;
pub mod collector;
pub mod dashboards;
pub mod exposition;
pub mod own_shard;
pub mod query;
pub mod system;
pub mod wire;
