//! More jobs than one of a document: accepted up to a bound, listed, and which of them stands for the document.

use docket_contract::ids::{Bucket, ClientId, DocumentId, JobId, JobKey, ModelVersion};
use docket_contract::sharding;
use docket_contract::state::JobState;
use docket_store::read::documents::{self, EntityPage, Page};
use docket_store::work::jobs::{self, HandOver, JobPage, JobView, NewJob, OPEN_JOBS_MAX, Reanalysis};
use docket_store::work::results::{self, Failure};
use futures::future::join_all;

use crate::fixture::{Fixture, analysis, direct_and_pooled, granted, job};

direct_and_pooled!(
    a_document_is_analysed_again_and_keeps_its_earlier_result,
    a_fresh_job_is_handed_over_as_an_uploads_is,
    a_bounded_number_of_jobs_of_a_document_is_open,
    a_later_analysis_is_the_newest_whatever_the_clock_of_who_accepts_it_says,
    a_finished_document_stays_finished_while_it_is_analysed_again,
    only_a_clients_own_documents_are_analysed_again,
    entities_below_a_score_are_left_out_page_by_page,
);

/// A client with an accepted document, and what tests do with it.
struct Owned {
    fixture: Fixture,
    client: ClientId,
    bucket: Bucket,
    document: DocumentId,
    first: JobId,
}

impl Owned {
    async fn new(fixture: Fixture) -> Self {
        let (key, _) = fixture.accept("acme").await;
        let document = fixture.job(key, "acme").await.document_id;
        Self {
            fixture,
            client: "acme".parse().unwrap(),
            bucket: key.bucket,
            document,
            first: key.job,
        }
    }

    fn key(&self, job: JobId) -> JobKey {
        JobKey {
            bucket: self.bucket,
            job,
        }
    }

    async fn reanalyse(&self, job: &NewJob) -> Reanalysis {
        let mut tx = self.fixture.shards.begin(self.bucket).await.unwrap();
        let made = jobs::reanalyse(&mut tx, self.bucket, &self.client, self.document, job)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        made
    }

    async fn again(&self, model: &str) -> JobId {
        let job = job(model);
        match self.reanalyse(&job).await {
            Reanalysis::Accepted(id, _) => id,
            refused => panic!("{refused:?}"),
        }
    }

    async fn succeed(&self, job: JobId, found: &str) {
        let claim = granted(self.fixture.claim(self.key(job), "w").await);
        assert!(
            results::save(&self.fixture.shards, &claim, &analysis(found))
                .await
                .unwrap()
        );
    }

    async fn fail(&self, job: JobId) {
        let claim = granted(self.fixture.claim(self.key(job), "w").await);
        assert!(
            results::save_failure(&self.fixture.shards, &claim, &Failure::poison())
                .await
                .unwrap()
        );
    }

    async fn result_job(&self) -> JobView {
        let mut tx = self.fixture.shards.begin(self.bucket).await.unwrap();
        let job = jobs::result_job(&mut tx, self.bucket, &self.client, self.document).await;
        job.unwrap().expect("a document has a job")
    }

    async fn listed(&self, before: Option<JobId>, limit: i64) -> Vec<JobId> {
        let mut tx = self.fixture.shards.begin(self.bucket).await.unwrap();
        let page = JobPage {
            document: self.document,
            before,
            limit,
        };
        let listed = jobs::list(&mut tx, self.bucket, &self.client, page).await.unwrap();
        listed.into_iter().map(|job| job.id).collect()
    }
}

