#![doc = include_str!("../README.md")]

mod apart;
pub mod boundaries;
pub mod citations;
pub mod language;
#[cfg(test)]
mod marked;
pub mod names;
mod ordinals;
pub mod overlaps;
pub mod pieces;
pub mod recognise;
pub mod values;
