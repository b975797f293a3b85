#![doc = include_str!("../README.md")]

mod answers;
mod error;
mod upload;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use answers::{Accepted, Document, Entity, Failure, Job, State};
pub use error::{ClientError, Problem};
pub use upload::Upload;

/// Default limit of an answer: a large document on a slow disk needs most of it.
pub const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Entities asked for at a time: the API's maximum of a page.
const PAGE_ENTITIES: usize = 1_000;

/// One client's access to the API of one process, or of the load balancer in front of several. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Client {
    /// A client of the API at this URL (`http://host:port`), with this token.
    pub fn new(base: impl Into<String>, token: impl Into<String>) -> Result<Self, ClientError> {
        Self::with_answers_in(ANSWER_MAX, base, token)
    }

    /// The same, with another limit of an answer.
    pub fn with_answers_in(
        answer_max: Duration,
        base: impl Into<String>,
        token: impl Into<String>,
    ) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder().timeout(answer_max).no_proxy().build();
        Ok(Self {
            http: http.map_err(ClientError::Unreachable)?,
            base: base.into(),
            token: token.into(),
        })
    }

    /// Uploads one document.
    pub async fn upload(&self, upload: Upload) -> Result<Accepted, ClientError> {
        read(self.send(upload.into_request(self)).await?).await
    }

    /// A document, with the states of its result and of its newest job.
    pub async fn document(&self, document: &str) -> Result<Document, ClientError> {
        self.read(Method::GET, &format!("/v1/documents/{document}")).await
    }

    /// A job.
    pub async fn job(&self, job: &str) -> Result<Job, ClientError> {
        self.read(Method::GET, &format!("/v1/jobs/{job}")).await
    }

    /// Has a document analysed again by a model, `name` or `name@version`.
    pub async fn analyse_again(&self, document: &str, model: &str) -> Result<Job, ClientError> {
        let request = self.request(Method::POST, &format!("/v1/documents/{document}/jobs"));
        read(self.send(request.json(&json!({ "model": model }))).await?).await
    }

    /// All entities of a document, in the order of the text.
    pub async fn entities(&self, document: &str) -> Result<Vec<Entity>, ClientError> {
        let (mut entities, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/documents/{document}/entities?limit={PAGE_ENTITIES}{cursor}");
            let page: answers::EntityPage = self.read(Method::GET, &path).await?;
            entities.extend(page.entities);
            match page.next_cursor {
                // A cursor needs no escape: it has only letters, digits, `-` and `_`.
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(entities),
            }
        }
    }

    /// The text that the offsets of a document's entities index.
    pub async fn text(&self, document: &str) -> Result<String, ClientError> {
        let request = self.request(Method::GET, &format!("/v1/documents/{document}/text"));
        let response = accepted(self.send(request).await?).await?;
        response.text().await.map_err(ClientError::Unreadable)
    }

    /// A request with the token, for what this client has no function for. The path is such as `/v1/documents`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        request.bearer_auth(&self.token)
    }

    /// Sends a request and returns the answer, whatever its status.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        request.send().await.map_err(ClientError::Unreachable)
    }

    /// Sends a request and returns the answer's status and JSON; the JSON is null where the answer has none.
    pub async fn answer(&self, request: RequestBuilder) -> Result<(StatusCode, Value), ClientError> {
        let response = self.send(request).await?;
        let status = response.status();
        let body = response.bytes().await.map_err(ClientError::Unreadable)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    async fn read<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, ClientError> {
        read(self.send(self.request(method, path)).await?).await
    }
}

/// The JSON of a successful answer.
async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ClientError> {
    let response = accepted(response).await?;
    response.json().await.map_err(ClientError::Unreadable)
}

async fn accepted(response: Response) -> Result<Response, ClientError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.text().await.map_err(ClientError::Unreadable)?;
    Err(ClientError::Refused(Problem::of(status, &body)))
}
