//! Which jobs may run beside others. A job that was running when workers crashed is a suspect. A suspect runs alone, so that a
//! second crash proves it guilty and charges no other job.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit, RwLock, Semaphore};

/// Pause between lone runs, in multiples of the last lone run: lone runs take at most a quarter of the worker's time. So a
/// hundred suspects of a dead node do not stop the fleet.
const COMPANY_FACTOR: u32 = 3;

/// Admits jobs, in company or alone. Clones share the state.
#[derive(Clone)]
pub struct Company {
    gate: Arc<RwLock<()>>,
    lone: Arc<Semaphore>,
    not_before: Arc<Mutex<Instant>>,
}

/// Held by a job that runs beside others.
pub struct InCompany {
    _gate: OwnedRwLockReadGuard<()>,
}

/// Held by the one suspect that this worker may run next.
pub struct Chosen {
    permit: OwnedSemaphorePermit,
    company: Company,
}

/// Held by a job that runs alone.
pub struct Alone {
    _gate: OwnedRwLockWriteGuard<()>,
    _permit: OwnedSemaphorePermit,
    company: Company,
    began: Instant,
}

impl Company {
    /// A worker that runs no job yet.
    pub fn new() -> Self {
        Self {
            gate: Arc::default(),
            lone: Arc::new(Semaphore::new(1)),
            not_before: Arc::new(Mutex::new(Instant::now())),
        }
    }

    /// Waits until no job runs alone.
    pub async fn join(&self) -> InCompany {
        InCompany {
            _gate: self.gate.clone().read_owned().await,
        }
    }

    /// Chooses a suspect to run alone; `None` while another suspect is chosen, and in the pause after a lone run.
    pub fn choose(&self) -> Option<Chosen> {
        let permit = self.lone.clone().try_acquire_owned().ok()?;
        let due = Instant::now() >= *self.not_before.lock().expect("no holder panics");
        due.then(|| Chosen {
            permit,
            company: self.clone(),
        })
    }
}

impl Default for Company {
    fn default() -> Self {
        Self::new()
    }
}

impl Chosen {
    /// Waits until every other job has ended. Meanwhile no new job is admitted.
    pub async fn alone(self) -> Alone {
        let began = Instant::now();
        let gate = self.company.gate.clone().write_owned().await;
        Alone {
            _gate: gate,
            _permit: self.permit,
            company: self.company,
            began,
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let took: Duration = self.began.elapsed();
        *self.company.not_before.lock().expect("no holder panics") = Instant::now() + took * COMPANY_FACTOR;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_suspect_waits_for_an_empty_worker_and_keeps_others_out() {
        let company = Company::new();
        let ordinary = company.join().await;
        let waiting = tokio::spawn(company.choose().unwrap().alone());
        assert!(company.choose().is_none(), "one suspect at a time");
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(ordinary);
        let alone = waiting.await.unwrap();
        let next = tokio::spawn({
            let company = company.clone();
            async move { company.join().await }
        });
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        drop(alone);
        next.await.unwrap();
    }

    #[tokio::test]
    async fn lone_runs_take_a_quarter_of_the_time() {
        let company = Company::new();
        let alone = company.choose().unwrap().alone().await;
        std::thread::sleep(Duration::from_millis(20));
        drop(alone);
        assert!(
            company.choose().is_none(),
            "the next lone run is due after three times as long"
        );
    }
}
