//! Producers and workers as processes, on a test's world.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Output};
use std::sync::Arc;
use std::time::Duration;

use docket_contract::ids::ClientId;
use docket_contract::sharding::{self, ShardMap};
use docket_local::postgres::Login;
use docket_local::running::{self, Announced, Running};
use docket_store::{Shards, StoreConfig};
use docket_testing::{PrivateBroker, World};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::api::{Accepted, Caller};

/// Longest start of a program: a debug build takes seconds to load the model on a busy machine.
const START_MAX: Duration = Duration::from_secs(120);

/// A world with a producer; the test starts the workers.
pub struct System {
    /// The databases, bucket and broker of the test.
    pub world: World,
    /// The producer that tests upload to.
    pub producer: Program,
}

/// A running program, killed when dropped.
pub struct Program {
    child: Child,
    /// Base URL of its HTTP server.
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
    /// Starts a producer with every role on a new world.
    pub async fn start() -> Self {
        Self::on(World::start().await, &[]).await
    }

    /// The same, with some of the producer's settings changed.
    pub async fn start_set(settings: &[(&str, &str)]) -> Self {
        Self::on(World::start().await, settings).await
    }

    /// The same, on the test's own broker, which it may stop, kill and wipe.
    pub async fn start_with(broker: &PrivateBroker) -> Self {
        Self::on(World::start_with(broker).await, &[]).await
    }

    /// The same, on a world with a database of the test's own that has no schema yet.
    pub async fn migrated_on(world: World) -> Self {
        docket_testing::build_binaries();
        let command = Command::new(docket_testing::binary("docket-producer"));
        let migrated = { command }.envs(world.env_as(Login::Owner)).arg("migrate").output();
        let output = migrated.await.expect("docket-producer runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::on(world, &[]).await
    }

    /// The same with each role in a process of its own, with its own login and settings. The first serves the API.
    pub async fn start_apart() -> (Self, Program) {
        docket_testing::build_binaries();
        let world = World::start().await;
        publish(
            &world,
            &docket_testing::checkout().root().join("deploy/models/ner-legal"),
        )
        .await;
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
        docket_testing::build_binaries();
        publish(
            &world,
            &docket_testing::checkout().root().join("deploy/models/ner-legal"),
        )
        .await;
        let env = changed(&world, Login::Producer, settings);
        let producer = Program::start("docket-producer", &["serve"], &env, &env["DOCKET_HTTP_ADDR"]).await;
        Self { world, producer }
    }

    /// Publishes the model of a folder.
    pub async fn publish(&self, folder: &Path) {
        publish(&self.world, folder).await;
    }

    /// Starts a worker and waits until the worker consumes.
    pub async fn worker(&self) -> Program {
        self.worker_with(&[]).await
    }

    /// Starts a worker with some settings changed.
    pub async fn worker_with(&self, settings: &[(&str, &str)]) -> Program {
        let mut program = self.spawn_worker(settings);
        program.until_ready("docket-worker").await;
        program
    }

    /// Starts a worker without waiting: the worker may die at once.
    pub fn spawn_worker(&self, settings: &[(&str, &str)]) -> Program {
        let env = changed(&self.world, Login::Worker, settings);
        let address = env["DOCKET_WORKER_HTTP_ADDR"].clone();
        Program::spawn("docket-worker", &[], &env, &address)
    }

    /// Starts an autoscaler: workers come and go with the waiting work, and get no time to end their jobs.
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

    /// Starts another producer with every role, beside the first.
    pub async fn another_producer(&self) -> Program {
        let env = self.world.env_as(Login::Producer);
        Program::start("docket-producer", &["serve"], &env, &env["DOCKET_HTTP_ADDR"]).await
    }

    /// Kills the producer as `kill -9` does, and starts it again.
    pub async fn restart_producer(&mut self) {
        self.producer.kill9().await;
        let env = self.world.env_as(Login::Producer);
        self.producer = Program::start("docket-producer", &["serve"], &env, &env["DOCKET_HTTP_ADDR"]).await;
    }

    /// Runs an operator command of the producer; returns its output.
    pub async fn operator(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs an operator command that must fail; returns its error output.
    pub async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).await;
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    }

