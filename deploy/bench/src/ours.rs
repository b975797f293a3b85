//! Docket as a contestant: one worker of the release build, on a backlog from before its start.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use docket_local::poll;

use crate::docket::{Docket, Row, Uploaded, Worker};
use crate::f1::{Found, LabelledText};
use crate::meter::Meter;
use crate::settings::Settings;
use crate::stats::Figures;

/// Longest time of a round.
const ROUND_MAX: Duration = Duration::from_secs(30 * 60);

/// Reads the corpus once. Time runs from the first claim to the last result in Postgres, by the shards' clocks.
pub async fn round(docket: &mut Docket, texts: &[String], settings: &Settings, stack: u32) -> Result<Figures> {
    let jobs = docket.upload_all(texts).await?;
    let mut worker = docket.worker(settings.cores(), settings.sessions).await?;
    until_ended(docket, &mut worker, &jobs, 1).await?;
    let meter = Meter::start(worker.program.pid(), stack);
    let rows = until_ended(docket, &mut worker, &jobs, jobs.len()).await?;
    let mut figures = meter.stop();
    let work = worker.work().await?;
    let stages = work.stage_seconds.into_iter();
    figures.extend(stages.map(|(stage, seconds)| (format!("stage_seconds.{stage}"), seconds)));
    let stages = work.stage_cpu_seconds.into_iter();
    figures.extend(stages.map(|(stage, seconds)| (format!("stage_cpu_seconds.{stage}"), seconds)));
    figures.insert("padding_share".to_owned(), work.padding_share);
    worker.program.stop().await?;
    let first = rows.iter().filter_map(|row| row.started).fold(f64::INFINITY, f64::min);
    let last = rows.iter().map(|row| row.ended).fold(0.0, f64::max);
    figures.insert("seconds".to_owned(), last - first);
    let windows: i64 = rows.iter().filter_map(|row| row.windows).map(i64::from).sum();
    figures.insert("windows".to_owned(), windows as f64);
    Ok(figures)
}

/// The entities that the worker finds in labelled texts, by the API.
pub async fn entities(docket: &mut Docket, texts: &[LabelledText], settings: &Settings) -> Result<Vec<Vec<Found>>> {
    let texts: Vec<String> = texts.iter().map(|text| text.text.clone()).collect();
    let jobs = docket.upload_all(&texts).await?;
    let mut worker = docket.worker(settings.cores(), settings.sessions).await?;
    until_ended(docket, &mut worker, &jobs, jobs.len()).await?;
    worker.program.stop().await?;
    let mut found = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let entities = docket.entities(job).await?;
        found.push(entities.into_iter().map(Found::from).collect());
    }
    Ok(found)
}

/// Waits until this many of the jobs have ended, and returns their rows; all must have succeeded.
pub async fn until_ended(
    docket: &mut Docket,
    worker: &mut Worker,
    jobs: &[Uploaded],
    count: usize,
) -> Result<Vec<Row>> {
    let rows = poll::until("the worker ends its jobs", ROUND_MAX, async || {
        worker.program.check()?;
        let rows = docket.ended(jobs).await?;
        Ok((rows.len() >= count).then_some(rows))
    })
    .await?;
    let failed = rows.iter().find(|row| !row.succeeded);
    ensure!(failed.is_none(), "a job failed: {}", failed.context("there is one")?.id);
    Ok(rows)
}
