//! Versions that jobs insist on, beside those that hold: loaded when the first such job comes, and unloaded when none has
//! come for a while or another version needs the room.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use docket_shared::ids::ModelName;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::{Loaded, Loader, ServeError};
use crate::release::Release;

/// A version that no job asked for in this time is unloaded.
const IDLE_MAX: Duration = Duration::from_secs(10 * 60);

/// The versions that are loaded, or being loaded.
pub(super) struct Pinned {
    room: Arc<Semaphore>,
    slots: Mutex<Vec<Slot>>,
}

struct Slot {
    release: Release,
    asked: Instant,
    model: Arc<OnceCell<Arc<Loaded>>>,
}

impl Pinned {
    /// At most `versions` are in memory at a time.
    pub(super) fn new(versions: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(versions)),
            slots: Mutex::default(),
        }
    }

    /// A version; loads it once, however many ask meanwhile. Where all room is taken it waits for the jobs of the version
    /// that was asked for longest ago.
    pub(super) async fn get(&self, loader: &Loader, release: &Release) -> Result<Arc<Loaded>, ServeError> {
        let slot = self.slot(release);
        let load = async || {
            let room = self.make_room().await;
            let loaded = loader.load(release).await?;
            Ok(Arc::new(Loaded {
                _room: Some(room),
                ..loaded
            }))
        };
        let loaded = slot.get_or_try_init(load).await.cloned();
        if loaded.is_err() {
            self.forget(&slot);
        }
        loaded
    }

    /// What is loaded of a model.
    pub(super) fn loaded(&self, name: &ModelName) -> Vec<Arc<Loaded>> {
        let slots = self.slots.lock().expect("no holder panics");
        let of_model = slots.iter().filter(|slot| slot.release.name == *name);
        of_model.filter_map(|slot| slot.model.get().cloned()).collect()
    }

    /// Unloads what nobody asked for lately.
    pub(super) fn forget_idle(&self) {
        let mut slots = self.slots.lock().expect("no holder panics");
        slots.retain(|slot| slot.asked.elapsed() < IDLE_MAX || !slot.model.initialized());
    }

    fn slot(&self, release: &Release) -> Arc<OnceCell<Arc<Loaded>>> {
        let mut slots = self.slots.lock().expect("no holder panics");
        let known = slots
            .iter_mut()
            .find(|slot| slot.release == *release);
        if let Some(slot) = known {
            slot.asked = Instant::now();
            return slot.model.clone();
        }
        let model = Arc::default();
        slots.push(Slot {
            release: release.clone(),
            asked: Instant::now(),
            model: Arc::clone(&model),
        });
        model
    }

    fn forget(&self, model: &Arc<OnceCell<Arc<Loaded>>>) {
        let mut slots = self.slots.lock().expect("no holder panics");
        slots.retain(|slot| !Arc::ptr_eq(&slot.model, model));
    }

    async fn make_room(&self) -> OwnedSemaphorePermit {
        if let Ok(room) = self.room.clone().try_acquire_owned() {
            return room;
        }
        {
            let mut slots = self.slots.lock().expect("no holder panics");
            let loaded = (0..slots.len()).filter(|&slot| slots[slot].model.initialized());
            if let Some(oldest) = loaded.min_by_key(|&slot| slots[slot].asked) {
                slots.remove(oldest);
            }
        }
        self.room.clone().acquire_owned().await.expect("it is never closed")
    }
}
