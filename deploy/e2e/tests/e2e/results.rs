//! Large results, and results that their shard does not take.

use std::time::Duration;

use docket_e2e::api::{Accepted, Caller};
use docket_e2e::system::{Program, System};
use docket_store::work::results::CHUNK_ENTITIES_MAX;
use docket_testing::TinyModel;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::long_text;

/// Longest wait for something that takes a few seconds on an idle machine.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Memory of a worker whose peak is measured: the least that a worker can have.
const MEMORY_BYTES: u64 = 64 << 20;
/// About as many entities as fit into `MEMORY_BYTES`.
const ENTITIES_THAT_FIT: usize = 72_000;
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A worker whose model finds an entity in every word.
async fn naming_worker(system: &System, settings: &[(&str, &str)]) -> Program {
    let folder = tempfile::tempdir().unwrap();
    TinyModel::new("tiny", "1")
        .kinds(&["PARTY"])
        .word("alice", "B-PARTY")
        .write(folder.path());
    system.publish(folder.path()).await;
    let settings = [&[("DOCKET_MODELS", "tiny")], settings].concat();
    system.worker_with(&settings).await
}

fn names(count: usize) -> String {
    "alice\n".repeat(count)
}

/// Waits until a query on the database returns `true`.
async fn until(db: &mut PgConnection, what: &'static str) {
    let held = async {
        while !sqlx::query_scalar::<_, bool>(what).fetch_one(&mut *db).await.unwrap() {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let held = tokio::time::timeout(WAIT_MAX, held).await;
    assert!(held.is_ok(), "not within {WAIT_MAX:?}: {what}");
}

/// Two connections to the shard of a job: one to block it, one to watch.
async fn on_shard(system: &System, accepted: &Accepted) -> [PgConnection; 2] {
    [system.shard_of(accepted).await, system.shard_of(accepted).await]
}

/// Uploads this many names, due in 2 s: time to block the writing of their result.
async fn uploaded(caller: &Caller, count: usize) -> Accepted {
    let soon = (Timestamp::now() + 2.seconds()).to_string();
    let query = format!("model=tiny&not_before={soon}");
    caller.upload_with(&query, &names(count)).await
}

#[tokio::test]
async fn a_large_result_that_its_shard_does_not_take_in_time_counts_against_its_job() {
    let system = System::start().await;
    let _worker = naming_worker(&system, &[]).await;
    let caller = system.caller("acme").await;
    let accepted = uploaded(&caller, CHUNK_ENTITIES_MAX + 1).await;
    let [mut blocker, mut db] = on_shard(&system, &accepted).await;
    // A statement may take 1 s instead of half a minute.
    let impatient =
        "do $$ begin execute replace(pg_get_functiondef('docket_fence'::regproc), '''30s''', '''1s'''); end $$";
    sqlx::query(impatient).execute(&mut db).await.unwrap();
    let mut blocking = blocker.begin().await.unwrap();
    sqlx::query("lock table entities in exclusive mode")
        .execute(&mut *blocking)
        .await
        .unwrap();
    until(&mut db, "select exists (select 1 from dispatch where errors > 0)").await;
    blocking.rollback().await.unwrap();
    let entities = caller.checked_entities(&accepted).await;
    assert_eq!(entities.len(), CHUNK_ENTITIES_MAX + 1);
    let job = caller.job(&accepted).await;
    let reasons: Vec<&str> = job["history"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["reason"].as_str())
        .collect();
    assert!(reasons.contains(&"result_not_written"), "{job}");
}

#[tokio::test]
async fn a_document_with_more_entities_than_a_job_may_have_fails_and_says_so() {
    let system = System::start().await;
    let _worker = naming_worker(&system, &[("DOCKET_ENTITIES_MAX", "100")]).await;
    let caller = system.caller("acme").await;
    let fits = uploaded(&caller, 100).await;
    assert_eq!(caller.checked_entities(&fits).await.len(), 100);
    let too_many = uploaded(&caller, 101).await;
    let job = caller.until(&too_many, "failed").await;
    assert_eq!(
        (&job["error"]["kind"], &job["attempts"]),
        (&"too_many_entities".into(), &1.into()),
        "{job}"
    );
    let detail = job["error"]["detail"].as_str().unwrap();
    for word in ["101", "100", "DOCKET_ENTITIES_MAX"] {
        assert!(detail.contains(word), "{detail}");
    }
}

#[tokio::test]
async fn a_text_of_nothing_but_names_takes_no_more_memory_than_its_worker_was_given() {
    let system = System::start().await;
    let worker = naming_worker(&system, &[("DOCKET_MEMORY_BYTES", &MEMORY_BYTES.to_string())]).await;
    let caller = system.caller("acme").await;
    let few = uploaded(&caller, 1_000).await;
    caller.until(&few, "succeeded").await;
    let before = worker.peak_memory_bytes();
    let many = uploaded(&caller, ENTITIES_THAT_FIT).await;
    let job = caller.until(&many, "succeeded").await;
    assert_eq!(job["entities"], ENTITIES_THAT_FIT, "{job}");
    let took = worker.peak_memory_bytes() - before;
    println!("{took} bytes for {ENTITIES_THAT_FIT} entities");
    assert!(took <= MEMORY_BYTES, "{took} bytes");
}

/// Claims take every connection of the worker's pool, and wait.
#[tokio::test]
async fn a_worker_whose_connections_are_all_taken_keeps_its_claims_alive() {
    let system = System::start().await;
    let _worker = system.worker_with(&[("DOCKET_PG_CONNECTIONS_MAX", "2")]).await;
    let caller = system.caller("acme").await;
    let running = caller.upload(&long_text(60)).await;
    caller.until(&running, "running").await;
    let soon = (Timestamp::now() + 2.seconds()).to_string();
    for _ in 0..8 {
        caller.upload_with(&format!("not_before={soon}"), crate::LETTER).await;
    }
    let [mut blocker, mut db] = on_shard(&system, &running).await;
    let mut blocking = blocker.begin().await.unwrap();
    sqlx::query("lock table documents in access exclusive mode")
        .execute(&mut *blocking)
        .await
        .unwrap();
    until(
        &mut db,
        "select count(*) >= 2 from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query like E'-- shard: work/claim\n%'",
    )
    .await;
    // From here on heartbeats need connections of their own: two heartbeats, 5 s apart.
    sqlx::query("create table seen as select job_id, clock_timestamp() as at from dispatch where state = 'running'")
        .execute(&mut db)
        .await
        .unwrap();
    until(
        &mut db,
        "select bool_and(d.heartbeat_at > s.at + interval '4 s' and claims.waiting >= 2)
         from dispatch d join seen s on s.job_id = d.job_id cross join lateral (
             select count(*) as waiting from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock' and query like E'-- shard: work/claim\n%'
               and query_start < s.at) claims",
    )
    .await;
    blocking.rollback().await.unwrap();
    caller.cancel(&running).await;
}

#[tokio::test]
async fn recognisers_stand_beside_the_model_and_say_what_they_read() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let text = "\u{1f600} The Tenant pays US$ 1,250,000.00 within thirty (30) days of January 5, 2024, as the court held in Roe v. Wade, \
                410 U.S. 113, 153 (1973). Id. at 160. Write to legal@acme.example.";
    let accepted = caller.upload(text).await;
    let entities = caller.checked_entities(&accepted).await;
    let said = |words: &str| {
        let one = entities.iter().find(|entity| entity["text"] == words);
        let one = one.unwrap_or_else(|| panic!("{words} is not found: {entities:#?}"));
        (one["source"].clone(), one["recogniser"].clone(), one["value"].clone())
    };
    let (_, recogniser, money) = said("US$ 1,250,000.00");
    assert_eq!((&recogniser, &money["kind"]), (&json!("money"), &json!("money")));
    assert_eq!(
        (&money["amount"], &money["currency"]),
        (&json!("1250000.00"), &json!("USD"))
    );
    assert_eq!(said("January 5, 2024").2["date"], "2024-01-05");
    assert_eq!(said("thirty (30) days").2["duration"], "P30D");
    assert_eq!(said("legal@acme.example").0, "recogniser");
    let (_, _, full) = said("410 U.S. 113, 153 (1973)");
    assert_eq!((&full["key"], &full["pin"]), (&json!("410 U.S. 113"), &json!("153")));
    assert_eq!(said("Id. at 160").2["key"], full["key"], "it is the same decision");

    let path = format!("/v1/documents/{}/entities?source=model", accepted.document);
    let (_, page) = caller.get(&path).await;
    let by_model = page["entities"].as_array().unwrap();
    assert!(!by_model.is_empty() && by_model.len() < entities.len(), "{page}");
    assert!(by_model.iter().all(|entity| entity["source"] == "model"));
    let (status, problem) = caller.get(&path.replace("model", "oracle")).await;
    assert_eq!(
        (status, &problem["detail"]),
        (400, &json!("source must be one of model, recogniser, carried."))
    );
}

const SUPPLY: &str = "This Supply Agreement is made as of January 5, 2024 by and between Cobalt Heron Instruments, Inc., an Oregon corporation \
                      (the \"Seller\"), and Larkspur Tidewater Logistics, Inc., a Georgia corporation (\"Buyer\").\n\nThe Seller shall \
                      deliver the Goods to Buyer. Buyer shall pay Cobalt Heron Instruments within thirty days.\n";

#[tokio::test]
async fn a_party_is_one_thing_under_all_its_names() {
    let system = System::start().await;
    let _worker = system.worker().await;
    let caller = system.caller("acme").await;
    let accepted = caller.upload(SUPPLY).await;
    let entities = caller.checked_entities(&accepted).await;
    let path = format!("/v1/documents/{}/things", accepted.document);
    let (status, page) = caller.get(&format!("{path}?kind=organisation")).await;
    assert_eq!(status, 200, "{page}");
    let things = page["things"].as_array().unwrap();
    let named = |name: &str| {
        let one = things.iter().find(|thing| thing["name"] == name);
        one.unwrap_or_else(|| panic!("{name} is not there: {page:#}"))
    };
    let seller = named("Cobalt Heron Instruments, Inc.");
    assert_eq!(seller["roles"], json!(["Seller"]));
    let aliases = seller["aliases"].as_array().unwrap();
    for alias in ["Seller", "Cobalt Heron Instruments"] {
        assert!(aliases.contains(&json!(alias)), "{seller}");
    }
    let first = seller["id"].as_i64().unwrap();
    let mentions: Vec<&Value> = entities.iter().filter(|entity| entity["canonical"] == first).collect();
    let ids: Vec<&Value> = mentions.iter().map(|entity| &entity["id"]).collect();
    assert_eq!(seller["mentions"].as_array().unwrap().iter().collect::<Vec<_>>(), ids);
    assert_eq!(seller["mention_count"], ids.len());
    let terms = mentions.iter().filter(|entity| entity["text"] == "Seller");
    assert!(terms.clone().count() >= 2, "{mentions:#?}");
    for term in terms {
        assert_eq!(
            (&term["source"], &term["carried_from"]),
            (&json!("carried"), &json!(first))
        );
    }
    assert_ne!(named("Larkspur Tidewater Logistics, Inc.")["id"], first);

    let (_, page) = caller
        .get(&format!(
            "/v1/documents/{}/entities?canonical={first}",
            accepted.document
        ))
        .await;
    assert_eq!(page["entities"].as_array().unwrap().len(), ids.len());
    let (status, problem) = caller.get(&format!("{path}?kind=ship")).await;
    let known = "kind must be one of organisation, person, government, court, place, act, case, statute.";
    assert_eq!((status, &problem["detail"]), (400, &json!(known)));
}
