//! Lists of rare entries: a page reads a bounded number of rows, and all pages together find every entry.

use serde_json::Value;

use crate::api::{self, ACME, Api, bucket_of};

/// Documents of the client: more than one page reads.
const DOCUMENTS: i32 = 2_500;
/// Entities of a job: more than two pages read.
const ENTITIES: i32 = 45_000;

/// Runs statements on the client's shard, with the client's bucket and id for `$b` and `$c`.
async fn execute(served: &Api, statements: &str) {
    let bucket = bucket_of(ACME).number().to_string();
    let statements = statements.replace("$b", &bucket).replace("$c", &format!("'{ACME}'"));
    api::execute(&mut api::shard_of(served, ACME).await, statements).await;
}

/// SQL of the id with the number `n`: a larger number makes a newer id.
fn id(kind: u8) -> String {
    format!("('00000000-0000-7000-800{kind}-' || lpad(to_hex(n), 12, '0'))::uuid")
}

async fn insert_documents(api: &Api) {
    let document = id(0);
    let sql = format!(
        "insert into documents (bucket, id, client_id, media_type, size_bytes, sha256, blob_key)
         select $b, {document}, $c, 'text/plain', 4, '\\x00', 'k' || n from generate_series(1, {DOCUMENTS}) n"
    );
    execute(api, &sql).await;
}

async fn insert_jobs(api: &Api, kind: u8, state: &str, from: i32) {
    let (document, job) = (id(0), id(kind));
    let sql = format!(
        "insert into jobs (bucket, id, document_id, client_id, model, priority, state)
         select $b, {job}, {document}, $c, 'ner-legal', 'bulk', '{state}' from generate_series({from}, {DOCUMENTS}) n"
    );
    execute(api, &sql).await;
}

/// All entries of a list, and its number of pages.
async fn pages(api: &Api, path: &str, entries: &str) -> (Vec<Value>, usize) {
    let (mut all, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = api.read(ACME, &format!("{path}{cursor}")).await;
        all.extend(page[entries].as_array().unwrap().iter().cloned());
        pages += 1;
        let Some(next) = page["next_cursor"].as_str() else {
            return (all, pages);
        };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn a_document_in_a_state_is_found_behind_thousands_that_left_it() {
    let api = Api::start().await;
    insert_documents(&api).await;
    insert_jobs(&api, 1, "failed", 1).await;
    insert_jobs(&api, 2, "succeeded", 2).await; // One job for each document but the oldest.
    let (found, walked) = pages(&api, "/v1/documents?state=failed", "documents").await;
    assert_eq!((found.len(), walked), (1, 2));
    assert_eq!(found[0]["document_id"], "00000000-0000-7000-8000-000000000001");
    let (found, _) = pages(&api, "/v1/documents?state=succeeded&limit=200", "documents").await;
    assert_eq!(found.len(), 2_499);
}

#[tokio::test]
async fn what_runs_is_found_at_once_behind_thousands_that_wait() {
    let api = Api::start().await;
    insert_documents(&api).await;
    insert_jobs(&api, 1, "open", 1).await;
    let job = id(1);
    let sql = format!(
        "insert into dispatch (bucket, job_id, client_id, model, priority, size_bytes, state)
         select $b, {job}, $c, 'ner-legal', 'bulk', 4, case n when 1 then 'running' when 2 then 'queued' else 'waiting' end
         from generate_series(1, {DOCUMENTS}) n"
    );
    execute(&api, &sql).await;
    for (state, count, walked) in [("running", 1, 1), ("queued", 1, 1), ("waiting", 2_498, 13)] {
        let path = format!("/v1/documents?state={state}&limit=200");
        assert_eq!(
            {
                let (found, walked) = pages(&api, &path, "documents").await;
                (found.len(), walked)
            },
            (count, walked),
            "{state}"
        );
    }
}

#[tokio::test]
async fn an_unknown_label_does_not_walk_over_all_entities() {
    let api = Api::start().await;
    let accepted = api.upload(ACME, "text").await;
    api.analyse(ACME, &accepted, "text", &[]).await;
    let job = accepted["job_id"].as_str().unwrap();
    let sql = format!(
        "insert into entities (bucket, job_id, ordinal, label, text, start_char, end_char, start_byte, end_byte, score)
         select $b, '{job}', n, case n when {ENTITIES} then 'RARE' else 'ORG' end, 'text', 0, 4, 0, 4, 0.5
         from generate_series(1, {ENTITIES}) n;
         update jobs set entities = {ENTITIES} where id = '{job}'"
    );
    execute(&api, &sql).await;
    let path = format!("/v1/documents/{}/entities", accepted["document_id"].as_str().unwrap());
    for (label, count) in [("RARE", 1), ("NONE", 0)] {
        let (found, walked) = pages(&api, &format!("{path}?label={label}"), "entities").await;
        assert_eq!((found.len(), walked), (count, 3), "{label}");
    }
    let (found, _) = pages(&api, &format!("{path}?limit=1000"), "entities").await;
    assert_eq!(found.len(), 45_000);
}
