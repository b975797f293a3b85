//! Queries a Prometheus.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::dashboards::Query;

/// A client of one Prometheus.
pub struct Asker {
    http: reqwest::Client,
    base: String,
}

impl Asker {
    /// A client of the Prometheus at this base URL.
    pub fn new(base: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: base.to_owned(),
        }
    }

    /// Whether a query returns numbers, with the labels that its legend names. A malformed query fails the test.
    pub async fn has_data(&self, query: &Query) -> bool {
        let expression = utf8_percent_encode(&query.expression, NON_ALPHANUMERIC);
        let request = self.http.get(format!("{}/api/v1/query?query={expression}", self.base));
        let response = request.send().await.expect("Prometheus answers");
        let answer: Value = response.json().await.expect("the answer is JSON");
        assert_eq!(answer["status"], "success", "{query:?}: {answer}");
        let series = answer["data"]["result"].as_array().expect("a vector");
        let numbers = series.iter().filter(|one| one["value"][1] != "NaN");
        let mut numbers = numbers.map(|one| &one["metric"]).peekable();
        numbers.peek().is_some() && numbers.all(|metric| query.labels.iter().all(|label| metric[label].is_string()))
    }

    /// The errors of rules so far.
    pub async fn rule_errors(&self) -> Vec<String> {
        let response = self.http.get(format!("{}/api/v1/rules", self.base)).send().await;
        let answer: Value = response
            .expect("Prometheus answers")
            .json()
            .await
            .expect("the answer is JSON");
        let groups = answer["data"]["groups"].as_array().expect("groups");
        assert!(!groups.is_empty(), "no rules were read");
        let rules = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().expect("rules"));
        let failed = rules.filter(|rule| rule["health"] == "err");
        failed.map(ToString::to_string).collect()
    }
}
