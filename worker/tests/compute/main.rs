//! The compute steps without any server: windows, scores, entities. Only `cache` and `models` need a bucket.

mod cache;
mod evaluate;
mod exports;
mod failing;
mod fixture;
mod folder;
mod models;
mod provider;
mod scores;
mod surfaces;
mod unicode;
mod windows;
