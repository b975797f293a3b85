//! Callers upload without end, retry what they may, cancel and ask again, and log what they were told.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use docket_checker::log::{Document, Entry, Schedule};
use docket_client::Client;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::random::Random;
use crate::schedule;
use crate::texts::{Text, Texts};

/// Number of callers, each a client of its own.
pub const CALLERS: usize = 6;
/// Longest wait for an answer: longer than the producer's own deadlines.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Pause between two requests of a caller.
const PAUSE: Duration = Duration::from_millis(150);
/// Pause before a request is repeated.
const RETRY_PAUSE: Duration = Duration::from_millis(300);
/// How long requests are repeated after the load has ended.
const INSIST_MAX: Duration = Duration::from_secs(60);
/// Boundary between the parts of a form; no text contains it.
const BOUNDARY: &str = "chaos-9b1c6f2e";

/// The callers' log: one line of JSON per entry.
#[derive(Clone)]
pub struct Log(Arc<Mutex<(File, Vec<Entry>)>>);

impl Log {
    /// Creates an empty log.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("make {}", path.display()))?;
        Ok(Self(Arc::new(Mutex::new((file, Vec::new())))))
    }

    fn write(&self, entry: Entry) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = serde_json::to_string(&entry).unwrap_or_default() + "\n";
        if let Err(error) = log.0.write_all(line.as_bytes()) {
            println!("     the callers' log cannot be written: {error}");
        }
        log.1.push(entry);
    }

    /// All entries so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

/// A caller and its connection to each producer.
pub struct Caller {
    /// Id of the caller's client.
    pub client: String,
    /// One HTTP client for each producer.
    clients: Vec<Client>,
    /// Log of the answers.
    pub log: Log,
    /// Becomes true when the load ends.
    pub ends: watch::Receiver<bool>,
    uploads: usize,
    requests: usize,
}

#[derive(Deserialize)]
struct Accepted {
    document_id: String,
    job_id: String,
}

impl Caller {
    /// A caller without requests yet.
    pub fn new(
        (client, token): (String, String),
        producers: Vec<String>,
        log: Log,
        ends: watch::Receiver<bool>,
    ) -> Self {
        let client_of = |producer: &String| {
            let base = format!("http://{producer}");
            Client::with_answers_in(ANSWER_MAX, base, token.as_str()).expect("an HTTP client can be made")
        };
        let clients = producers.iter().map(client_of).collect();
        Self {
            client,
            log,
            ends,
            clients,
            uploads: 0,
            requests: 0,
        }
    }

