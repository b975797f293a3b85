//! Where a job stands, what may happen to it there, and where that leads: the one table of a job's life.
//!
//! Each event is one statement of `store/`, fenced by the states that it may leave (and by the claim, where a worker
//! asks). `shared/tests/it/states.rs` runs every event on a job in every state and compares what happens with this table;
//! the diagram in `shared/README.md` is drawn from it.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// Where a job stands. The first three live in its dispatch row, the others in its job row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// In the shard, to be published when it is due and its client's turn.
    Waiting,
    /// Published, not yet claimed.
    Queued,
    /// Claimed by a worker.
    Running,
    /// Ended with its entities.
    Succeeded,
    /// Ended with a reason: the dead letter is the row itself.
    Failed,
    /// Ended because its caller no longer wants it.
    Cancelled,
    /// Ended because its deadline passed.
    Expired,
}

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// The dispatcher or the accepting process published it, and the broker confirmed.
    Published,
    /// A worker took it.
    Claimed,
    /// Its worker stopped answering while it ran; the crash is counted.
    Crashed,
    /// It failed in a way that may pass; the error is counted.
    Errored,
    /// It is put off, and nothing is counted: it is paused, it is not due yet, or a store that it needs is overloaded.
    Postponed,
    /// Its worker was stopped and gave it back; its attempt is not counted.
    GivenBack,
    /// Its message was believed lost.
    Requeued,
    /// Its result was written.
    Succeeded,
    /// It ended with a reason.
    Failed,
    /// Its caller or an operator wants it no longer.
    Cancelled,
    /// Its deadline passed.
    Expired,
    /// An operator had it tried again after its end.
    Redriven,
}

/// All there is: in this state this may happen, and leads there. What is not here changes nothing.
pub const TRANSITIONS: [(JobState, Event, JobState); 20] = {
    use Event as E;
    use JobState as S;
    [
        (S::Waiting, E::Published, S::Queued),
        // A worker may be faster than the mark that its message was published.
        (S::Waiting, E::Claimed, S::Running),
        (S::Waiting, E::Cancelled, S::Cancelled),
        (S::Waiting, E::Expired, S::Expired),
        (S::Queued, E::Claimed, S::Running),
        (S::Queued, E::Postponed, S::Waiting),
        (S::Queued, E::Requeued, S::Waiting),
        (S::Queued, E::Cancelled, S::Cancelled),
        (S::Queued, E::Expired, S::Expired),
        // Taken over from a claim that has been silent: it crashed, and in the same statement it is claimed anew.
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

    /// As it stands in the databases and in JSON.
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

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Where the event leads; `None` when it changes nothing here.
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

    /// As it stands in histories.
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
}

/// The table as a diagram (Mermaid's `stateDiagram-v2`), as it stands in `shared/README.md`.
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
            "shared/README.md lacks:\n{diagram}"
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
        /// Whatever happens in whatever order: a result is written only by a job that runs, a job that succeeded or was
        /// cancelled is left alone, and a live job is never further from its end than a claim and an end.
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
