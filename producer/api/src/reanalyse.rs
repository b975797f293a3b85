//! `POST /v1/documents/{id}/jobs`: another analysis of a stored document.
//!
//! As with an upload, the request runs in a task of its own, which goes on when its caller leaves, and never waits for the
//! broker.

use crate::kinds;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use docket_contract::ids::{DocumentId, JobId, JobKey, ModelRef};
use docket_contract::job::Priority;
use docket_contract::language::Language;
use docket_process::telemetry::context;
use docket_store::FencedTx;
use docket_store::work::idempotency::Key;
use docket_store::work::jobs::{self, HandOver, NewJob, OPEN_JOBS_MAX, Reanalysis, Schedule};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tracing::Instrument;
use utoipa::ToSchema;

use crate::commit::{self, Refusal};
use crate::idempotent::{self, Begun, Fingerprint, Hold, IDEMPOTENCY_REPLAYED};
use crate::problems::ReanalysisProblems;
use crate::state::ApiState;
use crate::views::Job;
use crate::{backlog, models, schedule};
use docket_http::caller::Caller;
use docket_http::extract::Id;
use docket_http::problem::{ApiError, Kind};

/// Largest body, in bytes: room for a model, a priority and two times.
const BODY_BYTES_MAX: usize = 1024;
/// How long the body may take: it fits into one packet.
const BODY_MAX: Duration = Duration::from_secs(10);

/// What is asked for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAnalysis {
    /// The model that shall read the document, as `name` or `name@version`; another than the service's default.
    #[schema(examples("ner-legal@2"))]
    model: Option<String>,
    /// The document's language, as a BCP 47 code such as `de`. It chooses the default model of that language when no model is named.
    #[schema(examples("de"))]
    language: Option<String>,
    /// Whether somebody waits for the result: `interactive`, which is the default, or `bulk`.
    priority: Option<String>,
    /// Not to be analysed before this time (RFC 3339), at most a year ahead.
    not_before: Option<String>,
    /// Not to be analysed after this time (RFC 3339): what is not done by then expires.
    deadline: Option<String>,
}

/// The body, checked.
#[derive(Debug, Default)]
struct Asked {
    model: Option<ModelRef>,
    language: Option<Language>,
    schedule: Schedule,
}

impl NewAnalysis {
    fn parse(&self) -> Result<Asked, ApiError> {
        let time =
            |field: &str, text: &Option<String>| text.as_deref().map(|text| schedule::time(field, text)).transpose();
        Ok(Asked {
            model: self.model.as_deref().map(models::parse).transpose()?,
            language: self.language.as_deref().map(models::language).transpose()?,
            schedule: Schedule {
                priority: self
                    .priority
                    .as_deref()
                    .map_or(Ok(Priority::default()), schedule::priority)?,
                not_before: time("not_before", &self.not_before)?,
                deadline: time("deadline", &self.deadline)?,
            },
        })
    }
}

/// Analyse again
///
/// Has a document that is there read by another model, another version, or the same one again. What was found before stays
/// readable. With an `Idempotency-Key` the same request sent again is answered the same and accepted once.
#[utoipa::path(
    post,
    path = "/v1/documents/{document_id}/jobs",
    operation_id = "create_job",
    tag = "jobs",
    params(
        ("document_id" = Uuid, Path, description = "The document."),
        ("idempotency-key" = Option<String>, Header, description = "1 to 255 visible characters; kept for a day."),
        ("traceparent" = Option<String>, Header, description = "W3C trace context, which the analysis goes on with."),
    ),
    request_body(
        content = Option<NewAnalysis>,
        description = "Model and turn; without a body the service's default model, at once."
    ),
    responses(
        (status = 202, description = "Accepted: it will be analysed, whatever happens.", body = Job, headers(
            ("location", description = "Where the job is."),
            ("idempotency-replayed", description = "`true` when it was accepted before, with the same key."),
        )),
        ReanalysisProblems,
    )
)]
pub async fn reanalyse(
    caller: Caller,
    Id(id): Id,
    State(state): State<ApiState>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let request = Request {
        key: idempotent::key_of(&headers, &caller)?,
        trace_parent: context::current(),
        asked: read(body).await?,
        document: DocumentId(id),
        caller,
        state,
    };
    let tasks = request.state.shutdown.clone();
    let task = async move { request.serve().await };
    tasks.spawn(task.in_current_span()).await?
}

/// Reads and checks the body.
async fn read(body: Body) -> Result<Asked, ApiError> {
    let invalid = |detail: String| ApiError::new(Kind::INVALID_REQUEST, detail);
    let body = tokio::time::timeout(BODY_MAX, to_bytes(body, BODY_BYTES_MAX)).await;
    let body = body.map_err(|_| ApiError::new(Kind::BODY_TIMED_OUT, "The body did not arrive in time."))?;
    let body = body.map_err(|_| invalid(format!("The body broke off, or has more than {BODY_BYTES_MAX} bytes.")))?;
    if body.is_empty() {
        return Ok(Asked::default());
    }
    let asked: NewAnalysis =
        serde_json::from_slice(&body).map_err(|error| invalid(format!("The body cannot be taken: {error}.")))?;
    asked.parse()
}

