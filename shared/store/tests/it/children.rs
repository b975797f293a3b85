//! The files within a document become documents of their own.

use docket_contract::ids::{DocumentId, JobId, JobKey};
use docket_contract::job::Priority;
use docket_contract::object_key::{BlobKey, Stored};
use docket_store::read::documents::{self, Page};
use docket_store::work::children::Child;
use docket_store::work::claims::Claim;
use docket_store::work::jobs::{self, Reanalysis};
use docket_store::work::results;

use crate::fixture::{Fixture, analysis, direct_and_pooled, granted, job as job_of, model};

direct_and_pooled!(
    files_are_accepted_with_the_result_and_once,
    a_claim_that_is_lost_accepts_no_file,
);

fn child(claim: &Claim, number: u8) -> Child {
    let id = claim.document.of_child(&[number; 32]);
    Child {
        id,
        job: JobId::of_child(claim.document, &[number; 32]),
        file_name: Some(format!("{number}.txt")),
        media_type: "text/plain".into(),
        key: BlobKey::document(claim.key.bucket, &claim.client, id),
        stored: Stored {
            bytes: 7,
            sha256: [number; 32],
        },
    }
}

async fn children(fixture: &Fixture, claim: &Claim) -> Vec<DocumentId> {
    let page = Page {
        state: None,
        job_state: None,
        parent: Some(claim.document),
        before: None,
        limit: 10,
    };
    let mut tx = fixture.shards.begin(claim.key.bucket).await.unwrap();
    let listed = documents::list(&mut tx, claim.key.bucket, &claim.client, page)
        .await
        .unwrap();
    for document in &listed.documents {
        assert_eq!(document.parent, Some(claim.document));
        assert_eq!((&document.job.model, document.job.priority), (&model(), Priority::Bulk));
    }
    listed.documents.iter().map(|document| document.id).collect()
}

async fn files_are_accepted_with_the_result_and_once(fixture: Fixture) {
    let (key, _) = fixture
        .accept_with("acme", |job| job.schedule.priority = Priority::Bulk)
        .await;
    let claim = granted(fixture.claim(key, "w1").await);
    assert_eq!(claim.depth, 0);
    let mut found = analysis("Ada");
    found.children = vec![child(&claim, 1), child(&claim, 2)];
    assert!(results::save(&fixture.shards, &claim, &found).await.unwrap());
    let accepted = children(&fixture, &claim).await;
    assert_eq!(accepted.len(), 2);

    // A file is claimed like any document, and knows how deep it is.
    let job = found.children[0].job;
    let within = granted(fixture.claim(JobKey { job, ..key }, "w1").await);
    assert_eq!((within.depth, within.file_name.as_deref()), (1, Some("1.txt")));
    assert_eq!(
        (within.document, &within.blob),
        (found.children[0].id, &found.children[0].key)
    );

    // Another analysis of the document accepts no file again.
    let mut tx = fixture.shards.begin(key.bucket).await.unwrap();
    let job = job_of("ner-legal");
    let again = jobs::reanalyse(&mut tx, key.bucket, &claim.client, claim.document, &job).await;
    let Reanalysis::Accepted(job, _) = again.unwrap() else {
        panic!("it is not accepted");
    };
    tx.commit().await.unwrap();
    let again = granted(fixture.claim(JobKey { job, ..key }, "w1").await);
    assert!(results::save(&fixture.shards, &again, &found).await.unwrap());
    assert_eq!(children(&fixture, &claim).await, accepted);
    let child = fixture.job(within.key, "acme").await;
    assert_eq!(child.id, within.key.job, "it has the job that it had");
}

async fn a_claim_that_is_lost_accepts_no_file(fixture: Fixture) {
    let (key, _) = fixture.accept("acme").await;
    let lost = granted(fixture.claim(key, "w1").await);
    Fixture::set_silence(&mut fixture.raw(key.bucket).await, key, 16).await;
    let claim = granted(fixture.claim(key, "w2").await);
    let mut found = analysis("Ada");
    found.children = vec![child(&lost, 1)];
    assert!(!results::save(&fixture.shards, &lost, &found).await.unwrap());
    assert!(children(&fixture, &claim).await.is_empty());
}
