//! Producers and workers as processes, on a world of the harness.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Output};
use std::sync::Arc;
use std::time::Duration;

use docket_local::postgres::Login;
use docket_local::running::{self, Announced, Running};
use docket_local::testing::{self, PrivateBroker, World};
use docket_shared::ids::ClientId;
use docket_shared::sharding::{self, ShardMap};
use docket_shared::store::{Shards, StoreConfig};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::api::{Accepted, Caller};

/// Longest start of a program: a debug build's model takes some seconds to load on a busy machine.
const START_MAX: Duration = Duration::from_secs(120);

/// A world with a producer in front; workers are started by the test.
pub struct System {
    /// Its servers.
    pub world: World,
    /// The one producer.
    pub producer: Program,
}

/// A running program; it is killed when dropped.
pub struct Program {
    child: Child,
    /// Where it serves HTTP.
    pub base: String,
    log: std::path::PathBuf,
}

/// A running autoscaler; it and its workers are killed when it is dropped.
pub struct Autoscaler {
    program: Program,
    _announced: Announced,
    _folder: TempDir,
}

impl System {
    /// A producer with every role on a new world.
    pub async fn start() -> Self {
        Self::on(World::start().await, &[]).await
    }

    /// The same, with some of the producer's settings changed.
    pub async fn start_set(settings: &[(&str, &str)]) -> Self {
        Self::on(World::start().await, settings).await
    }

    /// The same, on a broker that the test may stop, kill and wipe.
    pub async fn start_with(broker: &PrivateBroker) -> Self {
        Self::on(World::start_with(broker).await, &[]).await
    }

    /// The same, on a world with a database of the test's own, which has no schema yet.
    pub async fn migrated_on(world: World) -> Self {
        testing::build_binaries();
        let command = Command::new(testing::binary("docket-producer"));
        let migrated = { command }.envs(world.env_as(Login::Owner)).arg("migrate").output();
        let output = migrated.await.expect("docket-producer runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::on(world, &[]).await
    }

    /// The same with its roles in a process each, the first of which serves the API: each with its own login and settings.
    pub async fn start_apart() -> (Self, Program) {
        testing::build_binaries();
        let world = World::start().await;
        publish(&world, &testing::checkout().root().join("deploy/models/ner-legal")).await;
        let [producer, dispatcher] = [(Login::Api, "api"), (Login::Dispatch, "dispatch")].map(async |(login, role)| {
            let env = world.env_as(login);
            Program::start(
                "docket-producer",
                &["serve", "--roles", role],
                &env,
                &env["DOCKET_HTTP_ADDR"],
            )
            .await
        });
        let (producer, dispatcher) = (producer.await, dispatcher.await);
        (Self { world, producer }, dispatcher)
    }

    async fn on(world: World, settings: &[(&str, &str)]) -> Self {
        testing::build_binaries();
        publish(&world, &testing::checkout().root().join("deploy/models/ner-legal")).await;
        let env = changed(&world, Login::Producer, settings);
        let producer = Program::start("docket-producer", &["serve"], &env, &env["DOCKET_HTTP_ADDR"]).await;
        Self { world, producer }
    }

    /// Publishes a model's folder.
    pub async fn publish(&self, folder: &Path) {
        publish(&self.world, folder).await;
    }

    /// Starts a worker and waits until it consumes.
    pub async fn worker(&self) -> Program {
        self.worker_with(&[]).await
    }

    /// Starts a worker with some settings changed.
    pub async fn worker_with(&self, settings: &[(&str, &str)]) -> Program {
        let mut program = self.spawn_worker(settings);
        program.until_ready("docket-worker").await;
        program
    }

    /// Starts a worker that may die at once.
    pub fn spawn_worker(&self, settings: &[(&str, &str)]) -> Program {
        let env = changed(&self.world, Login::Worker, settings);
        let address = env["DOCKET_WORKER_HTTP_ADDR"].clone();
        Program::spawn("docket-worker", &[], &env, &address)
    }

    /// Starts an autoscaler: workers come and go with the work there is, and have no time to end what they have begun.
    pub fn autoscaler(&self, options: &[&str]) -> Autoscaler {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let file = running::file(folder.path());
        let env = self.world.env_as(Login::Worker);
        let running = Running {
            producers: vec![self.producer.base.clone()],
            workers: 0,
            broker: self.world.broker.clone(),
            vhost: self.world.vhost.clone(),
            settings: [(Login::Worker, env.into_iter().collect())].into(),
            programs: folder.path().to_owned(),
            state: folder.path().to_owned(),
            logs: folder.path().to_owned(),
        };
        let announced = running.announce(&file).expect("the file can be written");
        let file = file.display().to_string();
        let arguments = [&["autoscale", "--running", &file], options].concat();
        let env = HashMap::from([("DOCKET_DRAIN_SECONDS".to_owned(), "0".to_owned())]);
        Autoscaler {
            program: Program::spawn("docket-local", &arguments, &env, ""),
            _announced: announced,
            _folder: folder,
        }
    }

    /// Starts another producer with every role, beside the first one.
    pub async fn another_producer(&self) -> Program {
        let env = self.world.env_as(Login::Producer);
        Program::start("docket-producer", &["serve"], &env, &env["DOCKET_HTTP_ADDR"]).await
    }

    /// Ends the producer as `kill -9` does, and starts it again.
    pub async fn restart_producer(&mut self) {
        self.producer.kill9().await;
        let env = self.world.env_as(Login::Producer);
        self.producer = Program::start("docket-producer", &["serve"], &env, &env["DOCKET_HTTP_ADDR"]).await;
    }

    /// Runs an operator command of the producer; what it prints.
    pub async fn operator(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs an operator command that does not do what it was asked, or not all of it; what it says of that.
    pub async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).await;
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    }

