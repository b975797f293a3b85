#![doc = include_str!("../README.md")]

pub mod admin;
pub mod config;
pub mod dispatch;
pub mod http;
pub mod models;
pub mod operate;
pub mod serve;
mod times;
