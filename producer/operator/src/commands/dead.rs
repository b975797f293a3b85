//! `docket-producer dead`: failed and expired jobs.

use anyhow::bail;
use clap::{Args, Subcommand};
use docket_contract::ids::{ClientId, ModelName};
use docket_process::settings::Env;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::actions::dead::{
    DeadFilter, DeadJobWithHistory, DeadJobs, DeadState, IDS_MAX, Progress, RATE_DEFAULT, RATES, Selection,
};
use crate::actions::{OperateError, Unreached, names};
use crate::commands::since::Ago;
use crate::commands::table::{fields, plain, table, time, time_or_none};
use crate::commands::{operations, print_json};

/// What to do with dead jobs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List failed and expired jobs, newest first.
    List(List),
    /// Show a failed or expired job and its history.
    Show {
        /// The job.
        job: Uuid,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Set jobs waiting again, oldest first.
    Redrive {
        /// Which jobs.
        #[command(flatten)]
        which: Which,
        /// Rate in jobs per second: each job is due a moment after the job before.
        #[arg(long, default_value_t = RATE_DEFAULT, value_parser = rate)]
        rate: f64,
    },
    /// Remove jobs from these lists. Nothing changes for the jobs' clients.
    Purge {
        /// Which jobs.
        #[command(flatten)]
        which: Which,
    },
}

/// Which dead jobs.
#[derive(Debug, Default, Args)]
pub struct Filters {
    /// Only jobs of this client.
    #[arg(long)]
    client: Option<ClientId>,
    /// Only jobs that failed, or only jobs that expired.
    #[arg(long)]
    state: Option<DeadState>,
    /// Only jobs with this kind of error, such as unreadable_document.
    #[arg(long, value_parser = crate::actions::dead::reason)]
    reason: Option<String>,
    /// Only jobs for this model.
    #[arg(long)]
    model: Option<ModelName>,
    /// Only jobs that ended longer ago than this, such as 15m, 1h or 2d.
    #[arg(long)]
    older_than: Option<Ago>,
    /// Only jobs that ended at most this long ago, such as 15m, 1h or 2d.
    #[arg(long)]
    newer_than: Option<Ago>,
}

impl Filters {
    fn filter(&self) -> anyhow::Result<DeadFilter> {
        let now = Timestamp::now();
        Ok(DeadFilter {
            client_id: self.client.clone(),
            state: self.state,
            reason: self.reason.clone(),
            model: self.model.clone(),
            ended_before: self.older_than.map(|ago| ago.before(now)).transpose()?,
            ended_after: self.newer_than.map(|ago| ago.before(now)).transpose()?,
        })
    }
}

/// Which jobs to list.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    filters: Filters,
    /// Number of jobs to list, at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// List only jobs older than this job, to get the next page.
    #[arg(long, value_name = "JOB")]
    before: Option<Uuid>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The named jobs or, with `--all`, the jobs that match the filters.
#[derive(Debug, Args)]
pub struct Which {
    /// Ids of the jobs.
    #[arg(num_args = 0..=IDS_MAX, conflicts_with_all = [
        "all", "client", "state", "reason", "model", "older_than", "newer_than", "limit",
    ])]
    jobs: Vec<Uuid>,
    /// All jobs that match the filters; without filters, all jobs.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filters: Filters,
    /// Number of jobs to change, at most; the oldest jobs come first.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

impl Which {
    fn selection(self) -> anyhow::Result<Selection> {
        if self.all {
            return Ok(Selection::Matching(self.filters.filter()?, self.limit));
        }
        if self.jobs.is_empty() {
            bail!("name jobs, or say --all for those that the filters let through");
        }
        Ok(Selection::Jobs(self.jobs))
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| RATES.contains(rate));
    rate.ok_or_else(|| format!("it must be from {} to {} jobs a second", RATES.start(), RATES.end()))
}

