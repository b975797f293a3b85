//! The table of all metrics, for readers.

use super::{Kind, Label, Metric, Values, all};

/// Content of `deploy/prometheus/METRICS.md`.
pub fn table() -> String {
    let mut text = "# Metrics\n\n\
         Everything that `/metrics` of `docket-producer` and `docket-worker` serves. Written by `docket-producer metrics`.\n\n\
         No label holds a client's id. A counter or histogram is at zero from the start if this page lists every value of its\n\
         labels. A counter or histogram of a shard, database or model is at zero from when the process is told of that shard,\n\
         database or model.\n\n\
         | name | type | served by | labels | meaning |\n|---|---|---|---|---|\n"
        .to_owned();
    for metric in all() {
        text.push_str(&row(metric));
    }
    text
}

fn row(metric: &Metric) -> String {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram(_) => "histogram",
    };
    let labels: Vec<String> = metric.labels.iter().map(label).collect();
    let when = match metric.when {
        "" => String::new(),
        when => format!("; exists {when}"),
    };
    let (name, by, labels, help) = (metric.name, metric.by.as_str(), labels.join("<br>"), metric.help);
    format!("| `{name}` | {kind} | {by} | {labels} | {help}{when} |\n")
}

fn label(label: &Label) -> String {
    match label.values {
        Values::Words(words) => format!("`{}`: {}", label.name, words.join(", ")),
        Values::Named(what) => format!("`{}`: {what}", label.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Database and broker users, as the runbooks and pages name them.
    const ROLES: [&str; 9] = [
        "docket_a",
        "docket_b",
        "docket_owner",
        "docket_api",
        "docket_dispatch",
        "docket_worker",
        "docket_api_a",
        "docket_dispatch_a",
        "docket_worker_a",
    ];

    #[test]
    fn the_table_in_the_repository_is_this_one() {
        let kept = include_str!("../../../../deploy/prometheus/METRICS.md");
        assert_eq!(
            kept,
            table(),
            "run `docket-producer metrics > deploy/prometheus/METRICS.md`"
        );
    }

    /// Every word of a text that begins with `docket_`.
    fn words(text: &str) -> impl Iterator<Item = &str> {
        let starts = text.match_indices("docket_").map(|(start, _)| &text[start..]);
        starts.map(|rest| {
            let end = rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
    }

    #[test]
    fn people_are_sent_to_metrics_that_are_there() {
        let deploy = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");
        let folders = ["runbooks", "docs"].map(|folder| std::fs::read_dir(format!("{deploy}/{folder}")).unwrap());
        let pages = folders.into_iter().flatten();
        let mut pages: Vec<_> = pages.map(|page| page.unwrap().path()).collect();
        pages.extend(["prometheus/SLO.md", "prometheus/README.md"].map(|page| format!("{deploy}/{page}").into()));
        let is_metric = |word: &str| match word.strip_suffix('_') {
            // `docket_backlog_*`.
            Some(several) => all().any(|metric| metric.name.starts_with(several)),
            None => all().any(|metric| metric.name == word),
        };
        let mut found = 0;
        for page in pages {
            let text = std::fs::read_to_string(&page).unwrap();
            for word in words(&text).filter(|word| !ROLES.contains(word)) {
                assert!(is_metric(word), "{}: {word} is not measured", page.display());
                found += 1;
            }
        }
        assert!(found > 10, "only {found} were found");
    }

    #[test]
    fn names_are_as_prometheus_wants_them() {
        let mut names = std::collections::HashSet::new();
        for Metric {
            name,
            kind,
            labels,
            help,
            ..
        } in all()
        {
            assert!(names.insert(name), "{name} is there twice");
            assert!(name.starts_with("docket_") || name.starts_with("process_"), "{name}");
            assert_eq!(matches!(kind, Kind::Counter), name.ends_with("_total"), "{name}");
            assert!(
                !name.contains("milli") && !name.contains("percent"),
                "{name} is in no base unit"
            );
            assert!(
                !help.is_empty() && !help.contains('|') && !help.ends_with('.'),
                "{name}"
            );
            for Label { name: label, .. } in *labels {
                assert!(
                    !label.contains("client") && !["le", "job", "instance"].contains(label),
                    "{name}: {label}"
                );
            }
        }
    }

    #[test]
    fn bounds_of_histograms_ascend() {
        for metric in all() {
            if let Kind::Histogram(bounds) = metric.kind {
                assert!(bounds.is_sorted() && bounds.len() > 4, "{}", metric.name);
            }
        }
    }
}
