//! The workers, as they report to the catalog.

use std::collections::BTreeMap;

use docket_store::operate::inspect::{self, Reported};
use docket_store::work::backlog::Backlog;
use docket_store::{StoreConfig, StoreError};

use crate::doctor::report::Finding;
use crate::doctor::{autoscaler, database};

/// Seconds of silence after which a worker counts as gone, as for the dispatcher; a worker reports every few seconds.
const SILENT: f64 = 30.0;
const PART: &str = "workers";

/// Examines the workers, and the autoscaler's target by the workers' speed. Without the catalog there is nothing to examine.
pub async fn examine(config: &StoreConfig, backlog: &[Backlog], target: u32) -> Vec<Finding> {
    let Ok(reported) = reports(config).await else {
        return vec![Finding::note(
            PART,
            "the catalog, which has their reports, does not tell",
        )];
    };
    let mut findings = live(&reported, backlog);
    findings.push(autoscaler::examine(&models(&reported, backlog), target));
    findings
}

async fn reports(config: &StoreConfig) -> Result<Vec<Reported>, StoreError> {
    inspect::knock("catalog", &config.catalog_url).await?;
    inspect::workers(&database::open(config, ("catalog", &config.catalog_url))?).await
}

fn live(reported: &[Reported], backlog: &[Backlog]) -> Vec<Finding> {
    let mut models: BTreeMap<&str, Vec<&Reported>> = BTreeMap::new();
    for report in reported.iter().filter(|report| report.seconds_ago < SILENT) {
        models.entry(&report.model).or_default().push(report);
    }
    let mut findings = Vec::new();
    for (model, reports) in &models {
        let speed: f64 = reports.iter().map(|report| report.tokens_per_second).sum();
        let last = reports
            .iter()
            .map(|report| report.seconds_ago)
            .fold(f64::INFINITY, f64::min);
        let mut versions: Vec<&str> = reports.iter().map(|report| report.model_version.as_str()).collect();
        versions.sort_unstable();
        versions.dedup();
        findings.push(Finding::ok(
            PART,
            format!(
                "{} serve {model}@{}, {speed:.0} tokens/s together; the last report {last:.0} s ago",
                reports.len(),
                versions.join(", @")
            ),
        ));
    }
    let mut waiting: Vec<&str> = backlog.iter().map(|backlog| backlog.model.as_str()).collect();
    waiting.sort_unstable();
    waiting.dedup();
    for model in waiting.into_iter().filter(|model| !models.contains_key(model)) {
        let finding = Finding::warn(
            PART,
            format!("none reports that it serves {model}, for which jobs wait"),
        );
        let finding = finding.means("these jobs wait until one does");
        findings.push(
            finding.remedy("start workers with this model in DOCKET_MODELS; see their log when they do not get ready"),
        );
    }
    if findings.is_empty() {
        let last = reported
            .first()
            .map(|report| format!(", the last one {:.0} s ago", report.seconds_ago));
        let what = format!("none reported within {SILENT:.0} s{}", last.unwrap_or_default());
        let finding = Finding::warn(PART, what).means("what is accepted now waits for the first of them");
        findings.push(finding.remedy("fine where the autoscaler starts them with the first job; else start some"));
    }
    findings
}

/// Each model's mean speed of a worker, and the mean size of its documents while some wait.
fn models(reported: &[Reported], backlog: &[Backlog]) -> Vec<autoscaler::Model> {
    let mut models = Vec::new();
    for name in reported
        .iter()
        .map(|report| &report.model)
        .collect::<std::collections::BTreeSet<_>>()
    {
        let of =
            |report: &&Reported| report.model == *name && report.seconds_ago < SILENT && report.tokens_per_second > 0.0;
        let speeds: Vec<f64> = reported
            .iter()
            .filter(of)
            .map(|report| report.tokens_per_second)
            .collect();
        if speeds.is_empty() {
            continue;
        }
        let waiting: Vec<&Backlog> = backlog.iter().filter(|backlog| backlog.model == *name).collect();
        let (jobs, bytes): (i64, i64) = waiting
            .iter()
            .fold((0, 0), |sum, of| (sum.0 + of.jobs, sum.1 + of.bytes));
        models.push(autoscaler::Model {
            name: name.clone(),
            tokens_per_second: speeds.iter().sum::<f64>() / speeds.len() as f64,
            mean_job_bytes: (jobs > 0).then(|| bytes as f64 / jobs as f64),
        });
    }
    models
}