    /// Sends requests until the load ends.
    pub async fn run(mut self, texts: Arc<Texts>, mut chance: Random) {
        while !*self.ends.borrow() {
            self.act(&texts, &mut chance).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn act(&mut self, texts: &Texts, chance: &mut Random) {
        let letter = |chance: &mut Random| texts.letters[chance.below(texts.letters.len())].clone();
        let (sent, keyed) = match chance.below(1_000) {
            0..30 => (vec![texts.contracts[chance.below(texts.contracts.len())].clone()], true),
            30..70 => (vec![texts.broken.clone()], chance.percent(50)),
            70..120 => (
                vec![texts.files[chance.below(texts.files.len())].clone()],
                chance.percent(60),
            ),
            120..123 => (vec![texts.scan.clone()], true),
            123..200 => ((0..3).map(|_| letter(chance)).collect(), true),
            _ => (vec![letter(chance)], chance.percent(60)),
        };
        let accepted = self.upload(&sent, keyed, schedule::any(chance)).await;
        let (cancels, asks_again) = (chance.percent(8), chance.percent(8));
        let Some(document) = accepted.into_iter().next() else {
            return;
        };
        if cancels {
            self.cancel(&document).await;
        }
        if asks_again {
            self.again(&document, chance.percent(50)).await;
        }
    }

    /// Uploads texts; several texts are sent as a form.
    pub async fn upload(&mut self, texts: &[Text], keyed: bool, schedule: Schedule) -> Vec<Document> {
        self.uploads += 1;
        let upload = format!("{}-{}", self.client, self.uploads);
        let key = keyed.then(|| format!("upload-{upload}"));
        let (kind, body) = match texts {
            [text] => ("text/plain".to_owned(), text.bytes.clone()),
            _ => (format!("multipart/form-data; boundary={BOUNDARY}"), form(texts)),
        };
        let path = format!("/v1/documents?external_id={upload}{}", schedule::query(schedule));
        let request = |client: &Client| {
            let request = client.request(Method::POST, &path);
            request.header("content-type", &kind).body(body.clone())
        };
        let answer = self.ask(request, key.as_deref()).await;
        let documents = answer.and_then(|answer| accepted(answer, texts));
        match &documents {
            Some(documents) => self.log.write(Entry::Accepted {
                client: self.client.clone(),
                upload,
                documents: documents.clone(),
                schedule,
                accepted_at: SystemTime::UNIX_EPOCH
                    .elapsed()
                    .map_or(0.0, |since| since.as_secs_f64()),
                idempotency_key: key,
            }),
            None => self.log.write(Entry::Unanswered {
                client: self.client.clone(),
                upload,
                documents: texts.len(),
                schedule,
            }),
        }
        documents.unwrap_or_default()
    }

    async fn cancel(&mut self, document: &Document) {
        let path = format!("/v1/jobs/{}", document.job_id);
        let request = |client: &Client| client.request(Method::DELETE, &path);
        let answer = self.ask_for(request, "").await;
        let cancelled = answer.map(|(status, _)| status.is_success());
        self.log.write(Entry::Cancel {
            job_id: document.job_id,
            cancelled,
        });
    }

    async fn again(&mut self, document: &Document, keyed: bool) {
        let path = format!("/v1/documents/{}/jobs", document.document_id);
        let key = keyed.then(|| format!("again-{}", document.job_id));
        let request = |client: &Client| client.request(Method::POST, &path).json(&json!({}));
        let job = self.ask(request, key.as_deref()).await;
        let job = job.and_then(|job| job["job_id"].as_str()?.parse().ok());
        let client = self.client.clone();
        self.log.write(match job {
            Some(job_id) => Entry::Again {
                client,
                document: Document {
                    job_id,
                    ..document.clone()
                },
            },
            None => Entry::AgainUnanswered {
                client,
                document_id: document.document_id,
            },
        });
    }

    /// Sends a request that must be accepted once. With a key it is repeated until its answer is final; without one it is sent
    /// once.
    async fn ask(&mut self, request: impl Fn(&Client) -> RequestBuilder, key: Option<&str>) -> Option<Value> {
        let Some(key) = key else {
            let sent = self.send(&request, "").await?;
            return (sent.0 == StatusCode::ACCEPTED).then_some(sent.1);
        };
        let (status, answer) = self.ask_for(request, key).await?;
        (status == StatusCode::ACCEPTED).then_some(answer)
    }

    /// Sends a request to the producers in turn, until one of them gives a final answer.
    async fn ask_for(&mut self, request: impl Fn(&Client) -> RequestBuilder, key: &str) -> Option<(StatusCode, Value)> {
        let mut insists_until = None;
        loop {
            if let Some((status, answer)) = self.send(&request, key).await {
                let in_progress = answer["type"]
                    .as_str()
                    .is_some_and(|kind| kind.ends_with("in-progress"));
                let may_pass = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || in_progress;
                if !may_pass {
                    return Some((status, answer));
                }
            }
            if *self.ends.borrow() {
                let until = *insists_until.get_or_insert_with(|| Instant::now() + INSIST_MAX);
                if Instant::now() > until {
                    return None;
                }
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn send(&mut self, request: &impl Fn(&Client) -> RequestBuilder, key: &str) -> Option<(StatusCode, Value)> {
        self.requests += 1;
        let client = &self.clients[self.requests % self.clients.len()];
        let mut request = request(client);
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        client.answer(request).await.ok()
    }
}

fn form(texts: &[Text]) -> Vec<u8> {
    let mut form = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{number}.txt\"\r\n\
             content-type: text/plain\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(&text.bytes);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    form
}

fn accepted(answer: Value, texts: &[Text]) -> Option<Vec<Document>> {
    let each: Vec<Accepted> = match answer.get("documents") {
        Some(documents) => serde_json::from_value(documents.clone()).ok()?,
        None => vec![serde_json::from_value(answer).ok()?],
    };
    let documents = each.iter().zip(texts).map(|(accepted, text)| {
        Some(Document {
            document_id: accepted.document_id.parse().ok()?,
            job_id: accepted.job_id.parse().ok()?,
            sha256: text.sha256.clone(),
        })
    });
    documents.collect()
}
