//! The compute steps without any server: windows, scores, entities.

mod exports;
mod failing;
mod fixture;
mod folder;
mod provider;
mod scores;
mod surfaces;
mod unicode;
mod windows;
