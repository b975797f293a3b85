//! Versions that jobs insist on, beside the current versions. Such a version is loaded when jobs ask for it, one version at a
//! time. It is unloaded when no job has asked for a while, or when another version has its turn (`turns.rs`).
//!
//! No job loads a version itself or waits long for one, since it would keep a place that other jobs could use. A few jobs at a
//! time wait for some seconds. Any other job is put off until its version is loaded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use docket_contract::ids::{ClientId, ModelName};
use docket_process::shutdown::Shutdown;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::admit::turns::Turns;
use crate::serving::turns::{self, Standing};
use crate::serving::{Loaded, Loader, ServeError};
use docket_engine::release::Release;

/// A version that no job has asked for in this time is unloaded.
const IDLE_MAX: Duration = Duration::from_secs(10 * 60);
/// How long a job waits in its place for a version that is being loaded. The default model is fetched and loaded in two seconds,
/// and a version that takes longer may take minutes.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// One in this many of a worker's places may be taken by jobs that wait for a version.
const WAITING_PART: usize = 4;
/// Pause after a version failed to load for a lasting reason: its jobs get the same error meanwhile. Its files cannot change, but
/// the machine's troubles pass.
const FAILED_PAUSE: Duration = Duration::from_secs(60);

/// The loaded versions, and the version that is being loaded.
pub(super) struct Pinned {
    room: Arc<Semaphore>,
    waiting: Semaphore,
    state: Mutex<State>,
    ordered: Notify,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    slots: Vec<Slot>,
    order: Option<Release>,
    failed: HashMap<Release, Failed>,
    turns: Turns,
}

struct Slot {
    release: Release,
    asked: Instant,
    stays_until: Instant,
    model: Arc<Loaded>,
}

struct Failed {
    at: Instant,
    error: Arc<ServeError>,
}

/// What a job finds when it asks for a version.
enum Look {
    Ready(Arc<Loaded>),
    Coming,
    Busy,
    Failed(Arc<ServeError>),
}

impl Pinned {
    /// Keeps at most `versions` in memory, for a worker that takes `places` jobs at a time.
    pub(super) fn new(versions: usize, places: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(versions)),
            waiting: Semaphore::new((places / WAITING_PART).max(1)),
            state: Mutex::default(),
            ordered: Notify::new(),
            changed: watch::Sender::new(()),
        }
    }

    /// A version, for a job of this client. A version that is not loaded is ordered if the client has its turn, and waited for up
    /// to 10 s.
    pub(super) async fn get(&self, client: &ClientId, release: &Release) -> Result<Arc<Loaded>, ServeError> {
        let began = Instant::now();
        let mut changed = self.changed.subscribe();
        match self.order(client, release) {
            Look::Coming => {}
            look => return look.answer(release),
        }
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return Look::Busy.answer(release);
        };
        let coming = async {
            while changed.changed().await.is_ok() {
                match self.state().look(release, began) {
                    Look::Coming => {}
                    look => return look,
                }
            }
            Look::Busy
        };
        let come = tokio::time::timeout(WAIT_MAX, coming).await;
        come.unwrap_or(Look::Busy).answer(release)
    }

    /// Loads the ordered versions, one at a time, until the shutdown begins.
    pub(super) async fn load_orders(&self, loader: &Loader, shutdown: &Shutdown) {
        while shutdown.until_soft(self.ordered.notified()).await.is_some() {
            let Some(release) = self.state().order.clone() else {
                continue;
            };
            let room = async { Some(self.make_room().await) };
            let Some(loaded) = shutdown.until_soft(loader.load(&release, room)).await else {
                return;
            };
            self.enter(release, loaded);
            self.changed.send_replace(());
        }
    }

    /// The loaded versions of a model.
    pub(super) fn loaded(&self, name: &ModelName) -> Vec<Arc<Loaded>> {
        let state = self.state();
        let of_model = state.slots.iter().filter(|slot| slot.release.name == *name);
        of_model.map(|slot| slot.model.clone()).collect()
    }

    /// Unloads the versions that no job has asked for lately.
    pub(super) fn forget_idle(&self) {
        self.state().slots.retain(|slot| slot.asked.elapsed() < IDLE_MAX);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    /// What a job finds of a version. A version that is not loaded is ordered, if no other is being loaded and the client has its
    /// turn.
    fn order(&self, client: &ClientId, release: &Release) -> Look {
        let now = Instant::now();
        let mut state = self.state();
        match state.look(release, now) {
            Look::Busy => {}
            look => return look,
        }
        let may_go = state.slots.iter().filter(|slot| slot.standing().may_go(now)).count();
        let has_turn = state.turns.ask(client, self.room.available_permits() + may_go, now);
        if !has_turn || state.order.is_some() {
            return Look::Busy;
        }
        state.turns.served(client, now);
        state.order = Some(release.clone());
        self.ordered.notify_one();
        Look::Coming
    }

    /// Takes a version out if there is no room. Jobs that run with that version go on, and its room is free when they end.
    async fn make_room(&self) -> OwnedSemaphorePermit {
        if let Ok(room) = self.room.clone().try_acquire_owned() {
            return room;
        }
        {
            let mut state = self.state();
            let standings: Vec<Standing> = state.slots.iter().map(Slot::standing).collect();
            if let Some(place) = turns::goes(&standings, Instant::now()) {
                state.slots.remove(place);
            }
        }
        self.room.clone().acquire_owned().await.expect("it is never closed")
    }

    fn enter(&self, release: Release, loaded: Result<Loaded, ServeError>) {
        let mut state = self.state();
        let now = Instant::now();
        state.order = None;
        state.failed.retain(|_, failed| failed.at.elapsed() < FAILED_PAUSE);
        match loaded {
            Ok(model) => state.slots.push(Slot {
                release,
                asked: now,
                stays_until: now + turns::turn(model.took),
                model: Arc::new(model),
            }),
            Err(error) => {
                let error = Arc::new(error);
                state.failed.insert(release, Failed { at: now, error });
            }
        }
    }
}

impl State {
    /// What a job that has waited since `since` finds of a version.
    fn look(&mut self, release: &Release, since: Instant) -> Look {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.release == *release) {
            slot.asked = Instant::now();
            return Look::Ready(slot.model.clone());
        }
        if let Some(failed) = self.failed.get(release).filter(|failed| failed.holds(since)) {
            return Look::Failed(failed.error.clone());
        }
        if self.order.as_ref() == Some(release) {
            return Look::Coming;
        }
        Look::Busy
    }
}

impl Look {
    fn answer(self, release: &Release) -> Result<Arc<Loaded>, ServeError> {
        match self {
            Self::Ready(model) => Ok(model),
            Self::Failed(error) => Err(ServeError::Shared(error)),
            Self::Coming | Self::Busy => Err(ServeError::Busy(release.clone())),
        }
    }
}

impl Slot {
    fn standing(&self) -> Standing {
        Standing {
            stays_until: self.stays_until,
            asked: self.asked,
            runs: Arc::strong_count(&self.model) > 1,
        }
    }
}

impl Failed {
    /// Whether this failure answers a job that has waited since `since`. A failure during the wait does, and for a while so does
    /// an earlier one that would repeat itself.
    fn holds(&self, since: Instant) -> bool {
        self.at >= since || (self.error.is_lasting() && self.at.elapsed() < FAILED_PAUSE)
    }
}
