//! The doctor on sound worlds, and on worlds with one part really broken.

use std::collections::HashMap;
use std::process::Command;

use docket_contract::model::{self, Current};
use docket_objects::BlobStore;
use docket_operator::doctor::report::{Finding, Report, Verdict};
use docket_operator::doctor::{self, Options};
use docket_process::settings::Env;
use docket_producer::config::{self, ProducerConfig};
use docket_queue::publish::Publisher;
use docket_store::Shards;
use docket_store::operate::activity;
use docket_store::work::lease;
use docket_testing::{PgBouncer, World};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

/// A warning that is right in every test world: its servers are not durable.
const WORLDLY: [&str; 1] = ["fsync = off"];

/// A world with all parts of a running deployment: a model, declared queues, acting dispatchers, and a worker that reports.
async fn world() -> World {
    let world = World::start().await;
    let config = ProducerConfig::from_env(&Env::from_map(world.env())).unwrap();
    let name = "ner-legal".parse().unwrap();
    let blobs = BlobStore::connect(&config.blob).await;
    let manifest = json!({ "description": "in a line", "licence": "Apache-2.0" }).to_string();
    let key = model::file_key(&name, &"2".parse().unwrap(), "manifest.json");
    blobs.put_bytes(&key, manifest.into()).await.unwrap();
    let current = Current {
        version: "2".parse().unwrap(),
    };
    docket_objects::set_current(&blobs, &name, &current).await.unwrap();
    Publisher::new(config.queue, "test").depth(&name).await.unwrap();
    let shards = Shards::connect(&config.store).await.unwrap();
    for (_, shard) in shards.all() {
        assert!(lease::acquire(shard, "dispatch", Uuid::new_v4()).await.unwrap());
    }
    let report = activity::WorkerReport {
        worker: "w1".into(),
        model: name,
        model_version: "2".into(),
        tokens_per_second: 12_000.0,
    };
    activity::worker(shards.catalog(), &report).await.unwrap();
    world
}

async fn examine(env: HashMap<String, String>) -> Report {
    let options = Options {
        autoscale_messages: 8,
        json: false,
    };
    let env = Env::from_map(env);
    let report = doctor::examine(&env, config::of_program(&env), &options).await;
    eprintln!("{}", report.text());
    report
}

/// The world's settings with some replaced.
fn changed(world: &World, settings: &[(&str, &str)]) -> HashMap<String, String> {
    let mut env = world.env();
    env.extend(
        settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    env
}

/// Findings worse than a note, without those of every test world.
fn bad(report: &Report) -> Vec<&Finding> {
    let worldly = |finding: &Finding| WORLDLY.iter().any(|known| finding.what.contains(known));
    let bad = report
        .findings
        .iter()
        .filter(|finding| finding.verdict >= Verdict::Warn);
    bad.filter(|finding| !worldly(finding)).collect()
}

/// The failure of a part with these words, which must be there, have this remedy, and say what it means.
#[track_caller]
fn broken<'a>(report: &'a Report, part: &str, (words, remedy): (&str, &str)) -> &'a Finding {
    let of_part = |finding: &&Finding| finding.verdict == Verdict::Fail && finding.part == part;
    let found = report
        .findings
        .iter()
        .filter(of_part)
        .find(|finding| finding.what.contains(words));
    let found = found.unwrap_or_else(|| panic!("{part}: {words} is not told"));
    assert!(found.means.is_some(), "{found:?}");
    let told = found.remedy.as_deref().unwrap_or_default();
    assert!(told.contains(remedy), "{found:?}");
    found
}

/// Whether a finding with these words says that the part is sound.
fn is_ok(report: &Report, part: &str, words: &str) -> bool {
    let well =
        |finding: &Finding| finding.verdict == Verdict::Ok && finding.part == part && finding.what.contains(words);
    report.findings.iter().any(well)
}

