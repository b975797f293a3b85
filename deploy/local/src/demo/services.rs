//! The producer and the workers of a run, as processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::future::{join_all, try_join_all};

use crate::checkout::Checkout;
use crate::info::StackInfo;
use crate::postgres::{Admin, Endpoint, Login};
use crate::process::Launch;
use crate::running::Running;
use crate::stack::VHOST;
use crate::state::StateDir;
use crate::{poll, ports};

use super::DemoOptions;
use super::kept::Kept;

/// Name of the database in each cluster.
const DATABASE: &str = "docket";
/// Name of the bucket.
const BUCKET: &str = "docket";
/// Client that uploads the documents.
const CLIENT: &str = "demo";
/// Folder of the default model in the checkout.
const MODEL: &str = "deploy/models/ner-legal";
/// Default port of the API: the port that people try first.
const API_PORT: u16 = 8080;
/// How long a service may take to become ready: a worker first loads and warms its model.
const READY_DEADLINE: Duration = Duration::from_secs(120);
/// How long one look at a starting service may take.
const PROBE_DEADLINE: Duration = Duration::from_secs(2);
/// How long a stopping worker goes on with its jobs, in seconds: whoever pressed Ctrl-C is waiting.
const DRAIN_SECONDS: &str = "3";
/// How long a worker may take to give its jobs back, and the producer to answer its last requests.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// The services' ports.
#[derive(Debug)]
pub struct Ports {
    api: u16,
    workers: Vec<u16>,
}

impl Ports {
    /// Chooses the port of the API and a port for each worker. The API's is the given one, or [`API_PORT`] if it is free, or that
    /// of last time.
    pub fn choose(state: &mut StateDir, options: &DemoOptions) -> Result<Self> {
        let api = match options.api_port {
            Some(port) if !ports::is_free(port) => bail!("port {port} is taken: choose another with --api-port"),
            Some(port) => port,
            None if ports::is_free(API_PORT) => API_PORT,
            None => state.port("api")?,
        };
        let workers = (1..=options.workers).map(|number| state.port(&format!("worker-{number}")));
        Ok(Self {
            api,
            workers: workers.collect::<Result<_>>()?,
        })
    }
}

type Settings = BTreeMap<&'static str, String>;

/// The services of a run.
#[derive(Debug)]
pub struct Services {
    info: StackInfo,
    logs: PathBuf,
    settings: Settings,
    ports: Ports,
    /// The producer first, then the workers.
    started: Vec<Kept>,
}

impl Services {
    /// Services on these servers, not yet started.
    pub fn new(info: &StackInfo, jwt_secret: String, logs: &Path, ports: Ports) -> Self {
        let (info, logs, settings) = (info.clone(), logs.to_owned(), settings(info, jwt_secret));
        Self {
            info,
            logs,
            settings,
            ports,
            started: Vec::new(),
        }
    }

    /// Number of workers, started or not.
    pub fn worker_count(&self) -> usize {
        self.ports.workers.len()
    }

