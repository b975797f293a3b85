//! Every error that a caller can see, as a problem of RFC 9457: its status, its stable type, and what is logged of it.
//!
//! A handler answers with an [`ApiError`]. `observe.rs` writes the body of every error, those that libraries answer with
//! included, so that no error leaves without one.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use docket_objects::BlobError;
use docket_process::telemetry;
use docket_store::StoreError;
use serde::Serialize;
use tokio::task::JoinError;
use utoipa::ToSchema;

/// When a caller may try again while a store is away: a restart or a failover takes this long.
const RETRY_AFTER_AWAY: Duration = Duration::from_secs(2);
/// When a caller may try again while its own request, or as many as it may have, are being served.
pub const RETRY_AFTER_IN_PROGRESS: Duration = Duration::from_secs(1);

/// A kind of problem. Its name never changes: callers may match on it. The kinds here belong to every route; a crate that raises
/// others declares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// HTTP status of the answer.
    pub status: StatusCode,
    /// Last part of the problem's type, after `urn:docket:problem:`.
    pub name: &'static str,
    /// The kind in words, as RFC 9457's `title`.
    pub title: &'static str,
    retry_after: Option<Duration>,
    challenge: Option<&'static str>,
}

impl Kind {
    /// Headers, query or body are not what the route takes.
    pub const INVALID_REQUEST: Self = Self::new(StatusCode::BAD_REQUEST, "invalid-request", "The request is malformed");
    /// The request has no bearer token.
    pub const UNAUTHENTICATED: Self =
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "A bearer token is needed")
            .challenge(r#"Bearer realm="docket""#);
    /// The bearer token is not valid.
    pub const INVALID_TOKEN: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "invalid-token",
        "The bearer token is not valid",
    )
    .challenge(r#"Bearer realm="docket", error="invalid_token""#);
    /// The token is valid and names no client.
    pub const NO_CLIENT: Self = Self::new(StatusCode::FORBIDDEN, "no-client", "The token names no client");
    /// The token is valid and lacks the operators' scope.
    pub const NOT_OPERATOR: Self = Self::new(StatusCode::FORBIDDEN, "not-operator", "The token is not an operator's");
    /// The path names nothing that the caller may see.
    pub const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing of this name");
    /// The path exists, but not with this method.
    pub const METHOD_NOT_ALLOWED: Self = Self::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "The path takes other methods",
    );
    /// The body did not arrive in time.
    pub const BODY_TIMED_OUT: Self = Self::new(
        StatusCode::REQUEST_TIMEOUT,
        "body-timed-out",
        "The body did not arrive in time",
    );
    /// A field of an upload cannot be taken.
    pub const INVALID_FIELD: Self = Self::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-field",
        "A field cannot be taken",
    );
    /// The client has as many requests under way as it may.
    pub const TOO_MANY_REQUESTS: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-requests",
        "As many requests are under way as may be",
    )
    .retry_after(RETRY_AFTER_IN_PROGRESS);
    /// A bug of ours.
    pub const INTERNAL: Self = Self::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something is wrong on our side",
    );
    /// A store that the request needs is away.
    pub const UNAVAILABLE: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "A part of the service is away",
    )
    .retry_after(RETRY_AFTER_AWAY);
    /// More than this process, or the client's shard, takes at a time.
    pub const OVERLOADED: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "overloaded",
        "There is more work than is taken",
    )
    .retry_after(RETRY_AFTER_AWAY);
    /// This process should get no requests now.
    pub const NOT_READY: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not-ready",
        "This process takes no requests now",
    )
    .retry_after(RETRY_AFTER_AWAY);

    /// A kind with this status, name and title.
    pub const fn new(status: StatusCode, name: &'static str, title: &'static str) -> Self {
        Self {
            status,
            name,
            title,
            retry_after: None,
            challenge: None,
        }
    }

    /// The same kind, with the time after which its caller may try again.
    pub const fn retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    const fn challenge(self, challenge: &'static str) -> Self {
        Self {
            challenge: Some(challenge),
            ..self
        }
    }

    /// The kind of an error response: its handler's, or the kind of its status when a library answered. `None` for a status that
    /// only libraries use.
    pub fn of(response: &Response) -> Option<Self> {
        if let Some(explained) = response.extensions().get::<Explained>() {
            return Some(explained.kind);
        }
        match response.status() {
            StatusCode::BAD_REQUEST => Some(Self::INVALID_REQUEST),
            StatusCode::NOT_FOUND => Some(Self::NOT_FOUND),
            StatusCode::METHOD_NOT_ALLOWED => Some(Self::METHOD_NOT_ALLOWED),
            StatusCode::INTERNAL_SERVER_ERROR => Some(Self::INTERNAL),
            StatusCode::SERVICE_UNAVAILABLE => Some(Self::UNAVAILABLE),
            _ => None,
        }
    }

    /// Adds the headers of a kind: `retry-after` and `www-authenticate`.
    pub fn add_headers(self, headers: &mut HeaderMap) {
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error on its way to the caller. Its cause is logged, never sent.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct ApiError {
    kind: Kind,
    detail: Cow<'static, str>,
    source: Option<BoxError>,
}

impl ApiError {
    /// An error explained to the caller by one sentence. The sentence must hold nothing that the caller may not know.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            source: None,
        }
    }

    /// There is nothing of this name: one answer for unknown ids, malformed ids, and other clients' ids.
    pub fn not_found() -> Self {
        Self::new(
            Kind::NOT_FOUND,
            "There is nothing of this name that this token may see.",
        )
    }

    /// A bug of ours, or something that only an operator can mend.
    pub fn internal(source: impl Into<BoxError>) -> Self {
        let detail = "The request could not be served; the operator's log says why.";
        Self {
            kind: Kind::INTERNAL,
            detail: detail.into(),
            source: Some(source.into()),
        }
    }

    /// A store that the request needs does not answer now.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        let detail = "A store that this request needs does not answer; try again soon.";
        Self {
            kind: Kind::UNAVAILABLE,
            detail: detail.into(),
            source: Some(source.into()),
        }
    }

    /// The same error with another sentence, which must hold nothing that the caller may not know.
    pub fn saying(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }

    /// The kind of problem.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.kind.status
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. }
            | StoreError::TimedOut
            | StoreError::Moving(_)
            | StoreError::UnknownShard { .. }
            | StoreError::Homeless { .. } => Self::unavailable(error),
            StoreError::Refused { .. } => Self::internal(error),
        }
    }
}