    async fn command(&self, arguments: &[&str]) -> Output {
        // Operators' commands have the dispatcher's login; tokens are made by who has their secret.
        let login = match arguments.first() {
            Some(&"token") => Login::Api,
            _ => Login::Dispatch,
        };
        let command = Command::new(testing::binary("docket-producer"))
            .envs(self.world.env_as(login))
            .args(arguments)
            .output();
        command.await.expect("docket-producer runs")
    }

    /// A caller with a token of a client.
    pub async fn caller(&self, client: &str) -> Caller {
        let token = self.operator(&["token", "--client", client]).await;
        Caller::new(self.producer.base.clone(), token)
    }

    /// A client whose rows are on a shard.
    pub async fn client_of(&self, shard: &str) -> String {
        let map = self.map().await;
        let clients = (0..).map(|number| format!("client-{number}"));
        let found = clients.into_iter().find(|client| {
            let id: ClientId = client.parse().expect("a valid name");
            map.owner(sharding::bucket_of(&id)).as_str() == shard
        });
        found.expect("every shard owns buckets")
    }

    async fn map(&self) -> Arc<ShardMap> {
        self.shards().await.map()
    }

    /// Its databases.
    pub async fn shards(&self) -> Shards {
        let env = docket_shared::config::Env::from_map(self.world.env());
        let config = StoreConfig::from_env(&env).expect("the world's settings are complete");
        Shards::connect(&config).await.expect("the catalog answers")
    }

    /// A plain connection to the shard that has a job.
    pub async fn shard_of(&self, accepted: &Accepted) -> PgConnection {
        let job: uuid::Uuid = accepted.job.parse().expect("an id");
        for (_, url) in &self.world.shards {
            let mut connection = PgConnection::connect(url).await.expect("the shard answers");
            let found: Option<i32> = sqlx::query_scalar("select 1 from jobs where id = $1")
                .bind(job)
                .fetch_optional(&mut connection)
                .await
                .expect("the table is there");
            if found.is_some() {
                return connection;
            }
        }
        panic!("no shard has job {job}");
    }

    /// Makes the last heartbeat of every running job older, as if their worker had been silent for 20 s.
    pub async fn silence_all(&self) {
        for (_, url) in &self.world.shards {
            let mut shard = PgConnection::connect(url).await.expect("the shard answers");
            sqlx::query("update dispatch set heartbeat_at = heartbeat_at - interval '20 s' where state = 'running'")
                .execute(&mut shard)
                .await
                .expect("the rows can be updated");
        }
    }

    /// Makes a job's last heartbeat older, as if its worker had been silent for 20 s.
    pub async fn silence(&self, accepted: &Accepted) {
        let mut shard = self.shard_of(accepted).await;
        let job: uuid::Uuid = accepted.job.parse().expect("an id");
        sqlx::query("update dispatch set heartbeat_at = heartbeat_at - interval '20 s' where job_id = $1")
            .bind(job)
            .execute(&mut shard)
            .await
            .expect("the row can be updated");
    }
}

