//! What operators see and do.

pub mod activity;
pub mod audit;
pub mod controls;
pub mod dead;
pub mod inspect;
pub mod open_work;
pub mod parked;
