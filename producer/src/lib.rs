#![doc = include_str!("../README.md")]

pub mod config;
mod description;
pub mod role;
pub mod serve;
