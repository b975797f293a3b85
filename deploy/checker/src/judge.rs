//! Finds what is wrong: nothing accepted may be lost, nothing may happen twice, nothing may belong to another client. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::log::{self, Entry, Schedule};
use crate::objects::Objects;
use crate::rows::{Document, Entity, Job, Shard};

/// Buckets of the client space.
const BUCKETS: u64 = 4096;
/// Crashes in the history of a job that was rightly taken for poison: two in company and one alone. The second crash alone is the
/// verdict itself.
const CRASHES_OF_POISON: usize = 3;
/// Events that end a job.
const ENDS: [&str; 4] = ["succeeded", "failed", "cancelled", "expired"];
/// Priorities as rows name them; somebody waits for the results of the first.
const PRIORITIES: [&str; 2] = ["interactive", "bulk"];

/// Kinds of wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// An accepted document or job, or a result, is missing or changed.
    Lost,
    /// Something exists more often than was asked for, or a result differs from the calm run's.
    Duplicated,
    /// A row or an object belongs to another client.
    WrongClient,
    /// A job has not ended.
    Unfinished,
    /// A job ended in an unexpected way, without a known reason.
    FailedUnexplained,
    /// A job began before its caller wanted.
    TooEarly,
    /// Messages are left that no worker will take.
    LeftInQueues,
}

impl Wrong {
    /// Every kind of wrong.
    pub const ALL: [Self; 7] = [
        Self::Lost,
        Self::Duplicated,
        Self::WrongClient,
        Self::Unfinished,
        Self::FailedUnexplained,
        Self::TooEarly,
        Self::LeftInQueues,
    ];

    /// Name of the kind among the figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::WrongClient => "wrong_client",
            Self::Unfinished => "unfinished",
            Self::FailedUnexplained => "failed_unexplained",
            Self::TooEarly => "too_early",
            Self::LeftInQueues => "left_in_queues",
        }
    }
}

/// Results of the calm run, by the content's SHA-256 in hex.
#[derive(Debug, Clone, Default)]
pub struct Calm {
    /// Entities of each content, in order.
    pub entities: BTreeMap<String, Vec<Entity>>,
    /// Kind of error of each content that must fail.
    pub failures: BTreeMap<String, String>,
}

/// The state of the servers.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Rows of all shards.
    pub rows: Vec<Shard>,
    /// Objects of the bucket.
    pub objects: Objects,
    /// Ready messages of each queue.
    pub queues: BTreeMap<String, u32>,
    /// Number of messages that named no job.
    pub parked: i64,
}

/// The findings, and how much was checked.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Number of jobs whose callers were told that they are accepted.
    pub accepted: u64,
    /// Number of jobs by end: succeeded, failed on purpose, cancelled, expired at the deadline, or poison because faults ended
    /// the processes.
    pub ends: BTreeMap<&'static str, u64>,
    /// All findings, one sentence each.
    pub findings: Vec<(Wrong, String)>,
}

impl Verdict {
    /// Number of findings of a kind.
    pub fn count(&self, wrong: Wrong) -> u64 {
        self.findings.iter().filter(|finding| finding.0 == wrong).count() as u64
    }

    fn find(&mut self, wrong: Wrong, what: String) {
        self.findings.push((wrong, what));
    }

    fn ended(&mut self, how: &'static str) {
        *self.ends.entry(how).or_default() += 1;
    }
}

/// Results of the calm run, from this client's documents.
pub fn calm_of(client: &str, rows: &[Shard]) -> Calm {
    let mut calm = Calm::default();
    for shard in rows {
        let documents: HashMap<Uuid, &Document> =
            shard.documents.iter().map(|document| (document.id, document)).collect();
        for job in shard.jobs.iter().filter(|job| job.client_id == client) {
            let Some(document) = documents.get(&job.document_id) else {
                continue;
            };
            let entities = shard.entities.get(&job.id).cloned().unwrap_or_default();
            match job.error_kind.clone() {
                Some(kind) => drop(calm.failures.insert(document.sha256.clone(), kind)),
                None => drop(calm.entities.insert(document.sha256.clone(), entities)),
            }
        }
    }
    calm
}

/// The bucket of a client: the same function as Docket's, in the checker's own words.
pub fn bucket_of(client: &str) -> i16 {
    (xxh3_64(client.as_bytes()) % BUCKETS) as i16
}

/// Compares the log with the servers.
pub fn judge(log: &[Entry], seen: &Seen, calm: &Calm) -> Verdict {
    let mut judge = Judge {
        log: Promises::of(log),
        at: Index::of(seen),
        seen,
        calm,
        verdict: Verdict::default(),
    };
    judge.places();
    judge.uploads(log);
    judge.strangers();
    let jobs: Vec<(&Shard, &Job)> = seen
        .rows
        .iter()
        .flat_map(|shard| shard.jobs.iter().map(move |job| (shard, job)))
        .collect();
    for (shard, job) in jobs {
        judge.job(shard, job);
    }
    judge.leftovers();
    judge.verdict
}

