//! Injects faults: each is injected, lasts, and is healed. A target has one fault at a time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use docket_local::proxy::Mode;
use rustix::process::{Resource, Signal};
use tokio::sync::Mutex;

use crate::fleet::{Fleet, Member, Start};
use crate::plan::{Fault, PRODUCERS, SHARDS, Server, Step};
use crate::servers::Servers;

/// Delay of packets on a slow connection: twice that of a far continent.
const LATE: Duration = Duration::from_millis(400);
/// Bytes after which the store's answers are cut: within the body of any document.
const TRUNCATED_BYTES: usize = 700;
/// Largest file that a full disk takes, in bytes: less than any spooled part of an upload.
const DISK_BYTES: u64 = 1024;
/// How far a clock jumps, in seconds: one hour.
const JUMP_SECONDS: u32 = 3_600;
/// Attempts at an operator's command.
const TRIES_MAX: usize = 20;

/// The targets of faults.
pub struct Town {
    /// All servers of the run.
    pub servers: Servers,
    /// Producers and workers of the run.
    pub fleet: Arc<Fleet>,
    storage_turn: Mutex<()>,
}

impl Town {
    /// Running servers and processes.
    pub fn new(servers: Servers, fleet: Arc<Fleet>) -> Self {
        Self {
            servers,
            fleet,
            storage_turn: Mutex::default(),
        }
    }

    /// Undoes what is left of faults that took too long.
    pub async fn heal(&self) -> Result<()> {
        self.fleet.open_all();
        let mut broker = self.servers.broker.lock().await;
        broker.rejoin();
        broker.start().await?;
        broker.until_whole().await.context("the broker does not heal")
    }

    /// Injects a fault and heals it. An error means that it was not injected.
    pub async fn inject(&self, step: &Step) -> Result<()> {
        use Fault as F;
        match step.fault {
            F::ProducerKill | F::ProducerFreeze | F::ProducerStage => {
                self.process(&self.fleet.members[step.target], step).await
            }
            F::WorkerKill | F::WorkerFreeze | F::WorkerSuspend | F::WorkerStage | F::WorkerMemory => {
                self.process(&self.fleet.members[PRODUCERS + step.target], step).await
            }
            F::LinkCut | F::LinkSlow | F::LinkReset | F::ClockJump | F::DiskFull => {
                self.process(&self.fleet.members[step.target], step).await
            }
            F::BrokerKill | F::BrokerRestart | F::BrokerFreeze => self.broker_node(step).await,
            F::BrokerPartition | F::BrokerLeader | F::BrokerOutage | F::BrokerWipe => self.broker(step).await,
            F::ShardKill | F::ShardRestart | F::ShardFreeze | F::ShardSlow | F::ShardFull | F::CatalogKill => {
                self.database(step).await
            }
            F::StorageErrors | F::StorageSlow | F::StorageTruncated | F::StorageReset => {
                self.storage(step).await;
                Ok(())
            }
            F::RollingRestart => self.roll().await,
        }
    }

    async fn process(&self, member: &Member, step: &Step) -> Result<()> {
        let _turn = member.turn.lock().await;
        match step.fault {
            Fault::ProducerFreeze | Fault::WorkerFreeze => member.freeze(step.lasts).await,
            Fault::WorkerSuspend => {
                // The broker notices a silent consumer only by its heartbeats, but a lost connection at once.
                member.set(Server::Broker, Mode::Reset);
                member.freeze(step.lasts).await;
                member.set(Server::Broker, Mode::Open);
            }
            Fault::ProducerStage | Fault::WorkerStage => {
                let settings = vec![("DOCKET_FAILPOINTS".to_owned(), step.stage.clone())];
                for_a_while(
                    member,
                    &Start {
                        settings,
                        file_blocks: None,
                    },
                    step.lasts,
                )
                .await?;
            }
            Fault::WorkerMemory => {
                let bytes = member.address_space().await.context("it does not run")?;
                member.limit(Resource::As, Some(bytes)).await;
                tokio::time::sleep(step.lasts).await;
                // A process that survived this is killed, as the kernel kills the largest process.
                member.end(false).await;
                member.start(&Start::default()).await?;
            }
            Fault::LinkCut => bad_for_a_while(member, step, Mode::Cut).await,
            Fault::LinkSlow => bad_for_a_while(member, step, Mode::Slow(LATE)).await,
            Fault::LinkReset => bad_for_a_while(member, step, Mode::Reset).await,
            Fault::ClockJump => self.jump(member, step).await?,
            Fault::DiskFull if step.target < PRODUCERS => {
                member.limit(Resource::Fsize, Some(DISK_BYTES)).await;
                tokio::time::sleep(step.lasts).await;
                member.limit(Resource::Fsize, None).await;
            }
            Fault::DiskFull => {
                let _ = std::fs::remove_dir_all(&member.cache); // The process must download its models anew.
                let start = Start {
                    settings: Vec::new(),
                    file_blocks: Some(1),
                };
                for_a_while(member, &start, step.lasts).await?;
            }
            Fault::ProducerKill | Fault::WorkerKill => {
                member.end(false).await;
                tokio::time::sleep(step.lasts).await;
                member.start(&Start::default()).await?;
            }
            other => bail!("{} is not done to a process", other.name()),
        }
        Ok(())
    }

