//! `docket-producer audit list`: what operators did.

use clap::Args;
use docket_process::settings::Env;
use uuid::Uuid;

use crate::commands::table::{table, time};
use crate::commands::{operations, print_json};

/// Which actions to list.
#[derive(Debug, Args)]
pub struct List {
    /// Number of actions to list, at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// List only actions older than this entry, to get the next page.
    #[arg(long, value_name = "ENTRY")]
    before: Option<Uuid>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints actions, newest first.
pub async fn list(env: &Env, list: &List) -> anyhow::Result<()> {
    let found = operations(env).await?.audit(list.before, list.limit.into()).await?;
    if list.json {
        return print_json(&found);
    }
    let rows: Vec<_> = found
        .entries
        .iter()
        .map(|entry| {
            let outcome = entry.outcome.as_ref().map_or("unknown".to_owned(), ToString::to_string);
            let (actor, action) = (entry.actor.clone(), entry.action.clone());
            [
                time(entry.at),
                actor,
                action,
                brief(&entry.target.to_string()),
                brief(&outcome),
            ]
        })
        .collect();
    println!("{}", table(["at", "actor", "action", "target", "outcome"], &rows));
    if let Some(next) = found.next_cursor {
        println!("older ones: --before {next}");
    }
    Ok(())
}

/// Longest cell, in characters; `--json` prints a thousand ids in full.
const CELL_MAX: usize = 100;

fn brief(text: &str) -> String {
    match text.char_indices().nth(CELL_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