async fn a_document_is_analysed_again_and_keeps_its_earlier_result(fixture: Fixture) {
    let owned = Owned::new(fixture).await;
    let first = owned.first;
    assert_eq!(
        (owned.result_job().await.id, owned.result_job().await.state),
        (first, JobState::Waiting)
    );
    owned.fail(first).await;
    assert_eq!(
        (owned.result_job().await.id, owned.result_job().await.state),
        (first, JobState::Failed)
    );

    let second = owned.again("ner-legal@2").await;
    assert_eq!(
        owned.result_job().await.id,
        second,
        "the newest of all, while none succeeded"
    );
    let asked = owned.fixture.job(owned.key(second), "acme").await;
    assert_eq!(
        (asked.model.as_str(), asked.model_version.as_deref()),
        ("ner-legal", Some("2"))
    );
    owned.succeed(second, "Ada").await;
    assert_eq!(
        (owned.result_job().await.id, owned.result_job().await.state),
        (second, JobState::Succeeded)
    );

    let third = owned.again("ner-legal@3").await;
    assert_eq!(owned.result_job().await.id, second, "while a newer one is open");
    let claim = granted(owned.fixture.claim(owned.key(third), "w").await);
    assert_eq!(claim.model_version.as_ref().map(ModelVersion::as_str), Some("3"));
    assert_eq!((claim.document, claim.size_bytes), (owned.document, 3_000));
    assert!(
        results::save_failure(&owned.fixture.shards, &claim, &Failure::poison())
            .await
            .unwrap()
    );
    assert_eq!(owned.result_job().await.id, second, "when a newer one failed");

    let fourth = owned.again("ner-legal").await;
    owned.succeed(fourth, "Grace").await;
    assert_eq!(owned.result_job().await.id, fourth);
    assert_eq!(owned.listed(None, 10).await, [fourth, third, second, first]);
    assert_eq!(owned.listed(None, 2).await, [fourth, third]);
    assert_eq!(owned.listed(Some(third), 10).await, [second, first]);
    assert!(owned.listed(Some(first), 10).await.is_empty());

    // A job's version is the version that read the document. A failed job that named no version has none, whatever is current.
    assert_eq!(owned.fixture.job(owned.key(first), "acme").await.model_version, None);
    assert_eq!(
        owned
            .fixture
            .job(owned.key(fourth), "acme")
            .await
            .model_version
            .as_deref(),
        Some("2")
    );

    let mut tx = owned.fixture.shards.begin(owned.bucket).await.unwrap();
    let view = documents::find(&mut tx, owned.bucket, owned.document, &owned.client)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(view.job.id, fourth);
}

async fn a_fresh_job_is_handed_over_as_an_uploads_is(fixture: Fixture) {
    let owned = Owned::new(fixture).await;
    owned.succeed(owned.first, "Ada").await;
    let idle = owned.reanalyse(&job("ner-legal")).await;
    assert!(matches!(idle, Reanalysis::Accepted(_, HandOver::Mine(_))), "{idle:?}");
    let mut db = owned.fixture.raw(owned.bucket).await;
    sqlx::query("update dispatch set lease_token = null, lease_until = null")
        .execute(&mut db)
        .await
        .unwrap();
    let busy = owned.reanalyse(&job("ner-legal")).await;
    assert!(
        matches!(busy, Reanalysis::Accepted(_, HandOver::Dispatcher)),
        "another row is due and free: {busy:?}"
    );
    let other_model = owned.reanalyse(&job("ner-other")).await;
    assert!(
        matches!(other_model, Reanalysis::Accepted(_, HandOver::Mine(_))),
        "{other_model:?}"
    );
    let sizes = sqlx::query_scalar::<_, i64>("select size_bytes from dispatch")
        .fetch_all(&mut db)
        .await
        .unwrap();
    assert_eq!(sizes, [3_000; 3]);
}

async fn a_bounded_number_of_jobs_of_a_document_is_open(fixture: Fixture) {
    let owned = Owned::new(fixture).await;
    let wanted: Vec<NewJob> = (0..OPEN_JOBS_MAX + 4).map(|_| job("ner-legal")).collect();
    let made = join_all(wanted.iter().map(|job| owned.reanalyse(job))).await;
    let accepted = made
        .iter()
        .filter(|made| matches!(made, Reanalysis::Accepted(..)))
        .count();
    assert_eq!(
        accepted as i64,
        OPEN_JOBS_MAX - 1,
        "the upload's own is open too: {made:?}"
    );
    assert_eq!(owned.reanalyse(&job("ner-legal")).await, Reanalysis::TooManyOpen);
    owned.fail(owned.first).await;
    owned.again("ner-legal").await;
    assert_eq!(owned.reanalyse(&job("ner-legal")).await, Reanalysis::TooManyOpen);
}

async fn a_later_analysis_is_the_newest_whatever_the_clock_of_who_accepts_it_says(fixture: Fixture) {
    let owned = Owned::new(fixture).await;
    owned.succeed(owned.first, "Ada").await;
    let mut behind = job("ner-legal");
    behind.id = JobId(uuid::Uuid::nil());
    let Reanalysis::Accepted(later, _) = owned.reanalyse(&behind).await else {
        panic!("it was refused");
    };
    owned.succeed(later, "Bob").await;
    assert_eq!(owned.result_job().await.id, later);
    assert_eq!(owned.listed(None, 10).await, [later, owned.first]);
}

