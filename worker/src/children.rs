//! The files within a document: stored as objects of their own, to become documents of their own with the document's result.

use bytes::Bytes;
use docket_contract::ids::{DocumentId, JobId};
use docket_contract::object_key::{BlobKey, Stored};
use docket_contract::outcome::Stage;
use docket_extract::File;
use docket_store::work::children::Child;
use docket_store::work::claims::Claim;
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::disposition::JobError;

/// Stores the files. A file's ids come from its document, its place and its content, so that another analysis of the document
/// stores the same objects and accepts no file again.
pub async fn store(ctx: &Context, claim: &Claim, files: Vec<File>) -> Result<Vec<Child>, JobError> {
    let mut children = Vec::with_capacity(files.len());
    for (place, file) in files.into_iter().enumerate() {
        let bytes = file.bytes.clone();
        let (parent, place) = (claim.document, place as u64);
        let hashing = move || Hashes::of(parent, place, &bytes);
        let hashes = ctx.cpu.run(Stage::StoreText, hashing).await?;
        children.push(put(ctx, claim, file, &hashes).await?);
    }
    Ok(children)
}

async fn put(ctx: &Context, claim: &Claim, file: File, hashes: &Hashes) -> Result<Child, JobError> {
    let id = claim.document.of_child(&hashes.document);
    let key = BlobKey::document(claim.key.bucket, &claim.client, id);
    let stored = Stored {
        bytes: file.bytes.len() as u64,
        sha256: hashes.content,
    };
    ctx.blobs.put_bytes(&key, file.bytes).await?;
    Ok(Child {
        id,
        job: JobId::of_child(claim.document, &hashes.job),
        file_name: file.file_name,
        media_type: file.declared.to_string(),
        key,
        stored,
    })
}

/// The hashes of a file.
struct Hashes {
    content: [u8; 32],
    document: [u8; 32],
    job: [u8; 32],
}

impl Hashes {
    fn of(parent: DocumentId, place: u64, bytes: &Bytes) -> Self {
        let content: [u8; 32] = Sha256::digest(bytes).into();
        let derived = |what: &[u8]| {
            let mut hash = Sha256::new();
            for part in [what, parent.0.as_bytes(), &place.to_be_bytes(), &content] {
                hash.update(part);
            }
            hash.finalize().into()
        };
        Self {
            content,
            document: derived(b"document"),
            job: derived(b"job"),
        }
    }
}
