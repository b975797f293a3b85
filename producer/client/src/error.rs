//! Why a call failed.

use std::fmt;

use reqwest::StatusCode;
use serde::Deserialize;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer came. The API may have done what was asked all the same.
    #[error("reach the API")]
    Unreachable(#[source] reqwest::Error),
    /// The API answered with a problem.
    #[error("the API answers {0}")]
    Refused(Problem),
    /// The answer broke off or is not what the API promises.
    #[error("understand the answer of the API")]
    Unreadable(#[source] reqwest::Error),
}

/// A problem as the API reports it (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The type to match on, such as `urn:docket:problem:not-found`; empty where the answer is no problem of the API's.
    pub kind: String,
    /// What happened, for people: the problem's own sentence, or else the whole answer.
    pub detail: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    detail: String,
}

impl Problem {
    /// Reads the problem from an answer's status and body.
    pub(crate) fn of(status: StatusCode, body: &str) -> Self {
        let told: Option<Body> = serde_json::from_str(body).ok();
        let (kind, detail) = match told {
            Some(Body { kind, detail }) => (kind, detail),
            None => (String::new(), body.to_owned()),
        };
        Self { status, kind, detail }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_in_its_own_sentence() {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let told = r#"{"type":"urn:x","title":"No","status":415,"detail":"No such type."}"#;
        let problem = Problem::of(status, told);
        assert_eq!((&*problem.kind, &*problem.detail), ("urn:x", "No such type."));
        let other = Problem::of(StatusCode::BAD_GATEWAY, "bad gateway");
        assert_eq!((&*other.kind, &*other.detail), ("", "bad gateway"));
    }
}
