#![doc = include_str!("../README.md")]

pub mod callers;
pub mod drain;
pub mod enough;
pub mod fleet;
pub mod inject;
pub mod plan;
pub mod random;
pub mod run;
pub mod schedule;
pub mod servers;
pub mod settings;
pub mod texts;
