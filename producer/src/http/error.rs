//! Every error that a caller can see, as a problem of RFC 9457: its status, its stable type, and what is logged of it.
//!
//! A handler answers with an [`ApiError`]; its body is written in `observe.rs`, which also gives one to the errors that
//! the libraries answer with, so that no error leaves without it.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use docket_shared::blob::BlobError;
use docket_shared::store::StoreError;
use docket_shared::telemetry;
use serde::Serialize;
use tokio::task::JoinError;
use utoipa::ToSchema;

use super::backlog;
use crate::operate::OperateError;

/// When a caller may try again what failed because something is away: a restart or a failover takes this long.
const RETRY_AFTER_AWAY: Duration = Duration::from_secs(2);
/// When a caller may ask again for a request that is still being served, or beside those that are.
const RETRY_AFTER_IN_PROGRESS: Duration = Duration::from_secs(1);

/// What went wrong. Each kind has a type of its own, which callers may match on and which never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Headers, query or body are not what the route takes.
    InvalidRequest,
    /// No bearer token.
    Unauthenticated,
    /// A bearer token that is not valid.
    InvalidToken,
    /// A valid token that names no client.
    NoClient,
    /// A valid token without the operators' scope.
    NotOperator,
    /// Nothing of this name that the caller may see.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The body did not arrive in time.
    BodyTimedOut,
    /// A request with the same idempotency key is being served.
    IdempotencyInProgress,
    /// The result is not there yet, or will never be.
    NotAnalysed,
    /// As many analyses of the document are open as may be.
    TooManyAnalyses,
    /// What is to be cancelled has ended.
    AlreadyEnded,
    /// A document larger than the limit.
    PayloadTooLarge,
    /// A kind of document that cannot be read.
    UnsupportedMediaType,
    /// A field of an upload that cannot be taken.
    InvalidField,
    /// A document without a byte, or a form without a document.
    EmptyDocument,
    /// A form with more documents than one request may bring.
    TooManyDocuments,
    /// No such model is published.
    UnknownModel,
    /// The idempotency key was used for another request.
    IdempotencyMismatch,
    /// The client has as many open jobs as it may.
    BacklogFull,
    /// The client has as many requests under way as it may.
    TooManyRequests,
    /// A bug of ours.
    Internal,
    /// A store is away.
    Unavailable,
    /// More than this process, or its shard, takes at a time.
    Overloaded,
    /// This process should be sent no requests.
    NotReady,
}

/// What a kind looks like from outside.
pub struct Description {
    /// Its HTTP status.
    pub status: StatusCode,
    /// The last part of its type.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
}

