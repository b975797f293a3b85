//! Which faults happen where, when and for how long: a pure function of the seed.

use std::fmt;
use std::time::Duration;

use crate::random::Random;

/// Number of producers in a run.
pub const PRODUCERS: usize = 2;
/// Number of workers in a run.
pub const WORKERS: usize = 3;
/// Number of shards in a run.
pub const SHARDS: usize = 2;
/// Number of broker nodes: the fewest that go on without one of them.
pub const BROKERS: usize = 3;

/// Failpoints of a producer.
const PRODUCER_STAGES: [&str; 5] = [
    "producer.after_s3_put",
    "producer.before_commit",
    "producer.after_commit",
    "producer.before_confirm",
    "producer.before_mark",
];
/// Failpoints of a worker.
const WORKER_STAGES: [&str; 8] = [
    "worker.after_claim",
    "worker.after_fetch",
    "worker.after_extract",
    "worker.after_infer",
    "worker.before_commit",
    "worker.after_commit",
    "worker.before_ack",
    "worker.heartbeat",
];
/// Limit of passes of a failpoint before it acts.
const PASSES_MAX: usize = 12;
/// Longest pause between the starts of two faults, in milliseconds.
const PAUSE_MAX_MS: usize = 1_500;
/// Of 100 faults, how many start while the previous one lasts.
const BESIDE_PERCENT: usize = 60;

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "their names say it; deploy/chaos/README.md has the table")]
pub enum Fault {
    ProducerKill,
    ProducerFreeze,
    ProducerStage,
    WorkerKill,
    WorkerFreeze,
    WorkerSuspend,
    WorkerStage,
    WorkerMemory,
    BrokerKill,
    BrokerRestart,
    BrokerFreeze,
    BrokerPartition,
    BrokerLeader,
    BrokerOutage,
    BrokerWipe,
    ShardKill,
    ShardRestart,
    ShardFreeze,
    ShardSlow,
    ShardFull,
    CatalogKill,
    StorageErrors,
    StorageSlow,
    StorageTruncated,
    StorageReset,
    LinkCut,
    LinkSlow,
    LinkReset,
    ClockJump,
    DiskFull,
    RollingRestart,
}

impl Fault {
    /// Every fault, its name, and its shortest and longest duration in milliseconds.
    pub const ALL: [(Self, &'static str, [usize; 2]); 31] = [
        (Self::ProducerKill, "producer-kill", [200, 1_000]),
        (Self::ProducerFreeze, "producer-freeze", [1_000, 4_000]),
        (Self::ProducerStage, "producer-stage", [3_000, 5_000]),
        (Self::WorkerKill, "worker-kill", [200, 1_000]),
        (Self::WorkerFreeze, "worker-freeze", [1_000, 5_000]),
        // Longer than a silent claim is safe, so that another worker takes this worker's jobs over.
        (Self::WorkerSuspend, "worker-suspend", [19_000, 23_000]),
        (Self::WorkerStage, "worker-stage", [3_000, 5_000]),
        (Self::WorkerMemory, "worker-memory", [1_000, 3_000]),
        (Self::BrokerKill, "broker-kill", [200, 2_000]),
        (Self::BrokerRestart, "broker-restart", [200, 1_000]),
        // Shorter than the other nodes take to notice: RabbitMQ leaves a node that resumes later to its operator.
        (Self::BrokerFreeze, "broker-freeze", [1_000, 4_000]),
        // Longer than the other nodes and the node itself take to notice.
        (Self::BrokerPartition, "broker-partition", [11_000, 14_000]),
        (Self::BrokerLeader, "broker-leader", [0, 0]),
        (Self::BrokerOutage, "broker-outage", [200, 1_000]),
        (Self::BrokerWipe, "broker-wipe", [200, 1_000]),
        (Self::ShardKill, "shard-kill", [200, 2_000]),
        (Self::ShardRestart, "shard-restart", [200, 1_000]),
        (Self::ShardFreeze, "shard-freeze", [1_000, 6_000]),
        (Self::ShardSlow, "shard-slow", [2_000, 4_000]),
        (Self::ShardFull, "shard-full", [1_000, 3_000]),
        (Self::CatalogKill, "catalog-kill", [200, 2_000]),
        (Self::StorageErrors, "storage-errors", [1_000, 3_000]),
        (Self::StorageSlow, "storage-slow", [2_000, 4_000]),
        (Self::StorageTruncated, "storage-truncated", [1_000, 3_000]),
        (Self::StorageReset, "storage-reset", [1_000, 3_000]),
        (Self::LinkCut, "link-cut", [1_000, 6_000]),
        (Self::LinkSlow, "link-slow", [2_000, 4_000]),
        (Self::LinkReset, "link-reset", [500, 3_000]),
        (Self::ClockJump, "clock-jump", [3_000, 5_000]),
        (Self::DiskFull, "disk-full", [2_000, 4_000]),
        (Self::RollingRestart, "rolling-restart", [100, 200]),
    ];

    /// Name of the fault.
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|known| known.0 == self);
        found.map_or("unknown", |known| known.1)
    }
}

