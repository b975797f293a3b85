//! `docket-producer token --client acme`: a token for development, signed with the configured secret.

use std::time::Duration;

use docket_shared::config::Env;
use docket_shared::ids::ClientId;

use crate::http::auth::{self, AuthConfig};

/// Prints a token.
pub fn run(env: &Env, client: &ClientId, lifetime: Duration) -> anyhow::Result<()> {
    println!("{}", auth::mint(&AuthConfig::from_env(env)?, client, lifetime)?);
    Ok(())
}
