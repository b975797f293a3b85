//! The compute steps on the default model, without any server: windows, scores, entities.

mod fixture;
mod folder;
mod scores;
mod unicode;
