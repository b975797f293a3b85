//! A world's databases, reached directly or through a transaction pooler, and what tests do with them.

use docket_contract::coverage::Coverage;
use docket_contract::entity::{Entity, Source, Span};
use docket_contract::ids::{Bucket, ClaimToken, ClientId, DocumentId, JobId, JobKey, ModelName};
use docket_contract::object_key::{BlobKey, Stored};
use docket_contract::place::{Place, Region};
use docket_contract::sharding;
use docket_contract::text_map::Rectangle;
use docket_process::settings::Env;
use docket_store::read::documents::{self, EntityPage};
use docket_store::work::claims::{self, Answer, Asker, Claim};
use docket_store::work::jobs::{self, HandOver, JobView, NewDocument, NewJob, Schedule};
use docket_store::work::results::Analysis;
use docket_store::{Database, Shards, StoreConfig};
use docket_testing::{PgBouncer, World};
use sqlx::{Connection, PgConnection};

/// Runs every test of a module twice: on a direct connection, and through PgBouncer in transaction mode.
macro_rules! direct_and_pooled {
    ($($name:ident),* $(,)?) => {
        mod direct {
            $(#[tokio::test] async fn $name() { super::$name(crate::fixture::Fixture::direct().await).await; })*
        }
        mod pooled {
            $(#[tokio::test] async fn $name() { super::$name(crate::fixture::Fixture::pooled().await).await; })*
        }
    };
}
pub(crate) use direct_and_pooled;

pub struct Fixture {
    pub world: World,
    pub shards: Shards,
    pub config: StoreConfig,
    _pooler: Option<PgBouncer>,
}

impl Fixture {
    pub async fn direct() -> Self {
        let world = World::start().await;
        let env = Env::from_map(world.env());
        Self::connect(world, env, None).await
    }

    pub async fn pooled() -> Self {
        let world = World::start().await;
        let pooler = PgBouncer::start(&world).await;
        let env = Env::from_map(pooler.env(&world));
        Self::connect(world, env, Some(pooler)).await
    }

    async fn connect(world: World, env: Env, pooler: Option<PgBouncer>) -> Self {
        let config = StoreConfig::from_env(&env).unwrap();
        assert_eq!(config.pooler, pooler.is_some());
        let shards = Shards::connect(&config).await.unwrap();
        Self {
            world,
            shards,
            config,
            _pooler: pooler,
        }
    }

    /// A document's rows, as an upload makes them.
    pub async fn accept(&self, client: &str) -> (JobKey, HandOver) {
        self.accept_with(client, |_| {}).await
    }

    /// The same of a changed job.
    pub async fn accept_with(&self, client: &str, change: impl FnOnce(&mut NewJob)) -> (JobKey, HandOver) {
        let client: ClientId = client.parse().unwrap();
        let bucket = sharding::bucket_of(&client);
        let mut document = document(bucket, &client);
        change(&mut document.job);
        let mut tx = self.shards.begin(bucket).await.unwrap();
        let handover = jobs::create(&mut tx, bucket, &client, &document).await.unwrap();
        tx.commit().await.unwrap();
        (
            JobKey {
                bucket,
                job: document.job.id,
            },
            handover,
        )
    }

    pub async fn claim(&self, key: JobKey, worker: &str) -> Answer {
        let asker = Asker {
            worker,
            token: ClaimToken::generate(),
            alone: false,
        };
        claims::claim(&self.shards, key, asker).await.unwrap()
    }

    pub async fn claim_alone(&self, key: JobKey, worker: &str) -> Answer {
        let asker = Asker {
            worker,
            token: ClaimToken::generate(),
            alone: true,
        };
        claims::claim(&self.shards, key, asker).await.unwrap()
    }

    pub async fn job(&self, key: JobKey, client: &str) -> JobView {
        let mut tx = self.shards.begin(key.bucket).await.unwrap();
        jobs::find(&mut tx, key, &client.parse().unwrap())
            .await
            .unwrap()
            .expect("the job is there")
    }

    /// Texts of a job's entities, in their order.
    pub async fn entity_texts(&self, key: JobKey) -> Vec<String> {
        let mut tx = self.shards.begin(key.bucket).await.unwrap();
        let page = EntityPage {
            label: None,
            min_score: None,
            region: None,
            source: None,
            canonical: None,
            after: 0,
            limit: 100,
        };
        let found = documents::entities(&mut tx, key, page).await.unwrap();
        found.into_iter().map(|(_, entity)| entity.text).collect()
    }

    pub fn shard_of(&self, key: JobKey) -> &Database {
        self.shards.shard(&self.shards.owner(key.bucket)).unwrap()
    }

    /// A plain connection to the shard of a bucket, or to another one: for what no code of ours does.
    pub async fn raw(&self, bucket: Bucket) -> PgConnection {
        self.raw_shard(self.shards.owner(bucket).as_str()).await
    }

    pub async fn raw_shard(&self, name: &str) -> PgConnection {
        let (_, url) = self.world.shards.iter().find(|(shard, _)| shard == name).unwrap();
        PgConnection::connect(url).await.unwrap()
    }

    /// Takes the accepting process's lease away, as if it had left the job to the dispatcher.
    pub async fn unlease(&self, key: JobKey) {
        let sql = "update dispatch set lease_token = null, lease_until = null where job_id = $1";
        self.on_row(key, sql).await;
    }

    /// Lets the job's deadline be over.
    pub async fn set_deadline_passed(&self, key: JobKey) {
        self.on_row(
            key,
            "update dispatch set deadline = now() - interval '1 s' where job_id = $1",
        )
        .await;
    }

    /// Lets the job's message be published so long ago that it must be lost.
    pub async fn set_published_long_ago(&self, key: JobKey) {
        let sql = "update dispatch set published_at = now() - interval '601 s' where job_id = $1 and state = 'queued'";
        self.on_row(key, sql).await;
    }

    /// Lets the job have been accepted two days ago.
    pub async fn set_accepted_long_ago(&self, key: JobKey) {
        let sql = "update dispatch set created_at = created_at - interval '2 days' where job_id = $1";
        self.on_row(key, sql).await;
    }

    /// Lets the job's first try have been so many seconds earlier, if it was tried.
    pub async fn set_tried_longer(&self, key: JobKey, seconds: i32) {
        let mut db = self.raw(key.bucket).await;
        let sql = "update dispatch set tried_since = tried_since - make_interval(secs => $2) where job_id = $1";
        let query = sqlx::query(sql).bind(key.job.0).bind(f64::from(seconds));
        query.execute(&mut db).await.unwrap();
    }

    /// Lets a running job's worker have been silent for exactly so many seconds.
    pub async fn set_silence(db: &mut PgConnection, key: JobKey, seconds: u64) {
        let sql = "update dispatch set heartbeat_at = now() - make_interval(secs => $2)
                   where job_id = $1 and state = 'running'";
        let query = sqlx::query(sql).bind(key.job.0).bind(seconds as f64);
        query.execute(db).await.unwrap();
    }

    /// Takes the live job out of the way.
    pub async fn forget(&self, key: JobKey) {
        self.on_row(key, "delete from dispatch where job_id = $1").await;
    }

    async fn on_row(&self, key: JobKey, sql: &'static str) {
        let mut db = self.raw(key.bucket).await;
        sqlx::query(sql).bind(key.job.0).execute(&mut db).await.unwrap();
    }

    /// Makes the job's last sign of life older, as if time had passed.
    pub async fn age(&self, key: JobKey, seconds: i32) {
        let mut db = self.raw(key.bucket).await;
        sqlx::query(
            "update dispatch set heartbeat_at = heartbeat_at - make_interval(secs => $2),
             published_at = published_at - make_interval(secs => $2), due_at = due_at - make_interval(secs => $2)
             where job_id = $1",
        )
        .bind(key.job.0)
        .bind(f64::from(seconds))
        .execute(&mut db)
        .await
        .unwrap();
    }
}

pub fn model() -> ModelName {
    "ner-legal".parse().unwrap()
}

pub fn document(bucket: Bucket, client: &ClientId) -> NewDocument {
    let id = DocumentId::generate();
    NewDocument {
        id,
        job: job("ner-legal"),
        external_id: Some("contract 7".into()),
        file_name: Some("vertrag ü.txt".into()),
        media_type: "text/plain".into(),
        pages: Some("2-9,12".parse().unwrap()),
        metadata: Some(r#"{"matter": 7}"#.into()),
        key: BlobKey::document(bucket, client, id),
        stored: Stored {
            bytes: 3_000,
            sha256: [7; 32],
        },
    }
}

pub fn job(model: &str) -> NewJob {
    NewJob {
        id: JobId::generate(),
        model: model.parse().unwrap(),
        schedule: Schedule::default(),
        trace_parent: None,
        hand_over: true,
    }
}

pub fn granted(answer: Answer) -> Claim {
    match answer {
        Answer::Granted(claim) => *claim,
        other => panic!("not granted: {other:?}"),
    }
}

pub fn analysis(name: &str) -> Analysis {
    let span = Span {
        start: 0,
        end: 3,
        start_byte: 0,
        end_byte: 3,
        start_utf16: Some(0),
    };
    let entity = Entity {
        label: "PERSON".into(),
        text: name.into(),
        span,
        page: None,
        region: Region::Footer,
        place: Some(Place::Paragraph { paragraph: 4 }),
        boxes: vec![Rectangle {
            left: 72.0,
            top: 90.5,
            right: 110.1,
            bottom: 101.0,
        }],
        score: 0.9,
        source: Source::Recogniser,
        recogniser: Some("name".into()),
        value: Some(r#"{"kind": "name"}"#.into()),
        canonical: Some(1),
        carried_from: Some(1),
        thing: None,
    };
    Analysis {
        model_version: "2".into(),
        text_key: BlobKey::from_stored("texts/x".into()),
        text_sha256: [1; 32],
        text_chars: 3,
        windows: 1,
        children: Vec::new(),
        map_key: Some(BlobKey::from_stored("texts/x.map".into())),
        coverage: Coverage {
            media_type: "text/plain".into(),
            ..Coverage::default()
        },
        tokens: 1,
        entities: vec![entity],
    }
}