/// A server that a process connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Server {
    Broker,
    Catalog,
    Shard(usize),
    Storage,
}

impl Server {
    /// Every server.
    pub const ALL: [Self; 3 + SHARDS] = [
        Self::Broker,
        Self::Catalog,
        Self::Shard(0),
        Self::Shard(1),
        Self::Storage,
    ];
}

/// One fault of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Number of the step, from 1.
    pub number: usize,
    /// Kind of the fault.
    pub fault: Fault,
    /// Number of the producer, worker, shard or broker node; for faults of any process, producers come first.
    pub target: usize,
    /// Server at the other end of the broken connection.
    pub server: Server,
    /// Failpoint, and what happens there.
    pub stage: String,
    /// Pause since the start of the previous fault.
    pub pause: Duration,
    /// How long the fault lasts.
    pub lasts: Duration,
    /// Whether the fault starts while the previous one lasts.
    pub beside: bool,
}

/// The plan of a seed. Each kind of fault comes once before any comes twice.
pub fn plan(seed: u64, faults: usize, only: Option<&str>) -> Vec<Step> {
    let mut chance = Random::new(seed, 0);
    let meant = |known: &&(Fault, &str, [usize; 2])| only.is_none_or(|only| known.1.starts_with(only));
    let kinds: Vec<_> = Fault::ALL.iter().filter(meant).collect();
    let mut deck = Vec::new();
    let mut steps = Vec::new();
    for number in 1..=faults {
        if deck.is_empty() {
            deck.clone_from(&kinds);
            chance.shuffle(&mut deck);
        }
        let Some((fault, _, [from, to])) = deck.pop() else {
            break;
        };
        let lasts = from + chance.below(to - from + 1);
        steps.push(Step {
            number,
            fault: *fault,
            target: chance.below(targets(*fault)),
            server: Server::ALL[chance.below(Server::ALL.len())],
            stage: stage(*fault, &mut chance),
            pause: Duration::from_millis(chance.below(PAUSE_MAX_MS) as u64),
            lasts: Duration::from_millis(lasts as u64),
            beside: chance.percent(BESIDE_PERCENT),
        });
    }
    steps
}

fn targets(fault: Fault) -> usize {
    use Fault as F;
    match fault {
        F::ProducerKill | F::ProducerFreeze | F::ProducerStage => PRODUCERS,
        F::WorkerKill | F::WorkerFreeze | F::WorkerSuspend | F::WorkerStage | F::WorkerMemory => WORKERS,
        F::ShardKill | F::ShardRestart | F::ShardFreeze | F::ShardSlow | F::ShardFull => SHARDS,
        F::LinkCut | F::LinkSlow | F::LinkReset | F::ClockJump | F::DiskFull => PRODUCERS + WORKERS,
        F::BrokerKill | F::BrokerRestart | F::BrokerFreeze | F::BrokerPartition => BROKERS,
        F::BrokerLeader
        | F::BrokerOutage
        | F::BrokerWipe
        | F::CatalogKill
        | F::StorageErrors
        | F::StorageSlow
        | F::StorageTruncated
        | F::StorageReset
        | F::RollingRestart => 1,
    }
}

