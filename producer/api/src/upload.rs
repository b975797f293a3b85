//! `POST /v1/documents`: bytes become objects, then rows, and only then an answer.
//!
//! An upload runs in a task of its own, which goes on when its caller leaves. So every upload ends either accepted or with
//! nothing left behind, and never waits for the broker.

mod accept;
mod body;
mod fields;
mod fingerprint;
mod form;
mod intake;
mod pieces;

use crate::kinds;
use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use docket_contract::state::JobState;
use docket_process::telemetry::context;
use docket_process::{failpoint, metrics};
use docket_store::work::idempotency::Key;
use serde::{Deserialize, Serialize};
use tracing::Instrument;
use utoipa::{IntoParams, ToSchema};

use crate::commit::Refusal;
use crate::idempotent::{self, Begun, Hold, IDEMPOTENCY_REPLAYED};
use crate::problems::UploadProblems;
use crate::state::ApiState;
use crate::views::{Accepted, AcceptedForm};
use accept::Acceptance;
use docket_http::caller::Caller;
use docket_http::extract::Params;
use docket_http::problem::{ApiError, Kind};
use fields::{Fields, Head};
use fingerprint::fingerprint;
use intake::{Intake, Keep, Taken};

/// Fields of the document, or of all documents of a form until the form sets others.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// The caller's own id for the document.
    #[param(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    /// The model that reads the document, as `name` or `name@version`; without a version, the version that is current when the
    /// document is read.
    model: Option<String>,
    /// The document's language, as a BCP 47 code such as `de`. It chooses the default model of that language when no model is named.
    language: Option<String>,
    /// The caller's own data: a JSON object of at most 4 KiB.
    metadata: Option<String>,
    /// Whether somebody waits for the result: `interactive`, which is the default, or `bulk`.
    priority: Option<String>,
    /// Not to be analysed before this time (RFC 3339), at most a year ahead.
    not_before: Option<String>,
    /// Not to be analysed after this time (RFC 3339): what is not done by then expires.
    deadline: Option<String>,
    /// Only these pages are read, as `2-9,12`, of documents that have pages.
    pages: Option<String>,
}

/// A form with documents. Text fields hold for the files after them; one after the last file is refused.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the form; the form is read as it arrives")]
struct UploadForm {
    /// The caller's own id for the documents after it.
    external_id: Option<String>,
    /// The model that shall read the documents after it, as `name` or `name@version`.
    model: Option<String>,
    /// The language of the documents after it, as a BCP 47 code such as `de`.
    language: Option<String>,
    /// The caller's own data for the documents after it: a JSON object of at most 4 KiB.
    metadata: Option<String>,
    /// `interactive` or `bulk`, for the documents after it.
    priority: Option<String>,
    /// Not to analyse the documents after it before this time (RFC 3339).
    not_before: Option<String>,
    /// Not to analyse the documents after it after this time (RFC 3339).
    deadline: Option<String>,
    /// Only these pages of the documents after it are read, as `2-9,12`.
    pages: Option<String>,
    /// The documents, each with its file name and content type; at most 20. The name of these parts does not matter.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<Vec<u8>>,
}

/// What is answered to an upload.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
enum Answer {
    /// To a document.
    Document(Accepted),
    /// To a form.
    Form(AcceptedForm),
}

