//! A client's letters, alone and while another client uploads a large PDF every few seconds.

use std::time::Duration;

use anyhow::{Context, Result};
use docket_client::{State, Upload};
use docket_local::poll;
use tokio::time::{Instant, MissedTickBehavior};

use super::{DocumentsSettings, delay};
use crate::corpus::{self, Kind};
use crate::docket::{self, Docket, Uploaded, Worker};
use crate::files::pdf::{self, Columns};
use crate::stats::{self, Figures};

/// Client of the letters, and client of the large PDFs.
const SMALL: usize = 0;
const LARGE: usize = 1;
/// Letters before the first that counts.
const WARM_UP: usize = 5;
/// Shortest time between two letters: so that several large PDFs come while the letters are timed.
const LETTER_EVERY: Duration = Duration::from_millis(250);
/// How long the first large PDF may wait for a worker.
const BEGIN_MAX: Duration = Duration::from_secs(60);

/// Times the letters. Returns the figures and the ratios.
pub async fn measure(settings: &DocumentsSettings) -> Result<(Figures, Figures)> {
    let pages = settings.large_pages as usize;
    println!(
        "neighbours: {} letters alone, then beside a PDF of {pages} pages every {} s",
        settings.letters, settings.large_every
    );
    let large = pdf::contract(pages, Columns::One, settings.seed);
    let mut docket = Docket::on_one_shard(&docket::logs()?, docket::ALL_ROLES, 2).await?;
    let mut worker = docket.worker(None, settings.sessions).await?;
    let letters = corpus::texts(Kind::Letters, settings.letters as usize + WARM_UP, settings.seed);
    let (warm_up, letters) = letters.split_at(WARM_UP);
    timed(&mut docket, &mut worker, warm_up, None).await?;
    let alone = timed(&mut docket, &mut worker, letters, None).await?;
    let mut sender = Sender::new(large, settings.large_every);
    sender.send_if_due(&docket).await?;
    poll::until("the first large PDF is read", BEGIN_MAX, async || {
        let first = sender.sent.first().context("one was sent")?;
        Ok((docket.state(first).await? == State::Running).then_some(()))
    })
    .await?;
    let beside = timed(&mut docket, &mut worker, letters, Some(&mut sender)).await?;
    let ended = docket.ended(&sender.sent).await?;
    // The large PDFs that still wait end with the world.
    drop(worker);
    docket.stop().await?;
    let (mut figures, mut ratios) = (Figures::new(), Figures::new());
    for (name, share) in [("p50", 0.5), ("p95", 0.95)] {
        let (Some(alone), Some(beside)) = (stats::percentile(&alone, share), stats::percentile(&beside, share)) else {
            continue;
        };
        figures.insert(format!("letters_alone_{name}_seconds"), alone);
        figures.insert(format!("letters_beside_large_{name}_seconds"), beside);
        ratios.insert(format!("letters_beside_large_to_alone_{name}"), beside / alone);
    }
    figures.insert("large_sent".to_owned(), sender.sent.len() as f64);
    figures.insert("large_ended".to_owned(), ended.len() as f64);
    figures.insert(
        "large_failed".to_owned(),
        ended.iter().filter(|row| !row.succeeded).count() as f64,
    );
    Ok((figures, ratios))
}

/// Seconds from accept to result of each letter. A letter is uploaded every quarter of a second, or once the one before has ended.
async fn timed(
    docket: &mut Docket,
    worker: &mut Worker,
    letters: &[String],
    mut sender: Option<&mut Sender>,
) -> Result<Vec<f64>> {
    let mut seconds = Vec::with_capacity(letters.len());
    let mut turn = tokio::time::interval(LETTER_EVERY);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for text in letters {
        turn.tick().await;
        if let Some(sender) = sender.as_deref_mut() {
            sender.send_if_due(docket).await?;
        }
        let upload = Upload::new("text/plain", text.clone());
        seconds.push(delay::seconds_of(docket, worker, (SMALL, upload)).await?);
    }
    Ok(seconds)
}

/// The client of the large PDFs.
struct Sender {
    large: Vec<u8>,
    every: Duration,
    due: Instant,
    sent: Vec<Uploaded>,
}

impl Sender {
    fn new(large: Vec<u8>, every: f64) -> Self {
        Self {
            large,
            every: Duration::from_secs_f64(every),
            due: Instant::now(),
            sent: Vec::new(),
        }
    }

    async fn send_if_due(&mut self, docket: &Docket) -> Result<()> {
        if Instant::now() >= self.due {
            self.due += self.every;
            self.sent.push(
                docket
                    .send(LARGE, Upload::new("application/pdf", self.large.clone()))
                    .await?,
            );
        }
        Ok(())
    }
}
