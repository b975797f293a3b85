//! TLS to each service works with the authority's certificate, and fails without it or under another host's name.

use std::collections::HashMap;
use std::error::Error;

use docket_contract::ids::ModelName;
use docket_contract::object_key::BlobKey;
use docket_objects::{BlobConfig, BlobStore};
use docket_process::settings::Env;
use docket_process::telemetry::chain;
use docket_process::tls::CA_FILE;
use docket_queue::QueueConfig;
use docket_queue::consume::{Deliveries, Source};
use docket_queue::publish::Publisher;
use docket_store::shards::migrate;
use docket_store::{Shards, StoreConfig};
use docket_testing::{PgBouncer, PrivateBroker, TestCertificates, TlsFront, World, job_message};

/// Error for a certificate of an unknown authority.
const STRANGER: &str = "UnknownIssuer";
const OTHER_HOST: &str = "not valid for name";
/// Error for a certificate of another test's authority: all have the same name, but different keys.
const FORGED: &str = "BadSignature";

/// A world's settings, with some replaced.
fn settings(world: &World, others: &[(&str, String)]) -> HashMap<String, String> {
    let mut env = world.env();
    env.extend(others.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    env
}

fn trusting(certificates: &TestCertificates) -> (&'static str, String) {
    (CA_FILE.name, certificates.ca_file.display().to_string())
}

#[track_caller]
fn refused(error: &(dyn Error + 'static), reason: &str) {
    let told = chain(error);
    assert!(told.contains(reason), "{told}");
}

#[tokio::test]
async fn the_broker_is_who_its_url_says() {
    let certificates = TestCertificates::make().await;
    let broker = PrivateBroker::start_with_tls(&certificates.localhost).await;
    let world = World::start_with(&broker).await;
    let config = |host: &str, ca: Option<(&str, String)>| {
        let url = ("DOCKET_AMQP_URL", broker.tls_url(host, &world.vhost));
        let others: Vec<_> = std::iter::once(url).chain(ca).collect();
        QueueConfig::from_env(&Env::from_map(settings(&world, &others))).unwrap()
    };
    let trusted = config("localhost", Some(trusting(&certificates)));
    let message = job_message(model());
    let published = Publisher::new(trusted.clone(), "test")
        .jobs(std::slice::from_ref(&message))
        .await;
    published.into_iter().for_each(|result| result.unwrap());
    let mut deliveries = Deliveries::new(trusted, "test", Source::Jobs(model()), 1);
    assert!(deliveries.next().await.ack().await);

    let distrusting = Publisher::new(config("localhost", None), "test");
    refused(&distrusting.depth(&model()).await.unwrap_err(), STRANGER);
    let misled = Publisher::new(config("127.0.0.1", Some(trusting(&certificates))), "test");
    refused(&misled.depth(&model()).await.unwrap_err(), OTHER_HOST);
}

#[tokio::test]
async fn a_database_is_who_its_url_says() {
    let certificates = TestCertificates::make().await;
    let world = World::start().await;
    let pooler = PgBouncer::start_with_tls(&world, &certificates.localhost).await;
    let config = |host: &str, mode: &str, ca: Option<(&str, String)>| {
        let url = |url: &str| format!("{}?sslmode={mode}", url.replace("127.0.0.1", host));
        let shards: Vec<_> = pooler
            .shards
            .iter()
            .map(|(name, at)| format!("{name}={}", url(at)))
            .collect();
        let urls = [
            ("DOCKET_PG_POOLER", "true".to_owned()),
            ("DOCKET_CATALOG_URL", url(&pooler.catalog_url)),
            ("DOCKET_SHARD_URLS", shards.join(",")),
        ];
        let others: Vec<_> = urls.into_iter().chain(ca).collect();
        StoreConfig::from_env(&Env::from_map(settings(&world, &others))).unwrap()
    };
    let ca = || Some(trusting(&certificates));
    let shards = Shards::connect(&config("localhost", "verify-full", ca()))
        .await
        .unwrap();
    migrate::check(&shards).await.unwrap();

    let assert_refused = async |config: StoreConfig, reason: &str| {
        let connected = Shards::connect(&config).await;
        refused(&connected.expect_err("it is refused"), reason);
        let migrated = migrate::all(&config).await;
        refused(migrated.expect_err("it is refused").as_ref(), reason);
    };
    assert_refused(config("localhost", "verify-full", None), STRANGER).await;
    assert_refused(config("127.0.0.1", "verify-full", ca()), OTHER_HOST).await;
    assert_refused(config("localhost", "disable", ca()), "SSL required").await;
    // With root certificates given, `require` verifies the issuer but not the name, as in libpq.
    Shards::connect(&config("127.0.0.1", "require", ca())).await.unwrap();
    let namesake = TestCertificates::make().await;
    assert_refused(config("localhost", "require", Some(trusting(&namesake))), FORGED).await;
}

#[tokio::test]
async fn the_object_store_is_who_its_url_says() {
    let certificates = TestCertificates::make().await;
    let world = World::start().await;
    let server = world.s3.url.rsplit(':').next().unwrap().parse().unwrap();
    let front = TlsFront::start(&certificates.localhost, server).await;
    let store = async |host: &str, ca: Option<(&str, String)>| {
        let url = ("DOCKET_S3_ENDPOINT", format!("https://{host}:{}", front.port()));
        let others: Vec<_> = std::iter::once(url).chain(ca).collect();
        let config = BlobConfig::from_env(&Env::from_map(settings(&world, &others))).unwrap();
        BlobStore::connect(&config).await
    };
    let key = BlobKey::from_stored("documents/0001/a".to_owned());
    let trusted = store("localhost", Some(trusting(&certificates))).await;
    trusted.put_bytes(&key, "hello".into()).await.unwrap();
    assert_eq!(trusted.get(&key, 5).await.unwrap(), "hello");

    let distrusting = store("localhost", None).await;
    refused(&distrusting.get(&key, 5).await.unwrap_err(), STRANGER);
    let misled = store("127.0.0.1", Some(trusting(&certificates))).await;
    refused(&misled.get(&key, 5).await.unwrap_err(), OTHER_HOST);
}

fn model() -> ModelName {
    "ner-legal".parse().unwrap()
}
