//! The documents of a run: uploaded, and followed until they have ended, with the documents that were within them.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use docket_client::{Client, ClientError, Failure, State, Upload};
use docket_contract::coverage::Coverage;
use docket_contract::media_type::MediaType;
use reqwest::Method;
use serde::Deserialize;

/// Documents within a document that are asked for: the API's maximum of a page, and more than a mail has.
const WITHIN_MAX: usize = 200;

/// A document of a run.
#[derive(Debug)]
pub struct Document {
    /// The document's id; empty if the API refused the document.
    pub id: String,
    /// Name of the file.
    pub name: String,
    /// Name of the document that this one was within, such as a mail with its attachment.
    pub within: Option<String>,
    /// The document's state at the last look.
    pub state: State,
    /// Why the document failed, if it did.
    pub reason: Option<String>,
    /// What of the document was read.
    pub coverage: Option<Coverage>,
    /// Characters of the document's text.
    pub text_chars: u64,
}

/// A document as the API shows it, as far as a run looks.
#[derive(Debug, Deserialize)]
struct View {
    document_id: String,
    file_name: Option<String>,
    state: State,
    job: JobView,
}

#[derive(Debug, Deserialize)]
struct JobView {
    error: Option<Failure>,
    coverage: Option<Coverage>,
    text_chars: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Views {
    documents: Vec<View>,
}

impl Document {
    /// Uploads a file. A refused file becomes a failed document, not an error.
    pub async fn upload(client: &Client, path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let body = tokio::fs::read(path).await;
        let body = body.with_context(|| format!("read {}", path.display()))?;
        let kind = media_type(path).unwrap_or(MediaType::Unknown);
        let upload = Upload::new(kind.as_str(), body).file_name(&name);
        let (id, state, reason) = match client.upload(upload).await {
            Ok(accepted) => (accepted.document_id, State::Waiting, None),
            Err(ClientError::Refused(problem)) if problem.status.is_client_error() => {
                (String::new(), State::Failed, Some(problem.detail))
            }
            Err(error) => return Err(error).with_context(|| format!("upload {name}")),
        };
        Ok(Self {
            id,
            state,
            reason,
            ..Self::named(name)
        })
    }

    /// A document that waits and of which only the name is known.
    pub fn named(name: String) -> Self {
        Self {
            id: String::new(),
            name,
            within: None,
            state: State::Waiting,
            reason: None,
            coverage: None,
            text_chars: 0,
        }
    }

    /// Asks the API for the document's state. Returns the documents that were within this one, which are known once it has ended.
    pub async fn refresh(&mut self, client: &Client) -> Result<Vec<Self>> {
        let found: View = get(client, &format!("/v1/documents/{}", self.id)).await?;
        let files = found.job.coverage.as_ref().and_then(|coverage| coverage.files);
        let within = match files {
            Some(files) if files.documents > 0 => self.documents_within(client).await?,
            Some(_) | None => Vec::new(),
        };
        // The last step, so that a call that fails is made again.
        self.state = found.state;
        let error = found.job.error;
        self.reason = error.map(|error| format!("{}: {}", error.kind, error.detail));
        self.coverage = found.job.coverage;
        self.text_chars = found.job.text_chars.unwrap_or_default();
        Ok(within)
    }

    async fn documents_within(&self, client: &Client) -> Result<Vec<Self>> {
        let path = format!("/v1/documents?parent_id={}&limit={WITHIN_MAX}", self.id);
        let views: Views = get(client, &path).await?;
        let document = |view: View| Self {
            id: view.document_id,
            within: Some(self.name.clone()),
            ..Self::named(view.file_name.unwrap_or_else(|| "a file without a name".to_owned()))
        };
        Ok(views.documents.into_iter().map(document).collect())
    }

    /// Whether the document has what a run promises: a result, and entities if it has any text.
    pub fn is_as_promised(&self, entities: usize) -> bool {
        self.state == State::Succeeded && (entities > 0 || self.text_chars == 0)
    }
}

async fn get<T: for<'de> Deserialize<'de>>(client: &Client, path: &str) -> Result<T> {
    let answer = client.answer(client.request(Method::GET, path)).await;
    let (status, body) = answer.with_context(|| format!("ask for {path}"))?;
    ensure!(status.is_success(), "{path} is answered {status}: {}", body["detail"]);
    serde_json::from_value(body).with_context(|| format!("understand the answer to {path}"))
}

/// Whether a file of the samples' folder is a sample: others make or describe the samples.
pub fn is_sample(path: &Path) -> bool {
    media_type(path).is_some_and(|kind| kind != MediaType::Markdown)
}

/// The kind that a file's name says; `None` if the name says nothing.
fn media_type(path: &Path) -> Option<MediaType> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match extension.as_str() {
        "txt" | "text" => Some(MediaType::Plain),
        "md" | "markdown" => Some(MediaType::Markdown),
        "htm" | "html" | "xhtml" => Some(MediaType::Html),
        "pdf" => Some(MediaType::Pdf),
        "docx" => Some(MediaType::Docx),
        "odt" => Some(MediaType::Odt),
        "rtf" => Some(MediaType::Rtf),
        "eml" => Some(MediaType::Mail),
        "zip" => Some(MediaType::Zip),
        "png" => Some(MediaType::Png),
        "jpg" | "jpeg" => Some(MediaType::Jpeg),
        "tif" | "tiff" => Some(MediaType::Tiff),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_says_what_it_is() {
        assert_eq!(media_type(Path::new("A.TXT")), Some(MediaType::Plain));
        assert_eq!(media_type(Path::new("a.eml")), Some(MediaType::Mail));
        assert_eq!(media_type(Path::new("a")), None);
    }

    #[test]
    fn what_makes_the_samples_is_no_sample() {
        for (name, expected) in [
            ("mutual-nda.txt", true),
            ("a.docx", true),
            ("README.md", false),
            ("make.py", false),
            ("making", false),
        ] {
            assert_eq!(is_sample(Path::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_text_must_have_entities_and_a_picture_need_not() {
        let ended = |state, text_chars| Document {
            state,
            text_chars,
            ..Document::named("a.pdf".to_owned())
        };
        assert!(ended(State::Succeeded, 10).is_as_promised(1));
        assert!(!ended(State::Succeeded, 10).is_as_promised(0));
        assert!(ended(State::Succeeded, 0).is_as_promised(0));
        assert!(!ended(State::Failed, 0).is_as_promised(0));
    }
}
