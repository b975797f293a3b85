#![doc = include_str!("../README.md")]

mod apart;
pub mod citations;
pub mod language;
mod ordinals;
pub mod overlaps;
pub mod pieces;
pub mod recognise;
pub mod values;
