#![doc = include_str!("../README.md")]

pub mod admit;
pub mod cache;
mod children;
pub mod config;
pub mod context;
mod cut;
pub mod disposition;
pub mod entities;
pub mod evaluate;
mod extraction;
pub mod fetch;
pub mod heartbeat;
mod images;
mod intake;
mod language;
mod limits;
pub mod models;
pub mod other_language;
pub mod pipeline;
pub mod probes;
pub mod report;
pub mod result_writer;
pub mod run;
pub mod serving;
pub mod settle;
mod stage;
mod understanding;
