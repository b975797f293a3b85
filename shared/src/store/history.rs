//! What happened to a job, newest last: bounded, in its dispatch row while it lives and in its job row afterwards.

use serde_json::{Value, json};

/// One thing that happened. The database adds when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A worker took it.
    Claimed,
    /// Its worker stopped answering while it ran.
    Crashed,
    /// It failed in a way that may pass.
    Errored,
    /// Its worker was stopped and gave it back.
    GivenBack,
    /// Its message was believed lost.
    Requeued,
    /// It ended.
    Ended,
}

impl Event {
    fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Crashed => "crashed",
            Self::Errored => "errored",
            Self::GivenBack => "given_back",
            Self::Requeued => "requeued",
            Self::Ended => "ended",
        }
    }

    /// The entry, without its time; `worker` and `reason` where there is one.
    pub(crate) fn entry(self, worker: Option<&str>, reason: Option<&str>) -> Value {
        let mut entry = json!({ "event": self.as_str() });
        if let Some(worker) = worker {
            entry["worker"] = worker.into();
        }
        if let Some(reason) = reason {
            entry["reason"] = reason.into();
        }
        entry
    }
}