async fn execute(url: &str, statement: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_world_that_is_well_gets_no_complaint() {
    let world = world().await;
    let report = examine(world.env()).await;
    assert_eq!(bad(&report), Vec::<&Finding>::new());
    for (part, words) in [
        ("settings", "usable"),
        ("catalog", "PostgreSQL 18"),
        ("shard s1", "schema version"),
        ("shard s1", "no pooler"),
        ("shard s2", "may do what it must"),
        ("shard s2", "dispatcher"),
        ("map", "each of 4096 buckets has one owner"),
        ("broker", "RabbitMQ 3."),
        (
            "broker",
            "queue docket.jobs.ner-legal as declared: 0 ready, 0 consumers",
        ),
        ("broker", "a message there and back"),
        ("storage", "takes, gives, lists and removes"),
        ("models", "the current version is 2"),
        ("workers", "1 serve ner-legal@2, 12000 tokens/s"),
        ("autoscaler", "keeps 12.0 jobs"),
    ] {
        assert!(is_ok(&report, part, words), "{part}: {words}");
    }
    let blobs = BlobStore::connect(&ProducerConfig::from_env(&Env::from_map(world.env())).unwrap().blob).await;
    assert!(
        blobs.list("doctor/", None, 10).await.unwrap().is_empty(),
        "a probe is left behind"
    );
    let queues = world.management().queues(&world.vhost).await.unwrap();
    assert!(!queues.iter().any(|queue| queue.contains("doctor")), "{queues:?}");
}

#[tokio::test]
async fn the_exit_code_and_the_json_say_how_bad_it_is() {
    let world = world().await;
    let run = |env: HashMap<String, String>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket-producer"));
        let output = command.envs(env).args(["doctor", "--json"]).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), json)
    };
    let (code, json) = run(world.env());
    assert_eq!((code, &json["verdict"]), (Some(3), &json!("warn")));
    let (code, json) = run(changed(&world, &[("DOCKET_PG_CONNECTIONS_MAX", "none")]));
    assert_eq!((code, &json["verdict"]), (Some(1), &json!("fail")));
    let first = &json["findings"][0];
    assert_eq!(
        (&first["part"], &first["verdict"]),
        (&json!("settings"), &json!("fail"))
    );
    assert!(first["what"].as_str().unwrap().contains("DOCKET_PG_CONNECTIONS_MAX"));
    let parts: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["part"])
        .collect();
    assert!(
        parts.contains(&&json!("broker")) && parts.contains(&&json!("storage")),
        "the others are looked at"
    );
}

#[tokio::test]
async fn a_broker_that_cannot_be_used_is_told_with_its_reason() {
    let world = world().await;
    let report = examine(changed(&world, &[("DOCKET_AMQP_URL", "amqp://127.0.0.1:9/x")])).await;
    let finding = broken(&report, "broker", ("refused", "start it"));
    assert!(finding.means.as_ref().unwrap().contains("uploads are accepted"));
    assert!(is_ok(&report, "shard s1", "PostgreSQL") && is_ok(&report, "storage", "takes"));
    let other = world.amqp_url.replace(&world.vhost, "no-such-vhost");
    let report = examine(changed(&world, &[("DOCKET_AMQP_URL", &other)])).await;
    broken(&report, "broker", ("no-such-vhost", "create the virtual host"));
    let other = world.amqp_url.replace(&world.broker.password, "wrong");
    let report = examine(changed(&world, &[("DOCKET_AMQP_URL", &other)])).await;
    broken(&report, "broker", ("ACCESS", "correct user and password"));
}

#[tokio::test]
async fn a_user_without_rights_on_the_virtual_host_is_told_what_to_be_given() {
    let world = world().await;
    let user = format!("reader_{}", world.id);
    let rights = ["", "", ".*"];
    world
        .management()
        .set_user(&world.vhost, (&user, "secret"), rights)
        .await
        .unwrap();
    let url = world.amqp_url.replace(
        &format!("{}:{}@", world.broker.user, world.broker.password),
        &format!("{user}:secret@"),
    );
    let report = examine(changed(&world, &[("DOCKET_AMQP_URL", &url)])).await;
    broken(&report, "broker", ("declare a queue", "set_permissions"));
}

