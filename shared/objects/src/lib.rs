#![doc = include_str!("../README.md")]

mod error;
pub mod inspect;
mod model;
pub mod published;
mod put;
mod settings;
pub mod spool;
mod store;

pub use error::BlobError;
pub use model::{ModelError, current, set_current};
pub use put::{PART_BYTES, PutError, Upload};
pub use settings::{BlobConfig, SETTINGS};
pub use store::{BlobStore, Listed};
