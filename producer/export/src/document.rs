//! What formats are told of a document.

use docket_contract::ids::{DocumentId, JobId};
use docket_contract::text_map::Page;

/// What formats are told of a document and of the analysis that found its entities.
#[derive(Debug, Clone)]
pub struct Document {
    /// The document.
    pub id: DocumentId,
    /// The analysis.
    pub job: JobId,
    /// The model, as `name@version`.
    pub model: String,
    /// The file name, if the document has one.
    pub file_name: Option<String>,
    /// The document's pages without their boxes, if it is a PDF. Empty for every other document.
    pub pdf_pages: Vec<Page>,
}

impl Document {
    /// The file name, or else the id.
    pub(crate) fn title(&self) -> String {
        self.file_name.clone().unwrap_or_else(|| self.id.to_string())
    }
}
