//! A job's states, the events that may happen in each, and the state that each event leads to: the one table of a job's life.
//!
//! Each event is one SQL statement of `shared/store`. The statement applies only in the states that the table allows and, for a
//! worker's event, only under the worker's claim. `shared/store/tests/it/states.rs` runs every event on a job in every state and
//! compares the outcome with this table. The diagram in `shared/contract/README.md` is drawn from the table.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Where a job stands. The first three live in its dispatch row, the others in its job row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = State))]
pub enum JobState {
    /// In the shard, until the job is due and its client has its turn.
    Waiting,
    /// Published to the broker, not yet claimed by a worker.
    Queued,
    /// Claimed by a worker.
    Running,
    /// Ended with its entities stored.
    Succeeded,
    /// Ended with a reason. The job row itself is the dead letter.
    Failed,
    /// Ended because its caller or an operator cancelled it.
    Cancelled,
    /// Ended because its deadline passed.
    Expired,
}

/// What may happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// The dispatcher or the accepting process published the job's message, and the broker confirmed it.
    Published,
    /// A worker claimed the job.
    Claimed,
    /// The worker stopped answering while the job ran. The crash is counted.
    Crashed,
    /// The job failed in a way that may pass. The error is counted.
    Errored,
    /// The job is put off and nothing is counted: it is paused or not due yet, or a store that it needs is overloaded.
    Postponed,
    /// The worker stopped and gave the job back. The attempt is not counted.
    GivenBack,
    /// The job's message was believed lost.
    Requeued,
    /// The job's result was written.
    Succeeded,
    /// The job ended with a reason.
    Failed,
    /// The job's caller or an operator cancelled it.
    Cancelled,
    /// The job's deadline passed.
    Expired,
    /// An operator sent the ended job round again.
    Redriven,
}

/// Every allowed step: state, event, next state. An event that is not listed for a state changes nothing there.
pub const TRANSITIONS: [(JobState, Event, JobState); 20] = {
    use Event as E;
    use JobState as S;
    [
        (S::Waiting, E::Published, S::Queued),
        // A worker may claim the job before its row is marked published.
        (S::Waiting, E::Claimed, S::Running),
        (S::Waiting, E::Cancelled, S::Cancelled),
        (S::Waiting, E::Expired, S::Expired),
        (S::Queued, E::Claimed, S::Running),
        (S::Queued, E::Postponed, S::Waiting),
        (S::Queued, E::Requeued, S::Waiting),
        (S::Queued, E::Cancelled, S::Cancelled),
        (S::Queued, E::Expired, S::Expired),
        // Another worker takes the job over from a silent claim. One statement counts the crash and claims the job anew.
        (S::Running, E::Claimed, S::Running),
        (S::Running, E::Crashed, S::Waiting),
        (S::Running, E::Errored, S::Waiting),
        (S::Running, E::Postponed, S::Waiting),
        (S::Running, E::GivenBack, S::Queued),
        (S::Running, E::Succeeded, S::Succeeded),
        (S::Running, E::Failed, S::Failed),
        (S::Running, E::Cancelled, S::Cancelled),
        (S::Running, E::Expired, S::Expired),
        (S::Failed, E::Redriven, S::Waiting),
        (S::Expired, E::Redriven, S::Waiting),
    ]
};

impl JobState {
    /// Every state, live ones first.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The state's name in the databases and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether the job has a dispatch row.
    pub fn is_live(self) -> bool {
        match self {
            Self::Waiting | Self::Queued | Self::Running => true,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Expired => false,
        }
    }

    /// The state of that name; `None` for an unknown name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The state after the event; `None` when the event changes nothing in this state.
    pub fn after(self, event: Event) -> Option<Self> {
        let found = TRANSITIONS
            .iter()
            .find(|(from, what, _)| (*from, *what) == (self, event));
        found.map(|(_, _, to)| *to)
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 12] = [
        Self::Published,
        Self::Claimed,
        Self::Crashed,
        Self::Errored,
        Self::Postponed,
        Self::GivenBack,
        Self::Requeued,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
        Self::Redriven,
    ];

    /// The event's name in a job's history.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Claimed => "claimed",
            Self::Crashed => "crashed",
            Self::Errored => "errored",
            Self::Postponed => "postponed",
            Self::GivenBack => "given_back",
            Self::Requeued => "requeued",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Redriven => "redriven",
        }
    }

    /// The event's entry in a job's history, with `worker` and `reason` where given. The database adds the time.
    pub fn entry(self, worker: Option<&str>, reason: Option<&str>) -> Value {
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

/// The table as a Mermaid `stateDiagram-v2`, as printed in `shared/contract/README.md`.
pub fn diagram() -> String {
    let mut drawn = String::from("stateDiagram-v2\n    [*] --> waiting: accepted\n");
    for (from, event, to) in TRANSITIONS
        .iter()
        .filter(|(from, event, to)| from != to || *event == Event::Claimed)
    {
        let (from, event, to) = (from.as_str(), event.as_str(), to.as_str());
        writeln!(drawn, "    {from} --> {to}: {event}").expect("a string takes everything");
    }
    drawn
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_diagram_in_the_documentation_is_the_table() {
        let diagram = diagram();
        assert!(
            include_str!("../README.md").contains(&diagram),
            "shared/contract/README.md lacks:\n{diagram}"
        );
    }

    #[test]
    fn an_event_leads_from_a_state_to_one_place() {
        let pairs: HashSet<_> = TRANSITIONS.iter().map(|(from, event, _)| (*from, *event)).collect();
        assert_eq!(pairs.len(), TRANSITIONS.len());
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for state in JobState::ALL {
            assert_eq!(JobState::parse(state.as_str()), Some(state));
        }
        assert_eq!(JobState::parse("open"), None);
    }

    #[test]
    fn every_live_job_can_end_and_only_an_operator_opens_an_ended_one() {
        for state in JobState::ALL {
            let exits = TRANSITIONS
                .iter()
                .filter(|(from, _, to)| *from == state && *to != state);
            for (_, event, to) in exits.clone() {
                assert_eq!(
                    !state.is_live(),
                    *event == Event::Redriven,
                    "{state:?} {event:?} {to:?}"
                );
            }
            assert!(state == JobState::Succeeded || state == JobState::Cancelled || exits.count() > 0);
        }
    }

    proptest! {
        /// In any order of events, only a running job gets a result, a succeeded or cancelled job stays as it is, and every live
        /// job is at most a claim and a success away from its end.
        #[test]
        fn no_order_of_events_breaks_a_job(events in prop::collection::vec(prop::sample::select(Event::ALL.to_vec()), 0..60)) {
            let mut state = JobState::Waiting;
            for event in events {
                let Some(next) = state.after(event) else { continue };
                if event == Event::Succeeded || event == Event::Failed {
                    prop_assert_eq!(state, JobState::Running);
                }
                if matches!(state, JobState::Succeeded | JobState::Cancelled) {
                    prop_assert_eq!(next, state);
                }
                state = next;
                if state.is_live() {
                    let claimed = state.after(Event::Claimed).expect("a live job can be claimed");
                    prop_assert_eq!(claimed.after(Event::Succeeded), Some(JobState::Succeeded));
                }
            }
        }
    }
}
