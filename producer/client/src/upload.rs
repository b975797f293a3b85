//! An upload and the request that sends it.

use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use reqwest::{Body, Method, RequestBuilder};

use crate::Client;

/// A document to upload, and what is said about it.
#[derive(Debug)]
pub struct Upload {
    body: Body,
    media_type: String,
    query: String,
    headers: Vec<(&'static str, String)>,
}

impl Upload {
    /// A document of this type, such as `text/plain`.
    pub fn new(media_type: impl Into<String>, body: impl Into<Body>) -> Self {
        Self {
            body: body.into(),
            media_type: media_type.into(),
            query: String::new(),
            headers: Vec::new(),
        }
    }

    /// The fields as a query (`model=ner-legal@2&priority=bulk`), with every value already escaped.
    pub fn query(self, query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            ..self
        }
    }

    /// Sets the file's name.
    pub fn file_name(self, name: &str) -> Self {
        self.header(CONTENT_DISPOSITION.as_str(), disposition(name))
    }

    /// Adds a header, such as `idempotency-key`.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The request that sends this upload.
    pub fn into_request(self, client: &Client) -> RequestBuilder {
        let path = match &*self.query {
            "" => "/v1/documents".to_owned(),
            query => format!("/v1/documents?{query}"),
        };
        let request = client
            .request(Method::POST, &path)
            .header(CONTENT_TYPE, self.media_type);
        let headers = self.headers.into_iter();
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        request.body(self.body)
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
    fn a_files_name_cannot_break_the_header() {
        assert_eq!(
            disposition("lease \"a\"\r\n§1.txt"),
            "attachment; filename=\"lease _a____1.txt\""
        );
    }
}
