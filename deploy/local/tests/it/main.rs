//! The launcher's servers and the test harness, on real processes.

#![cfg(test)]

mod boundaries;
mod broker;
mod cluster;
mod pgbouncer;
mod proxy;
mod s3;
mod scripts;
mod worlds;