/// Runs a command.
pub async fn run(env: &Env, command: Command) -> anyhow::Result<()> {
    let operations = operations(env).await?;
    match command {
        Command::List(list) => {
            let filter = list.filters.filter()?;
            let found = operations.dead_jobs(&filter, list.before, list.limit.into()).await?;
            if list.json {
                print_json(&found)?;
            } else {
                print_list(&found);
            }
            all_answered(&found.unreached, "theirs are not listed")
        }
        Command::Show { job, json } => match operations.dead_job(job).await? {
            Some(found) if json => print_json(&found),
            Some(found) => {
                print_job(&found);
                Ok(())
            }
            None => Err(OperateError::NoSuch(format!("no failed or expired job has the id {job}")).into()),
        },
        Command::Redrive { which, rate } => {
            let progress = operations.redrive(which.selection()?, rate).await?;
            println!(
                "{} {} again{}",
                jobs(progress.changed),
                waits(&progress),
                due(&progress, rate)
            );
            ended(&progress)
        }
        Command::Purge { which } => {
            let progress = operations.purge(which.selection()?).await?;
            println!("{} purged", jobs(progress.changed));
            ended(&progress)
        }
    }
}

fn jobs(count: u64) -> String {
    if count == 1 {
        "1 job".to_owned()
    } else {
        format!("{count} jobs")
    }
}

fn waits(progress: &Progress) -> &'static str {
    if progress.changed == 1 { "waits" } else { "wait" }
}

fn due(progress: &Progress, rate: f64) -> String {
    let last = progress.changed.saturating_sub(1) as f64 / rate;
    let last = SignedDuration::from_secs(last.round() as i64);
    if last.is_zero() {
        String::new()
    } else {
        format!(", the last one due in {last:#}")
    }
}

/// Prints what is left to do, as an error of the command, which can be repeated.
fn ended(progress: &Progress) -> anyhow::Result<()> {
    if progress.more {
        println!("more match than --limit let through");
    }
    for job in &progress.left {
        println!("left: {job}");
    }
    all_answered(&progress.unreached, "repeat the command once they do")?;
    match progress.left.len() as u64 {
        0 => Ok(()),
        left => bail!(
            "{} not failed or expired, or not any more",
            if left == 1 {
                "1 job is".to_owned()
            } else {
                format!("{left} jobs are")
            }
        ),
    }
}

fn all_answered(unreached: &[Unreached], so: &str) -> anyhow::Result<()> {
    if unreached.is_empty() {
        return Ok(());
    }
    bail!("these shards did not answer: {}; {so}", names(unreached))
}

fn print_list(found: &DeadJobs) {
    let rows: Vec<_> = found
        .jobs
        .iter()
        .map(|job| {
            [
                job.job_id.to_string(),
                job.client_id.clone(),
                state(job.state),
                job.reason.clone().unwrap_or_default(),
                job.model.clone(),
                job.attempts.to_string(),
                time_or_none(job.ended_at),
            ]
        })
        .collect();
    let heads = ["job", "client", "state", "reason", "model", "attempts", "ended"];
    println!("{}", table(heads, &rows));
    if let Some(next) = found.next_cursor {
        println!("older ones: --before {next}");
    }
}

fn state(state: DeadState) -> String {
    match state {
        DeadState::Failed => "failed".to_owned(),
        DeadState::Expired => "expired".to_owned(),
    }
}

fn print_job(found: &DeadJobWithHistory) {
    let job = &found.job;
    let shown = [
        ("job", job.job_id.to_string()),
        ("client", job.client_id.clone()),
        ("document", job.document_id.to_string()),
        ("shard", job.shard.clone()),
        ("state", state(job.state)),
        ("reason", job.reason.clone().unwrap_or_default()),
        ("detail", job.detail.clone().unwrap_or_default()),
        ("model", job.model.clone()),
        ("attempts", job.attempts.to_string()),
        ("accepted", time(job.created_at)),
        ("begun", time_or_none(job.started_at)),
        ("ended", time_or_none(job.ended_at)),
    ];
    println!("{}", fields(&shown));
    println!("history");
    for entry in found.history.as_array().into_iter().flatten() {
        let word = |name: &str| plain(entry[name].as_str().unwrap_or_default());
        let line = [word("at"), word("event"), word("worker"), word("reason")];
        println!("  {}", line.join("  ").trim_end());
    }
}
