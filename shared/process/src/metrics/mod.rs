//! Every metric, and one function per event. A metric is declared once, in this folder. `/metrics`,
//! `deploy/prometheus/METRICS.md` and the series that exist from the start all come from the declaration.
//!
//! Names follow Prometheus: base units, `_total` for counters. No label ever holds a client's id, since the number of clients has
//! no bound.

mod broker;
mod database;
mod dispatch;
mod http;
mod jobs;
mod model;
mod objects;
mod parsers;
mod process;
mod recorder;
mod table;
mod worker;

use docket_contract::job::Priority;
use metrics::{Counter, Gauge, Histogram, Key, Level, Metadata};

pub use broker::{Path, Undeliverable, connected, dead_message, publish_failed, published, publishing, queue};
pub use database::{Meter, Timed, WaitingCaller, connections, wrong_shard};
pub use dispatch::{
    OpenWork, Repair, TickFailure, Waiting, acting, backlog, dispatched, open_work, repaired, tick_failed, ticked,
    waiting, work_waiting, worker_speed,
};
pub use http::{RequestInFlight, http_request, upload};
pub use jobs::{Ended, claimed, job_failed, job_settled, succeeded};
pub use model::{Passes, model_loaded, model_refused, model_serving};
pub use objects::{Operation, object_request};
pub use parsers::{document_read, image_ended, parser_ended, parsers_started, picture_ended, sandbox};
pub use process::{ready, sample, span_recorded, spans};
pub use recorder::{known, start};
pub use table::table;
pub use worker::{
    Hands, hands, heartbeat_failed, intake_limit, jobs_running, results_written, stage, stage_cpu, stalled,
};

/// A metric's declaration.
#[derive(Debug)]
pub struct Metric {
    /// Name of the metric in Prometheus.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Which program serves the metric.
    pub by: By,
    /// Labels, in the order in which their values are given.
    pub labels: &'static [Label],
    /// Help text of the metric.
    pub help: &'static str,
    /// What must happen before the metric exists; empty for a metric that always exists.
    pub when: &'static str,
}

/// Kinds of metrics, after Prometheus.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values up to each of these bounds.
    Histogram(&'static [f64]),
}

/// Which program serves a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `docket-producer`, in any role.
    Producer,
    /// `docket-worker`.
    Worker,
    /// `docket-producer` and `docket-worker`.
    Both,
}

impl By {
    /// The program's word, as in the label `service`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Worker => "worker",
            Self::Both => "both",
        }
    }
}

/// A label of a metric.
#[derive(Debug)]
pub struct Label {
    /// Name of the label in Prometheus.
    pub name: &'static str,
    /// Values that the label may hold.
    pub values: Values,
}

/// Values that a label may hold. Their number always has a bound.
#[derive(Debug)]
pub enum Values {
    /// The label's value is one of these words.
    Words(&'static [&'static str]),
    /// Names of the things that this text describes: as many as the deployment has.
    Named(&'static str),
}

/// Every metric, in the order of `METRICS.md`.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    [
        http::ALL,
        dispatch::ALL,
        broker::ALL,
        jobs::ALL,
        worker::ALL,
        parsers::ALL,
        model::ALL,
        database::ALL,
        objects::ALL,
        process::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The shard that a series is about.
const SHARD: Label = Label::named("shard", "name of the shard");
/// The database that a series is about.
const DATABASE: Label = Label::named("database", "name of the shard, or `catalog`");
/// The model that a series is about.
const MODEL: Label = Label::named("model", "name of the model");
/// The priority of the jobs of a series.
const PRIORITY: Label = Label::words("priority", Priority::WORDS);

/// Bounds in seconds for what should take milliseconds: statements, requests, confirms.
const QUICK: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Bounds in seconds for steps that take from a millisecond to minutes.
const STEPS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0,
];
/// Bounds in seconds for the wait for a turn: no time on an idle system, hours behind a large backlog.
const WAITS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0,
];
/// Bounds for the number of things done together.
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

    /// The counter with these values of the labels, in the labels' order.
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
