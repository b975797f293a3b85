//! Docket on a test world: a producer, the wanted workers, and what the shards say about jobs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use docket_client::{Client, ClientError, Entity, State, Upload};
use docket_contract::ids::{JobId, JobKey};
use docket_contract::sharding;
use docket_local::checkout::Checkout;
use docket_local::postgres::Login;
use docket_testing::{World, WorldOptions};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::hostile::outcomes::Outcome;
use crate::program::{self, Program};

/// Number of clients, for which documents are uploaded in turn.
pub const CLIENTS: usize = 8;
/// Every role of a producer.
pub const ALL_ROLES: &str = "api,dispatch";
/// Uploads at a time while a corpus is uploaded.
const UPLOADS_AT_ONCE: usize = 4;

/// A producer with its world.
pub struct Docket {
    world: World,
    producer: Program,
    clients: Vec<Client>,
    shards: Vec<PgConnection>,
    logs: PathBuf,
}

/// An uploaded document with its job.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// Number of the document's client.
    pub client: usize,
    document: String,
    /// Id of the job.
    pub job: Uuid,
}

/// The row of an ended job. Times are by the shard's clock, in seconds since 1970.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// Id of the job.
    pub id: Uuid,
    /// When the job was accepted.
    pub created: f64,
    /// When the job was last claimed; `None` if it failed before any claim.
    pub started: Option<f64>,
    /// When the job's end was written.
    pub ended: f64,
    /// Whether the job ended with its entities.
    pub succeeded: bool,
    /// Windows that the model ran.
    pub windows: Option<i32>,
    /// Characters of the text; the model read all of them.
    pub text_chars: Option<i64>,
}

/// A worker with the address of its metrics.
pub struct Worker {
    /// The worker's process.
    pub program: Program,
    address: String,
}

/// The time that a worker's documents took, and its padding.
#[derive(Debug)]
pub struct Work {
    /// Wall seconds of each stage, summed over documents.
    pub stage_seconds: HashMap<String, f64>,
    /// CPU seconds of each stage's computations, summed over documents.
    pub stage_cpu_seconds: HashMap<String, f64>,
    /// Padding tokens as a share of the windows' own tokens.
    pub padding_share: f64,
}

impl Docket {
    /// Starts a producer on a new world with the default model. Logs go to the folder `logs`.
    pub async fn start(logs: &Path) -> Result<Self> {
        Self::in_world(World::start().await, logs, (ALL_ROLES, CLIENTS)).await
    }

    /// The same with only these roles, for this many clients, all on one shard.
    pub async fn on_one_shard(logs: &Path, roles: &str, clients: usize) -> Result<Self> {
        let options = WorldOptions {
            shards: 1,
            ..WorldOptions::default()
        };
        Self::in_world(World::with(options).await, logs, (roles, clients)).await
    }

    async fn in_world(world: World, logs: &Path, (roles, clients): (&str, usize)) -> Result<Self> {
        let folder = model_folder();
        let published = program::command(Checkout::sibling("docket-worker")?)
            .envs(world.env_as(Login::Worker))
            .args(["models", "publish"])
            .arg(&folder)
            .output();
        let published = published.await.context("run docket-worker")?;
        let said = String::from_utf8_lossy(&published.stderr);
        ensure!(published.status.success(), "publish {}: {said}", folder.display());
        let env = world.env_as(Login::Producer);
        let api = env
            .get("DOCKET_HTTP_ADDR")
            .context("a world says where to listen")?
            .clone();
        let mut serve = program::command(Checkout::sibling("docket-producer")?);
        serve.args(["serve", "--roles", roles]);
        let mut producer = Program::start("docket-producer", serve, &env, logs)?;
        producer.until_ready(&api).await?;
        let base = format!("http://{api}");
        let mut callers = Vec::new();
        for number in 0..clients {
            let token = token(&env, &client_name(number)).await?;
            callers.push(Client::new(base.as_str(), token)?);
        }
        let mut shards = Vec::new();
        for (_, url) in &world.shards {
            shards.push(PgConnection::connect(url).await.context("connect to a shard")?);
        }
        Ok(Self {
            world,
            producer,
            clients: callers,
            shards,
            logs: logs.to_owned(),
        })
    }

    /// The settings of a program in this world.
    pub fn env(&self) -> HashMap<String, String> {
        self.world.env()
    }

    /// Path of the stack's onnxruntime library.
    pub fn onnxruntime(&self) -> &Path {
        &self.world.onnxruntime
    }

