#![doc = include_str!("../README.md")]

#[cfg(feature = "failpoints")]
mod bugs;
mod circuit;
mod database;
mod error;
pub mod operate;
pub mod read;
mod rows;
mod settings;
pub mod shards;
mod sql;
pub mod work;

#[cfg(feature = "failpoints")]
pub use bugs::finish_without_the_claim;
pub use database::{Database, Tx, within};
pub use error::{StoreError, TRANSACTION_MAX};
pub use settings::{SETTINGS, StoreConfig};
pub use shards::fence::{FencedTx, Shards};
