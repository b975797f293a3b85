//! The launcher's servers and the harness, for real.

#![cfg(test)]

mod broker;
mod pgbouncer;
mod s3;
mod worlds;
