#![doc = include_str!("../README.md")]

pub mod checkout;
pub mod daemon;
pub mod demo;
pub mod deps;
pub mod info;
pub mod poll;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod rabbit;
pub mod s3;
pub mod stack;
pub mod state;
pub mod suite;
pub mod testing;
