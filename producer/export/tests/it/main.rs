//! Whole exports: what each format writes, and that its offsets hold.

mod golden;
mod limits;
mod offsets;
mod sample;
