#![doc = include_str!("../README.md")]

pub mod api;
pub mod dashboards;
pub mod exposition;
pub mod query;
pub mod system;
pub mod wire;
