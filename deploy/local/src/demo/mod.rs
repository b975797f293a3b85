//! `docket-local run`: starts all of Docket on this machine and shows it at work on documents.

mod coverage;
mod documents;
mod kept;
mod report;
mod services;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::checkout::Checkout;
use crate::deps::Deps;
use crate::running::{self, Announced};
use crate::signals;
use crate::stack::{Stack, StackOptions};
use crate::state::{StateDir, write_private};

use docket_client::{Client, State};
use documents::Document;
use services::{Ports, Services};

/// Shards of a state without earlier runs.
const SHARDS: usize = 2;
/// How long to wait for another launcher of this checkout to stop.
const PREDECESSOR_DEADLINE: Duration = Duration::from_secs(5);
/// How often the states of documents are requested: they change within tenths of a second.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How often the processes are checked while nothing else happens.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// How long the API may stay silent during the analysis: a producer that died is up again within seconds.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// How long the analysis of all documents may take: a thousand large ones on two cores.
const ANALYSIS_DEADLINE: Duration = Duration::from_secs(3600);

/// The options of the command line.
#[derive(Debug)]
pub struct DemoOptions {
    /// End after the documents are analysed.
    pub exits: bool,
    /// Delete the state of earlier runs before the start.
    pub fresh: bool,
    /// Number of shards; by default that of the state.
    pub shards: Option<usize>,
    /// Number of worker processes.
    pub workers: usize,
    /// Port of the API; by default 8080 if it is free.
    pub api_port: Option<u16>,
    /// Documents to upload instead of the samples.
    pub paths: Vec<PathBuf>,
}

/// The folders of a run.
#[derive(Debug)]
struct Site<'a> {
    checkout: &'a Checkout,
    logs: PathBuf,
    token_file: PathBuf,
    header_file: PathBuf,
    running_file: PathBuf,
}

