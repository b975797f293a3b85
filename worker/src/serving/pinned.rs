//! Versions that jobs insist on, beside those that hold: loaded when such jobs come, one at a time, and unloaded when none has
//! come for a while or another version has its turn (`turns.rs`).
//!
//! No job loads a version itself, or waits for long: it would keep its place, while others had work for it. It waits for some
//! seconds, few of its kind at a time, and is then put off until its version is there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use docket_shared::ids::{ClientId, ModelName};
use docket_shared::shutdown::Shutdown;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use super::turns::{self, Standing, Turns};
use super::{Loaded, Loader, ServeError};
use crate::release::Release;

/// A version that no job asked for in this time is unloaded.
const IDLE_MAX: Duration = Duration::from_secs(10 * 60);
/// How long a job waits in its place for a version that is being loaded: the default model is fetched and loaded in two
/// seconds, and what takes longer may take minutes.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Of the places of a worker one in so many may be taken by jobs that wait for a version.
const WAITING_PART: usize = 4;
/// For so long a version that could not be loaded is not tried again: its jobs have the same error. Its files cannot change,
/// but the machine's troubles pass.
const FAILED_PAUSE: Duration = Duration::from_secs(60);

/// The versions that are loaded, and the one that is being loaded.
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

/// What there is of a version.
enum Look {
    Ready(Arc<Loaded>),
    Coming,
    Busy,
    Failed(Arc<ServeError>),
}

impl Pinned {
    /// At most `versions` are in memory at a time, in a worker that works on so many jobs at a time.
    pub(super) fn new(versions: usize, places: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(versions)),
            waiting: Semaphore::new((places / WAITING_PART).max(1)),
            state: Mutex::default(),
            ordered: Notify::new(),
            changed: watch::Sender::new(()),
        }
    }

    /// A version, for a job of this client. Where it is not loaded it is ordered, if it has its turn, and waited for a little.
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

    /// Loads what is ordered, one version at a time, until the shutdown begins.
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

    /// What is loaded of a model.
    pub(super) fn loaded(&self, name: &ModelName) -> Vec<Arc<Loaded>> {
        let state = self.state();
        let of_model = state.slots.iter().filter(|slot| slot.release.name == *name);
        of_model.map(|slot| slot.model.clone()).collect()
    }

    /// Unloads what nobody asked for lately.
    pub(super) fn forget_idle(&self) {
        self.state().slots.retain(|slot| slot.asked.elapsed() < IDLE_MAX);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    /// What there is of a version. One that is not there is ordered when nothing else is being loaded and this client has its
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

    /// Takes a version out if need be. What runs with it goes on, and has its room until it ends.
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
    /// What there is of a version, for somebody who has waited since then.
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
    /// Whether this answers somebody who has waited since then: what ended while he waited does, and for a while also what
    /// would end in the same way.
    fn holds(&self, since: Instant) -> bool {
        self.at >= since || (self.error.is_lasting() && self.at.elapsed() < FAILED_PAUSE)
    }
}