/// A written job: its id, its place at the hand-over, and the answer to its caller.
type Written = (JobId, HandOver, Value);

/// A request whose headers are in order.
struct Request {
    state: ApiState,
    caller: Caller,
    document: DocumentId,
    asked: Asked,
    key: Option<Key>,
    trace_parent: Option<String>,
}

impl Request {
    /// Serves a request, from its reserved key to its answer.
    async fn serve(self) -> Result<Response, ApiError> {
        let Some(key) = self.key.clone() else {
            let job = self.accept(None).await.map_err(|refusal| refusal.error)?;
            return accepted(&job);
        };
        match idempotent::begin(&self.state.shards, key).await? {
            Begun::Reserved(hold) => {
                let served = self.accept(Some(&hold)).await;
                accepted(&hold.settle(served).await?)
            }
            Begun::Answered(earlier) => {
                let job = earlier.answer(&self.fingerprint())?;
                Ok(([(IDEMPOTENCY_REPLAYED, "true")], accepted(&job)?).into_response())
            }
        }
    }

    /// Accepts a job and returns the answer.
    async fn accept(&self, hold: Option<&Hold>) -> Result<Value, Refusal> {
        let (state, now) = (&self.state, Timestamp::now());
        schedule::check(&self.asked.schedule, now)?;
        state.backlogs.admit(&state.shards, &self.caller).await?;
        let is_deferred = backlog::is_deferred(&self.asked.schedule, now);
        if is_deferred {
            state.backlogs.admit_deferred(&state.shards, &self.caller).await?;
        }
        let place = state.handover.reserve();
        let mut job = NewJob {
            id: JobId::generate(),
            model: self.model().clone(),
            schedule: self.asked.schedule,
            trace_parent: self.trace_parent.clone(),
            hand_over: place.is_some(),
        };
        models::require(&self.state, &job.model).await?;
        let (id, handover, answer) = commit::commit(self.write(&job, hold)).await?;
        job.id = id;
        let deferred = usize::from(is_deferred);
        self.state.backlogs.accepted(&self.caller.client, 1, deferred);
        if let (HandOver::Mine(lease), Some(place)) = (handover, place) {
            place.publish(commit::fresh(&self.caller, job, lease));
        }
        Ok(answer)
    }

    /// The model that shall read the document.
    fn model(&self) -> &ModelRef {
        let default = || self.state.model_defaults.of(self.asked.language.as_ref());
        self.asked.model.as_ref().unwrap_or_else(default)
    }

    async fn write(&self, job: &NewJob, hold: Option<&Hold>) -> Result<(FencedTx, Written), ApiError> {
        let Caller { bucket, client } = &self.caller;
        let mut tx = self.state.shards.begin(*bucket).await?;
        let (id, handover) = match jobs::reanalyse(&mut tx, *bucket, client, self.document, job).await? {
            Reanalysis::Accepted(id, handover) => (id, handover),
            Reanalysis::NoDocument => return Err(ApiError::not_found()),
            Reanalysis::TooManyOpen => {
                let detail =
                    format!("{OPEN_JOBS_MAX} analyses of this document have not ended yet; let one of them end.");
                return Err(ApiError::new(kinds::TOO_MANY_ANALYSES, detail));
            }
        };
        let key = JobKey {
            bucket: *bucket,
            job: id,
        };
        let written = jobs::find(&mut tx, key, client).await?;
        let written = written.ok_or_else(|| ApiError::internal("a job is not where it was written"))?;
        let answer = serde_json::to_value(Job::from(&written)).map_err(ApiError::internal)?;
        if let Some(hold) = hold {
            hold.answer(&mut tx, &self.fingerprint(), &answer).await?;
        }
        Ok((tx, (id, handover, answer)))
    }

    /// The hash of all that makes two requests the same. The path is part of it, so that no upload has the same hash.
    fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Fingerprint::default();
        hash.add(format!("/v1/documents/{}/jobs", self.document).as_bytes());
        hash.add_optional(self.asked.model.as_ref().map(ToString::to_string).as_deref());
        hash.add_schedule(&self.asked.schedule);
        // Nothing is added for no language: so such a request is hashed as earlier releases hashed it.
        if let Some(language) = &self.asked.language {
            hash.add(format!("language={language}").as_bytes());
        }
        hash.finish()
    }
}

fn accepted(job: &Value) -> Result<Response, ApiError> {
    let id = job["job_id"].as_str().unwrap_or_default();
    let location = format!("/v1/jobs/{id}");
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(job)).into_response())
}
