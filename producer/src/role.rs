//! The parts of the producer.

/// A part of the producer that can be deployed alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// The callers' HTTP API.
    Api,
    /// The dispatcher, the sweeper, and the drain of the dead queue.
    Dispatch,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::Api, Self::Dispatch];
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Api => "api",
            Self::Dispatch => "dispatch",
        })
    }
}
