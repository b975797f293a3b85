#![doc = include_str!("../README.md")]

pub mod batch;
pub mod cpu;
pub mod decode;
pub mod evaluate;
pub mod infer;
pub mod model;
pub mod place;
pub mod release;
mod steps;
pub mod window;
