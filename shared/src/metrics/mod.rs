//! Every metric, and one function an event. A metric is described once, here in this folder: what programs serve, what
//! `deploy/prometheus/METRICS.md` says, and which series are there from the start all come from it.
//!
//! Names follow Prometheus: base units, `_total` for counters. No label ever holds a client's id: the number of clients has
//! no bound.

mod broker;
mod database;
mod dispatch;
mod http;
mod jobs;
mod model;
mod objects;
mod process;
mod recorder;
mod table;
mod worker;

use metrics::{Counter, Gauge, Histogram, Key, Level, Metadata};

pub use broker::{connected, dead_message, publish_failed, published, publishing, queue};
pub use database::{Meter, Timed, WaitingCaller, connections, wrong_shard};
pub use dispatch::{
    Waiting, acting, backlog, dispatched, repaired, standing, tick_failed, ticked, waiting, work_waiting, worker_speed,
};
pub use http::{RequestInFlight, http_request, upload};
pub use jobs::{Ended, claimed, job_failed, job_settled, succeeded};
pub use model::{Passes, model_loaded, model_refused, model_serving};
pub use objects::object_request;
pub use process::{ready, sample, span_recorded, spans};
pub use recorder::{known, start};
pub use table::table;
pub use worker::{
    Hands, hands, heartbeat_failed, intake_limit, jobs_running, results_written, stage, stage_cpu, stalled,
};

/// What is measured, and what there is to know of it.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What kind it is of.
    pub kind: Kind,
    /// Who serves it.
    pub by: By,
    /// Its labels.
    pub labels: &'static [Label],
    /// What it says.
    pub help: &'static str,
    /// What has to happen before it is there; nothing for those that always are.
    pub when: &'static str,
}

/// Kinds of metrics.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values up to each of these bounds.
    Histogram(&'static [f64]),
}

/// Programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `docket-producer`, in whatever role.
    Producer,
    /// `docket-worker`.
    Worker,
    /// Each of them.
    Both,
}

impl By {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Worker => "worker",
            Self::Both => "both",
        }
    }
}

/// A label.
#[derive(Debug)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub values: Values,
}

/// What a label may hold. There always is a bound.
#[derive(Debug)]
pub enum Values {
    /// One of these words.
    Words(&'static [&'static str]),
    /// What is named here: as many values as a deployment has of it.
    Named(&'static str),
}

/// Every metric, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    [
        http::ALL,
        dispatch::ALL,
        broker::ALL,
        jobs::ALL,
        worker::ALL,
        model::ALL,
        database::ALL,
        objects::ALL,
        process::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// A shard.
const SHARD: Label = Label::named("shard", "name of the shard");
/// A database.
const DATABASE: Label = Label::named("database", "name of the shard, or `catalog`");
/// A model.
const MODEL: Label = Label::named("model", "name of the model");
/// A job's priority.
const PRIORITY: Label = Label::words("priority", &["interactive", "bulk"]);

/// Bounds in seconds of what should take milliseconds: statements, requests, confirms.
const QUICK: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Bounds in seconds of steps that take from a millisecond to minutes.
const STEPS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0,
];
/// Bounds in seconds of waiting for a turn: nothing on an idle system, hours behind a large backlog.
const WAITS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0,
];
/// Bounds of counts of things done together.
const TOGETHER: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

impl Label {
    const fn words(name: &'static str, words: &'static [&'static str]) -> Self {
        let values = Values::Words(words);
        Self { name, values }
    }

    const fn named(name: &'static str, what: &'static str) -> Self {
        let values = Values::Named(what);
        Self { name, values }
    }
}

impl Metric {
    const fn new(name: &'static str, kind: Kind, by: By, help: &'static str) -> Self {
        Self {
            name,
            kind,
            by,
            labels: &[],
            help,
            when: "",
        }
    }

    const fn labels(self, labels: &'static [Label]) -> Self {
        Self { labels, ..self }
    }

    const fn when(self, when: &'static str) -> Self {
        Self { when, ..self }
    }

    /// The series with these values of its labels, in their order.
    fn counter(&self, values: &[&str]) -> Counter {
        metrics::with_recorder(|recorder| recorder.register_counter(&self.key(values), &METADATA))
    }

    fn gauge(&self, values: &[&str]) -> Gauge {
        metrics::with_recorder(|recorder| recorder.register_gauge(&self.key(values), &METADATA))
    }

    fn histogram(&self, values: &[&str]) -> Histogram {
        metrics::with_recorder(|recorder| recorder.register_histogram(&self.key(values), &METADATA))
    }

    fn key(&self, values: &[&str]) -> Key {
        debug_assert_eq!(values.len(), self.labels.len(), "labels of {}", self.name);
        let label = |(label, value): (&Label, &&str)| {
            debug_assert!(label.takes(value), "{}: {} is no {}", self.name, value, label.name);
            metrics::Label::new(label.name, (*value).to_owned())
        };
        let labels: Vec<_> = self.labels.iter().zip(values).map(label).collect();
        Key::from_parts(self.name, labels)
    }
}

impl Label {
    fn takes(&self, value: &str) -> bool {
        match self.values {
            Values::Words(words) => words.contains(&value),
            Values::Named(_) => true,
        }
    }
}

static METADATA: Metadata<'static> = Metadata::new("docket", Level::INFO, None);

/// 1 for yes, 0 for no.
fn flag(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}
