//! The message that asks a worker to draw a page. An image can be drawn again at any time, so nothing is lost with a message.

use serde::{Deserialize, Serialize};

use crate::ids::{Bucket, ClientId, DocumentId};
use crate::job::InvalidMessage;
use crate::sharding;

/// A message on the queue of images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum ImageMessage {
    /// The first version of the message.
    #[serde(rename = "1")]
    V1(DrawPage),
}

/// "Draw this page of this document."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawPage {
    /// Number of the client's bucket.
    pub bucket: i16,
    /// The document's client.
    pub client_id: ClientId,
    /// The document.
    pub document_id: DocumentId,
    /// The page's number in the document, from 1.
    pub page: u32,
}

impl ImageMessage {
    /// The message's body, as published.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("ids and strings always serialise")
    }

    /// Decodes a delivered body, and says which bucket its document is in.
    pub fn decode(body: &[u8]) -> Result<(Bucket, DrawPage), InvalidMessage> {
        let Self::V1(message) = serde_json::from_slice(body).map_err(InvalidMessage::Undecodable)?;
        let bucket =
            sharding::bucket_from_number(message.bucket).ok_or(InvalidMessage::NoSuchBucket(message.bucket))?;
        Ok((bucket, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_frozen() {
        let document: uuid::Uuid = "0192a6d0-0000-7000-8000-000000000001".parse().unwrap();
        let message = DrawPage {
            bucket: 7,
            client_id: "acme".parse().unwrap(),
            document_id: DocumentId(document),
            page: 3,
        };
        let body = ImageMessage::V1(message.clone()).encode();
        let expected = r#"{"version":"1","bucket":7,"client_id":"acme","document_id":"0192a6d0-0000-7000-8000-000000000001","page":3}"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
        assert_eq!(ImageMessage::decode(expected.as_bytes()).unwrap(), (Bucket(7), message));
        assert!(ImageMessage::decode(&expected.replace(":7,", ":4096,").into_bytes()).is_err());
        assert!(ImageMessage::decode(b"{}").is_err());
    }
}
