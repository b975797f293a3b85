//! Reads Prometheus' text format independently: the type and the series of each metric.

use std::collections::{BTreeMap, BTreeSet};

/// All that a process exposes of one metric.
#[derive(Debug, Default)]
pub struct Family {
    /// The metric's type, such as `counter`.
    pub kind: String,
    /// The metric's help text.
    pub help: String,
    /// The labels of each series, without `le`.
    pub series: BTreeSet<BTreeMap<String, String>>,
}

/// Every metric of a text, by name.
pub fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            help.clone_into(&mut families.entry(name.to_owned()).or_default().help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kind.clone_into(&mut families.entry(name.to_owned()).or_default().kind);
        } else if !line.is_empty() {
            let (name, labels) = series(line);
            let family = family_of(name, &families);
            families.entry(family).or_default().series.insert(labels);
        }
    }
    families
}

/// The metric name of a line, and its labels.
fn series(line: &str) -> (&str, BTreeMap<String, String>) {
    let Some((name, rest)) = line.split_once('{') else {
        return (line.split(' ').next().unwrap_or_default(), BTreeMap::new());
    };
    let (labels, _value) = rest.rsplit_once('}').expect("labels end");
    let pairs = labels.split("\",").filter_map(|pair| pair.split_once("=\""));
    let pairs = pairs.map(|(label, value)| (label.to_owned(), value.trim_end_matches('"').to_owned()));
    (name, pairs.filter(|(label, _)| label != "le").collect())
}

/// The metric of a series: a histogram's series have suffixes.
fn family_of(name: &str, families: &BTreeMap<String, Family>) -> String {
    let is_histogram = |name: &&str| families.get(*name).is_some_and(|family| family.kind == "histogram");
    let whole = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    whole.filter(is_histogram).unwrap_or(name).to_owned()
}
