#![doc = include_str!("../README.md")]

pub mod citations;
pub mod overlaps;
pub mod pieces;
pub mod recognise;
pub mod values;