async fn a_finished_document_stays_finished_while_it_is_analysed_again(fixture: Fixture) {
    use JobState::{Failed, Succeeded, Waiting};
    let owned = Owned::new(fixture).await;
    let listed = async |state: Option<JobState>, job_state: Option<JobState>| {
        let mut tx = owned.fixture.shards.begin(owned.bucket).await.unwrap();
        let page = Page {
            state,
            job_state,
            parent: None,
            before: None,
            limit: 10,
        };
        let found = documents::list(&mut tx, owned.bucket, &owned.client, page)
            .await
            .unwrap();
        let found = found
            .documents
            .into_iter()
            .map(|document| (document.state(), document.job.state, document.result_job));
        found.collect::<Vec<_>>()
    };
    let fresh = vec![(Waiting, Waiting, None)];
    assert_eq!(listed(Some(Waiting), None).await, fresh);
    assert_eq!(listed(None, Some(Waiting)).await, fresh);
    assert_eq!(listed(Some(Waiting), Some(Failed)).await, []);
    owned.succeed(owned.first, "Ada").await;
    let second = owned.again("ner-legal").await;
    let again = vec![(Succeeded, Waiting, Some(owned.first))];
    assert_eq!(listed(None, None).await, again);
    assert_eq!(listed(Some(Succeeded), None).await, again);
    assert_eq!(listed(Some(Succeeded), Some(Waiting)).await, again);
    assert_eq!(listed(None, Some(Waiting)).await, again);
    assert_eq!(listed(Some(Waiting), None).await, [], "it has a result");
    assert_eq!(listed(Some(Succeeded), Some(Succeeded)).await, []);
    owned.fail(second).await;
    assert_eq!(
        listed(Some(Succeeded), Some(Failed)).await,
        [(Succeeded, Failed, Some(owned.first))]
    );
    assert_eq!(listed(Some(Failed), None).await, []);
    let third = owned.again("ner-legal").await;
    owned.succeed(third, "Bob").await;
    assert_eq!(
        listed(Some(Succeeded), None).await,
        [(Succeeded, Succeeded, Some(third))],
        "once, though it has two results"
    );
}

async fn only_a_clients_own_documents_are_analysed_again(fixture: Fixture) {
    let owned = Owned::new(fixture).await;
    // Of the same bucket, so that nothing but the name of the client tells them apart.
    let same_bucket = |client: &ClientId| sharding::bucket_of(client) == owned.bucket;
    let rival: ClientId = (0..)
        .map(|n| format!("rival-{n}").parse().unwrap())
        .find(same_bucket)
        .unwrap();
    let mut tx = owned.fixture.shards.begin(owned.bucket).await.unwrap();
    let page = JobPage {
        document: owned.document,
        before: None,
        limit: 10,
    };
    let theirs = jobs::reanalyse(&mut tx, owned.bucket, &rival, owned.document, &job("ner-legal"))
        .await
        .unwrap();
    assert_eq!(theirs, Reanalysis::NoDocument);
    assert!(
        jobs::result_job(&mut tx, owned.bucket, &rival, owned.document)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        jobs::list(&mut tx, owned.bucket, &rival, page)
            .await
            .unwrap()
            .is_empty()
    );
    let nothing = DocumentId::generate();
    let made = jobs::reanalyse(&mut tx, owned.bucket, &owned.client, nothing, &job("ner-legal"))
        .await
        .unwrap();
    assert_eq!(made, Reanalysis::NoDocument);
    assert!(
        jobs::result_job(&mut tx, owned.bucket, &owned.client, nothing)
            .await
            .unwrap()
            .is_none()
    );
    drop(tx);
    assert_eq!(owned.listed(None, 10).await, [owned.first]);
}

async fn entities_below_a_score_are_left_out_page_by_page(fixture: Fixture) {
    let owned = Owned::new(fixture).await;
    let claim = granted(owned.fixture.claim(owned.key(owned.first), "w").await);
    let mut analysis = analysis("x");
    let one = analysis.entities[0].clone();
    analysis.entities = [0.1, 0.7, 0.3, 0.9, 0.7]
        .map(|score| {
            let mut entity = one.clone();
            entity.score = score;
            entity
        })
        .to_vec();
    assert!(results::save(&owned.fixture.shards, &claim, &analysis).await.unwrap());
    let ordinals = async |min_score: Option<f32>, after: i32, limit: i64| {
        let mut tx = owned.fixture.shards.begin(owned.bucket).await.unwrap();
        let page = EntityPage {
            label: Some("PERSON".into()),
            min_score,
            region: None,
            source: None,
            canonical: None,
            after,
            limit,
        };
        let found = documents::entities(&mut tx, owned.key(owned.first), page)
            .await
            .unwrap();
        found.into_iter().map(|(ordinal, _)| ordinal).collect::<Vec<_>>()
    };
    assert_eq!(ordinals(None, 0, 10).await, [1, 2, 3, 4, 5]);
    assert_eq!(ordinals(Some(0.7), 0, 10).await, [2, 4, 5], "the bound itself is in");
    assert_eq!(ordinals(Some(0.7), 0, 2).await, [2, 4]);
    assert_eq!(ordinals(Some(0.7), 4, 2).await, [5]);
    assert_eq!(ordinals(Some(1.0), 0, 10).await, Vec::<i32>::new());
}
