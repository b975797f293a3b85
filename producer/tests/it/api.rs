//! A world whose HTTP API is served in this process, and the steps that tests share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use docket_contract::coverage::Coverage;
use docket_contract::entity::{Entity, Source, Span};
use docket_contract::ids::{Bucket, ClaimToken, ClientId, JobId, JobKey};
use docket_contract::model::{self, Current};
use docket_contract::object_key::BlobKey;
use docket_contract::place::{Place, Region};
use docket_contract::sharding;
use docket_identity::Bearer;
use docket_local::postgres::Login;
use docket_objects::BlobStore;
use docket_process::settings::Env;
use docket_process::shutdown::Shutdown;
use docket_producer::config::ProducerConfig;
use docket_producer::role::Role;
use docket_producer::serve;
use docket_store::Shards;
use docket_store::work::claims::{self, Answer, Asker, Claim};
use docket_store::work::results::{self, Analysis, Failure};
use docket_testing::World;
use metrics_exporter_prometheus::PrometheusBuilder;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::net::TcpListener;

/// The client of most tests.
pub const ACME: &str = "acme";
/// Another client than [`ACME`].
pub const RIVAL: &str = "rival";
/// Longest wait for something that happens soon.
const SOON: Duration = Duration::from_secs(20);

/// The API of a world of its own, served in this process.
pub struct Api {
    pub world: World,
    pub address: SocketAddr,
    pub shards: Shards,
    pub blobs: BlobStore,
    pub shutdown: Shutdown,
    config: ProducerConfig,
    http: reqwest::Client,
}

impl Api {
    /// Serves the API with the world's settings.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Serves the API with some settings replaced.
    pub async fn start_with(changed: &[(&str, &str)]) -> Self {
        Self::serve(World::start().await, changed, &[Role::Api]).await
    }

    /// Serves the API of a world, with a dispatcher.
    pub async fn dispatching(world: World) -> Self {
        Self::serve(world, &[], &Role::ALL).await
    }