impl From<JoinError> for ApiError {
    /// A request's own task did not end. A panic's message is left out: it may hold what the caller sent.
    fn from(error: JoinError) -> Self {
        Self::internal(if error.is_panic() {
            "the task of a request panicked"
        } else {
            "the task of a request was aborted"
        })
    }
}

impl From<BlobError> for ApiError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Unavailable { .. } => Self::unavailable(error),
            // A row names the object, so it should be there and within its limit.
            BlobError::NotFound { .. } | BlobError::TooLarge { .. } => Self::internal(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Some(source) = &self.source {
            let error = telemetry::chain(&**source);
            if self.kind == Kind::INTERNAL {
                tracing::error!(error, "a request failed");
            } else {
                tracing::warn!(error, "a request was refused for now");
            }
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Explained {
            kind: self.kind,
            detail: self.detail,
        });
        response
    }
}

/// Tells `observe.rs` what the body of an error says.
#[derive(Clone)]
pub struct Explained {
    kind: Kind,
    detail: Cow<'static, str>,
}

/// An error as its caller reads it (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "type": "urn:docket:problem:not-found",
    "title": "There is nothing of this name",
    "status": 404,
    "detail": "There is nothing of this name that this token may see.",
    "instance": "urn:docket:request:01890a5d-ac96-774b-bcce-b302099a8057",
})))]
pub struct Problem {
    /// Which kind of problem it is: `urn:docket:problem:` and a name that never changes, or `about:blank` when the
    /// status says it all.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub kind: Cow<'static, str>,
    /// The kind in words.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// This occurrence in words.
    pub detail: Cow<'static, str>,
    /// The request, by the id that `x-request-id` and the logs name it by.
    #[schema(format = "uri")]
    pub instance: String,
}

impl Problem {
    /// The problem of an error response, as its handler explained it or as its status says.
    pub fn of(response: &Response, request_id: &str) -> Self {
        let instance = format!("urn:docket:request:{request_id}");
        let status = response.status();
        let Some(kind) = Kind::of(response) else {
            let title = status.canonical_reason().unwrap_or("Unknown error");
            let detail = format!("{title}.").into();
            return Self {
                kind: "about:blank".into(),
                title: title.into(),
                status: status.as_u16(),
                detail,
                instance,
            };
        };
        let Kind { name, title, .. } = kind;
        let explained = response.extensions().get::<Explained>();
        let detail = explained.map_or_else(|| format!("{title}.").into(), |explained| explained.detail.clone());
        let kind = format!("urn:docket:problem:{name}").into();
        Self {
            kind,
            title: title.into(),
            status: status.as_u16(),
            detail,
            instance,
        }
    }
}
