//! A run: a calm phase, faults under load, the drain, and the check.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use docket_bench::report::Report;
use docket_checker::judge::{self, Calm, Verdict, Wrong};
use docket_checker::log::Schedule;
use docket_checker::rows;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::callers::{CALLERS, Caller, Log};
use crate::drain::{self, DRAIN_MAX, Drained};
use crate::enough::{self, Work};
use crate::fleet::Fleet;
use crate::inject::Town;
use crate::plan::{self, Fault, Step};
use crate::random::Random;
use crate::servers::Servers;
use crate::settings::{Plant, Settings};
use crate::texts::{self, Texts};

/// Client of the calm phase's uploads.
const CALM: &str = "calm";
/// Limit of faults at the same time.
const AT_ONCE: usize = 3;
/// Findings printed in full; further ones are only counted.
const FINDINGS_SHOWN: usize = 40;
/// How long a run with a planted bug is drained: the jobs that the bug breaks may never end.
const PLANTED_DRAIN_MAX: Duration = Duration::from_secs(45);
/// How long a fault may take to get its turn, to be injected and healed, before it is abandoned. On a busy machine this is
/// several times the duration of three faults of the broker that wait for each other.
const FAULT_MAX: Duration = Duration::from_secs(300);

/// The outcome of all faults.
#[derive(Debug, Default)]
struct Injected {
    by_name: BTreeMap<&'static str, usize>,
    failed: Vec<String>,
    /// Faults that this machine cannot inject.
    left_out: usize,
}

/// Runs chaos; returns whether everything is as it should be.
pub async fn run(settings: &Settings) -> Result<bool> {
    let only = settings.only.as_deref().or(settings.plant.map(Plant::faults));
    let steps = plan::plan(settings.seed, settings.faults, only);
    ensure!(steps.len() == settings.faults, "no fault has such a name");
    if settings.show_plan {
        for step in &steps {
            println!("{step}");
        }
        return Ok(true);
    }
    let town = start(settings).await?;
    let looking = tokio::spawn(town.fleet.clone().look_after());
    let log = Log::create(&town.servers.state.path().join("accepted.jsonl"))?;
    let texts = Arc::new(Texts::new(settings.seed));
    let (ends, watched) = watch::channel(false);
    let calm = calm(&town, &texts, (&log, &watched)).await?;
    println!(
        "{} texts read calmly; {} faults follow",
        calm.entities.len() + calm.failures.len(),
        steps.len()
    );
    let began = Instant::now();
    let mut callers = callers(&town, &texts, (&log, &watched), settings.seed).await?;
    let injected = inject(&town, steps, began).await;
    town.heal().await?;
    ends.send_replace(true);
    while callers.join_next().await.is_some() {}
    let lasted = began.elapsed();
    println!("faults and load ended after {:.0} s; draining", lasted.as_secs_f64());
    let drained = drain::drain(&town, settings.plant.map_or(DRAIN_MAX, |_| PLANTED_DRAIN_MAX)).await?;
    let entries = log.entries();
    let verdict = docket_checker::check(&town.servers.for_checker(), &entries, &calm).await?;
    let starts = town.fleet.starts().await;
    looking.abort();
    let _ = looking.await; // It was aborted.
    town.fleet.stop().await;
    let short = enough::shortfalls(&work(&verdict, &injected, (&drained, texts.all().count())));
    let mut figures = figures(&verdict, &injected, (&drained, lasted, starts));
    figures["not_enough"] = json!(short);
    print(&verdict, &injected, &figures);
    for reason in &short {
        println!("  not enough: {reason}");
    }
    Report::new("chaos", serde_json::to_value(settings)?, figures, json!({})).write(settings.json.as_deref())?;
    let kept = town.servers.state.path().display().to_string();
    town.servers.stop().await;
    let is_good = verdict.findings.is_empty() && short.is_empty();
    if !is_good {
        println!("logs and the callers' log are in {kept}");
    }
    Ok(is_good)
}

async fn start(settings: &Settings) -> Result<Town> {
    println!("starting servers ...");
    let servers = Servers::start().await?;
    if servers.faketime.is_none() {
        println!("libfaketime cannot be installed: no clock will jump");
    }
    let always = settings
        .plant
        .map(|plant| ("DOCKET_FAILPOINTS".to_owned(), plant_with_help(plant)));
    let fleet = Arc::new(Fleet::new(&servers, always).await?);
    fleet.command("docket-producer", &["migrate"]).await?;
    let folder = servers.state.path().join("model");
    texts::model().write(&folder);
    let folder = folder.display().to_string();
    fleet.command("docket-worker", &["models", "publish", &folder]).await?;
    fleet.start().await?;
    Ok(Town::new(servers, fleet))
}

/// A failpoint that plants a bug, with help: the bug shows only when something happens at the wrong moment.
fn plant_with_help(plant: Plant) -> String {
    let help = match plant {
        Plant::AckBeforeCommit => "",
        Plant::FinishWithoutTheClaim => ",worker.before_commit=delay:400@0.1",
    };
    format!("{}{help}", plant.failpoint())
}

