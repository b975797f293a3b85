//! `docket-producer parked`: messages that named no job.

use anyhow::bail;
use clap::{Args, Subcommand};
use docket_process::settings::Env;
use jiff::Timestamp;
use uuid::Uuid;

use crate::actions::OperateError;
use crate::actions::dead::IDS_MAX;
use crate::actions::parked::{
    Encoding, ParkedFilter, ParkedMessageWithBody, ParkedMessages, ParkedProgress, Selection,
};
use crate::commands::since::Ago;
use crate::commands::table::{fields, plain, table, time};
use crate::commands::{operations, print_json};

/// What to do with parked messages.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List parked messages, newest first.
    List(List),
    /// Show a parked message and its body.
    Show {
        /// The message.
        message: Uuid,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read messages again with this release; if a message names a job now, the job waits again.
    Redrive {
        /// Which messages.
        #[command(flatten)]
        which: Which,
    },
    /// Delete messages.
    Purge {
        /// Which messages.
        #[command(flatten)]
        which: Which,
    },
}

/// Which parked messages.
#[derive(Debug, Args)]
pub struct Filters {
    /// Only messages that were parked longer ago than this, such as 15m, 1h or 2d.
    #[arg(long)]
    older_than: Option<Ago>,
    /// Only messages that were parked at most this long ago, such as 15m, 1h or 2d.
    #[arg(long)]
    newer_than: Option<Ago>,
}

impl Filters {
    fn filter(&self) -> anyhow::Result<ParkedFilter> {
        let now = Timestamp::now();
        Ok(ParkedFilter {
            parked_before: self.older_than.map(|ago| ago.before(now)).transpose()?,
            parked_after: self.newer_than.map(|ago| ago.before(now)).transpose()?,
        })
    }
}

/// Which messages to list.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    filters: Filters,
    /// Number of messages to list, at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// List only messages older than this message, to get the next page.
    #[arg(long, value_name = "MESSAGE")]
    before: Option<Uuid>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The named messages or, with `--all`, the messages that match the filters.
#[derive(Debug, Args)]
pub struct Which {
    /// Ids of the messages.
    #[arg(num_args = 0..=IDS_MAX, conflicts_with_all = [
        "all", "older_than", "newer_than", "limit",
    ])]
    messages: Vec<Uuid>,
    /// All messages that match the filters; without filters, all messages.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filters: Filters,
    /// Number of messages to change, at most; the oldest messages come first.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

impl Which {
    fn selection(self) -> anyhow::Result<Selection> {
        if self.all {
            return Ok(Selection::Matching(self.filters.filter()?, self.limit));
        }
        if self.messages.is_empty() {
            bail!("name messages, or say --all for those that the filters let through");
        }
        Ok(Selection::Messages(self.messages))
    }
}

/// Runs a command.
pub async fn run(env: &Env, command: Command) -> anyhow::Result<()> {
    let operations = operations(env).await?;
    match command {
        Command::List(list) => {
            let filter = list.filters.filter()?;
            let found = operations
                .parked_messages(filter, list.before, list.limit.into())
                .await?;
            if list.json {
                return print_json(&found);
            }
            print_list(&found);
            Ok(())
        }
        Command::Show { message, json } => match operations.parked_message(message).await? {
            Some(found) if json => print_json(&found),
            Some(found) => {
                print_message(&found);
                Ok(())
            }
            None => Err(OperateError::NoSuch(format!("no message of the id {message} is parked")).into()),
        },
        Command::Redrive { which } => {
            let progress = operations.redrive_parked(which.selection()?).await?;
            println!("{} redriven", messages(progress.changed));
            ended(&progress)
        }
        Command::Purge { which } => {
            let progress = operations.purge_parked(which.selection()?).await?;
            println!("{} purged", messages(progress.changed));
            ended(&progress)
        }
    }
}

fn messages(count: u64) -> String {
    if count == 1 {
        "1 message".to_owned()
    } else {
        format!("{count} messages")
    }
}

fn ended(progress: &ParkedProgress) -> anyhow::Result<()> {
    if progress.more {
        println!("more match than --limit let through");
    }
    for left in &progress.reasons {
        println!("left: {}: {}", left.message_id, plain(&left.reason));
    }
    match progress.left {
        0 => Ok(()),
        left => bail!("{} left as it was", messages(left)),
    }
}

fn print_list(found: &ParkedMessages) {
    let rows: Vec<_> = found
        .messages
        .iter()
        .map(|message| {
            [
                message.message_id.to_string(),
                message.queue.clone(),
                message.body_bytes.to_string(),
                time(message.parked_at),
                message.reason.clone(),
            ]
        })
        .collect();
    println!("{}", table(["message", "queue", "bytes", "parked", "reason"], &rows));
    if let Some(next) = found.next_cursor {
        println!("older ones: --before {next}");
    }
}

fn print_message(found: &ParkedMessageWithBody) {
    let message = &found.message;
    let body = match found.encoding {
        Encoding::Utf8 => found.body.clone(),
        Encoding::Hex => format!("(hex) {}", found.body),
    };
    let goes_on = if found.truncated { " (goes on)" } else { "" };
    let shown = [
        ("message", message.message_id.to_string()),
        ("queue", message.queue.clone()),
        ("parked", time(message.parked_at)),
        ("reason", message.reason.clone()),
        ("bytes", message.body_bytes.to_string()),
        ("body", format!("{body}{goes_on}")),
    ];
    println!("{}", fields(&shown));
}