/// Upload
///
/// Takes one document as the body, or several as a form, and answers as soon as they are safe; they are analysed
/// afterwards. With an `Idempotency-Key` the same upload sent again is answered the same and accepted once.
#[utoipa::path(
    post,
    path = "/v1/documents",
    operation_id = "upload_documents",
    tag = "documents",
    params(
        UploadQuery,
        ("content-disposition" = Option<String>, Header, description = "Of a document: its name, as `filename` or \
            `filename*`."),
        ("idempotency-key" = Option<String>, Header, description = "1 to 255 visible characters; kept for a day."),
        ("traceparent" = Option<String>, Header, description = "W3C trace context, which the analysis goes on with."),
    ),
    request_body(
        content(
            (String = "text/plain"), (String = "text/markdown"), (String = "text/html"), (Vec<u8> = "application/pdf"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            (Vec<u8> = "application/vnd.oasis.opendocument.text"), (Vec<u8> = "application/rtf"),
            (Vec<u8> = "message/rfc822"), (Vec<u8> = "application/zip"), (Vec<u8> = "image/png"),
            (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/tiff"), (Vec<u8> = "application/octet-stream"),
            (UploadForm = "multipart/form-data")
        ),
        description = "A document, or a form with several. The content decides what a document is: the type is what its caller \
            believes, and `application/octet-stream` says nothing."
    ),
    responses(
        (status = 202, description = "Accepted: it will be analysed, whatever happens.", body = Answer, headers(
            ("location", description = "Where the document is, when it is one."),
            ("idempotency-replayed", description = "`true` when it was accepted before, with the same key."),
            ("ratelimit-policy", description = "How many jobs of the client may be open."),
            ("ratelimit", description = "How many more that are now."),
        )),
        UploadProblems,
    )
)]
pub async fn upload(
    caller: Caller,
    Params(query): Params<UploadQuery>,
    State(state): State<ApiState>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (backlogs, client) = (state.backlogs.clone(), caller.client.clone());
    let mut answered = match run(state, caller, query, request).await {
        Ok(answered) => answered,
        Err(error) => error.into_response(),
    };
    backlogs.add_headers(&client, answered.headers_mut());
    metrics::upload(answered.status().as_u16(), started.elapsed());
    answered
}

async fn run(state: ApiState, caller: Caller, query: UploadQuery, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let upload = Upload::parse(state, caller, query, &parts.headers)?;
    let room = upload.state.uploads.admit(&upload.caller.client).await?;
    let tasks = upload.state.shutdown.clone();
    let task = async move {
        let answered = upload.serve(body).await;
        drop(room);
        answered
    };
    tasks.spawn(task.in_current_span()).await?
}

fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The shape of the body.
enum Shape {
    /// One document.
    Document { head: Head },
    /// A form, with the boundary between its parts and the fields of its query.
    Form { boundary: String, fields: Fields },
}

/// A request whose headers are in order.
struct Upload {
    state: ApiState,
    caller: Caller,
    shape: Shape,
    key: Option<Key>,
    trace_parent: Option<String>,
}

