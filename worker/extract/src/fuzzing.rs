//! Doors for fuzzing. They are in builds by cargo-fuzz alone; `fuzz/` has the targets.

pub use crate::parse::fuzzing::{Read, image, read, recognise};
pub use crate::sandbox::fuzzing::answer;
