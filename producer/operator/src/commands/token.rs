//! `docket-producer token --client acme`, `--operator ada`: a token for development, signed with the configured secret.

use std::time::Duration;

use docket_process::settings::Env;

use docket_identity::{AuthConfig, Bearer};

/// Prints a token.
pub fn run(env: &Env, bearer: Bearer<'_>, lifetime: Duration) -> anyhow::Result<()> {
    println!(
        "{}",
        docket_identity::mint(&AuthConfig::from_env(env)?, bearer, lifetime)?
    );
    Ok(())
}
