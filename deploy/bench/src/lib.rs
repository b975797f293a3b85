#![doc = include_str!("../README.md")]

pub mod bare;
pub mod contest;
pub mod corpus;
pub mod docket;
pub mod f1;
pub mod meter;
pub mod ours;
pub mod peer;
pub mod proc;
pub mod program;
pub mod repeats;
pub mod report;
pub mod settings;
pub mod soak;
pub mod stats;
pub mod windows;
