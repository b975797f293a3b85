#![doc = include_str!("../README.md")]

pub mod actions;
pub mod commands;
pub mod doctor;
pub mod routes;