    /// Starts a worker on these cores, and waits until the worker consumes.
    pub async fn worker(&self, cores: Option<&str>, sessions: usize) -> Result<Worker> {
        self.worker_with(cores, sessions, &[]).await
    }

    /// The same, with more settings.
    pub async fn worker_with(
        &self,
        cores: Option<&str>,
        sessions: usize,
        settings: &[(&str, String)],
    ) -> Result<Worker> {
        let mut env = self.world.env_as(Login::Worker);
        env.insert("DOCKET_SESSIONS".to_owned(), sessions.to_string());
        env.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let address = env
            .get("DOCKET_WORKER_HTTP_ADDR")
            .context("a world says where to listen")?
            .clone();
        let command = program::on_cores(cores, Checkout::sibling("docket-worker")?);
        let mut program = Program::start("docket-worker", command, &env, &self.logs)?;
        program.until_ready(&address).await?;
        Ok(Worker { program, address })
    }

    /// Uploads a text for the client with this number.
    pub async fn upload(&self, client: usize, text: &str) -> Result<Uploaded> {
        Ok(self.send(client, Upload::new("text/plain", text.to_owned())).await?)
    }

    /// Uploads any document for the client with this number.
    pub async fn send(&self, client: usize, upload: Upload) -> Result<Uploaded, ClientError> {
        let accepted = self.clients[client].upload(upload).await?;
        Ok(Uploaded {
            client,
            document: accepted.document_id,
            job: accepted.job_id.parse().expect("the API gives ids of jobs"),
        })
    }

    /// Uploads texts, several at a time, for the clients in turn.
    pub async fn upload_all(&self, texts: &[String]) -> Result<Vec<Uploaded>> {
        let mut uploaded = Vec::with_capacity(texts.len());
        for (turn, some) in texts.chunks(UPLOADS_AT_ONCE).enumerate() {
            let first = turn * UPLOADS_AT_ONCE;
            let uploads = some
                .iter()
                .enumerate()
                .map(|(at, text)| self.upload((first + at) % self.clients.len(), text));
            uploaded.extend(futures::future::try_join_all(uploads).await?);
        }
        Ok(uploaded)
    }

    /// The rows of those jobs that have ended.
    pub async fn ended(&mut self, of: &[Uploaded]) -> Result<Vec<Row>> {
        let ids: Vec<Uuid> = of.iter().map(|uploaded| uploaded.job).collect();
        let mut rows = Vec::new();
        for shard in &mut self.shards {
            let query = sqlx::query_as(
                "select id, extract(epoch from created_at)::float8 as created, \
                 extract(epoch from started_at)::float8 as started, extract(epoch from ended_at)::float8 as ended, \
                 state = 'succeeded' as succeeded, windows, text_chars from jobs where id = any($1) and state <> 'open'",
            );
            let found: Vec<Row> = query
                .bind(&ids)
                .fetch_all(shard)
                .await
                .context("ask a shard for jobs")?;
            rows.extend(found);
        }
        Ok(rows)
    }

    /// How many jobs of this world have not ended, those of files within documents included.
    pub async fn open_jobs(&mut self) -> Result<i64> {
        let mut open = 0;
        for shard in &mut self.shards {
            let query = "select count(*) from jobs where state = 'open'";
            open += sqlx::query_scalar::<_, i64>(query).fetch_one(shard).await?;
        }
        Ok(open)
    }

    /// How each job of this world ended.
    pub async fn outcomes(&mut self) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for shard in &mut self.shards {
            let query = sqlx::query_as(
                "select j.id, j.state, j.error_kind, j.error_detail, j.attempts, \
                 extract(epoch from j.ended_at - j.started_at)::float8 as ran_seconds, d.parent_id is not null as is_within \
                 from jobs j join documents d on d.bucket = j.bucket and d.id = j.document_id",
            );
            let found: Vec<Outcome> = query.fetch_all(shard).await.context("ask a shard for jobs")?;
            outcomes.extend(found);
        }
        Ok(outcomes)
    }

    /// When each job was accepted, in seconds since 1970 by its shard's clock, in any order.
    pub async fn created(&mut self, of: &[Uploaded]) -> Result<Vec<f64>> {
        let ids: Vec<Uuid> = of.iter().map(|uploaded| uploaded.job).collect();
        let mut created = Vec::with_capacity(ids.len());
        for shard in &mut self.shards {
            let query = "select extract(epoch from created_at)::float8 from jobs where id = any($1)";
            let found: Vec<f64> = sqlx::query_scalar(query).bind(&ids).fetch_all(shard).await?;
            created.extend(found);
        }
        Ok(created)
    }

    /// The state of a job by the API.
    pub async fn state(&self, of: &Uploaded) -> Result<State> {
        Ok(self.clients[of.client].job(&of.job.to_string()).await?.state)
    }

    /// The entities of a document by the API.
    pub async fn entities(&self, of: &Uploaded) -> Result<Vec<Entity>> {
        Ok(self.clients[of.client].entities(&of.document).await?)
    }

    /// Stops the producer.
    pub async fn stop(self) -> Result<()> {
        self.producer.stop().await
    }
}

