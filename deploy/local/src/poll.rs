//! Waits for a fact, up to a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Pause between looks: short enough to delay no start, long enough to cost nothing.
const INTERVAL: Duration = Duration::from_millis(50);

/// Calls `look` until it returns a value, and returns that value. An error of `look` ends the wait at once.
pub async fn until<T>(what: &str, deadline: Duration, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if started.elapsed() > deadline {
            bail!("{what}: waited {} s in vain", deadline.as_secs());
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waits_for_the_fact_and_no_longer() {
        let mut looks = 0;
        let found = until("three looks", Duration::from_secs(5), async || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        });
        assert_eq!(found.await.unwrap(), 3);
        let never = until("nothing", Duration::ZERO, async || Ok(None::<()>)).await;
        assert!(never.unwrap_err().to_string().starts_with("nothing: waited"));
    }
}
