//! Documents that arrive whether or not earlier ones are done, as from many independent people.

use std::time::Duration;

use anyhow::Result;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::Instant;

use crate::corpus::{self, Kind, Random};
use crate::docket::{Docket, Uploaded};
use crate::fifo::Fifo;

/// Texts in one cycle of lengths; the next cycle has other texts of the same lengths.
const CYCLE: usize = 100;

/// Rates of arrival, in documents a second.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Rate of client 0.
    pub quiet: f64,
    /// Rate of all other clients together.
    pub noisy: f64,
    /// Number of other clients.
    pub noisy_clients: usize,
}

/// The arrival of one document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// Seconds from the start.
    pub at: f64,
    /// Number of the client.
    pub client: usize,
    /// Number of the document among the client's.
    pub number: usize,
}

/// The arrivals of some seconds, in order; a seed always gives the same. The gaps of each client are exponential.
pub fn of(rates: Rates, seconds: f64, seed: u64) -> Vec<Arrival> {
    let each = rates.noisy / rates.noisy_clients as f64;
    let mut all = Vec::new();
    for client in 0..=rates.noisy_clients {
        let rate = if client == 0 { rates.quiet } else { each };
        let mut random = Random::of(seed, client as u64);
        let mut at = 0.0;
        for number in 0.. {
            at += -(1.0 - random.share()).ln() / rate;
            if at >= seconds {
                break;
            }
            all.push(Arrival { at, client, number });
        }
    }
    all.sort_by(|a, b| a.at.total_cmp(&b.at));
    all
}

/// Uploads each document at its time, with any number of uploads under way. Returns the jobs in the order of their answers.
pub async fn upload(
    docket: &Docket,
    arrivals: &[Arrival],
    (kind, seed): (Kind, u64),
    fifo: Option<&Fifo>,
) -> Result<Vec<Uploaded>> {
    let began = Instant::now();
    let mut uploads = FuturesUnordered::new();
    let mut accepted = Vec::with_capacity(arrivals.len());
    let mut coming = arrivals.iter();
    let mut next = coming.next();
    while next.is_some() || !uploads.is_empty() {
        let due = next.map(|arrival| began + Duration::from_secs_f64(arrival.at));
        tokio::select! {
            () = tokio::time::sleep_until(due.unwrap_or(began)), if due.is_some() => {
                if let Some(arrival) = next {
                    let text = text(arrival, kind, seed);
                    uploads.push(async move { docket.upload(arrival.client, &text).await });
                }
                next = coming.next();
            }
            Some(uploaded) = uploads.next(), if !uploads.is_empty() => {
                let uploaded: Uploaded = uploaded?;
                if let Some(fifo) = fifo {
                    fifo.publish(&uploaded)?;
                }
                accepted.push(uploaded);
            }
        }
    }
    Ok(accepted)
}

/// A client's text: lengths repeat, texts do not.
fn text(arrival: &Arrival, kind: Kind, seed: u64) -> String {
    let seed = seed + arrival.client as u64;
    let words = corpus::lengths(kind, CYCLE, seed)[arrival.number % CYCLE];
    corpus::text(kind, words, seed, arrival.number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_have_their_rates_and_are_always_the_same() {
        let rates = Rates {
            quiet: 4.0,
            noisy: 36.0,
            noisy_clients: 3,
        };
        let all = of(rates, 500.0, 1);
        assert_eq!(all, of(rates, 500.0, 1));
        assert_ne!(all, of(rates, 500.0, 2));
        assert!(all.is_sorted_by_key(|arrival| arrival.at));
        for (client, expected) in [(0, 2_000.0), (1, 6_000.0), (3, 6_000.0)] {
            let count = all.iter().filter(|arrival| arrival.client == client).count() as f64;
            // The bound is five standard deviations of a Poisson count.
            assert!(
                (count - expected).abs() < 5.0 * f64::sqrt(expected),
                "{client}: {count}"
            );
        }
    }
}
