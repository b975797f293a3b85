//! What callers read.

pub mod documents;
pub mod reading;
pub mod things;
