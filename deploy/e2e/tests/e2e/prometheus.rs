//! Rules, alerts and dashboards in a real Prometheus, on real processes under load.

use std::path::PathBuf;
use std::time::Duration;

use docket_e2e::dashboards::{self, Dashboard, Query};
use docket_e2e::query::Asker;
use docket_e2e::system::{Program, System};
use docket_process::metrics;
use docket_testing::Prometheus;
use tokio::process::Command;

use crate::{LETTER, NO_TEXT};

/// Longest time until every panel has data: rates need two scrapes, 1 s apart; backlog counts need 5 s.
const DATA_MAX: Duration = Duration::from_secs(90);

fn folder(name: &str) -> PathBuf {
    docket_testing::checkout().root().join("deploy").join(name)
}

#[tokio::test]
async fn rules_are_sound_and_alerts_fire_when_they_should() {
    let folder = folder("prometheus");
    for arguments in [
        &["check", "rules", "rules.yml", "alerts.yml"][..],
        &["check", "config", "prometheus.yml"],
        &["test", "rules", "alerts_test.yml"],
    ] {
        let (good, said) = Prometheus::promtool(&folder, arguments).await;
        assert!(good, "{arguments:?}: {said}");
    }
}

#[test]
fn every_alert_is_tested_and_described() {
    let read = |file: &str| std::fs::read_to_string(folder("prometheus").join(file)).unwrap();
    let (alerts, tests, objectives) = (read("alerts.yml"), read("alerts_test.yml"), read("SLO.md"));
    let names: Vec<&str> = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(names.len() > 10);
    for name in names {
        let asked: Vec<&str> = tests.split(&format!("alertname: {name}\n")).skip(1).collect();
        let fires = |after: &&&str| after.trim_start().starts_with("exp_alerts");
        assert!(asked.iter().any(|after| fires(&after)), "no test makes {name} fire");
        assert!(
            asked.iter().any(|after| !fires(&after)),
            "no test keeps {name} from firing"
        );
        assert!(objectives.contains(&format!("`{name}`")), "SLO.md does not name {name}");
    }
}

#[test]
fn alerts_and_panels_lead_to_pages_that_are_there() {
    let dashboards = std::fs::read_dir(folder("grafana/dashboards")).unwrap();
    let mut files: Vec<PathBuf> = dashboards.map(|entry| entry.unwrap().path()).collect();
    files.push(folder("prometheus/alerts.yml"));
    let mut pages = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // Links are `${runbooks}/page.md` in a panel and `{{ $externalLabels.runbooks }}/page.md` in an alert.
        for link in text.split("runbooks").skip(1) {
            let link = link.trim_start_matches(['}', ' ']);
            let Some(page) = link.strip_prefix('/').and_then(|link| link.split('"').next()) else {
                continue;
            };
            let there = folder("runbooks").join(page).is_file();
            assert!(there, "{} leads to {page}, which is not there", file.display());
            pages += 1;
        }
    }
    assert!(pages > 30, "only {pages} links were found");
}

#[tokio::test]
async fn dashboards_are_what_their_generator_writes() {
    let generator = folder("grafana").join("dashboards.py");
    let checked = Command::new("python3")
        .arg(generator)
        .arg("--check")
        .output()
        .await
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[tokio::test]
async fn every_panel_has_data_under_load() {
    let system = System::start().await;
    let worker = system.worker().await;
    let prometheus = Prometheus::start(&configuration(&[
        ("docket-producer", &system.producer),
        ("docket-worker", &worker),
    ]))
    .await;
    let queries: Vec<Query> = dashboards::of(&folder("grafana/dashboards"))
        .iter()
        .flat_map(Dashboard::queries)
        .collect();
    queries.iter().for_each(assert_measured);
    assert!(queries.len() > 80, "{} queries", queries.len());
    let asker = Asker::new(&prometheus.base);
    let answered = async {
        let mut missing = queries;
        while !missing.is_empty() {
            let mut still = Vec::new();
            for query in missing {
                if !asker.has_data(&query).await {
                    still.push(query);
                }
            }
            missing = still;
            if let Some(query) = missing.first() {
                println!("{} queries without data, such as {query:?}", missing.len());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    tokio::select! {
        () = load(&system) => unreachable!("the load has no end"),
        answered = tokio::time::timeout(DATA_MAX, answered) => assert!(answered.is_ok(), "a panel has no data: see above"),
    }
    assert_eq!(asker.rule_errors().await, Vec::<String>::new());
}

/// Asserts that each metric of a query exists.
fn assert_measured(query: &Query) {
    let is_known = |name: &String| metrics::all().any(|metric| name.starts_with(metric.name));
    let unknown = query.metrics().into_iter().find(|name| !is_known(name));
    assert_eq!(unknown, None, "{query:?} asks for what nobody measures");
}

/// A configuration that scrapes these programs every second, with the repository's rules.
fn configuration(programs: &[(&str, &Program)]) -> String {
    let rules = folder("prometheus");
    let mut text = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: {{runbooks: deploy/runbooks}}}}\n\
         rule_files: [{0}/rules.yml, {0}/alerts.yml]\n\
         scrape_configs:\n",
        rules.display()
    );
    for (job, program) in programs {
        let address = program.base.trim_start_matches("http://");
        text.push_str(&format!(
            "  - {{job_name: {job}, static_configs: [{{targets: ['{address}']}}]}}\n"
        ));
    }
    text
}

/// Uploads for several clients without end: good documents of both priorities, unreadable ones, and refused ones. One client is
/// capped, and one is paused.
async fn load(system: &System) {
    let callers = [
        system.caller("acme").await,
        system.caller("capped").await,
        system.caller("paused").await,
    ];
    system
        .operator(&["clients", "set", "capped", "--new", "--in-flight-max", "1"])
        .await;
    system
        .operator(&["clients", "set", "paused", "--new", "--weight", "1"])
        .await;
    system.operator(&["pause", "--client", "paused"]).await;
    callers[2].upload(LETTER).await;
    loop {
        for caller in &callers[..2] {
            for priority in ["interactive", "bulk"] {
                let accepted = caller
                    .upload_with(&format!("priority={priority}"), &LETTER.repeat(10))
                    .await;
                caller.get(&format!("/v1/documents/{}", accepted.document)).await;
            }
            caller.upload_bytes(NO_TEXT).await;
            assert!((400..500).contains(&caller.try_upload("").await));
        }
        callers[0]
            .get("/v1/documents/00000000-0000-7000-8000-000000000000")
            .await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