/// Starts everything, analyses the documents, prints their entities, and stays up until told to stop.
pub async fn run(checkout: &Checkout, options: DemoOptions) -> Result<ExitCode> {
    let started = Instant::now();
    if options.exits && options.workers == 0 {
        bail!("nobody would analyse the documents: --exit needs workers");
    }
    let documents = documents(checkout, &options.paths)?;
    let stop = signals::stop_on_signals()?;
    let folder = checkout.state()?;
    let site = Site {
        checkout,
        logs: folder.join("logs"),
        token_file: folder.join("token"),
        header_file: folder.join("auth"),
        running_file: running::file(&folder),
    };
    let begun = stop.run_until_cancelled(begin(&site, &folder, &options)).await;
    let Some((mut stack, mut services)) = begun.transpose()? else {
        return Ok(ExitCode::FAILURE);
    };
    let shown = stop
        .run_until_cancelled(show(&site, &mut stack, &mut services, &documents, started))
        .await;
    let outcome = match shown {
        Some(Ok(announced)) if options.exits => {
            drop(announced); // Dropped before the state is let go: the next run announces itself in the same file.
            Ok(())
        }
        Some(Ok(_announced)) => stop
            .run_until_cancelled(watch(&mut stack, &mut services))
            .await
            .unwrap_or(Ok(())),
        Some(Err(error)) => Err(error),
        None => Err(anyhow!("told to stop before it was done")),
    };
    if let Err(error) = &outcome {
        eprintln!("\ndocket-local: {error:#}");
    }
    println!("\nstopping workers, producer and servers ...");
    services.stop().await;
    stack.stop().await;
    Ok(if outcome.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Starts the servers, and prepares the services without starting them.
async fn begin(site: &Site<'_>, folder: &Path, options: &DemoOptions) -> Result<(Stack, Services)> {
    let mut state = StateDir::hold(&folder.join("demo"), PREDECESSOR_DEADLINE).await?;
    if options.fresh {
        state.wipe()?;
        let _ = fs::remove_dir_all(&site.logs); // The first writer makes the folder anew.
    }
    fs::create_dir_all(&site.logs).with_context(|| format!("make {}", site.logs.display()))?;
    let shards = shards(&mut state, options.shards)?;
    let ports = Ports::choose(&mut state, options)?;
    let jwt_secret = state.secret("jwt")?;
    let deps = Deps::ensure(folder).await?;
    println!(
        "starting RabbitMQ, PostgreSQL (catalog and {shards} shards) and S3 in {} ...",
        state.path().display()
    );
    let stack = Stack::start(StackOptions {
        state,
        deps,
        shards,
        durable: true,
    })
    .await?;
    let services = Services::new(stack.info(), jwt_secret, &site.logs, ports);
    Ok((stack, services))
}

fn shards(state: &mut StateDir, wanted: Option<usize>) -> Result<usize> {
    let known = state.setting("shards").and_then(|known| known.parse().ok());
    let shards = wanted.or(known).unwrap_or(SHARDS);
    if let Some(known) = known.filter(|known| *known != shards) {
        bail!("the state of earlier runs has {known} shards: add --fresh to start anew with {shards}");
    }
    state.set_setting("shards", &shards.to_string())?;
    Ok(shards)
}

/// The documents to upload: the given ones, or the samples.
fn documents(checkout: &Checkout, given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if let Some(missing) = given.iter().find(|path| !path.is_file()) {
        bail!("{} is not a file", missing.display());
    }
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let folder = checkout.root().join("deploy/local/samples");
    let entries = fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut samples: Vec<_> = paths.filter(|path| documents::is_sample(path)).collect();
    samples.sort();
    Ok(samples)
}

async fn show(
    site: &Site<'_>,
    stack: &mut Stack,
    services: &mut Services,
    documents: &[PathBuf],
    started: Instant,
) -> Result<Announced> {
    println!("migrating, and putting the model into the bucket ...");
    services.prepare(site.checkout).await?;
    println!(
        "starting one producer and {} ...",
        report::counted(services.worker_count(), "worker")
    );
    services.start().await?;
    let announced = services.running()?.announce(&site.running_file)?;
    let token = services.token().await?;
    write_private(&site.token_file, token.as_bytes())?;
    write_private(&site.header_file, format!("Authorization: Bearer {token}\n").as_bytes())?;
    println!(
        "ready after {:.1} s; uploading {}",
        started.elapsed().as_secs_f64(),
        report::counted(documents.len(), "document")
    );
    let client = Client::new(services.api_url(), token.as_str())?;
    let uploaded = upload(&client, documents).await?;
    if services.worker_count() == 0 {
        println!("\nthey wait for workers: deploy/local/autoscale");
        println!("\n{}", report::next_steps(services, site, &uploaded));
        return Ok(announced);
    }
    let analysed = analyse(&client, uploaded, stack, services).await?;
    let mut failures = 0;
    for document in &analysed {
        let entities = if document.state == State::Succeeded {
            client.entities(&document.id).await?
        } else {
            Vec::new()
        };
        println!("\n{}", report::document(document, &entities));
        failures += usize::from(!document.is_as_promised(entities.len()));
    }
    println!("\n{}", report::next_steps(services, site, &analysed));
    if failures > 0 {
        bail!(
            "{} of {} not read, or without entities",
            failures,
            report::counted(analysed.len(), "document")
        );
    }
    Ok(announced)
}

async fn upload(client: &Client, paths: &[PathBuf]) -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    for path in paths {
        documents.push(Document::upload(client, path).await?);
    }
    Ok(documents)
}

/// Waits until every document has ended, and every document that was within one. The producer may be restarted meanwhile.
async fn analyse(
    client: &Client,
    mut documents: Vec<Document>,
    stack: &mut Stack,
    services: &mut Services,
) -> Result<Vec<Document>> {
    let bar = ProgressBar::new(documents.len() as u64);
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} documents analysed, {elapsed}  {wide_msg}",
    )?);
    let began = Instant::now();
    let mut answered = began;
    while documents.iter().any(|document| !document.state.is_end()) {
        if began.elapsed() > ANALYSIS_DEADLINE {
            bail!("the analysis takes more than {} s", ANALYSIS_DEADLINE.as_secs());
        }
        stack.check()?;
        for line in services.mend().await? {
            bar.suspend(|| println!("{line}"));
        }
        match refresh(client, &mut documents, &bar, began).await {
            Ok(()) => answered = Instant::now(),
            Err(error) if answered.elapsed() > SILENCE_MAX => return Err(error),
            Err(_) => {}
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    bar.finish_with_message("");
    Ok(documents)
}

/// Asks for the state of every open document, and prints those that have ended. What was within a document follows it.
async fn refresh(client: &Client, documents: &mut Vec<Document>, bar: &ProgressBar, began: Instant) -> Result<()> {
    let mut next = 0;
    while let Some(document) = documents.get_mut(next) {
        next += 1;
        if document.state.is_end() {
            continue;
        }
        let within = document.refresh(client).await?;
        if !document.state.is_end() {
            continue;
        }
        bar.inc(1);
        let after = began.elapsed().as_secs_f64();
        let line = format!("{}: {} after {after:.1} s", document.name, document.state);
        if bar.is_hidden() {
            println!("{line}");
        } else {
            bar.set_message(line);
        }
        bar.inc_length(within.len() as u64);
        documents.splice(next..next, within);
    }
    Ok(())
}

/// Restarts services that die. Returns an error when a service dies too often or a server ends by itself.
async fn watch(stack: &mut Stack, services: &mut Services) -> Result<()> {
    let mut tick = tokio::time::interval(WATCH_INTERVAL);
    loop {
        tick.tick().await;
        stack.check()?;
        for line in services.mend().await? {
            println!("{line}");
        }
    }
}
