//! A caller of the HTTP API.

use std::time::Duration;

use serde_json::Value;

/// How long a test waits for a job: far longer than any of them takes, a takeover and a delay included.
const WAIT_MAX: Duration = Duration::from_secs(180);
/// Pause between two looks at a job.
const WAIT_PAUSE: Duration = Duration::from_millis(50);

/// One client's way to the API.
pub struct Caller {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// What an upload was answered with.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The document.
    pub document: String,
    /// Its job.
    pub job: String,
}

impl Caller {
    /// A caller with a token.
    pub fn new(base: String, token: String) -> Self {
        Self {
            http: reqwest::Client::new(),
            base,
            token,
        }
    }

    /// Uploads a text; anything but 202 fails the test.
    pub async fn upload(&self, text: &str) -> Accepted {
        accepted(self.post(text.to_owned()).await).await
    }

    /// Uploads bytes as a text, which they need not be.
    pub async fn upload_bytes(&self, bytes: &'static [u8]) -> Accepted {
        accepted(self.post(bytes).await).await
    }

    /// Uploads a text for a model, `name` or `name@version`.
    pub async fn upload_for(&self, model: &str, text: &str) -> Accepted {
        self.upload_with(&format!("model={model}"), text).await
    }

    /// Uploads a text with fields in the query.
    pub async fn upload_with(&self, query: &str, text: &str) -> Accepted {
        let request = self.http.post(format!("{}/v1/documents?{query}", self.base));
        let request = request.header("content-type", "text/plain");
        let sent = request.bearer_auth(&self.token).body(text.to_owned()).send().await;
        accepted(sent.expect("the producer answers")).await
    }

    /// Uploads a text as a part of a caller's trace, and with a name; also the `traceparent` that is answered.
    pub async fn upload_traced(&self, trace_parent: Option<&str>, text: &str) -> (Accepted, String) {
        let mut request = self.http.post(format!("{}/v1/documents", self.base));
        if let Some(trace_parent) = trace_parent {
            request = request.header("traceparent", trace_parent);
        }
        let request = request
            .header("content-type", "text/plain")
            .header("content-disposition", "attachment; filename=\"gonzalez.txt\"");
        let sent = request.bearer_auth(&self.token).body(text.to_owned()).send().await;
        let response = sent.expect("the producer answers");
        let answered = response.headers().get("traceparent").expect("every answer has one");
        let answered = answered.to_str().expect("it is hexadecimal").to_owned();
        (accepted(response).await, answered)
    }

    /// Has a document analysed again by a model.
    pub async fn analyse_again(&self, earlier: &Accepted, model: &str) -> Accepted {
        let request = self
            .http
            .post(format!("{}/v1/documents/{}/jobs", self.base, earlier.document));
        let request = request.json(&serde_json::json!({ "model": model }));
        let sent = request.bearer_auth(&self.token).send().await;
        let response = sent.expect("the producer answers");
        assert_eq!(response.status(), 202);
        let job: Value = response.json().await.expect("the answer is JSON");
        Accepted {
            document: earlier.document.clone(),
            job: job["job_id"].as_str().expect("an id").to_owned(),
        }
    }

    /// Calls a job off; the job as it is then.
    pub async fn cancel(&self, accepted: &Accepted) -> Value {
        let request = self.http.delete(format!("{}/v1/jobs/{}", self.base, accepted.job));
        let sent = request.bearer_auth(&self.token).send().await;
        let response = sent.expect("the producer answers");
        assert_eq!(response.status(), 200);
        response.json().await.expect("the answer is JSON")
    }

    /// Uploads a text; the status of the answer, whatever it is.
    pub async fn try_upload(&self, text: &str) -> u16 {
        self.post(text.to_owned()).await.status().as_u16()
    }

    /// Uploads a text whose chunks come when they come.
    pub async fn post(&self, text: impl Into<reqwest::Body>) -> reqwest::Response {
        let request = self.http.post(format!("{}/v1/documents", self.base));
        let request = request.bearer_auth(&self.token).header("content-type", "text/plain");
        let sent = request.body(text).send().await;
        sent.expect("the producer answers")
    }

    /// Reads a path; status and JSON body.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let response = request.send().await.expect("the producer answers");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }

    /// Waits until the client's shard answers again: one that was away is asked about once a second.
    pub async fn until_answered(&self) {
        let answered = async {
            while self.get("/v1/documents?limit=1").await.0 != 200 {
                tokio::time::sleep(WAIT_PAUSE).await;
            }
        };
        let answered = tokio::time::timeout(WAIT_MAX, answered).await;
        assert!(answered.is_ok(), "the shard does not answer after {WAIT_MAX:?}");
    }

    /// A job as it stands.
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

    /// Waits until a job was claimed as many times.
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
        let url = format!("{}/v1/documents/{}/text", self.base, accepted.document);
        let response = self
            .http
            .get(url)
            .bearer_auth(&self.token)
            .send()
            .await
            .expect("the producer answers");
        assert_eq!(response.status(), 200);
        response.text().await.expect("the text is UTF-8")
    }

    /// Waits for a document's entities, and checks what must hold of any: each index range of the stored text holds the
    /// entity's text, in both units, in order and without overlap.
    pub async fn checked_entities(&self, accepted: &Accepted) -> Vec<Value> {
        self.until(accepted, "succeeded").await;
        let text = self.text(accepted).await;
        let chars: Vec<char> = text.chars().collect();
        let entities = self.entities(accepted).await;
        let mut end = 0;
        for entity in &entities {
            let number = |name: &str| usize::try_from(entity[name].as_u64().expect("a number")).expect("it fits");
            let surface = entity["text"].as_str().expect("a text");
            assert_eq!(&text[number("start_byte")..number("end_byte")], surface);
            assert_eq!(
                chars[number("start")..number("end")].iter().collect::<String>(),
                surface
            );
            assert!(number("start") >= end && number("end") > number("start"), "{entity}");
            end = number("end");
        }
        entities
    }
}

/// What an upload was answered with; anything but 202 fails the test.
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