#[tokio::test]
async fn a_queue_that_was_declared_otherwise_is_named_with_its_repair() {
    let world = world().await;
    let queue = "docket.jobs.ner-legal";
    world.delete_queue(queue).await;
    let classic = json!({ "x-queue-type": "classic" });
    world
        .management()
        .declare_queue(&world.vhost, queue, classic)
        .await
        .unwrap();
    let report = examine(world.env()).await;
    let finding = broken(
        &report,
        "broker",
        (queue, "rabbitmqctl delete_queue docket.jobs.ner-legal"),
    );
    assert!(
        finding.what.contains("inequivalent arg 'x-dead-letter-exchange'"),
        "{finding:?}"
    );
    assert!(is_ok(&report, "broker", "docket.delay as declared"));
}

#[tokio::test]
async fn a_wiped_broker_is_seen_and_stays_as_it_is() {
    let world = world().await;
    world.wipe_broker().await;
    let report = examine(world.env()).await;
    let bad = bad(&report);
    assert_eq!(bad.len(), 1, "{bad:?}");
    assert!(bad[0].what.contains("missing: exchange docket.jobs"), "{bad:?}");
    assert_eq!(
        world.management().queues(&world.vhost).await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_shard_that_is_away_is_told_and_the_others_are_looked_at() {
    let world = world().await;
    world.shard_down("s1").await;
    let report = examine(world.env()).await;
    broken(&report, "shard s1", ("s1 does not answer", "allow_connections true"));
    assert!(is_ok(&report, "shard s2", "PostgreSQL") && is_ok(&report, "broker", "takes connections"));
    world.shard_up("s1").await;
}

#[tokio::test]
async fn an_older_schema_names_the_command() {
    let world = world().await;
    let (_, url) = &world.shards[0];
    execute(
        url,
        "alter table dispatch drop column tried_since; delete from _sqlx_migrations where version > 2".into(),
    )
    .await;
    let report = examine(world.env()).await;
    let versions = "its schema is version 2, this release needs 11";
    broken(&report, "shard s1", (versions, "docket-producer migrate"));
}

#[tokio::test]
async fn a_bucket_that_is_missing_and_keys_that_are_wrong_are_told() {
    let world = world().await;
    let report = examine(changed(&world, &[("DOCKET_S3_BUCKET", "no-such-bucket")])).await;
    broken(&report, "storage", ("NoSuchBucket", "create bucket no-such-bucket"));
    let report = examine(changed(&world, &[("DOCKET_S3_SECRET_KEY", "wrong")])).await;
    broken(&report, "storage", ("SignatureDoesNotMatch", "DOCKET_S3_SECRET_KEY"));
    let report = examine(changed(&world, &[("DOCKET_S3_ENDPOINT", "http://127.0.0.1:9")])).await;
    broken(&report, "storage", ("store an object", "start the store"));
    let report = examine(changed(&world, &[("DOCKET_MODEL_DEFAULT", "ner-tax")])).await;
    broken(&report, "models", ("ner-tax is not published", "models publish"));
    let report = examine(changed(&world, &[("DOCKET_MODEL_DEFAULT", "ner-legal,de=ner-german")])).await;
    broken(&report, "models", ("ner-german is not published", "models publish"));
}

#[tokio::test]
async fn swapped_shards_and_wrong_databases_are_told() {
    let world = world().await;
    let [(_, first), (_, second)] = &world.shards[..] else {
        panic!("a world has two shards")
    };
    let report = examine(changed(
        &world,
        &[("DOCKET_SHARD_URLS", &format!("s1={second},s2={first}"))],
    ))
    .await;
    broken(&report, "map", ("configured as shard s1 holds shard s2", "swapped"));
    let urls = format!("s1={first}_not,s2={second}");
    let report = examine(changed(&world, &[("DOCKET_SHARD_URLS", &urls)])).await;
    broken(&report, "shard s1", ("does not exist", "create the database"));
    let report = examine(changed(&world, &[("DOCKET_SHARD_URLS", &format!("s1={first}"))])).await;
    broken(
        &report,
        "map",
        ("shard s2 owns buckets and is not in", "add s2=postgres://"),
    );
    let report = examine(changed(&world, &[("DOCKET_CATALOG_URL", first)])).await;
    assert!(
        bad(&report).iter().any(|finding| finding.part == "catalog"),
        "a shard is no catalog"
    );
}

#[tokio::test]
async fn a_bucket_without_an_owner_and_one_with_two_are_told() {
    let world = world().await;
    let take = "delete from bucket_owners where bucket = 7";
    let both = "update bucket_owners set owner = (select name from shard_identity) where bucket = 8";
    for (_, url) in &world.shards {
        execute(url, format!("{take}; {both}")).await;
    }
    let report = examine(world.env()).await;
    broken(
        &report,
        "map",
        ("s1 does not know who owns 1 of the buckets", "migrate"),
    );
    broken(
        &report,
        "map",
        ("no shard says that it owns 1 bucket (7)", "hand the bucket"),
    );
    broken(
        &report,
        "map",
        ("more than one shard says that it owns 1 bucket (8)", "take the bucket"),
    );
}

#[tokio::test]
async fn a_role_that_may_only_read_is_told_what_it_lacks() {
    let world = world().await;
    let (name, url) = &world.shards[0];
    let role = format!("reader_{}", world.id);
    execute(
        url,
        format!("create role {role} login password 'secret'; grant select on all tables in schema public to {role}"),
    )
    .await;
    let (_, at) = url.split_once('@').unwrap();
    let urls = format!(
        "{name}=postgres://{role}:secret@{at},{}={}",
        world.shards[1].0, world.shards[1].1
    );
    let report = examine(changed(&world, &[("DOCKET_SHARD_URLS", &urls)])).await;
    let finding = broken(
        &report,
        "shard s1",
        ("insert on documents", "alter default privileges in schema public"),
    );
    assert!(
        !finding.what.contains("bucket_owners"),
        "services only read it: {finding:?}"
    );
    // The test does what the finding says; then a later release adds a table.
    let remedy = finding.remedy.as_deref().unwrap();
    let granted = remedy
        .trim_start_matches("as the owner: ")
        .replace("and, for tables of later releases, ", "");
    execute(url, format!("{granted}; create table later (id bigint)")).await;
    let report = examine(changed(&world, &[("DOCKET_SHARD_URLS", &urls)])).await;
    assert!(is_ok(&report, "shard s1", "the role may do what it must"));
    let wrong = urls.replace("secret", "wrong");
    let report = examine(changed(&world, &[("DOCKET_SHARD_URLS", &wrong)])).await;
    broken(
        &report,
        "shard s1",
        ("password authentication failed", "correct user and password"),
    );
    let read_only = format!("alter role {role} set default_transaction_read_only = on");
    execute(url, read_only).await;
    let report = examine(changed(&world, &[("DOCKET_SHARD_URLS", &urls)])).await;
    broken(
        &report,
        "shard s1",
        ("transactions are read-only", "default_transaction_read_only"),
    );
    execute(url, format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn a_pooler_is_seen_whatever_the_setting_says() {
    let world = world().await;
    let pooler = PgBouncer::start(&world).await;
    let told = pooler.env(&world);
    let report = examine(told.clone()).await;
    assert_eq!(bad(&report), Vec::<&Finding>::new());
    assert!(is_ok(&report, "shard s2", "a transaction pooler is in front"));
    let mut stranger = told.clone();
    let catalog = pooler.catalog_url.replacen("://", "://stranger-", 1);
    stranger.insert("DOCKET_CATALOG_URL".into(), catalog);
    let report = examine(stranger).await;
    broken(&report, "catalog", ("authentication failed", "the pooler's lists"));
    let mut untold = told;
    untold.insert("DOCKET_PG_POOLER".into(), "false".into());
    let report = examine(untold).await;
    broken(
        &report,
        "shard s1",
        ("a transaction pooler is in front", "DOCKET_PG_POOLER=true"),
    );
    let report = examine(changed(&world, &[("DOCKET_PG_POOLER", "true")])).await;
    assert!(
        bad(&report)
            .iter()
            .all(|finding| finding.what.contains("no transaction pooler")),
        "{:?}",
        bad(&report)
    );
}
