//! Which schemas there are.

/// One of the two schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// The schema of the catalog.
    Catalog,
    /// The schema of every shard.
    Shard,
}
