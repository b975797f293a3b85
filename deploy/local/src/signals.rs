//! Signals that tell the program to stop.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code after Ctrl-C was pressed twice.
const EXIT_INTERRUPTED: i32 = 130;

/// A token that the first Ctrl-C or SIGTERM cancels. The second signal ends this process at once, and its children with it.
pub fn stop_on_signals() -> Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            if told.is_cancelled() {
                std::process::exit(EXIT_INTERRUPTED);
            }
            told.cancel();
        }
    });
    Ok(stop)
}