impl Uploaded {
    /// The key of the job's row.
    pub fn key(&self) -> Result<JobKey> {
        Ok(JobKey {
            bucket: sharding::bucket_of(&client_name(self.client).parse()?),
            job: JobId(self.job),
        })
    }
}

impl Worker {
    /// What the worker's metrics say about its documents so far.
    pub async fn work(&self) -> Result<Work> {
        let answer = reqwest::get(format!("http://{}/metrics", self.address)).await;
        let text = answer.context("read a worker's metrics")?.text().await?;
        Work::read(&text).context("a worker's metrics have no tokens of its model")
    }
}

impl Work {
    fn read(metrics: &str) -> Option<Self> {
        let tokens = sums(metrics, "docket_model_pass_tokens_total", "kind");
        Some(Self {
            stage_seconds: sums(metrics, "docket_stage_seconds_sum", "stage"),
            stage_cpu_seconds: sums(metrics, "docket_stage_cpu_seconds_sum", "stage"),
            padding_share: tokens.get("padding")? / tokens.get("text")?,
        })
    }
}

/// Folder of the default model.
pub fn model_folder() -> PathBuf {
    docket_testing::checkout().root().join("deploy/models/ner-legal")
}

/// Folder of the programs' logs, which is kept to explain failures.
pub fn logs() -> Result<PathBuf> {
    let folder = docket_testing::checkout().state()?.join("bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}

fn client_name(number: usize) -> String {
    format!("client-{number}")
}

async fn token(env: &HashMap<String, String>, client: &str) -> Result<String> {
    let mut command = program::command(Checkout::sibling("docket-producer")?);
    let output = command.envs(env).args(["token", "--client", client]).output().await?;
    if !output.status.success() {
        bail!("make a token: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The values of a metric in Prometheus' text format, by one label. Series that differ in other labels are summed.
fn sums(metrics: &str, name: &str, label: &str) -> HashMap<String, f64> {
    let (name, label) = (format!("{name}{{"), format!("{label}=\""));
    let mut sums = HashMap::new();
    for line in metrics.lines().filter_map(|line| line.strip_prefix(&name)) {
        let word = line.split_once(&label).and_then(|(_, rest)| rest.split_once('"'));
        let value = line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok());
        if let (Some((word, _)), Some(value)) = (word, value) {
            *sums.entry(word.to_owned()).or_default() += value;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_read_from_metrics() {
        let metrics = "# TYPE docket_stage_seconds histogram\n\
            docket_stage_seconds_bucket{stage=\"fetch\",le=\"1\"} 3\n\
            docket_stage_seconds_sum{stage=\"fetch\"} 0.5\n\
            docket_stage_seconds_sum{model=\"a\",stage=\"infer\"} 2\n\
            docket_stage_seconds_sum{model=\"b\",stage=\"infer\"} 1.5\n\
            docket_stage_cpu_seconds_sum{stage=\"infer\"} 3.25\n\
            docket_model_pass_tokens_total{model=\"a\",kind=\"text\"} 300\n\
            docket_model_pass_tokens_total{model=\"b\",kind=\"text\"} 100\n\
            docket_model_pass_tokens_total{model=\"a\",kind=\"padding\"} 10\n";
        let Work {
            stage_seconds: stages,
            stage_cpu_seconds: cpu,
            padding_share,
        } = Work::read(metrics).unwrap();
        assert_eq!((stages["fetch"], stages["infer"], stages.len()), (0.5, 3.5, 2));
        assert_eq!((cpu["infer"], cpu.len()), (3.25, 1));
        assert_eq!(padding_share, 0.025);
        assert!(Work::read("").is_none());
    }
}