    /// URL of the API.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.api_address())
    }

    fn api_address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.api)
    }

    /// URLs of the workers' probes and metrics.
    pub fn worker_urls(&self) -> Vec<String> {
        self.ports
            .workers
            .iter()
            .map(|port| format!("http://127.0.0.1:{port}"))
            .collect()
    }

    /// What other programs need to join the run.
    pub fn running(&self) -> Result<Running> {
        let settings = Login::ALL.map(|login| {
            let mut settings = self.settings_of(login);
            settings.insert("DOCKET_HTTP_ADDR", self.api_address());
            let owned = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
            (login, owned.collect())
        });
        Ok(Running {
            producers: vec![self.api_url()],
            workers: self.worker_count(),
            broker: self.info.rabbit.clone(),
            vhost: VHOST.to_owned(),
            settings: settings.into(),
            programs: Checkout::programs()?,
            state: self.info.state.clone(),
            logs: self.logs.clone(),
        })
    }

    /// Makes databases and bucket, migrates, and publishes the default model. Each step is quick when it was done before.
    pub async fn prepare(&self, checkout: &Checkout) -> Result<()> {
        let owned = try_join_all(self.info.clusters().map(create_database)).await?;
        self.info.rabbit.management()?.create_vhost(VHOST).await?; // The vhost exists, but not the services' users.
        self.info.s3.create_bucket(BUCKET).await?;
        let migrate = self
            .launch(("docket-producer", Login::Owner), "migrate")?
            .arg("migrate");
        // Tables from before there was an owner belong to the superuser.
        let migrate = if owned.iter().all(|owned| *owned) {
            migrate
        } else {
            with(migrate, &self.settings)
        };
        migrate.run().await?;
        let publish = self.launch(("docket-worker", Login::Worker), "models")?;
        let publish = publish.arg("models").arg("publish");
        publish.arg(checkout.root().join(MODEL)).run().await
    }

    /// Starts the producer and the workers, and waits until each is ready.
    pub async fn start(&mut self) -> Result<()> {
        let producer = self
            .launch(("docket-producer", Login::Producer), "producer")?
            .arg("serve");
        let producer = producer.env("DOCKET_HTTP_ADDR", self.api_address());
        self.started.push(Kept::start(producer).await?);
        for (index, port) in self.ports.workers.iter().enumerate() {
            let worker = self.launch(("docket-worker", Login::Worker), &format!("worker-{}", index + 1))?;
            let worker = worker.env("DOCKET_WORKER_HTTP_ADDR", format!("127.0.0.1:{port}"));
            self.started.push(Kept::start(worker).await?);
        }
        let http = reqwest::Client::builder()
            .timeout(PROBE_DEADLINE)
            .no_proxy()
            .build()
            .context("make an HTTP client")?;
        for url in std::iter::once(self.api_url()).chain(self.worker_urls()) {
            let url = format!("{url}/readyz");
            poll::until(&format!("wait for {url}"), READY_DEADLINE, async || {
                self.check()?;
                let answer = http.get(&url).send().await;
                Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    /// An error with the end of the log, if a service has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.started.iter_mut().try_for_each(Kept::check)
    }

    /// Restarts the services that died, and returns a line for each. An error if a service dies too often.
    pub async fn mend(&mut self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for service in &mut self.started {
            lines.extend(service.mend(Instant::now()).await?);
        }
        Ok(lines)
    }

    /// Names and process ids of the running services.
    pub fn pids(&self) -> Vec<String> {
        let named = self.started.iter().map(Kept::named_pid);
        named.map(|(name, pid)| format!("{name} {pid}")).collect()
    }

    /// A token for the API.
    pub async fn token(&self) -> Result<String> {
        let program = Checkout::sibling("docket-producer")?;
        let mut command = tokio::process::Command::new(program);
        command
            .args(["token", "--client", CLIENT])
            .envs(self.settings_of(Login::Producer))
            .kill_on_drop(true);
        let output = command.output().await.context("make a token")?;
        if !output.status.success() {
            bail!("make a token: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Stops the workers, which give their jobs back, and then the producer.
    pub async fn stop(mut self) {
        let workers = self.started.split_off(self.started.len().min(1));
        for group in [workers, self.started] {
            join_all(group.into_iter().map(|service| service.stop(STOP_DEADLINE))).await;
        }
    }

    fn launch(&self, (program, login): (&str, Login), log: &str) -> Result<Launch> {
        let log_file = self.logs.join(format!("{log}.log"));
        let launch = Launch::new(log, Checkout::sibling(program)?, &self.info.state, &log_file);
        Ok(with(launch.inherit_env().with_new_log(), &self.settings_of(login)))
    }

    /// The settings of a service, with the service's own login to databases and broker.
    fn settings_of(&self, login: Login) -> Settings {
        let all = self.settings.iter();
        all.filter_map(|(name, value)| Some((*name, login.setting(name, value)?)))
            .collect()
    }
}

fn with(launch: Launch, settings: &Settings) -> Launch {
    settings
        .iter()
        .fold(launch, |launch, (name, value)| launch.env(name, value))
}

/// Makes a database unless it exists; returns whether it belongs to the owner's login.
async fn create_database(cluster: &Endpoint) -> Result<bool> {
    let mut admin = Admin::connect(cluster, "postgres").await?;
    if !admin.exists(DATABASE).await? {
        admin.create(DATABASE).await?;
    }
    let is_owned = admin.has_owner(DATABASE).await;
    admin.disconnect().await;
    is_owned
}

/// The settings with all rights.
fn settings(info: &StackInfo, jwt_secret: String) -> Settings {
    let shards: Vec<_> = info
        .shards
        .iter()
        .map(|shard| format!("{}={}", shard.name, shard.url(DATABASE)))
        .collect();
    let own = |name, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    BTreeMap::from([
        ("DOCKET_AMQP_URL", info.rabbit.amqp_url(VHOST)),
        ("DOCKET_CATALOG_URL", info.catalog.url(DATABASE)),
        ("DOCKET_SHARD_URLS", shards.join(",")),
        ("DOCKET_PG_POOLER", "false".to_owned()),
        ("DOCKET_S3_ENDPOINT", info.s3.url.clone()),
        ("DOCKET_S3_BUCKET", BUCKET.to_owned()),
        ("DOCKET_S3_PATH_STYLE", "true".to_owned()),
        ("DOCKET_S3_ACCESS_KEY", info.s3.access_key.clone()),
        ("DOCKET_S3_SECRET_KEY", info.s3.secret_key.clone()),
        ("DOCKET_S3_REGION", info.s3.region.clone()),
        ("DOCKET_JWT_SECRET", jwt_secret),
        ("DOCKET_ONNXRUNTIME_LIB", info.onnxruntime.display().to_string()),
        ("DOCKET_PDFIUM_LIB", info.pdfium.display().to_string()),
        // Several workers share this machine's cores.
        ("DOCKET_SESSIONS", own("DOCKET_SESSIONS", "1")),
        (
            "DOCKET_MODEL_CACHE_DIR",
            info.state.join("models").display().to_string(),
        ),
        ("DOCKET_LOG_FORMAT", own("DOCKET_LOG_FORMAT", "pretty")),
        ("DOCKET_DRAIN_SECONDS", own("DOCKET_DRAIN_SECONDS", DRAIN_SECONDS)),
    ])
}