    async fn command(&self, arguments: &[&str]) -> Output {
        // Operator commands have the dispatcher's login; only a holder of the secret makes tokens.
        let login = match arguments.first() {
            Some(&"token") => Login::Api,
            _ => Login::Dispatch,
        };
        let command = Command::new(docket_testing::binary("docket-producer"))
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

    /// The name of a client whose rows are on this shard.
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

    /// A connection to the world's databases.
    pub async fn shards(&self) -> Shards {
        let env = docket_process::settings::Env::from_map(self.world.env());
        let config = StoreConfig::from_env(&env).expect("the world's settings are complete");
        Shards::connect(&config).await.expect("the catalog answers")
    }

    /// A plain connection to the shard of a job.
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

    /// Makes the last heartbeat of every running job 20 s older, as if the workers had been silent.
    pub async fn silence_all(&self) {
        for (_, url) in &self.world.shards {
            let mut shard = PgConnection::connect(url).await.expect("the shard answers");
            sqlx::query("update dispatch set heartbeat_at = heartbeat_at - interval '20 s' where state = 'running'")
                .execute(&mut shard)
                .await
                .expect("the rows can be updated");
        }
    }

    /// Makes the last heartbeat of a job 20 s older, as if its worker had been silent.
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
    let command = Command::new(docket_testing::binary("docket-worker"))
        .envs(world.env_as(Login::Worker))
        .args(["models", "publish"])
        .arg(folder)
        .output();
    let output = command.await.expect("docket-worker runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Autoscaler {
    /// All numbers of workers that the autoscaler decided on, in order.
    pub fn sizes(&self) -> Vec<u32> {
        let log = std::fs::read_to_string(&self.program.log).expect("it has a log");
        let changes = log
            .lines()
            .filter_map(|line| line.split_once(" workers: ")?.0.rsplit_once(" -> "));
        changes.map(|(_, size)| size.parse().expect("a number")).collect()
    }

    /// Waits until the autoscaler's last decision is this number.
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

    /// Tells the autoscaler to stop its workers and itself, and waits for both.
    pub async fn terminate(&mut self) {
        self.program.terminate().await;
    }
}

/// Sends a signal to a running child.
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
        let child = Command::new(docket_testing::binary(name))
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

    /// Whether the program has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let ended = self.child.try_wait().expect("the child can be waited for");
        ended.is_some()
    }

    /// Waits until the program ends by itself.
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

    /// The program's output so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log can be read")
    }

    /// The program's log lines so far, as JSON.
    pub fn log_lines(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(&self.log).expect("the log can be read");
        let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect()
    }

    /// Memory that the program holds now, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// The most memory that the program has held so far, in bytes.
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

    /// Kills the program as `kill -9` does.
    pub async fn kill9(&mut self) {
        self.child.kill().await.expect("the child can be killed");
    }

    /// Suspends the process until [`Self::wake`].
    pub fn freeze(&self) {
        signal(&self.child, Signal::STOP);
    }

    /// Resumes a suspended process.
    pub fn wake(&self) {
        signal(&self.child, Signal::CONT);
    }

    /// Asks the program to stop, and waits until it has.
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

    /// Waits until this line is among the program's metrics.
    pub async fn until_metric(&self, line: &str) {
        let shown = tokio::time::timeout(START_MAX, self.until_metrics(|found| found == line)).await;
        assert!(shown.is_ok(), "{line:?} is not among the metrics after {START_MAX:?}");
    }

    /// Waits, without a limit, until a line of the program's metrics is as wished.
    pub async fn until_metrics(&self, wished: impl Fn(&str) -> bool) {
        while !self.metrics().await.lines().any(&wished) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The text of the program's metrics.
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
