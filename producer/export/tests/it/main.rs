//! Whole exports: what each format writes, and that its offsets hold.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod golden;
mod limits;
mod offsets;
mod sample;