/// The log's promises, indexed by their subject.
#[derive(Default)]
struct Promises<'a> {
    uploads: BTreeSet<&'a str>,
    /// Further jobs of a document: how many were accepted, and how many may have been.
    again: HashMap<Uuid, (usize, usize)>,
    cancels: HashMap<Uuid, Vec<Option<bool>>>,
    /// Schedules of the first jobs of accepted documents, by job; further jobs are requested without a time.
    schedules: HashMap<Uuid, Schedule>,
    /// Schedules of unanswered uploads, whose jobs nobody knows.
    unanswered: HashMap<&'a str, Schedule>,
}

impl<'a> Promises<'a> {
    fn of(log: &'a [Entry]) -> Self {
        let mut promises = Self::default();
        for entry in log {
            match entry {
                Entry::Accepted {
                    upload,
                    documents,
                    schedule,
                    ..
                } => {
                    promises.uploads.insert(upload);
                    let schedules = documents.iter().map(|document| (document.job_id, *schedule));
                    promises.schedules.extend(schedules);
                }
                Entry::Unanswered { upload, schedule, .. } => {
                    promises.uploads.insert(upload);
                    promises.unanswered.insert(upload, *schedule);
                }
                Entry::Again { document, .. } => promises.again.entry(document.document_id).or_default().0 += 1,
                Entry::AgainUnanswered { document_id, .. } => promises.again.entry(*document_id).or_default().1 += 1,
                Entry::Cancel { job_id, cancelled } => promises.cancels.entry(*job_id).or_default().push(*cancelled),
            }
        }
        promises
    }

    /// The schedule of a job.
    fn schedule(&self, job: &Job, document: Option<&Document>) -> Schedule {
        let upload = document.and_then(|document| document.external_id.as_deref());
        let unanswered = || self.unanswered.get(upload?);
        let found = self.schedules.get(&job.id).or_else(unanswered);
        found.copied().unwrap_or_default()
    }
}

/// The rows, indexed by how they are looked up.
#[derive(Default)]
struct Index<'a> {
    documents: HashMap<Uuid, &'a Document>,
    uploads: HashMap<&'a str, Vec<&'a Document>>,
    jobs: HashMap<Uuid, &'a Job>,
    jobs_of: HashMap<Uuid, usize>,
}

impl<'a> Index<'a> {
    fn of(seen: &'a Seen) -> Self {
        let mut index = Self::default();
        for shard in &seen.rows {
            for document in &shard.documents {
                index.documents.insert(document.id, document);
                let upload = document.external_id.as_deref().unwrap_or_default();
                index.uploads.entry(upload).or_default().push(document);
            }
            for job in &shard.jobs {
                index.jobs.insert(job.id, job);
                *index.jobs_of.entry(job.document_id).or_default() += 1;
            }
        }
        index
    }
}

struct Judge<'a> {
    log: Promises<'a>,
    at: Index<'a>,
    seen: &'a Seen,
    calm: &'a Calm,
    verdict: Verdict,
}

