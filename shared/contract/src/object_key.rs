//! Keys of objects in the bucket.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ids::{Bucket, ClientId, DocumentId};

/// Key of an object. Keys of client data begin with kind, bucket and client, so that a sweep can list them by owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlobKey(String);

impl BlobKey {
    /// Key of a document as it was uploaded.
    pub fn document(bucket: Bucket, client: &ClientId, document: DocumentId) -> Self {
        Self(format!("{}{client}/{document}", Self::documents_of(bucket)))
    }

    /// Prefix of every document of a bucket.
    pub fn documents_of(bucket: Bucket) -> String {
        format!("documents/{:04}/", bucket.number())
    }

    /// Prefix of every document of a client.
    pub fn documents_of_client(bucket: Bucket, client: &ClientId) -> String {
        format!("{}{client}/", Self::documents_of(bucket))
    }

    /// The client and the document of a key that [`BlobKey::document`] made; `None` for any other key.
    pub fn of_document(&self) -> Option<(ClientId, DocumentId)> {
        let mut parts = self.0.strip_prefix("documents/")?.split('/').skip(1);
        let (client, document) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some((client, DocumentId(document)))
    }

    /// Key of the text extracted from a document. The key carries the text's hash, so that a superseded run overwrites nothing.
    pub fn text(bucket: Bucket, client: &ClientId, document: DocumentId, sha256: &str) -> Self {
        Self(format!("texts/{:04}/{client}/{document}/{sha256}.txt", bucket.number()))
    }

    /// Key of the map of such a text. The key carries the map's own hash.
    pub fn text_map(bucket: Bucket, client: &ClientId, document: DocumentId, sha256: &str) -> Self {
        Self(format!("texts/{:04}/{client}/{document}/{sha256}.map", bucket.number()))
    }

    /// Key of the image of a page: the same page of the same document is always drawn the same. An empty object says that the page
    /// cannot be drawn. The key has the version of the drawing, so that another drawing has other keys.
    pub fn page_image(bucket: Bucket, client: &ClientId, document: DocumentId, page: u32) -> Self {
        Self(format!(
            "texts/{:04}/{client}/{document}/page-{page}.v1.png",
            bucket.number()
        ))
    }

    /// A key as a row holds it or a listing shows it.
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

/// The content stored under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Size of the content.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// A document's external id, encoded for its object's metadata, which takes ASCII only.
pub fn as_note(external_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(external_id)
}

/// The external id that a note holds; `None` for a note that [`as_note`] did not make.
pub fn from_note(note: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(note).ok()?).ok()
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