impl Kind {
    /// Status, name and title.
    pub fn describe(self) -> Description {
        use StatusCode as S;
        let (status, name, title) = match self {
            Self::InvalidRequest => (S::BAD_REQUEST, "invalid-request", "The request is malformed"),
            Self::Unauthenticated => (S::UNAUTHORIZED, "unauthenticated", "A bearer token is needed"),
            Self::InvalidToken => (S::UNAUTHORIZED, "invalid-token", "The bearer token is not valid"),
            Self::NoClient => (S::FORBIDDEN, "no-client", "The token names no client"),
            Self::NotOperator => (S::FORBIDDEN, "not-operator", "The token is not an operator's"),
            Self::NotFound => (S::NOT_FOUND, "not-found", "There is nothing of this name"),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "The path takes other methods",
            ),
            Self::BodyTimedOut => (S::REQUEST_TIMEOUT, "body-timed-out", "The body did not arrive in time"),
            Self::IdempotencyInProgress => (
                S::CONFLICT,
                "idempotency-in-progress",
                "A request with this key is being served",
            ),
            Self::NotAnalysed => (S::CONFLICT, "not-analysed", "The document has no result"),
            Self::TooManyAnalyses => (
                S::CONFLICT,
                "too-many-analyses",
                "The document is being analysed as often as it may be",
            ),
            Self::AlreadyEnded => (S::CONFLICT, "already-ended", "The job has ended"),
            Self::PayloadTooLarge => (S::PAYLOAD_TOO_LARGE, "payload-too-large", "The document is too large"),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Documents of this type cannot be read",
            ),
            Self::InvalidField => (S::UNPROCESSABLE_ENTITY, "invalid-field", "A field cannot be taken"),
            Self::EmptyDocument => (S::UNPROCESSABLE_ENTITY, "empty-document", "There is no document"),
            Self::TooManyDocuments => (
                S::UNPROCESSABLE_ENTITY,
                "too-many-documents",
                "There are too many documents",
            ),
            Self::UnknownModel => (S::UNPROCESSABLE_ENTITY, "unknown-model", "There is no such model"),
            Self::IdempotencyMismatch => (
                S::UNPROCESSABLE_ENTITY,
                "idempotency-mismatch",
                "The key was used for another request",
            ),
            Self::BacklogFull => (S::TOO_MANY_REQUESTS, "backlog-full", "As many jobs are open as may be"),
            Self::TooManyRequests => (
                S::TOO_MANY_REQUESTS,
                "too-many-requests",
                "As many requests are under way as may be",
            ),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Something is wrong on our side"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "A part of the service is away"),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "overloaded", "There is more work than is taken"),
            Self::NotReady => (
                S::SERVICE_UNAVAILABLE,
                "not-ready",
                "This process takes no requests now",
            ),
        };
        Description { status, name, title }
    }

    /// The kind of an error response: its handler's, or what its status says when a library answered. `None` for a
    /// status that only libraries use.
    pub fn of(response: &Response) -> Option<Self> {
        if let Some(explained) = response.extensions().get::<Explained>() {
            return Some(explained.kind);
        }
        match response.status() {
            StatusCode::BAD_REQUEST => Some(Self::InvalidRequest),
            StatusCode::NOT_FOUND => Some(Self::NotFound),
            StatusCode::METHOD_NOT_ALLOWED => Some(Self::MethodNotAllowed),
            StatusCode::INTERNAL_SERVER_ERROR => Some(Self::Internal),
            StatusCode::SERVICE_UNAVAILABLE => Some(Self::Unavailable),
            _ => None,
        }
    }

    /// Adds what a kind says in headers.
    pub fn add_headers(self, headers: &mut HeaderMap) {
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }

    fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Unavailable | Self::Overloaded | Self::NotReady => Some(RETRY_AFTER_AWAY),
            Self::IdempotencyInProgress | Self::TooManyRequests => Some(RETRY_AFTER_IN_PROGRESS),
            Self::BacklogFull => Some(backlog::RETRY_AFTER),
            Self::InvalidRequest
            | Self::Unauthenticated
            | Self::InvalidToken
            | Self::NoClient
            | Self::NotOperator
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::BodyTimedOut
            | Self::NotAnalysed
            | Self::TooManyAnalyses
            | Self::AlreadyEnded
            | Self::PayloadTooLarge
            | Self::UnsupportedMediaType
            | Self::InvalidField
            | Self::EmptyDocument
            | Self::TooManyDocuments
            | Self::UnknownModel
            | Self::IdempotencyMismatch
            | Self::Internal => None,
        }
    }

    fn challenge(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated => Some(r#"Bearer realm="docket""#),
            Self::InvalidToken => Some(r#"Bearer realm="docket", error="invalid_token""#),
            _ => None,
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error on its way to the caller. What it was caused by is logged, never sent.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct ApiError {
    kind: Kind,
    detail: Cow<'static, str>,
    source: Option<BoxError>,
}

impl ApiError {
    /// An error that is explained by one sentence to the caller. It must hold nothing that the caller may not know.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            source: None,
        }
    }

    /// There is nothing of this name: the same answer for what never was, what is malformed, and what is another client's.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "There is nothing of this name that this token may see.")
    }

    /// A bug of ours, or something that only an operator can mend.
    pub fn internal(source: impl Into<BoxError>) -> Self {
        let detail = "The request could not be served; the operator's log says why.";
        Self {
            kind: Kind::Internal,
            detail: detail.into(),
            source: Some(source.into()),
        }
    }

    /// Something that is needed does not answer now.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        let detail = "A store that this request needs does not answer; try again soon.";
        Self {
            kind: Kind::Unavailable,
            detail: detail.into(),
            source: Some(source.into()),
        }
    }

    /// The same, explained by another sentence. It must hold nothing that the caller may not know.
    pub fn saying(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The HTTP status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.kind.describe().status
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

impl From<OperateError> for ApiError {
    fn from(error: OperateError) -> Self {
        let detail = error.to_string();
        match error {
            OperateError::Store(source) => source.into(),
            // Operators may know what is away.
            OperateError::NotAudited(source) | OperateError::Unrecorded { source, .. } => {
                Self::from(source).saying(sentence(&detail))
            }
            OperateError::PerhapsThere(_) => Self::new(Kind::Unavailable, sentence(&detail)),
            OperateError::NoSuch(_) => Self::new(Kind::NotFound, sentence(&detail)),
            OperateError::NotTold(source) => Self::from(source).saying(sentence(&detail)),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

impl From<JoinError> for ApiError {
    /// A request's own task did not come to its end. What a panic said is left out: it may hold what the caller sent.
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
            // A row names it, so it should be there and within its limit.
            BlobError::NotFound { .. } | BlobError::TooLarge { .. } => Self::internal(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Some(source) = &self.source {
            let error = telemetry::chain(&**source);
            match self.kind {
                Kind::Internal => tracing::error!(error, "a request failed"),
                _ => tracing::warn!(error, "a request was refused for now"),
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

/// Tells `observe.rs` what to write into the body of an error.
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
    /// The problem that an error response stands for, as its handler explained it or as its status says.
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
        let Description { name, title, .. } = kind.describe();
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
