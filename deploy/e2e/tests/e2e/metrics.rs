//! `/metrics` serves exactly what the table of metrics says.

use std::collections::{BTreeMap, BTreeSet};

use docket_e2e::exposition::{Family, families};
use docket_e2e::system::System;
use docket_process::metrics::{self, By, Kind, Metric, Values};
use jiff::{Timestamp, ToSpan};

use crate::{LETTER, NO_TEXT};

#[tokio::test]
async fn programs_serve_what_the_table_says_and_nothing_else() {
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let before = families(&system.producer.metrics().await);
    let (good, bad) = (caller.upload(LETTER).await, caller.upload_bytes(NO_TEXT).await);
    // The job waits for its time, so that the dispatcher has something to count.
    let tomorrow = Timestamp::now() + 24.hours();
    let later = caller
        .upload_with(&format!("priority=bulk&not_before={tomorrow}"), LETTER)
        .await;
    let worker = system.worker().await;
    caller.until(&good, "succeeded").await;
    caller.until(&bad, "failed").await;
    let counted =
        |line: &str| line.starts_with("docket_backlog_in_flight_jobs") || line.starts_with("docket_queue_consumers");
    system.producer.until_metrics(counted).await;
    system
        .producer
        .until_metrics(|line| line.starts_with("docket_backlog_jobs"))
        .await;
    let served = [
        (By::Producer, families(&system.producer.metrics().await)),
        (By::Worker, families(&worker.metrics().await)),
    ];
    for (program, families) in &served {
        assert_documented(*program, families);
    }
    for metric in metrics::all() {
        let programs = served.iter().filter(|(program, _)| is_by(metric, *program));
        let there: Vec<bool> = programs
            .map(|(_, families)| families.contains_key(metric.name))
            .collect();
        // A metric that must be caused was caused in at least one program.
        let enough = if metric.when.is_empty() {
            there.iter().all(|there| *there)
        } else {
            there.contains(&true)
        };
        assert!(
            enough,
            "{} is in the table, and {there:?} of the programs serve it",
            metric.name
        );
    }
    for metric in metrics::all().filter(|metric| is_by(metric, By::Producer)) {
        assert_at_zero(metric, &before);
    }
    caller.cancel(&later).await;
}

fn is_by(metric: &Metric, program: By) -> bool {
    metric.by == By::Both || metric.by == program
}

/// Asserts that every metric of a program is in the table, with the same type, help and labels.
fn assert_documented(program: By, families: &BTreeMap<String, Family>) {
    for (name, family) in families {
        let metric = metrics::all().find(|metric| metric.name == name && is_by(metric, program));
        let metric = metric.unwrap_or_else(|| panic!("{name} of {program:?} is not in the table"));
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        assert_eq!(
            (family.kind.as_str(), family.help.as_str()),
            (kind, metric.help),
            "{name}"
        );
        let labels: BTreeSet<&str> = metric.labels.iter().map(|label| label.name).collect();
        for series in &family.series {
            assert_eq!(
                series.keys().map(String::as_str).collect::<BTreeSet<_>>(),
                labels,
                "{name}"
            );
            for label in metric.labels {
                if let Values::Words(words) = label.values {
                    let value = series[label.name].as_str();
                    assert!(words.contains(&value), "{name} has the {} {value}", label.name);
                }
            }
        }
    }
}

/// Asserts that a counter whose label values are all known has every series before anything happened.
fn assert_at_zero(metric: &Metric, families: &BTreeMap<String, Family>) {
    let words = metric.labels.iter().map(|label| match label.values {
        Values::Words(words) => Some(words.len()),
        Values::Named(_) => None,
    });
    if let (Some(series), Kind::Counter | Kind::Histogram(_)) = (words.product::<Option<usize>>(), metric.kind) {
        let there = families.get(metric.name).map_or(0, |family| family.series.len());
        assert_eq!(there, series, "series of {} at the start", metric.name);
    }
}