    /// Makes a process's wall clock jump ahead and back; its monotonic clock goes on.
    async fn jump(&self, member: &Member, step: &Step) -> Result<()> {
        let Some(library) = &self.servers.faketime else {
            bail!("libfaketime is not installed")
        };
        let clock = self
            .fleet
            .owner()
            .join(format!("{}.clock", member.name.replace(' ', "-")));
        std::fs::write(&clock, "+0").context("write a clock")?;
        let settings = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).to_vec();
        member.end(true).await;
        member
            .start(&Start {
                settings,
                file_blocks: None,
            })
            .await?;
        let ready = member.until_ready().await;
        std::fs::write(&clock, format!("+{JUMP_SECONDS}")).context("write a clock")?;
        tokio::time::sleep(step.lasts).await;
        std::fs::write(&clock, "+0").context("write a clock")?;
        tokio::time::sleep(step.lasts / 2).await;
        member.end(true).await;
        member.start(&Start::default()).await?;
        ready
    }

    /// Does something to one node of the broker. The next node's turn comes when no queue misses a member.
    async fn broker_node(&self, step: &Step) -> Result<()> {
        let mut cluster = self.servers.broker.lock().await;
        let node = cluster.node(step.target);
        match step.fault {
            Fault::BrokerFreeze => {
                let pid = node.pid().context("the node is stopped")?;
                crate::servers::signal_tree(pid, Signal::STOP);
                tokio::time::sleep(step.lasts).await;
                crate::servers::signal_tree(pid, Signal::CONT);
            }
            fault => {
                if fault == Fault::BrokerKill {
                    node.kill9().await;
                } else {
                    node.stop().await;
                }
                tokio::time::sleep(step.lasts).await;
                node.start().await?;
            }
        }
        cluster.until_whole().await
    }

    async fn broker(&self, step: &Step) -> Result<()> {
        let mut cluster = self.servers.broker.lock().await;
        match step.fault {
            Fault::BrokerLeader => cluster.move_leaders().await?,
            Fault::BrokerPartition => {
                cluster.cut_off(step.target);
                tokio::time::sleep(step.lasts).await;
                cluster.rejoin();
            }
            Fault::BrokerOutage => {
                cluster.kill9().await;
                tokio::time::sleep(step.lasts).await;
                cluster.start().await?;
            }
            Fault::BrokerWipe => {
                cluster.wipe().await?;
                tokio::time::sleep(step.lasts).await;
                cluster.start().await?;
                self.requeue().await?;
                // A queue declared before all nodes had met has members only on the nodes that had met.
                cluster.grow().await?;
            }
            other => bail!("{} is not done to a broker", other.name()),
        }
        cluster.until_whole().await
    }

    /// Requeues, as an operator does who knows that the broker lost its data.
    pub async fn requeue(&self) -> Result<()> {
        for _ in 1..TRIES_MAX {
            if self
                .fleet
                .command("docket-producer", &["dispatch", "requeue"])
                .await
                .is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        self.fleet
            .command("docket-producer", &["dispatch", "requeue"])
            .await
            .map(drop)
    }

    async fn database(&self, step: &Step) -> Result<()> {
        let shard = &self.servers.clusters[1 + step.target.min(SHARDS - 1)];
        match step.fault {
            Fault::ShardFreeze => shard.freeze(step.lasts).await,
            Fault::ShardSlow => {
                self.fleet.set_all(Server::Shard(step.target), Mode::Slow(LATE / 4));
                tokio::time::sleep(step.lasts).await;
                self.fleet.set_all(Server::Shard(step.target), Mode::Open);
                Ok(())
            }
            Fault::ShardFull => shard.fill(step.lasts).await.map(drop),
            Fault::CatalogKill => self.servers.clusters[0].restart(true, step.lasts).await,
            Fault::ShardRestart => shard.restart(false, step.lasts).await,
            Fault::ShardKill => shard.restart(true, step.lasts).await,
            other => bail!("{} is not done to a database", other.name()),
        }
    }

    async fn storage(&self, step: &Step) {
        let _turn = self.storage_turn.lock().await;
        let mode = match step.fault {
            Fault::StorageErrors => Mode::Errors,
            Fault::StorageSlow => Mode::Slow(LATE),
            Fault::StorageTruncated => Mode::Truncated(TRUNCATED_BYTES),
            _ => Mode::Reset,
        };
        self.fleet.set_all(Server::Storage, mode);
        tokio::time::sleep(step.lasts).await;
        self.fleet.set_all(Server::Storage, Mode::Open);
    }

    /// Stops and starts all processes one after the other, as an upgrade does.
    async fn roll(&self) -> Result<()> {
        for member in &self.fleet.members {
            let _turn = member.turn.lock().await;
            member.end(true).await;
            member.start(&Start::default()).await?;
            // An upgrade waits for readiness, but not for ever: another fault may prevent it.
            let _ = tokio::time::timeout(Duration::from_secs(10), member.until_ready()).await;
        }
        Ok(())
    }
}

/// Restarts a process with changed settings, and after a while as usual.
async fn for_a_while(member: &Member, start: &Start, lasts: Duration) -> Result<()> {
    member.end(true).await;
    member.start(start).await?;
    tokio::time::sleep(lasts).await;
    member.end(false).await;
    member.start(&Start::default()).await
}

async fn bad_for_a_while(member: &Member, step: &Step, mode: Mode) {
    member.set(step.server, mode);
    tokio::time::sleep(step.lasts).await;
    member.set(step.server, Mode::Open);
}
