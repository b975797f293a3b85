#![doc = include_str!("../README.md")]

pub mod backoff;
pub mod coverage;
pub mod entity;
pub mod hex;
pub mod ids;
pub mod job;
pub mod language;
pub mod media_type;
pub mod model;
pub mod model_defaults;
pub mod object_key;
pub mod outcome;
pub mod page_image;
pub mod page_ranges;
pub mod place;
pub mod reason;
pub mod sharding;
pub mod state;
pub mod text_map;
pub mod thing;
mod words;
