//! What a job needs before it may run: a place, room in memory, a turn among scans, and no company that it must not have.

pub mod company;
pub mod memory;
pub mod pressure;
pub mod scans;
pub(crate) mod turns;
