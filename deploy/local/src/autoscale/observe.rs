//! Reads the work to do where KEDA's triggers read it: from RabbitMQ's management API and from the producers' metrics.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result};
use docket_queue::topology;

use super::formula::Signal;
use crate::rabbit::Management;
use crate::running::Running;

/// The gauge of waiting work, in seconds; each producer reports its own part.
const WORK_WAITING: &str = "docket_work_waiting_seconds{";
/// How long a producer may take to answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);

/// Reads the signal of one running Docket.
#[derive(Debug)]
pub struct Observer {
    management: Management,
    vhost: String,
    producers: Vec<String>,
    http: reqwest::Client,
}

impl Observer {
    /// An observer of this running Docket.
    pub fn new(running: &Running) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(ANSWER_DEADLINE).no_proxy().build();
        Ok(Self {
            management: running.broker.management()?,
            vhost: running.vhost.clone(),
            producers: running.producers.clone(),
            http: http.context("make an HTTP client")?,
        })
    }

    /// The work to do now, and why a part of it is unknown, if one is.
    pub async fn look(&self) -> (Signal, Option<anyhow::Error>) {
        let (messages, work_seconds) = tokio::join!(self.messages(), self.work_seconds());
        let signal = Signal {
            messages: messages.as_ref().ok().copied(),
            work_seconds: work_seconds.as_ref().ok().copied(),
        };
        (signal, messages.err().or(work_seconds.err()))
    }

    /// Messages of all model queues, which the trigger selects by `^docket\.jobs\.`.
    async fn messages(&self) -> Result<u64> {
        let prefix = format!("{}.", topology::JOBS);
        let queues = self.management.queue_depths(&self.vhost).await?;
        let of_models = queues.iter().filter(|(name, _)| name.starts_with(&prefix));
        Ok(of_models.map(|(_, depth)| depth.ready + depth.unacknowledged).sum())
    }

    async fn work_seconds(&self) -> Result<f64> {
        let mut pages = Vec::new();
        for producer in &self.producers {
            let answer = self.http.get(format!("{producer}/metrics")).send().await;
            let answer = answer.and_then(reqwest::Response::error_for_status);
            pages.push(answer.context("ask a producer for its metrics")?.text().await?);
        }
        Ok(work_waiting(&pages))
    }
}

/// `sum(max by (shard, model) (docket_work_waiting_seconds))` over the producers' metrics.
fn work_waiting(pages: &[String]) -> f64 {
    let mut highest: HashMap<&str, f64> = HashMap::new();
    let lines = pages.iter().flat_map(|page| page.lines());
    for line in lines.filter(|line| line.starts_with(WORK_WAITING)) {
        if let Some((series, value)) = line.rsplit_once(' ')
            && let Ok(value) = value.parse::<f64>()
        {
            let known = highest.entry(series).or_insert(value);
            *known = known.max(value);
        }
    }
    highest.values().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_and_model_counts_once() {
        let first = "# TYPE docket_work_waiting_seconds gauge\n\
                     docket_work_waiting_seconds{shard=\"s1\",model=\"ner-legal\"} 30.5\n\
                     docket_work_waiting_seconds{shard=\"s2\",model=\"ner-legal\"} 0\n\
                     docket_work_waiting_seconds{shard=\"s1\",model=\"other\"} 1e1\n\
                     docket_backlog_jobs{shard=\"s1\",model=\"ner-legal\"} 999\n";
        let second = "docket_work_waiting_seconds{shard=\"s1\",model=\"ner-legal\"} 0\n\
                      docket_work_waiting_seconds{shard=\"s2\",model=\"ner-legal\"} 2\n";
        assert_eq!(work_waiting(&[first.into(), second.into()]), 42.5);
        assert_eq!(work_waiting(&["docket_build_info{} 1\n".into()]), 0.0);
    }
}