    async fn serve(world: World, changed: &[(&str, &str)], roles: &[Role]) -> Self {
        let all = ProducerConfig::from_env(&Env::from_map(world.env())).unwrap();
        let blobs = BlobStore::connect(&all.blob).await;
        let current = Current {
            version: "2".parse().unwrap(),
        };
        docket_objects::set_current(&blobs, &"ner-legal".parse().unwrap(), &current)
            .await
            .unwrap();
        // The process has only the rights of its roles. Tests also do the workers' part, with rights of their own.
        let login = if roles.contains(&Role::Dispatch) {
            Login::Producer
        } else {
            Login::Api
        };
        let config = config(world.env_as(login), changed);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, metrics) = (Shutdown::default(), PrometheusBuilder::new().build_recorder().handle());
        serve::start(config.clone(), roles, (listener, metrics), &shutdown)
            .await
            .unwrap();
        let shards = Shards::connect(&all.store).await.unwrap();
        Self {
            world,
            address,
            shards,
            blobs,
            shutdown,
            config,
            http: reqwest::Client::new(),
        }
    }

    /// Publishes a version of a model, as callers see it, without making it the current version.
    pub async fn publish(&self, model: &str, version: &str) {
        let (name, version) = (model.parse().unwrap(), version.parse().unwrap());
        let manifest = model::file_key(&name, &version, "manifest.json");
        let json = serde_json::json!({"description": format!("{model} in a line"), "licence": "Apache-2.0",
            "languages": ["en"]});
        self.blobs.put_bytes(&manifest, json.to_string().into()).await.unwrap();
        let weights = model::file_key(&name, &version, "model.onnx");
        self.blobs.put_bytes(&weights, "weights".into()).await.unwrap();
    }

    /// A token of a client.
    pub fn token(&self, client: &str) -> String {
        self.mint(Bearer::Client(&client.parse().unwrap()))
    }

    /// A token of an operator.
    pub fn operator_token(&self, name: &str) -> String {
        self.mint(Bearer::Operator(name))
    }

    fn mint(&self, bearer: Bearer<'_>) -> String {
        docket_identity::mint(self.config.auth.as_ref().unwrap(), bearer, Duration::from_secs(600)).unwrap()
    }

    /// A request without a token.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    /// A GET as a client.
    pub fn get(&self, client: &str, path: &str) -> RequestBuilder {
        self.anonymous(Method::GET, path).bearer_auth(self.token(client))
    }

    /// A request as an operator.
    pub fn operate(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(self.operator_token("ops-ada"))
    }

    /// An upload of plain text as a client, still without a body.
    pub fn post(&self, client: &str, path: &str) -> RequestBuilder {
        let request = self.anonymous(Method::POST, path).bearer_auth(self.token(client));
        request.header(CONTENT_TYPE, "text/plain; charset=utf-8")
    }

    /// Uploads a text as a client; returns the answer.
    pub async fn upload(&self, client: &str, text: &str) -> Value {
        accepted(
            self.post(client, "/v1/documents")
                .body(text.to_owned())
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// The JSON that a GET answers.
    pub async fn read(&self, client: &str, path: &str) -> Value {
        let response = self.get(client, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    /// Claims the job of an uploaded document, as a worker does.
    pub async fn claim(&self, client: &str, accepted: &Value) -> Claim {
        let job = JobId(accepted["job_id"].as_str().unwrap().parse().unwrap());
        let key = JobKey {
            bucket: bucket_of(client),
            job,
        };
        let asker = Asker {
            worker: "test",
            token: ClaimToken::generate(),
            alone: false,
        };
        match claims::claim(&self.shards, key, asker).await.unwrap() {
            Answer::Granted(claim) => *claim,
            other => panic!("not granted: {other:?}"),
        }
    }

    /// Ends the job of a document as a worker does. The result has these words of the text, each with the score 0.5.
    pub async fn analyse(&self, client: &str, accepted: &Value, text: &str, found: &[(&str, &str)]) {
        let found: Vec<_> = found.iter().map(|(label, words)| (*label, *words, 0.5)).collect();
        self.analyse_scored(client, accepted, text, &found).await;
    }

    /// Ends the job of a document as a worker does. The result has these words of the text with these scores. The version is the
    /// one asked for, or else 2.
    pub async fn analyse_scored(&self, client: &str, accepted: &Value, text: &str, found: &[(&str, &str, f32)]) {
        let entities = found.iter().map(|found| entity(text, *found)).collect();
        self.analyse_entities(client, accepted, text, entities).await;
    }

    /// Ends the job of a document as a worker does, with these entities. Returns where the text is stored.
    pub async fn analyse_entities(&self, client: &str, accepted: &Value, text: &str, entities: Vec<Entity>) -> BlobKey {
        let claim = self.claim(client, accepted).await;
        let text_key = BlobKey::text(claim.key.bucket, &claim.client, claim.document, "0123");
        self.blobs.put_bytes(&text_key, text.to_owned().into()).await.unwrap();
        let analysis = Analysis {
            model_version: claim.model_version.as_ref().map_or("2".into(), ToString::to_string),
            text_key: text_key.clone(),
            text_sha256: [0; 32],
            text_chars: text.chars().count() as u64,
            windows: 1,
            children: Vec::new(),
            map_key: None,
            coverage: Coverage {
                media_type: "text/plain".into(),
                ..Coverage::default()
            },
            tokens: 7,
            entities,
        };
        assert!(results::save(&self.shards, &claim, &analysis).await.unwrap());
        text_key
    }

    /// Fails the job of a document, as a worker does.
    pub async fn fail(&self, client: &str, accepted: &Value, kind: &'static str) {
        let claim = self.claim(client, accepted).await;
        let failure = Failure {
            kind,
            detail: "it cannot be read".into(),
        };
        assert!(results::save_failure(&self.shards, &claim, &failure).await.unwrap());
    }

    /// Keys of all documents' objects in the bucket.
    pub async fn objects(&self) -> Vec<String> {
        let listed = self.blobs.list("documents/", None, 1_000).await.unwrap();
        listed.into_iter().map(|object| object.key.to_string()).collect()
    }

    /// Number of rows of a table on all shards.
    pub async fn rows(&self, table: &'static str) -> i64 {
        let sql = format!("select count(*) from {table}");
        let mut rows = 0;
        for (_, url) in &self.world.shards {
            let mut connection = PgConnection::connect(url).await.unwrap();
            let count = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql.clone()));
            rows += count.fetch_one(&mut connection).await.unwrap();
        }
        rows
    }

    /// Asserts that refused uploads left no object, no unfinished upload in parts, and no row.
    pub async fn assert_nothing_left(&self) {
        assert_eq!(self.objects().await, Vec::<String>::new());
        let unfinished = self
            .world
            .s3_client()
            .list_multipart_uploads()
            .bucket(&self.world.bucket)
            .send()
            .await;
        assert!(unfinished.unwrap().uploads().is_empty());
        for table in ["documents", "jobs", "dispatch", "idempotency_keys"] {
            assert_eq!(self.rows(table).await, 0, "rows in {table}");
        }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

fn config(mut env: HashMap<String, String>, changed: &[(&str, &str)]) -> ProducerConfig {
    env.extend(
        changed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    env.retain(|_, value| !value.is_empty());
    ProducerConfig::from_env(&Env::from_map(env)).unwrap()
}

/// An entity at the first place of these words in a text.
pub fn entity(text: &str, (label, words, score): (&str, &str, f32)) -> Entity {
    let start_byte = text.find(words).unwrap();
    let start = text[..start_byte].chars().count();
    let number = |n: usize| u32::try_from(n).unwrap();
    let span = Span {
        start: number(start),
        end: number(start + words.chars().count()),
        start_byte: number(start_byte),
        end_byte: number(start_byte + words.len()),
        start_utf16: Some(number(text[..start_byte].encode_utf16().count())),
    };
    Entity {
        label: label.into(),
        text: words.into(),
        span,
        page: None,
        region: Region::Body,
        place: Some(Place::Line { line: 1 }),
        boxes: Vec::new(),
        score,
        source: Source::Model,
        recogniser: None,
        value: None,
        canonical: None,
        carried_from: None,
        thing: None,
    }
}

/// The path of an upload with these fields as its query.
pub fn upload_path(fields: &[(&str, &str)]) -> String {
    path_with("/v1/documents", fields)
}

/// A path with these fields as its query.
pub fn path_with(path: &str, fields: &[(&str, &str)]) -> String {
    let encode = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    format!("{path}?{}", fields.join("&"))
}

/// The bucket of a client.
pub fn bucket_of(client: &str) -> Bucket {
    sharding::bucket_of(&client.parse::<ClientId>().unwrap())
}

/// The name of a client whose rows are on this shard.
pub fn client_on(api: &Api, shard: &str) -> String {
    let mut clients = (0..).map(|number| format!("client-{number}"));
    let found = clients.find(|client| api.shards.owner(bucket_of(client)).as_str() == shard);
    found.expect("every shard owns buckets")
}

/// The JSON of an answer that must be a 202.
pub async fn accepted(response: Response) -> Value {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, StatusCode::ACCEPTED, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Asserts that an answer is a problem of this status and type, in the form of every problem. Returns the problem's detail.
pub async fn assert_problem(response: Response, status: u16, name: &str) -> String {
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let (content_type, request_id) = (
        header("content-type"),
        header("x-request-id").expect("every answer has an id"),
    );
    let (retry_after, challenge) = (header("retry-after"), header("www-authenticate"));
    let answered = response.status().as_u16();
    let problem: Value = response.json().await.expect("every error has a body");
    assert_eq!(answered, status, "{problem}");
    assert_eq!(content_type.as_deref(), Some("application/problem+json"));
    assert_eq!(problem["type"], format!("urn:docket:problem:{name}"), "{problem}");
    assert_eq!(problem["status"], status);
    assert_eq!(problem["instance"], format!("urn:docket:request:{request_id}"));
    assert!(!problem["title"].as_str().unwrap().is_empty() && problem.as_object().unwrap().len() == 5);
    assert_eq!(
        retry_after.is_some(),
        matches!(status, 429 | 503) || name == "idempotency-in-progress",
        "{problem}"
    );
    assert_eq!(challenge.is_some(), status == 401);
    problem["detail"].as_str().unwrap().to_owned()
}

/// Waits until `holds` returns true.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < SOON, "{what}: not within {SOON:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The body of a form, from the headers and the content of each part.
pub fn form(parts: &[(&str, &str)]) -> String {
    let part = |(headers, content): &(&str, &str)| format!("--frontier\r\n{headers}\r\n\r\n{content}\r\n");
    format!("{}--frontier--\r\n", parts.iter().map(part).collect::<String>())
}

/// The content type of [`form`].
pub const FORM: &str = "multipart/form-data; boundary=frontier";

/// A connection to a client's shard.
pub async fn shard_of(api: &Api, client: &str) -> PgConnection {
    let owner = api.shards.owner(bucket_of(client));
    let (_, url) = api
        .world
        .shards
        .iter()
        .find(|(name, _)| *name == owner.as_str())
        .unwrap();
    PgConnection::connect(url).await.unwrap()
}

/// Runs statements.
pub async fn execute(connection: &mut PgConnection, statement: impl Into<String>) {
    sqlx::raw_sql(AssertSqlSafe(statement.into()))
        .execute(connection)
        .await
        .unwrap();
}
