//! Docket on a world of the harness: a producer, workers as they are asked for, and what the shards say about jobs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use docket_local::checkout::Checkout;
use docket_local::postgres::Login;
use docket_local::testing::{self, World, WorldOptions};
use docket_shared::ids::{JobId, JobKey};
use docket_shared::sharding;
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::f1::Found;
use crate::program::{self, Program};

/// Clients that documents are uploaded for, in turn.
pub const CLIENTS: usize = 8;
/// Roles of a whole producer.
pub const ALL_ROLES: &str = "api,dispatch";
/// Entities on a page of the API, the most it gives.
const PAGE_ENTITIES: usize = 1000;
/// Requests at a time while a corpus is uploaded.
const UPLOADS_AT_ONCE: usize = 4;

/// A producer and what is behind it.
pub struct Docket {
    world: World,
    producer: Program,
    api: String,
    http: reqwest::Client,
    tokens: Vec<String>,
    shards: Vec<PgConnection>,
    logs: PathBuf,
}

/// An uploaded document.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// Number of the client it is of.
    pub client: usize,
    document: String,
    /// Its job.
    pub job: Uuid,
}

/// An ended job, as its shard has it. Times are the shard's, in seconds since 1970.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Row {
    /// The job.
    pub id: Uuid,
    /// When it was accepted.
    pub created: f64,
    /// When its last claim was made; absent if it failed before.
    pub started: Option<f64>,
    /// When its end was written.
    pub ended: f64,
    /// Whether it has its entities.
    pub succeeded: bool,
    /// Windows that were run.
    pub windows: Option<i32>,
    /// Characters of the text, all of them read.
    pub text_chars: Option<i64>,
}

/// A worker and where its metrics are.
pub struct Worker {
    /// The process.
    pub program: Program,
    address: String,
}

/// What a worker's documents have taken.
#[derive(Debug)]
pub struct Work {
    /// Seconds of each stage, summed over documents.
    pub stage_seconds: HashMap<String, f64>,
    /// CPU seconds of each stage's computations, the same way.
    pub stage_cpu_seconds: HashMap<String, f64>,
    /// Tokens that only filled up rows, as a share of the windows' own.
    pub padding_share: f64,
}

impl Docket {
    /// A new world with the default model and a producer. Logs go to a folder.
    pub async fn start(logs: &Path) -> Result<Self> {
        Self::in_world(World::start().await, logs, (ALL_ROLES, CLIENTS)).await
    }

    /// The same with a producer of these roles only, for so many clients, which are all on one shard.
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
        let mut tokens = Vec::new();
        for number in 0..clients {
            tokens.push(token(&env, &client_name(number)).await?);
        }
        let mut shards = Vec::new();
        for (_, url) in &world.shards {
            shards.push(PgConnection::connect(url).await.context("connect to a shard")?);
        }
        Ok(Self {
            world,
            producer,
            api,
            http: reqwest::Client::new(),
            tokens,
            shards,
            logs: logs.to_owned(),
        })
    }

    /// The settings by which a program uses this world.
    pub fn env(&self) -> HashMap<String, String> {
        self.world.env()
    }

    /// The onnxruntime library of the stack.
    pub fn onnxruntime(&self) -> &Path {
        &self.world.onnxruntime
    }

    /// Starts a worker on these cores, and waits until it consumes.
    pub async fn worker(&self, cores: Option<&str>, sessions: usize) -> Result<Worker> {
        let mut env = self.world.env_as(Login::Worker);
        env.insert("DOCKET_SESSIONS".to_owned(), sessions.to_string());
        let address = env
            .get("DOCKET_WORKER_HTTP_ADDR")
            .context("a world says where to listen")?
            .clone();
        let command = program::on_cores(cores, Checkout::sibling("docket-worker")?);
        let mut program = Program::start("docket-worker", command, &env, &self.logs)?;
        program.until_ready(&address).await?;
        Ok(Worker { program, address })
    }

    /// Uploads a text for one of the clients.
    pub async fn upload(&self, client: usize, text: &str) -> Result<Uploaded> {
        let request = self.http.post(format!("http://{}/v1/documents", self.api));
        let request = request
            .bearer_auth(&self.tokens[client])
            .header("content-type", "text/plain");
        let answer = request
            .body(text.to_owned())
            .send()
            .await
            .context("upload a document")?;
        let status = answer.status();
        let body: Value = answer.json().await.context("read the answer to an upload")?;
        ensure!(status == 202, "an upload was answered {status}: {body}");
        let id = |name: &str| body[name].as_str().context("an answer has its ids");
        Ok(Uploaded {
            client,
            document: id("document_id")?.to_owned(),
            job: id("job_id")?.parse()?,
        })
    }

    /// Uploads texts, some at a time, the clients in turn.
    pub async fn upload_all(&self, texts: &[String]) -> Result<Vec<Uploaded>> {
        let mut uploaded = Vec::with_capacity(texts.len());
        for (turn, some) in texts.chunks(UPLOADS_AT_ONCE).enumerate() {
            let first = turn * UPLOADS_AT_ONCE;
            let uploads = some
                .iter()
                .enumerate()
                .map(|(at, text)| self.upload((first + at) % self.tokens.len(), text));
            uploaded.extend(futures::future::try_join_all(uploads).await?);
        }
        Ok(uploaded)
    }

    /// Those of these jobs that have ended.
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

    /// When each of these jobs was accepted, in seconds since 1970 by its shard's clock, in any order.
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

    /// The state of a job, as the API has it.
    pub async fn state(&self, of: &Uploaded) -> Result<String> {
        let url = format!("http://{}/v1/jobs/{}", self.api, of.job);
        let request = self.http.get(url).bearer_auth(&self.tokens[of.client]);
        let answer = request.send().await.and_then(reqwest::Response::error_for_status);
        let job: Value = answer.context("read a job")?.json().await?;
        Ok(job["state"].as_str().context("a job has a state")?.to_owned())
    }

    /// The entities of a document.
    pub async fn entities(&self, of: &Uploaded) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/documents/{}/entities?limit={PAGE_ENTITIES}{cursor}", of.document);
            let request = self
                .http
                .get(format!("http://{}{path}", self.api))
                .bearer_auth(&self.tokens[of.client]);
            let answer = request.send().await.and_then(reqwest::Response::error_for_status);
            let mut page: Value = answer.context("read entities")?.json().await?;
            found.extend(serde_json::from_value::<Vec<Found>>(page["entities"].take())?);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(found),
            }
        }
    }

    /// Stops the producer.
    pub async fn stop(self) -> Result<()> {
        self.producer.stop().await
    }
}

impl Uploaded {
    /// Where its row is.
    pub fn key(&self) -> Result<JobKey> {
        Ok(JobKey {
            bucket: sharding::bucket_of(&client_name(self.client).parse()?),
            job: JobId(self.job),
        })
    }
}

impl Worker {
    /// What its metrics say of its documents so far.
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

/// The default model's folder.
pub fn model_folder() -> PathBuf {
    testing::checkout().root().join("deploy/models/ner-legal")
}

/// Where programs' logs go; they stay, for whoever wants to know why something failed.
pub fn logs() -> Result<PathBuf> {
    let folder = testing::checkout().state()?.join("bench");
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

/// A metric by one of its labels, of Prometheus' text format. Series that differ in other labels are added up.
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
