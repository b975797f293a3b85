#![doc = include_str!("../README.md")]

pub mod batch;
pub mod cache;
pub mod company;
pub mod config;
pub mod cpu;
pub mod decode;
pub mod evaluate;
pub mod extract;
pub mod fetch;
pub mod heartbeat;
pub mod infer;
pub mod memory;
pub mod model;
pub mod models;
pub mod outcome;
pub mod pipeline;
mod pressure;
pub mod probes;
pub mod release;
pub mod report;
pub mod run;
pub mod serving;
pub mod settle;
mod steps;
pub mod window;
pub mod writer;
