//! `docket-producer pause`, `resume`, `clients`: pauses, weights and caps.

use anyhow::bail;
use clap::{Args, Subcommand};
use docket_contract::ids::{ClientId, ModelName};
use docket_process::settings::Env;
use docket_store::operate::controls::{Change, WEIGHTS};

use crate::actions::controls::ClientControls;
use crate::actions::names;
use crate::commands::table::fields;
use crate::commands::{operations, print_json};

/// What to pause or resume: a client or a model.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Target {
    /// Client whose waiting work is meant.
    #[arg(long)]
    client: Option<ClientId>,
    /// Model, named without a version, whose waiting work on every shard is meant.
    #[arg(long)]
    model: Option<ModelName>,
}

/// What to do with a client's controls.
#[derive(Debug, Subcommand)]
pub enum Clients {
    /// Show a client's weight, cap and pause.
    Show {
        /// The client.
        client: ClientId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change a client's weight or cap; a value that is not named stays as it is.
    Set {
        /// The client.
        client: ClientId,
        /// Accept a client that has no document yet.
        #[arg(long)]
        new: bool,
        /// Values to change.
        #[command(flatten)]
        decision: Decision,
    },
}

/// Values to change.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Decision {
    /// The client's share of the jobs in flight, relative to the weights of other clients: 0.01 to 100; 1 by default.
    #[arg(long, value_parser = weight)]
    weight: Option<f32>,
    /// Cap on the client's jobs in the broker and on workers at the same time, kept roughly; 0 removes the cap.
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..))]
    in_flight_max: Option<i32>,
}

fn weight(text: &str) -> Result<f32, String> {
    let weight = text.parse().ok().filter(|weight| WEIGHTS.contains(weight));
    weight.ok_or_else(|| format!("it must be from {} to {}", WEIGHTS.start(), WEIGHTS.end()))
}

/// Pauses or resumes a client or a model.
pub async fn pause(env: &Env, target: Target, paused: bool) -> anyhow::Result<()> {
    let operations = operations(env).await?;
    let verb = if paused { "paused" } else { "resumed" };
    if let Some(client) = target.client {
        let change = Change {
            paused: Some(paused),
            ..Change::default()
        };
        operations.set_client(&client, change).await?;
        println!("client {client} is {verb}");
    }
    if let Some(model) = target.model {
        let told = operations.set_model(&model, paused).await?;
        println!("model {model} is {verb} on {}", told.told.join(", "));
        if !told.unreached.is_empty() {
            bail!(
                "these shards could not be told: {}; repeat the command once they answer",
                names(&told.unreached)
            );
        }
    }
    Ok(())
}

/// Shows or changes a client's controls.
pub async fn clients(env: &Env, command: Clients) -> anyhow::Result<()> {
    let operations = operations(env).await?;
    match command {
        Clients::Show { client, json } => {
            let controls = operations.client(&client).await?;
            if json {
                return print_json(&controls);
            }
            print(&controls);
        }
        Clients::Set { client, new, decision } => {
            let change = Change {
                weight: decision.weight,
                in_flight_max: decision.in_flight_max,
                paused: None,
            };
            let decided = if new {
                operations.set_new_client(&client, change).await?
            } else {
                operations.set_client(&client, change).await?
            };
            print(&decided);
        }
    }
    Ok(())
}

fn print(controls: &ClientControls) {
    let cap = controls
        .in_flight_max
        .map_or("none".to_owned(), |most| most.to_string());
    let paused = if controls.paused { "yes" } else { "no" };
    let shown = [
        ("client", controls.client_id.clone()),
        ("shard", controls.shard.clone()),
        ("weight", controls.weight.to_string()),
        ("in flight max", cap),
        ("paused", paused.to_owned()),
    ];
    println!("{}", fields(&shown));
}
