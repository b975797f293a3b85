//! How many jobs a worker takes at a time while a store that they need is overloaded: additive increase, multiplicative decrease,
//! as in TCP (Jacobson, "Congestion Avoidance and Control", 1988). An overloaded object store or shard then sees fewer requests
//! instead of more, and no job spends its attempts on the overload. A shard that is away leaves the limit alone: clients on other
//! shards must not wait for it.

use std::sync::Mutex;
use std::time::Duration;

use docket_process::metrics;
use tokio::sync::watch;
use tokio::time::Instant;

/// Shortest time between two halvings of the limit: jobs that fail together fail for one reason.
const HALVE_EVERY: Duration = Duration::from_secs(1);
/// Pause after an overload at a limit of one job, which cannot be halved.
const PAUSE: Duration = Duration::from_secs(5);

/// The limit of jobs in hand.
pub struct Pressure {
    most: f64,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

struct State {
    limit: f64,
    in_hand: usize,
    halved: Option<Instant>,
    pause_until: Option<Instant>,
}

/// A job's place, given up when this value is dropped.
pub struct Place<'a>(&'a Pressure);

impl Pressure {
    /// A limit of `most` jobs, until an overload is seen. The limit never grows beyond `most`.
    pub fn new(most: usize) -> Self {
        let most = most.max(1) as f64;
        metrics::intake_limit(most);
        let state = State {
            limit: most,
            in_hand: 0,
            halved: None,
            pause_until: None,
        };
        Self {
            most,
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
        }
    }

    /// Waits for a place.
    pub async fn enter(&self) -> Place<'_> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            match self.try_enter() {
                Ok(place) => return place,
                Err(Some(until)) => tokio::time::sleep_until(until).await,
                Err(None) => drop(changed.changed().await),
            }
        }
    }

    /// Number of places that are taken.
    pub fn in_hand(&self) -> usize {
        self.state.lock().expect("no holder panics").in_hand
    }

    /// A place, if there is one now. Else the end of the pause, or `None` when a place must be given up first.
    fn try_enter(&self) -> Result<Place<'_>, Option<Instant>> {
        let mut state = self.state.lock().expect("no holder panics");
        if let Some(until) = state.pause_until.filter(|until| *until > Instant::now()) {
            return Err(Some(until));
        }
        if state.in_hand >= state.limit as usize {
            return Err(None);
        }
        state.in_hand += 1;
        Ok(Place(self))
    }

    /// A store that a job needs is overloaded: halves the limit, at most once a second.
    pub fn overloaded(&self) {
        let mut state = self.state.lock().expect("no holder panics");
        let now = Instant::now();
        if state.halved.is_some_and(|halved| now - halved < HALVE_EVERY) {
            return;
        }
        state.halved = Some(now);
        if state.limit < 2.0 {
            state.pause_until = Some(now + PAUSE);
        }
        state.limit = (state.limit / 2.0).max(1.0);
        metrics::intake_limit(state.limit);
    }

    /// A job succeeded: the limit grows by one when as many jobs as the limit have succeeded.
    pub fn relieved(&self) {
        let mut state = self.state.lock().expect("no holder panics");
        if state.limit < self.most {
            state.limit = (state.limit + 1.0 / state.limit).min(self.most);
            metrics::intake_limit(state.limit);
            drop(state);
            self.changed.send_replace(());
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.state.lock().expect("no holder panics").in_hand -= 1;
        self.0.changed.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn places(pressure: &Pressure) -> usize {
        let mut held = Vec::new();
        while let Ok(place) = tokio::time::timeout(Duration::from_millis(1), pressure.enter()).await {
            held.push(place);
        }
        held.len()
    }

    #[tokio::test(start_paused = true)]
    async fn overload_halves_the_places_and_success_brings_them_back_one_by_one() {
        let pressure = Pressure::new(16);
        assert_eq!(places(&pressure).await, 16);
        for _ in 0..10 {
            pressure.overloaded();
        }
        assert_eq!(places(&pressure).await, 8, "ten failures at once are one overload");
        tokio::time::advance(HALVE_EVERY).await;
        pressure.overloaded();
        assert_eq!(places(&pressure).await, 4);
        for _ in 0..4 {
            pressure.relieved();
        }
        assert_eq!(places(&pressure).await, 4, "nearly a whole round");
        pressure.relieved();
        assert_eq!(places(&pressure).await, 5);
        for _ in 0..1_000 {
            pressure.relieved();
        }
        assert_eq!(places(&pressure).await, 16);
    }

    #[tokio::test(start_paused = true)]
    async fn one_job_at_a_time_tries_again_after_a_pause() {
        let pressure = Pressure::new(1);
        pressure.overloaded();
        let began = Instant::now();
        let place = pressure.enter().await;
        assert_eq!(began.elapsed(), PAUSE);
        let next = async { drop(pressure.enter().await) };
        tokio::join!(next, async { drop(place) });
    }
}
