//! The launcher's servers and the harness, for real.

#![cfg(test)]

mod broker;
mod cluster;
mod pgbouncer;
mod proxy;
mod s3;
mod scripts;
mod worlds;
