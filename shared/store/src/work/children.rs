//! The files within a document, accepted as documents of their own together with the document's result.

use docket_contract::ids::{DocumentId, JobId};
use docket_contract::object_key::{BlobKey, Stored};

use crate::rows::column;
use crate::sql::sql;
use crate::work::granted_claim::Claim;
use crate::{FencedTx, StoreError};

/// How deep documents may be within documents: a mail in an archive in a mail. Files that are deeper are not unpacked.
pub const DEPTH_MAX: i16 = 3;

/// A file within a document. Both ids are the same at every analysis of the document, so that no file is accepted twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// The id of the file as a document.
    pub id: DocumentId,
    /// The id of its first job.
    pub job: JobId,
    /// The file's name.
    pub file_name: Option<String>,
    /// The file's media type, as its sender declared it.
    pub media_type: String,
    /// Where the file is stored.
    pub key: BlobKey,
    /// Size and hash of the file.
    pub stored: Stored,
}

/// Accepts the files within a claimed job's document. The new jobs have the model, priority and deadline of the claimed job.
pub(super) async fn accept(tx: &mut FencedTx, claim: &Claim, children: &[Child]) -> Result<(), StoreError> {
    if children.is_empty() {
        return Ok(());
    }
    let query = sql!("work/children")
        .bind(claim.key.bucket.number())
        .bind(claim.key.job.0)
        .bind(claim.token.0)
        .bind(column(children, |child| child.id.0))
        .bind(column(children, |child| child.job.0))
        .bind(column(children, |child| child.file_name.as_deref()))
        .bind(column(children, |child| child.media_type.as_str()))
        .bind(column(children, |child| child.stored.bytes as i64))
        .bind(column(children, |child| child.stored.sha256.as_slice()))
        .bind(column(children, |child| child.key.to_string()));
    tx.execute(query).await.map(drop)
}
