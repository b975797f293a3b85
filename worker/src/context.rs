//! What every job of a process shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use docket_engine::cpu::CpuPool;
use docket_extract::Extractor;
use docket_objects::BlobStore;
use docket_process::metrics::Hands;
use docket_process::shutdown::Shutdown;
use docket_queue::publish::Publisher;
use docket_store::Shards;

use crate::admit::company::Company;
use crate::admit::memory::Memory;
use crate::admit::pressure::Pressure;
use crate::admit::scans::Scans;
use crate::heartbeat::Claims;
use crate::other_language::OtherLanguage;
use crate::probes::Health;
use crate::result_writer::Writer;
use crate::serving::Serving;

/// What every job of a process shares.
pub struct Context {
    /// The catalog and the shards.
    pub shards: Shards,
    /// Writes results, several in one transaction.
    pub writer: Writer,
    /// The bucket of documents, texts and models.
    pub blobs: BlobStore,
    /// The models that this worker serves.
    pub serving: Arc<Serving>,
    /// Publishes into the delay queue.
    pub publisher: Publisher,
    /// Threads for the steps between I/O and the model.
    pub cpu: CpuPool,
    /// Parses documents, in processes of their own.
    pub extractor: Extractor,
    /// Places for scans.
    pub scans: Scans,
    /// Memory for documents.
    pub memory: Memory,
    /// Most entities of one job.
    pub entities_max: usize,
    /// Least score of an entity of the model.
    pub score_min: f32,
    /// What becomes of documents in other languages than their models read.
    pub other_language: OtherLanguage,
    /// State that the probes report.
    pub health: Health,
    /// How many jobs the worker takes at a time.
    pub pressure: Pressure,
    /// Which jobs may run beside others.
    pub company: Company,
    /// Claims that the heartbeat keeps alive.
    pub claims: Claims,
    /// Model calls that may run at a time, for each model.
    pub sessions: usize,
    /// This worker's name in jobs' histories: host name and a random part.
    pub worker: String,
    /// Tells when to stop.
    pub shutdown: Shutdown,
    /// Whether a model has stopped for good.
    pub(crate) broken: AtomicBool,
}

impl Context {
    /// How full this worker is.
    pub(crate) fn hands(&self) -> Hands {
        Hands {
            deliveries: self.pressure.in_hand(),
            memory: self.memory.taken(),
            cpu_tasks: self.cpu.tasks(),
            sessions: self.sessions,
        }
    }

    /// A model fails for every job: gives all work back and ends the worker, to be started anew.
    pub(crate) fn give_up(&self) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            tracing::error!("a model has stopped: the worker gives back all that it has, and ends");
        }
        self.shutdown.abort();
    }
}
