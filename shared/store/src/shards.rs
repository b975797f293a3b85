//! Which shard owns which bucket: the map and the fence. And what every database has: its schema and its rights.

pub mod fence;
pub mod grants;
pub mod keys;
pub mod migrate;
mod owners;
pub mod schema;
pub mod shard_map;