fn stage(fault: Fault, chance: &mut Random) -> String {
    let stages: &[&str] = match fault {
        Fault::ProducerStage => &PRODUCER_STAGES,
        Fault::WorkerStage => &WORKER_STAGES,
        _ => return String::new(),
    };
    let stage = stages[chance.below(stages.len())];
    // Mostly death: other processes notice a suspended or late process less clearly.
    let action = ["kill", "kill", "stop", "delay:700"][chance.below(4)];
    format!("{stage}={action}#{}", 1 + chance.below(PASSES_MAX))
}

/// Name of a process: producers are numbered first.
pub fn process(number: usize) -> String {
    match number.checked_sub(PRODUCERS) {
        None => format!("producer {}", number + 1),
        Some(worker) => format!("worker {}", worker + 1),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Fault as F;
        write!(f, "{:>4} {:<18}", self.number, self.fault.name())?;
        match self.fault {
            F::ProducerKill | F::ProducerFreeze => write!(f, "{}", process(self.target))?,
            F::WorkerKill | F::WorkerFreeze | F::WorkerSuspend | F::WorkerMemory => {
                write!(f, "{}", process(PRODUCERS + self.target))?;
            }
            F::ProducerStage => write!(f, "{} {}", process(self.target), self.stage)?,
            F::WorkerStage => write!(f, "{} {}", process(PRODUCERS + self.target), self.stage)?,
            F::ShardKill | F::ShardRestart | F::ShardFreeze | F::ShardSlow | F::ShardFull => {
                write!(f, "s{}", self.target + 1)?;
            }
            F::BrokerKill | F::BrokerRestart | F::BrokerFreeze | F::BrokerPartition => {
                write!(f, "node {}", self.target + 1)?;
            }
            F::LinkCut | F::LinkSlow | F::LinkReset => write!(f, "{} to {:?}", process(self.target), self.server)?,
            F::ClockJump | F::DiskFull => write!(f, "{}", process(self.target))?,
            _ => write!(f, "all")?,
        }
        write!(
            f,
            " for {} ms{}",
            self.lasts.as_millis(),
            if self.beside { ", beside the last" } else { "" }
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_is_a_plan() {
        assert_eq!(plan(7, 100, None), plan(7, 100, None));
        assert_ne!(plan(7, 100, None), plan(8, 100, None));
        assert_eq!(
            plan(7, 100, None)[..40],
            plan(7, 40, None)[..],
            "a longer plan begins like a shorter one"
        );
    }

    #[test]
    fn a_plan_of_a_release_stays_that_of_its_seed() {
        let first: Vec<String> = plan(1, 4, None).iter().map(ToString::to_string).collect();
        assert_eq!(first, GOLDEN, "seeds in notes and reports would mean something else");
    }

    /// First steps of the plan of seed 1.
    const GOLDEN: [&str; 4] = [
        "   1 disk-full         worker 3 for 2301 ms",
        "   2 worker-stage      worker 1 worker.after_fetch=stop#1 for 3517 ms, beside the last",
        "   3 producer-kill     producer 1 for 443 ms",
        "   4 worker-suspend    worker 1 for 19984 ms, beside the last",
    ];

    #[test]
    fn every_fault_comes_once_before_any_comes_again() {
        let steps = plan(3, 2 * Fault::ALL.len(), None);
        for round in steps.chunks(Fault::ALL.len()) {
            let kinds: HashSet<Fault> = round.iter().map(|step| step.fault).collect();
            assert_eq!(kinds.len(), Fault::ALL.len());
        }
        assert!(steps.iter().any(|step| step.beside) && steps.iter().any(|step| !step.beside));
    }

    #[test]
    fn only_the_faults_asked_for_are_planned() {
        let steps = plan(3, 50, Some("shard"));
        assert_eq!(steps.len(), 50);
        assert!(
            steps
                .iter()
                .all(|step| step.fault.name().starts_with("shard") && step.target < SHARDS)
        );
        assert_eq!(plan(3, 50, Some("nothing")), []);
    }
}
