//! The queries of Grafana's dashboards, read from their JSON.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// Values for Grafana's own variables in a query, and for the choice "all" of our variables.
const VARIABLES: [(&str, &str); 4] = [
    ("$__rate_interval", "10s"),
    ("$__interval", "1s"),
    ("$shard", ".*"),
    ("$model", ".*"),
];

/// A dashboard: its title and its JSON.
#[derive(Debug)]
pub struct Dashboard {
    title: String,
    json: Value,
}

/// A query of a panel, or of a variable, which offers labels.
#[derive(Debug, Clone)]
pub struct Query {
    /// Dashboard and panel of the query, for messages.
    pub place: String,
    /// The query in PromQL.
    pub expression: String,
    /// Labels that the legend names or the variable offers.
    pub labels: Vec<String>,
}

/// Reads a folder's dashboards, and checks that their ids and each dashboard's panel ids are unique.
pub fn of(folder: &Path) -> Vec<Dashboard> {
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let dashboards: Vec<Dashboard> = files
        .map(|file| {
            let text = std::fs::read(file.expect("it can be listed").path()).expect("it can be read");
            let json: Value = serde_json::from_slice(&text).expect("it is JSON");
            let title = json["title"].as_str().expect("a title").to_owned();
            Dashboard { title, json }
        })
        .collect();
    let ids: BTreeSet<&str> = dashboards.iter().filter_map(|one| one.json["uid"].as_str()).collect();
    assert_eq!(ids.len(), dashboards.len(), "two dashboards have one uid");
    dashboards
}

impl Dashboard {
    /// All queries of the dashboard.
    pub fn queries(&self) -> Vec<Query> {
        let panels = self.json["panels"].as_array().expect("panels");
        let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels.len(), "two panels of {} have one id", self.title);
        let of_panels = panels.iter().flat_map(|panel| {
            let targets = panel["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
            targets.iter().map(move |target| self.of_target(panel, target))
        });
        let variables = self.json["templating"]["list"].as_array().expect("variables");
        let of_variables = variables.iter().filter(|variable| variable["type"] == "query");
        of_panels
            .chain(of_variables.map(|variable| self.of_variable(variable)))
            .collect()
    }

    fn of_target(&self, panel: &Value, target: &Value) -> Query {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let legend = text(&target["legendFormat"]);
        let labels = legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
        Query {
            place: format!("{}: {}", self.title, text(&panel["title"])),
            expression: substituted(&text(&target["expr"])),
            labels: labels.map(|(label, _)| label.trim().to_owned()).collect(),
        }
    }

    /// `label_values(metric, label)`.
    fn of_variable(&self, variable: &Value) -> Query {
        let query = variable["query"]["query"].as_str().expect("a query");
        let inner = query
            .strip_prefix("label_values(")
            .and_then(|rest| rest.strip_suffix(')'));
        let (metric, label) = inner
            .and_then(|inner| inner.split_once(", "))
            .expect("label_values(metric, label)");
        Query {
            place: format!("{}: ${}", self.title, variable["name"]),
            expression: substituted(metric),
            labels: vec![label.to_owned()],
        }
    }
}

fn substituted(expression: &str) -> String {
    let replaced = VARIABLES
        .iter()
        .fold(expression.to_owned(), |text, (name, value)| text.replace(name, value));
    assert!(
        !replaced.contains('$'),
        "{replaced} has a variable that is not known here"
    );
    replaced
}

impl Query {
    /// The metrics that the query names, without the levels and operations of recording rules.
    pub fn metrics(&self) -> Vec<String> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words = self.expression.split(|c| !is_name(c));
        words
            .filter(|word| word.starts_with("docket_"))
            .map(str::to_owned)
            .collect()
    }
}
