//! A caller of the HTTP API.

use std::time::Duration;

use docket_client::{Client, Upload};
use reqwest::Method;
use serde_json::Value;

/// Longest wait for a job: far longer than any job takes, a takeover and a delay included.
const WAIT_MAX: Duration = Duration::from_secs(180);
/// Pause between two looks at a job.
const WAIT_PAUSE: Duration = Duration::from_millis(50);

/// One client's access to the API, for which every failure fails the test.
pub struct Caller(Client);

/// The ids of an accepted upload.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The document's id.
    pub document: String,
    /// The job's id.
    pub job: String,
}

impl Caller {
    /// A caller with a token.
    pub fn new(base: String, token: String) -> Self {
        Self(Client::with_answers_in(WAIT_MAX, base, token).expect("an HTTP client can be made"))
    }

    /// Uploads a text; anything but 202 fails the test.
    pub async fn upload(&self, text: &str) -> Accepted {
        accepted(self.post(text.to_owned()).await).await
    }

    /// Uploads bytes as plain text, though they may be none.
    pub async fn upload_bytes(&self, bytes: &'static [u8]) -> Accepted {
        accepted(self.post(bytes).await).await
    }

    /// Uploads a file of any kind, with what is said of it in the query.
    pub async fn upload_file(&self, (media_type, name): (&'static str, &str), query: &str, bytes: Vec<u8>) -> Accepted {
        let upload = Upload::new(media_type, bytes).file_name(name).query(query);
        accepted(self.send(upload).await).await
    }

    /// Requests a path; returns the answer with its headers.
    pub async fn answer(&self, path: &str) -> reqwest::Response {
        let sent = self.0.send(self.0.request(Method::GET, path)).await;
        sent.expect("the producer answers")
    }

    /// Requests a path; returns status and body.
    pub async fn get_bytes(&self, path: &str) -> (u16, Vec<u8>) {
        let response = self.answer(path).await;
        let status = response.status().as_u16();
        (status, response.bytes().await.expect("the answer is whole").to_vec())
    }

    /// Uploads a text for a model: `name` or `name@version`.
    pub async fn upload_for(&self, model: &str, text: &str) -> Accepted {
        self.upload_with(&format!("model={model}"), text).await
    }

    /// Uploads a text with fields in the query.
    pub async fn upload_with(&self, query: &str, text: &str) -> Accepted {
        accepted(self.send(document(text.to_owned()).query(query)).await).await
    }

    /// Uploads a text with a file name, as part of a caller's trace. Also returns the answer's `traceparent`.
    pub async fn upload_traced(&self, trace_parent: Option<&str>, text: &str) -> (Accepted, String) {
        let mut upload = document(text.to_owned()).file_name("gonzalez.txt");
        if let Some(trace_parent) = trace_parent {
            upload = upload.header("traceparent", trace_parent);
        }
        let response = self.send(upload).await;
        let answered = response.headers().get("traceparent").expect("every answer has one");
        let answered = answered.to_str().expect("it is hexadecimal").to_owned();
        (accepted(response).await, answered)
    }

    /// Asks for another analysis of a document, by a model.
    pub async fn analyse_again(&self, earlier: &Accepted, model: &str) -> Accepted {
        let job = self.0.analyse_again(&earlier.document, model).await;
        Accepted {
            document: earlier.document.clone(),
            job: job.expect("it is accepted").job_id,
        }
    }

    /// Cancels a job; returns the job as answered.
    pub async fn cancel(&self, accepted: &Accepted) -> Value {
        let request = self.0.request(Method::DELETE, &format!("/v1/jobs/{}", accepted.job));
        let (status, job) = self.0.answer(request).await.expect("the producer answers");
        assert_eq!(status, 200, "{job}");
        job
    }

    /// Uploads a text; returns the status, whatever it is.
    pub async fn try_upload(&self, text: &str) -> u16 {
        self.post(text.to_owned()).await.status().as_u16()
    }

    /// Uploads a text as a stream; returns the answer, whatever it is.
    pub async fn post(&self, text: impl Into<reqwest::Body>) -> reqwest::Response {
        self.send(document(text)).await
    }

    async fn send(&self, upload: Upload) -> reqwest::Response {
        let sent = self.0.send(upload.into_request(&self.0)).await;
        sent.expect("the producer answers")
    }

    /// Requests a path; returns status and JSON body.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.0.answer(self.0.request(Method::GET, path)).await;
        let (status, body) = answer.expect("the producer answers");
        (status.as_u16(), body)
    }