impl Upload {
    fn parse(state: ApiState, caller: Caller, query: UploadQuery, headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut fields = Fields::default();
        let named = [
            ("external_id", query.external_id),
            ("model", query.model),
            ("language", query.language),
            ("metadata", query.metadata),
            ("priority", query.priority),
            ("not_before", query.not_before),
            ("deadline", query.deadline),
            ("pages", query.pages),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                fields.set(name, value)?;
            }
        }
        let is_identity = |encoding: &HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
        if !headers.get_all(CONTENT_ENCODING).iter().all(is_identity) {
            return Err(ApiError::new(
                kinds::UNSUPPORTED_MEDIA_TYPE,
                "Send documents without a content encoding.",
            ));
        }
        let key = idempotent::key_of(headers, &caller)?;
        let shape = Shape::parse(headers, fields, state.document_bytes_max)?;
        Ok(Self {
            state,
            caller,
            shape,
            key,
            trace_parent: context::current(),
        })
    }

    /// Serves an upload, from its reserved key to its answer.
    async fn serve(self, body: Body) -> Result<Response, ApiError> {
        let Some(key) = self.key.clone() else {
            let answer = self.store(body, None).await.map_err(|refusal| refusal.error)?;
            return Ok(accepted(&answer));
        };
        match idempotent::begin(&self.state.shards, key).await? {
            Begun::Reserved(hold) => {
                let stored = self.store(body, Some(&hold)).await;
                Ok(accepted(&hold.settle(stored).await?))
            }
            Begun::Answered(earlier) => {
                let mut intake = Intake::new(&self.state, &self.caller, Keep::Hash);
                self.read(body, &mut intake).await?;
                let answer = earlier.answer(&fingerprint(self.is_form(), intake.taken()))?;
                let answer = serde_json::from_value(answer).map_err(ApiError::internal)?;
                Ok(([(IDEMPOTENCY_REPLAYED, "true")], accepted(&answer)).into_response())
            }
        }
    }

    /// Stores the documents and accepts them; a refusal leaves nothing of them.
    async fn store(&self, body: Body, hold: Option<&Hold>) -> Result<Answer, Refusal> {
        self.state.backlogs.admit(&self.state.shards, &self.caller).await?;
        let mut intake = Intake::new(&self.state, &self.caller, Keep::Stored);
        let reading = self.read(body, &mut intake);
        let read = match hold {
            Some(hold) => hold.during(reading).await,
            None => reading.await,
        };
        failpoint!("producer.after_s3_put");
        let accepted = match read {
            Ok(()) => self.accept(&intake, hold).await,
            Err(error) => Err(error.into()),
        };
        if accepted.as_ref().is_err_and(|refusal| !refusal.perhaps_accepted) {
            intake.discard().await;
        }
        accepted
    }

    async fn read(&self, body: Body, intake: &mut Intake) -> Result<(), ApiError> {
        let chunks = body::timed(body, self.state.shutdown.clone());
        match &self.shape {
            Shape::Document { head } => intake.take(head.clone(), chunks).await,
            Shape::Form { boundary, fields } => form::read(chunks, boundary, fields.clone(), intake).await,
        }
    }

    async fn accept(&self, intake: &Intake, hold: Option<&Hold>) -> Result<Answer, Refusal> {
        let mut documents: Vec<Accepted> = intake.taken().iter().map(view).collect();
        let answer = match self.shape {
            Shape::Document { .. } => Answer::Document(documents.remove(0)),
            Shape::Form { .. } => Answer::Form(AcceptedForm { documents }),
        };
        let kept = hold.map(|hold| {
            let answer = serde_json::to_value(&answer).expect("ids and text always serialise");
            (hold, fingerprint(self.is_form(), intake.taken()), answer)
        });
        let trace_parent = self.trace_parent.as_deref();
        let acceptance = Acceptance {
            caller: &self.caller,
            trace_parent,
            answer: kept,
        };
        accept::accept(&self.state, intake, acceptance).await?;
        let (jobs, deferred) = (intake.taken().len(), intake.deferred());
        self.state.backlogs.accepted(&self.caller.client, jobs, deferred);
        Ok(answer)
    }

    fn is_form(&self) -> bool {
        matches!(self.shape, Shape::Form { .. })
    }
}

impl Shape {
    fn parse(headers: &HeaderMap, fields: Fields, bytes_max: u64) -> Result<Self, ApiError> {
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if content_type
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("multipart/form-data")
        {
            let boundary = multer::parse_boundary(content_type).map_err(|_| {
                ApiError::new(
                    Kind::INVALID_REQUEST,
                    "The content type of a form must name its boundary.",
                )
            })?;
            return Ok(Self::Form { boundary, fields });
        }
        let media_type = fields::media_type(headers)?;
        let file_name = fields::file_name(headers)?;
        match length_of(headers) {
            Some(0) => Err(ApiError::new(
                kinds::EMPTY_DOCUMENT,
                "A document must have at least one byte.",
            )),
            Some(length) if length > bytes_max => Err(ApiError::new(
                kinds::PAYLOAD_TOO_LARGE,
                format!("A document must have at most {bytes_max} bytes."),
            )),
            Some(_) | None => Ok(Self::Document {
                head: Head {
                    media_type,
                    file_name,
                    fields,
                },
            }),
        }
    }
}

fn view(taken: &Taken) -> Accepted {
    Accepted {
        document_id: taken.document.0,
        job_id: taken.job.0,
        state: JobState::Waiting,
        file_name: taken.head.file_name.clone(),
        external_id: taken.head.fields.external_id.clone(),
    }
}

fn accepted(answer: &Answer) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(answer)).into_response();
    let only = match answer {
        Answer::Document(document) => Some(document),
        Answer::Form(form) if form.documents.len() == 1 => form.documents.first(),
        Answer::Form(_) => None,
    };
    if let Some(document) = only {
        let location = format!("/v1/documents/{}", document.document_id);
        response.headers_mut().insert(
            LOCATION,
            location.parse().expect("a path with an id is a header's value"),
        );
    }
    response
}