/// Has each text read once, without faults.
async fn calm(town: &Town, texts: &Texts, (log, ends): (&Log, &watch::Receiver<bool>)) -> Result<Calm> {
    let mut caller = caller(town, CALM, log, ends).await?;
    for text in texts.all() {
        let accepted = caller
            .upload(std::slice::from_ref(text), true, Schedule::default())
            .await;
        ensure!(accepted.len() == 1, "an upload without faults was not accepted");
    }
    let drained = drain::drain(town, DRAIN_MAX).await?;
    ensure!(drained.left == 0, "texts are not read even without faults");
    let rows = rows::read(&town.servers.for_checker().shards).await?;
    let calm = judge::calm_of(CALM, &rows);
    let is_meant = calm.failures.keys().eq([&texts.broken.sha256]);
    ensure!(is_meant, "without faults, these texts fail: {:?}", calm.failures);
    ensure!(
        calm.entities.values().all(|found| !found.is_empty()),
        "a text has no entities"
    );
    Ok(calm)
}

async fn caller(town: &Town, client: &str, log: &Log, ends: &watch::Receiver<bool>) -> Result<Caller> {
    let token = town
        .fleet
        .command("docket-producer", &["token", "--client", client])
        .await?;
    let producers = town.fleet.members[..plan::PRODUCERS].iter();
    let producers = producers.map(|member| member.address.clone()).collect();
    Ok(Caller::new(
        (client.to_owned(), token),
        producers,
        log.clone(),
        ends.clone(),
    ))
}

async fn callers(
    town: &Town,
    texts: &Arc<Texts>,
    (log, ends): (&Log, &watch::Receiver<bool>),
    seed: u64,
) -> Result<JoinSet<()>> {
    let mut callers = JoinSet::new();
    for number in 1..=CALLERS {
        let caller = caller(town, &format!("client-{number}"), log, ends).await?;
        callers.spawn(caller.run(texts.clone(), Random::new(seed, number as u64)));
    }
    Ok(callers)
}

/// Injects the faults of a plan, each after the previous one or beside it.
async fn inject(town: &Town, steps: Vec<Step>, began: Instant) -> Injected {
    let mut injected = Injected::default();
    let mut under_way = FuturesUnordered::new();
    for step in steps {
        if step.fault == Fault::ClockJump && town.servers.faketime.is_none() {
            injected.left_out += 1;
            continue;
        }
        let most = if step.beside { AT_ONCE - 1 } else { 0 };
        while under_way.len() > most {
            injected.take(under_way.next().await);
        }
        // Faults under way go on during the pause.
        let pause = tokio::time::sleep(step.pause);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                Some(done) = under_way.next() => injected.take(Some(done)),
            }
        }
        println!("{:6.1} {step}", began.elapsed().as_secs_f64());
        under_way.push(async move {
            let done = tokio::time::timeout(FAULT_MAX, town.inject(&step)).await;
            let done = done
                .map_err(anyhow::Error::from)
                .and_then(|done| done)
                .context(step.to_string());
            (step.fault.name(), done)
        });
    }
    while let Some(done) = under_way.next().await {
        injected.take(Some(done));
    }
    injected
}

impl Injected {
    fn take(&mut self, done: Option<(&'static str, Result<()>)>) {
        match done {
            Some((name, Ok(()))) => *self.by_name.entry(name).or_default() += 1,
            Some((_, Err(error))) => {
                println!("       not injected, or not healed: {error:#}");
                self.failed.push(format!("{error:#}"));
            }
            None => {}
        }
    }
}

fn work(verdict: &Verdict, injected: &Injected, (drained, calm): (&Drained, usize)) -> Work {
    let poisoned = verdict.ends.get("poison_by_faults").copied();
    Work {
        faults: (injected.by_name.values().sum::<usize>() + injected.failed.len()) as u64,
        not_injected: injected.failed.clone(),
        accepted: verdict.accepted.saturating_sub(calm as u64),
        poisoned: poisoned.unwrap_or_default(),
        requeued: drained.requeued.unsigned_abs(),
    }
}

fn figures(verdict: &Verdict, injected: &Injected, (drained, lasted, starts): (&Drained, Duration, usize)) -> Value {
    let mut figures = Map::new();
    figures.insert("faults".to_owned(), json!(injected.by_name.values().sum::<usize>()));
    figures.insert("accepted".to_owned(), json!(verdict.accepted));
    for wrong in Wrong::ALL {
        figures.insert(wrong.name().to_owned(), json!(verdict.count(wrong)));
    }
    for (how, jobs) in &verdict.ends {
        figures.insert((*how).to_owned(), json!(jobs));
    }
    figures.insert("not_injected".to_owned(), json!(injected.failed));
    figures.insert("left_out".to_owned(), json!(injected.left_out));
    figures.insert("injected".to_owned(), json!(injected.by_name));
    figures.insert("process_starts".to_owned(), json!(starts));
    figures.insert("requeued_by_operator".to_owned(), json!(drained.requeued));
    figures.insert("seconds".to_owned(), json!(lasted.as_secs_f64()));
    figures.insert("drain_seconds".to_owned(), json!(drained.took.as_secs_f64()));
    figures.into()
}

fn print(verdict: &Verdict, injected: &Injected, figures: &Value) {
    println!("\ninjected");
    for (name, times) in &injected.by_name {
        println!("  {name:<18} {times:>6}");
    }
    println!("seen");
    for (name, value) in figures
        .as_object()
        .into_iter()
        .flatten()
        .filter(|figure| figure.1.is_number())
    {
        println!("  {name:<22} {value:>8}");
    }
    for (wrong, what) in verdict.findings.iter().take(FINDINGS_SHOWN) {
        println!("  {}: {what}", wrong.name());
    }
    if verdict.findings.len() > FINDINGS_SHOWN {
        println!("  and {} more", verdict.findings.len() - FINDINGS_SHOWN);
    }
}