fn changed(world: &World, login: Login, settings: &[(&str, &str)]) -> HashMap<String, String> {
    let mut env = world.env_as(login);
    let settings = settings.iter();
    env.extend(settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    env
}

async fn publish(world: &World, folder: &Path) {
    let command = Command::new(testing::binary("docket-worker"))
        .envs(world.env_as(Login::Worker))
        .args(["models", "publish"])
        .arg(folder)
        .output();
    let output = command.await.expect("docket-worker runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Autoscaler {
    /// Every number of workers that it decided on, in order.
    pub fn sizes(&self) -> Vec<u32> {
        let log = std::fs::read_to_string(&self.program.log).expect("it has a log");
        let changes = log
            .lines()
            .filter_map(|line| line.split_once(" workers: ")?.0.rsplit_once(" -> "));
        changes.map(|(_, size)| size.parse().expect("a number")).collect()
    }

    /// Waits until it has decided on a number, as the last one.
    pub async fn until(&self, size: u32) {
        let decided = async {
            while self.sizes().last() != Some(&size) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let decided = tokio::time::timeout(START_MAX, decided).await;
        assert!(
            decided.is_ok(),
            "not {size} workers after {START_MAX:?}: {:?}",
            self.sizes()
        );
    }

    /// Tells it to stop its workers and itself, and waits until they have.
    pub async fn terminate(&mut self) {
        self.program.terminate().await;
    }
}

/// Sends a signal to a child that runs.
pub fn signal(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    kill_process(pid.expect("it runs"), signal).expect("it can be signalled");
}

impl Program {
    async fn start(name: &str, arguments: &[&str], env: &HashMap<String, String>, address: &str) -> Self {
        let mut program = Self::spawn(name, arguments, env, address);
        program.until_ready(name).await;
        program
    }

    fn spawn(name: &str, arguments: &[&str], env: &HashMap<String, String>, address: &str) -> Self {
        let log = std::env::temp_dir().join(format!("{name}-{}.log", uuid::Uuid::new_v4().simple()));
        let output = File::create(&log).expect("the temporary folder can be written");
        let child = Command::new(testing::binary(name))
            .args(arguments)
            .envs(env)
            .env("DOCKET_LOG_FORMAT", "json")
            .stdout(output.try_clone().expect("a file can be cloned"))
            .stderr(output)
            .kill_on_drop(true)
            .spawn();
        Self {
            child: child.expect("the program starts"),
            base: format!("http://{address}"),
            log,
        }
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let ended = self.child.try_wait().expect("the child can be waited for");
        ended.is_some()
    }

    /// Waits until it ends by itself.
    pub async fn until_ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(START_MAX, self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("it runs on after {START_MAX:?}"));
        ended.expect("it can be waited for")
    }

    async fn until_ready(&mut self, name: &str) {
        let url = format!("{}/readyz", self.base);
        let ready = async {
            while !reqwest::get(&url)
                .await
                .is_ok_and(|response| response.status().is_success())
            {
                if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                    panic!(
                        "{name} ended with {status}: {}",
                        std::fs::read_to_string(&self.log).unwrap_or_default()
                    );
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(
            tokio::time::timeout(START_MAX, ready).await.is_ok(),
            "{name} is not ready after {START_MAX:?}"
        );
    }

    /// All that it has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log can be read")
    }

    /// The lines that it has logged so far.
    pub fn log_lines(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(&self.log).expect("the log can be read");
        let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect()
    }

    /// Memory it holds now, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// The most memory it has held so far, in bytes.
    pub fn peak_memory_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    fn status_bytes(&self, field: &str) -> u64 {
        let pid = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux says");
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.expect("a size in kB").parse::<u64>().expect("a number") * 1024
    }

    /// Ends it as `kill -9` does.
    pub async fn kill9(&mut self) {
        self.child.kill().await.expect("the child can be killed");
    }

    /// Stops its process where it is, until [`Self::wake`].
    pub fn freeze(&self) {
        signal(&self.child, Signal::STOP);
    }

    /// Lets a frozen process go on.
    pub fn wake(&self) {
        signal(&self.child, Signal::CONT);
    }

    /// Asks it to stop, and waits until it has.
    pub async fn terminate(&mut self) {
        signal(&self.child, Signal::TERM);
        let ended = tokio::time::timeout(START_MAX, self.child.wait()).await;
        assert!(
            ended
                .expect("it stops in time")
                .expect("it can be waited for")
                .success()
        );
    }

    /// Waits until a line is among its metrics.
    pub async fn until_metric(&self, line: &str) {
        let shown = tokio::time::timeout(START_MAX, self.until_metrics(|found| found == line)).await;
        assert!(shown.is_ok(), "{line:?} is not among the metrics after {START_MAX:?}");
    }

    /// Waits until a line of its metrics is as wished, for ever.
    pub async fn until_metrics(&self, wished: impl Fn(&str) -> bool) {
        while !self.metrics().await.lines().any(&wished) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its metrics.
    pub async fn metrics(&self) -> String {
        let response = reqwest::get(format!("{}/metrics", self.base))
            .await
            .expect("it answers");
        response.text().await.expect("metrics are text")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("log of a program: {}", self.log.display());
        } else {
            let _ = std::fs::remove_file(&self.log);
        }
    }
}