    /// Waits until the client's shard answers again: an absent shard is asked about once a second.
    pub async fn until_answered(&self) {
        let answered = async {
            while self.get("/v1/documents?limit=1").await.0 != 200 {
                tokio::time::sleep(WAIT_PAUSE).await;
            }
        };
        let answered = tokio::time::timeout(WAIT_MAX, answered).await;
        assert!(answered.is_ok(), "the shard does not answer after {WAIT_MAX:?}");
    }

    /// A job's JSON now.
    pub async fn job(&self, accepted: &Accepted) -> Value {
        let (status, job) = self.get(&format!("/v1/jobs/{}", accepted.job)).await;
        assert_eq!(status, 200, "{job}");
        job
    }

    /// Waits until a job is in a state.
    pub async fn until(&self, accepted: &Accepted, state: &str) -> Value {
        let mut last = Value::Null;
        let waiting = async {
            loop {
                last = self.job(accepted).await;
                if last["state"] == state {
                    return last.clone();
                }
                let ended = matches!(
                    last["state"].as_str(),
                    Some("succeeded" | "failed" | "cancelled" | "expired")
                );
                assert!(!ended, "the job ended otherwise: {last}");
                tokio::time::sleep(WAIT_PAUSE).await;
            }
        };
        let found = tokio::time::timeout(WAIT_MAX, waiting).await;
        found.unwrap_or_else(|_| panic!("the job is not {state} after {WAIT_MAX:?}"))
    }

    /// Waits until a job was claimed this many times.
    pub async fn until_attempt(&self, accepted: &Accepted, attempts: u64) {
        let claimed = async {
            while self.job(accepted).await["attempts"].as_u64() < Some(attempts) {
                tokio::time::sleep(WAIT_PAUSE).await;
            }
        };
        let found = tokio::time::timeout(WAIT_MAX, claimed).await;
        assert!(
            found.is_ok(),
            "the job was not claimed {attempts} times within {WAIT_MAX:?}"
        );
    }

    /// All entities of a document.
    pub async fn entities(&self, accepted: &Accepted) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/documents/{}/entities?limit=1000{cursor}", accepted.document);
            let (status, mut page) = self.get(&path).await;
            assert_eq!(status, 200, "{page}");
            all.append(page["entities"].as_array_mut().expect("a list"));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// The extracted text of a document.
    pub async fn text(&self, accepted: &Accepted) -> String {
        self.0.text(&accepted.document).await.expect("it has a text")
    }

    /// Waits for a document's entities, and checks what must hold of all entities: each range of the stored text holds the
    /// entity's text, in characters and in bytes. They are in order, and each stands behind the one before or within one before.
    pub async fn checked_entities(&self, accepted: &Accepted) -> Vec<Value> {
        self.until(accepted, "succeeded").await;
        let text = self.text(accepted).await;
        let chars: Vec<char> = text.chars().collect();
        let entities = self.entities(accepted).await;
        let (mut start, mut around) = (0, Vec::new());
        for entity in &entities {
            let number = |name: &str| usize::try_from(entity[name].as_u64().expect("a number")).expect("it fits");
            let surface = entity["text"].as_str().expect("a text");
            assert_eq!(&text[number("start_byte")..number("end_byte")], surface);
            assert_eq!(
                chars[number("start")..number("end")].iter().collect::<String>(),
                surface
            );
            assert!(number("start") >= start && number("end") > number("start"), "{entity}");
            start = number("start");
            around.retain(|&end| start < end);
            assert!(around.iter().all(|&end| number("end") <= end), "{entity}");
            around.push(number("end"));
        }
        entities
    }
}

/// How often an event stands in a job's history.
pub fn events(job: &Value, named: &str) -> usize {
    let history = job["history"].as_array().expect("a job has a history");
    history.iter().filter(|entry| entry["event"] == named).count()
}

/// An upload of a text.
fn document(text: impl Into<reqwest::Body>) -> Upload {
    Upload::new("text/plain", text)
}

/// The ids of an accepted upload; any status but 202 fails the test.
async fn accepted(response: reqwest::Response) -> Accepted {
    let status = response.status();
    let body: Value = response.json().await.expect("the answer is JSON");
    assert_eq!(status, 202, "{body}");
    let field = |name: &str| body[name].as_str().expect("an id").to_owned();
    Accepted {
        document: field("document_id"),
        job: field("job_id"),
    }
}
