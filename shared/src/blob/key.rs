//! Names of objects.

use crate::ids::{Bucket, ClientId, DocumentId};

/// Where an object is. Keys of client data begin with their kind, bucket and client, so that they can be swept by owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlobKey(String);

impl BlobKey {
    /// A document as it was uploaded.
    pub fn document(bucket: Bucket, client: &ClientId, document: DocumentId) -> Self {
        Self(format!("{}{client}/{document}", Self::documents_of(bucket)))
    }

    /// What all documents of a bucket begin with.
    pub fn documents_of(bucket: Bucket) -> String {
        format!("documents/{:04}/", bucket.number())
    }

    /// What all documents of a client begin with.
    pub fn documents_of_client(bucket: Bucket, client: &ClientId) -> String {
        format!("{}{client}/", Self::documents_of(bucket))
    }

    /// The client and the document of a key that [`BlobKey::document`] made.
    pub fn of_document(&self) -> Option<(ClientId, DocumentId)> {
        let mut parts = self.0.strip_prefix("documents/")?.split('/').skip(1);
        let (client, document) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some((client, DocumentId(document)))
    }

    /// The text extracted from a document. It carries its own hash, so that a superseded run overwrites nothing.
    pub fn text(bucket: Bucket, client: &ClientId, document: DocumentId, sha256: &str) -> Self {
        Self(format!("texts/{:04}/{client}/{document}/{sha256}.txt", bucket.number()))
    }

    /// A key as it was stored in a row or listed.
    pub fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for BlobKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_documents_key_says_whose_it_is() {
        let (client, document): (ClientId, _) = ("acme".parse().unwrap(), DocumentId::generate());
        let key = BlobKey::document(Bucket(7), &client, document);
        assert_eq!(key.of_document(), Some((client, document)));
        for other in [
            "documents/0007/acme",
            "texts/0007/acme/x",
            "documents/0007/acme/x",
            "models/ner/1/model.onnx",
        ] {
            assert_eq!(BlobKey::from_stored(other.into()).of_document(), None, "{other}");
        }
    }
}
