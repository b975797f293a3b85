//! What happened to a job, newest last: bounded, in its dispatch row while it lives and in its job row afterwards.

use serde_json::{Value, json};

use crate::state::Event;

impl Event {
    /// The entry, without its time, which the database adds; `worker` and `reason` where there is one.
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
