//! The recorder: described, with the right buckets, and with every series that can be foreseen at zero, since a series that
//! begins at one shows no increase to a rate.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::{By, Kind, Label, Metric, Values, all, process};

/// Makes the recorder of this program; the handle renders `/metrics`.
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

/// Something that a label names is there from now on: a shard, a model. What counts its events begins at zero.
pub fn known(service: By, label: &str, value: &str) {
    let has = |metric: &&Metric| metric.labels.iter().any(|one| one.name == label);
    of(service)
        .filter(has)
        .for_each(|metric| at_zero(metric, Some((label, value))));
}

fn of(service: By) -> impl Iterator<Item = &'static Metric> {
    all().filter(move |metric| metric.by == By::Both || metric.by == service)
}

/// Registers every series of which all labels are known, this one included. Gauges are left to those who set them.
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
