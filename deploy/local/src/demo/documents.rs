//! The documents of a run: uploaded, and followed until they have ended.

use std::path::Path;

use anyhow::{Context, Result};
use docket_client::{Client, ClientError, State, Upload};

/// An uploaded document.
#[derive(Debug)]
pub struct Document {
    /// The document's id; empty if the API refused the document.
    pub id: String,
    /// Name of the uploaded file.
    pub name: String,
    /// The document's state at the last look.
    pub state: State,
    /// Why the document failed, if it did.
    pub reason: Option<String>,
}

impl Document {
    /// Uploads a file. A refused file becomes a failed document, not an error.
    pub async fn upload(client: &Client, path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let body = tokio::fs::read(path).await;
        let body = body.with_context(|| format!("read {}", path.display()))?;
        let upload = Upload::new(media_type(path), body).file_name(&name);
        let (id, state, reason) = match client.upload(upload).await {
            Ok(accepted) => (accepted.document_id, State::Waiting, None),
            Err(ClientError::Refused(problem)) if problem.status.is_client_error() => {
                (String::new(), State::Failed, Some(problem.detail))
            }
            Err(error) => return Err(error).with_context(|| format!("upload {name}")),
        };
        Ok(Self {
            id,
            name,
            state,
            reason,
        })
    }

    /// Asks the API for the document's state.
    pub async fn refresh(&mut self, client: &Client) -> Result<()> {
        let found = client.document(&self.id).await?;
        self.state = found.state;
        let error = found.job.error;
        self.reason = error.map(|error| format!("{}: {}", error.kind, error.detail));
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_says_what_it_is() {
        assert_eq!(media_type(Path::new("A.TXT")), "text/plain");
        assert_eq!(media_type(Path::new("a")), "application/octet-stream");
    }
}
