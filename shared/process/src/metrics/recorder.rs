//! The recorder: has every metric's help text and buckets, and starts every foreseeable counter at zero. A series that begins at
//! one shows no increase to `rate`.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::{By, Kind, Label, Metric, Values, all, process};

/// Makes the recorder of this program. The handle renders `/metrics`.
pub fn start(service: By) -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for metric in all() {
        if let Kind::Histogram(bounds) = metric.kind {
            builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)?;
        }
    }
    let handle = builder.install_recorder()?;
    metrics::with_recorder(|recorder| {
        for Metric { name, kind, help, .. } in all() {
            match kind {
                Kind::Counter => recorder.describe_counter((*name).into(), None, (*help).into()),
                Kind::Gauge => recorder.describe_gauge((*name).into(), None, (*help).into()),
                Kind::Histogram(_) => recorder.describe_histogram((*name).into(), None, (*help).into()),
            }
        }
    });
    of(service).for_each(|metric| at_zero(metric, None));
    process::build_info(service);
    Ok(handle)
}

/// A shard, model or other thing that a label names exists from now on: counters of its events begin at zero.
pub fn known(service: By, label: &str, value: &str) {
    let has = |metric: &&Metric| metric.labels.iter().any(|one| one.name == label);
    of(service)
        .filter(has)
        .for_each(|metric| at_zero(metric, Some((label, value))));
}

fn of(service: By) -> impl Iterator<Item = &'static Metric> {
    all().filter(move |metric| metric.by == By::Both || metric.by == service)
}

/// Registers every series of the metric whose label values are all known, `given` included. Gauges are left to whoever sets them.
fn at_zero(metric: &Metric, given: Option<(&str, &str)>) {
    let choices = |label: &'static Label| match label.values {
        Values::Words(words) => words.to_vec(),
        Values::Named(_) => Vec::new(),
    };
    let mut series: Vec<Vec<&str>> = vec![Vec::new()];
    for label in metric.labels {
        let values = match given {
            Some((name, value)) if name == label.name => vec![value],
            Some(_) | None => choices(label),
        };
        let longer = |before: Vec<_>| {
            let values = values.iter();
            values
                .map(move |value| [&before[..], &[*value]].concat())
                .collect::<Vec<_>>()
        };
        series = series.into_iter().flat_map(longer).collect();
    }
    for values in series {
        match metric.kind {
            Kind::Counter => drop(metric.counter(&values)),
            Kind::Histogram(_) => drop(metric.histogram(&values)),
            Kind::Gauge => {}
        }
    }
}
