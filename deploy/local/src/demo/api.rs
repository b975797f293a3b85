//! The calls of Docket's HTTP API that a run makes.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How long an answer may take; a large document on a slow disk needs most of it.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);
/// Entities asked for at a time.
const PAGE_ENTITIES: usize = 500;

/// A client of the API.
#[derive(Debug)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// An uploaded document.
#[derive(Debug)]
pub struct Document {
    /// Its id; empty if it was refused.
    pub id: String,
    /// Its file name.
    pub name: String,
    /// How far it is.
    pub state: State,
    /// Why it failed.
    pub reason: Option<String>,
}

/// How far a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits in the shard.
    Waiting,
    /// It waits in the broker.
    Queued,
    /// A worker has it.
    Running,
    /// It is analysed.
    Succeeded,
    /// It is not, and will not be.
    Failed,
    /// Something newer than this launcher.
    #[serde(other)]
    Other,
}

/// One entity of a document.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entity {
    /// What kind.
    pub label: String,
    /// As it stands in the document.
    pub text: String,
}

#[derive(Deserialize)]
struct Accepted {
    document_id: String,
}

#[derive(Deserialize)]
struct Progress {
    state: State,
    job: Job,
}

#[derive(Deserialize)]
struct Job {
    error: Option<JobError>,
}

#[derive(Deserialize)]
struct JobError {
    kind: String,
    detail: String,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

#[derive(Deserialize)]
struct Page {
    entities: Vec<Entity>,
    next_cursor: Option<String>,
}

impl State {
    /// Whether nothing more will happen.
    pub fn is_end(self) -> bool {
        match self {
            Self::Waiting | Self::Queued | Self::Running => false,
            Self::Succeeded | Self::Failed | Self::Other => true,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Other => "ended",
        })
    }
}

impl Api {
    /// A client of the API at this URL.
    pub fn new(base: &str, token: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(ANSWER_DEADLINE).no_proxy().build();
        Ok(Self {
            http: http.context("make an HTTP client")?,
            base: base.to_owned(),
            token: token.to_owned(),
        })
    }

    /// Uploads a file. A file that the API refuses is a failed document, not an error.
    pub async fn upload(&self, path: &Path) -> Result<Document> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let body = tokio::fs::read(path)
            .await
            .with_context(|| format!("read {}", path.display()))?;
        let request = self.http.post(format!("{}/v1/documents", self.base)).body(body);
        let request = request
            .header(CONTENT_TYPE, media_type(path))
            .header(CONTENT_DISPOSITION, disposition(&name));
        let answer = self.send(request).await.with_context(|| format!("upload {name}"))?;
        if answer.status().is_client_error() {
            let reason = Some(refusal(&answer.text().await.unwrap_or_default()));
            return Ok(Document {
                id: String::new(),
                name,
                state: State::Failed,
                reason,
            });
        }
        let accepted: Accepted = read(answer).await.with_context(|| format!("upload {name}"))?;
        Ok(Document {
            id: accepted.document_id,
            name,
            state: State::Waiting,
            reason: None,
        })
    }

    /// Asks how far a document is.
    pub async fn refresh(&self, document: &mut Document) -> Result<()> {
        let request = self.http.get(format!("{}/v1/documents/{}", self.base, document.id));
        let progress: Progress = read(self.send(request).await?).await?;
        document.state = progress.state;
        document.reason = progress
            .job
            .error
            .map(|error| format!("{}: {}", error.kind, error.detail));
        Ok(())
    }

    /// All entities of a document, in its order.
    pub async fn entities(&self, document: &Document) -> Result<Vec<Entity>> {
        let (mut entities, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let url = format!(
                "{}/v1/documents/{}/entities?limit={PAGE_ENTITIES}",
                self.base, document.id
            );
            let mut url: Url = url.parse().context("make the URL of the entities")?;
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let page: Page = read(self.send(self.http.get(url)).await?).await?;
            entities.extend(page.entities);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(entities),
            }
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        request.bearer_auth(&self.token).send().await.context("reach the API")
    }
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T> {
    let (status, path) = (answer.status(), answer.url().path().to_owned());
    let body = answer.text().await.context("read an answer of the API")?;
    if !status.is_success() {
        bail!("the API answers {status} for {path}: {body}");
    }
    serde_json::from_str(&body).with_context(|| format!("understand the answer for {path}"))
}

/// What a problem document says, or else the whole body.
fn refusal(body: &str) -> String {
    let problem: Option<Problem> = serde_json::from_str(body).ok();
    problem.map_or_else(|| body.to_owned(), |problem| problem.detail)
}

fn media_type(path: &Path) -> &'static str {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match extension.as_str() {
        "txt" | "text" => "text/plain",
        "htm" | "html" => "text/html",
        "pdf" => "application/pdf",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        _ => "application/octet-stream",
    }
}

fn disposition(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii() && !c.is_ascii_control() && c != '"' && c != '\\';
    let name: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!("attachment; filename=\"{name}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_cannot_break_the_header() {
        assert_eq!(
            disposition("lease \"a\"\r\n§1.txt"),
            "attachment; filename=\"lease _a____1.txt\""
        );
        assert_eq!(media_type(Path::new("A.TXT")), "text/plain");
        assert_eq!(media_type(Path::new("a")), "application/octet-stream");
    }

    #[test]
    fn refusals_are_told_in_one_sentence() {
        assert_eq!(
            refusal(r#"{"type":"urn:x","title":"No","status":415,"detail":"No such type."}"#),
            "No such type."
        );
        assert_eq!(refusal("bad gateway"), "bad gateway");
    }

    #[test]
    fn states_of_a_newer_api_end_the_wait() {
        let progress: Progress = serde_json::from_str(r#"{"state":"cancelled","job":{"error":null}}"#).unwrap();
        assert!(progress.state.is_end() && progress.job.error.is_none());
        let progress: Progress = serde_json::from_str(r#"{"state":"waiting","job":{}}"#).unwrap();
        assert!(!progress.state.is_end());
    }
}