impl Judge<'_> {
    /// Checks that every row and object belongs to its client, once.
    fn places(&mut self) {
        let mut ids = BTreeSet::new();
        for shard in &self.seen.rows {
            let documents = shard
                .documents
                .iter()
                .map(|row| ("document", row.id, row.bucket, &row.client_id));
            let jobs = shard.jobs.iter().map(|row| ("job", row.id, row.bucket, &row.client_id));
            for (what, id, bucket, client) in documents.chain(jobs) {
                if bucket != bucket_of(client) || !shard.owned.contains(&bucket) {
                    self.verdict.find(
                        Wrong::WrongClient,
                        format!("{what} {id} of {client} is in bucket {bucket} of {}", shard.name),
                    );
                }
                if !ids.insert((what, id)) {
                    self.verdict
                        .find(Wrong::Duplicated, format!("{what} {id} has more rows than one"));
                }
            }
            let jobs: HashMap<Uuid, i16> = shard.jobs.iter().map(|job| (job.id, job.bucket)).collect();
            for (job, entities) in &shard.entities {
                let Some(bucket) = jobs.get(job) else {
                    self.verdict
                        .find(Wrong::Lost, format!("job {job} has entities and no row"));
                    continue;
                };
                if entities.iter().any(|entity| entity.bucket != *bucket) {
                    let what = format!("entities of job {job} are not where the job is");
                    self.verdict.find(Wrong::WrongClient, what);
                }
            }
        }
        for key in self.seen.objects.keys() {
            let parts: Vec<&str> = key.split('/').collect();
            let (bucket, client, document) = (parts.get(1), parts.get(2).copied().unwrap_or_default(), parts.get(3));
            let own = format!("{:04}", bucket_of(client));
            let row = document.and_then(|id| self.at.documents.get(&id.parse().ok()?));
            if bucket != Some(&own.as_str()) || row.is_some_and(|row| row.client_id != client) {
                self.verdict
                    .find(Wrong::WrongClient, format!("object {key} is at another client's"));
            }
        }
    }

    /// Checks that all accepted uploads exist, as often as they were accepted.
    fn uploads(&mut self, log: &[Entry]) {
        for entry in log {
            match entry {
                Entry::Accepted {
                    client,
                    upload,
                    documents,
                    ..
                } => {
                    self.verdict.accepted += documents.len() as u64;
                    for document in documents {
                        self.accepted(client, document);
                    }
                    // The missing documents were reported already.
                    let may: Vec<usize> = (0..=documents.len()).collect();
                    self.count(upload, &may);
                }
                Entry::Unanswered { upload, documents, .. } => self.count(upload, &[0, *documents]),
                Entry::Again { client, document } => {
                    self.verdict.accepted += 1;
                    self.accepted(client, document);
                }
                Entry::AgainUnanswered { .. } | Entry::Cancel { .. } => {}
            }
        }
    }

    fn count(&mut self, upload: &str, may: &[usize]) {
        let rows = self.at.uploads.get(upload).map_or(0, Vec::len);
        let most = may.iter().max().copied().unwrap_or_default();
        if rows > most {
            self.verdict.find(
                Wrong::Duplicated,
                format!("upload {upload} has {rows} documents instead of {most}"),
            );
        } else if !may.contains(&rows) {
            self.verdict.find(
                Wrong::Lost,
                format!("upload {upload} has {rows} documents instead of {most}"),
            );
        }
    }

    fn accepted(&mut self, client: &str, document: &log::Document) {
        let log::Document {
            document_id,
            job_id,
            sha256,
        } = document;
        let (Some(row), Some(job)) = (self.at.documents.get(document_id), self.at.jobs.get(job_id)) else {
            let what = format!("document {document_id} or its job {job_id} has no row");
            return self.verdict.find(Wrong::Lost, what);
        };
        if row.client_id != client || job.client_id != client {
            self.verdict
                .find(Wrong::WrongClient, format!("document {document_id} is not of {client}"));
        }
        let is_stored = self.seen.objects.get(&row.blob_key) == Some(sha256);
        if !is_stored || row.sha256 != *sha256 || job.document_id != *document_id {
            self.verdict
                .find(Wrong::Lost, format!("document {document_id} is not what was sent"));
        }
    }

    /// Reports documents without an upload, and jobs that nobody requested.
    fn strangers(&mut self) {
        let (uploads, at) = (&self.log.uploads, &self.at);
        for document in at.documents.values() {
            let upload = document.external_id.as_deref().unwrap_or_default();
            if !uploads.contains(upload) {
                self.verdict
                    .find(Wrong::Duplicated, format!("nobody sent document {}", document.id));
            }
            let (again, perhaps) = self.log.again.get(&document.id).copied().unwrap_or_default();
            let jobs = at.jobs_of.get(&document.id).copied().unwrap_or_default();
            if jobs > 1 + again + perhaps {
                let what = format!("document {} has {jobs} jobs instead of {}", document.id, 1 + again);
                self.verdict.find(Wrong::Duplicated, what);
            }
        }
        for shard in &self.seen.rows {
            for _ in 0..shard.strays {
                self.verdict
                    .find(Wrong::Lost, format!("a dispatch row of {} has no job", shard.name));
            }
        }
    }

    /// Checks that a job ended once, and as it should.
    fn job(&mut self, shard: &Shard, job: &Job) {
        let id = job.id;
        if job.state == "open" || job.live.is_some() {
            let live = job.live.as_deref().unwrap_or("without a dispatch row");
            return self
                .verdict
                .find(Wrong::Unfinished, format!("job {id} is {}, {live}", job.state));
        }
        let ends = count(job, |event| ENDS.contains(&event));
        if ends != 1 {
            self.verdict
                .find(Wrong::Duplicated, format!("job {id} ended {ends} times"));
        }
        let document = self.at.documents.get(&job.document_id).copied();
        let schedule = self.log.schedule(job, document);
        self.kept(job, schedule);
        let cancels = self.log.cancels.get(&id).map(Vec::as_slice).unwrap_or_default();
        if cancels.contains(&Some(true)) && job.state != "cancelled" {
            let what = format!("job {id} was cancelled and is {}", job.state);
            self.verdict.find(Wrong::FailedUnexplained, what);
        }
        let entities = shard.entities.get(&id).map(Vec::as_slice).unwrap_or_default();
        match (job.state.as_str(), document) {
            ("succeeded", Some(document)) => self.succeeded(job, document, entities),
            ("cancelled", _) if cancels.iter().any(|cancelled| *cancelled != Some(false)) => {
                self.verdict.ended("cancelled");
            }
            ("failed", Some(document)) => self.failed(job, document),
            ("expired", _) if is_reached(schedule.deadline, job.ended_at) => self.verdict.ended("expired"),
            (state, _) => self
                .verdict
                .find(Wrong::FailedUnexplained, format!("job {id} is {state}")),
        }
        if job.state != "succeeded" && !entities.is_empty() {
            self.verdict
                .find(Wrong::Duplicated, format!("job {id} is {} and has entities", job.state));
        }
    }

    /// Checks that a job's row has the wanted times, and that the job did not begin early.
    fn kept(&mut self, job: &Job, schedule: Schedule) {
        let id = job.id;
        let priority = PRIORITIES[usize::from(schedule.bulk)];
        let deadline = schedule.deadline.map(|deadline| deadline as f64);
        if job.priority != priority || job.deadline != deadline {
            let what = format!("job {id} has another priority or deadline than was asked for");
            self.verdict.find(Wrong::Lost, what);
        }
        if schedule.not_before.is_some() && job.begun_at.is_some() && !is_reached(schedule.not_before, job.begun_at) {
            let what = format!("job {id} was begun before its time");
            self.verdict.find(Wrong::TooEarly, what);
        }
    }

    fn succeeded(&mut self, job: &Job, document: &Document, entities: &[Entity]) {
        let id = job.id;
        self.verdict.ended("succeeded");
        let Some(calm) = self.calm.entities.get(&document.sha256) else {
            let what = format!("job {id} succeeded on a document that was made to fail, or was never read calmly");
            return self.verdict.find(Wrong::FailedUnexplained, what);
        };
        if entities.len() < calm.len() {
            let what = format!("job {id} has {} entities instead of {}", entities.len(), calm.len());
            self.verdict.find(Wrong::Lost, what);
        } else if !same(entities, calm) || job.entities != Some(calm.len() as i32) {
            let what = format!(
                "job {id} has {} entities that are not the {} of a calm run",
                entities.len(),
                calm.len()
            );
            self.verdict.find(Wrong::Duplicated, what);
        }
        let text = job.text_key.as_ref().and_then(|key| self.seen.objects.get(key));
        if text.is_none() || text != job.text_sha256.as_ref() {
            self.verdict
                .find(Wrong::Lost, format!("the text of job {id} is not there"));
        }
    }

    fn failed(&mut self, job: &Job, document: &Document) {
        let kind = job.error_kind.as_deref().unwrap_or_default();
        if self
            .calm
            .failures
            .get(&document.sha256)
            .is_some_and(|meant| meant == kind)
        {
            self.verdict.ended("failed_as_meant");
        } else if kind == "poison" && count(job, |event| event == "crashed") >= CRASHES_OF_POISON {
            self.verdict.ended("poison_by_faults");
        } else {
            self.verdict
                .find(Wrong::FailedUnexplained, format!("job {} failed: {kind}", job.id));
        }
    }

    fn leftovers(&mut self) {
        for (queue, depth) in self.seen.queues.iter().filter(|queue| *queue.1 > 0) {
            self.verdict
                .find(Wrong::LeftInQueues, format!("{queue} has {depth} messages"));
        }
        if self.seen.parked > 0 {
            let what = format!("{} messages that named no job were parked", self.seen.parked);
            self.verdict.find(Wrong::LeftInQueues, what);
        }
    }
}

fn count(job: &Job, is_meant: impl Fn(&str) -> bool) -> usize {
    let history = job.history.as_array().map(Vec::as_slice).unwrap_or_default();
    history
        .iter()
        .filter(|entry| entry["event"].as_str().is_some_and(&is_meant))
        .count()
}

/// Whether something happened at this time or later; `false` without a time.
fn is_reached(time: Option<i64>, happened: Option<f64>) -> bool {
    time.zip(happened)
        .is_some_and(|(time, happened)| happened >= time as f64)
}

/// Whether the entities are equal except for their job, in the same order, numbered from 1.
fn same(found: &[Entity], calm: &[Entity]) -> bool {
    let one = |(number, (found, calm)): (i32, (&Entity, &Entity))| {
        let as_calm = Entity {
            bucket: calm.bucket,
            job_id: calm.job_id,
            ..found.clone()
        };
        found.ordinal == number && as_calm == *calm
    };
    found.len() == calm.len() && (1..).zip(found.iter().zip(calm)).all(one)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
