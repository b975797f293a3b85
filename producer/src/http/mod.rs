//! The HTTP API of callers and operators: which routes there are, and what all of them share.
//!
//! A request passes `observe.rs` (id, log, metrics, the body of its error), then the guard against panics, then `query.rs` (its
//! parameters' names), then its route.
//! Routes with a body have limits of their own (`upload/`); the others answer within 15 s.

mod admission;
pub mod auth;
mod backlog;
mod commit;
mod conditional;
mod documents;
mod error;
mod extract;
mod health;
mod held;
mod idempotent;
mod jobs;
mod linger;
mod models;
mod observe;
mod openapi;
mod operator;
mod pace;
mod page;
mod places;
mod query;
mod reads;
mod reanalyse;
mod results;
mod schedule;
mod server;
mod taker;
mod upload;
mod views;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use axum::http::header::{AUTHORIZATION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::{Router, middleware};
use docket_shared::blob::BlobStore;
use docket_shared::config::{ConfigError, Env, Setting};
use docket_shared::ids::ModelRef;
use docket_shared::shutdown::Shutdown;
use docket_shared::store::Shards;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::dispatch::handover::HandOver;
use crate::models::Models;

use admission::Uploads;
use auth::{AuthConfig, Verifier};
use backlog::{BacklogConfig, Backlogs};
use health::Readiness;
use places::Places;

pub use server::serve;

/// Address.
pub const ADDR: Setting = Setting::with_default(
    "DOCKET_HTTP_ADDR",
    "0.0.0.0:8080",
    "address and port that HTTP is served on",
);
/// Size limit.
pub const DOCUMENT_BYTES_MAX: Setting = Setting::with_default(
    "DOCKET_DOCUMENT_BYTES_MAX",
    "52428800",
    "largest document that is accepted, in bytes",
);
/// Default model.
pub const MODEL_DEFAULT: Setting = Setting::with_default(
    "DOCKET_MODEL_DEFAULT",
    "ner-legal",
    "model that reads documents whose upload names none, as `name` or `name@version`",
);

/// Notice of a stop.
pub const STOP_NOTICE: Setting = Setting::with_default(
    "DOCKET_STOP_NOTICE_SECONDS",
    "5",
    "how long a process that was told to stop says \"not ready\" before it refuses connections: longer than load balancers \
     take to notice",
);

/// Every setting of this file, and of those that have no list of their own.
const SETTINGS: &[&Setting] = &[
    &ADDR,
    &DOCUMENT_BYTES_MAX,
    &MODEL_DEFAULT,
    &backlog::CLIENT_MAX,
    &backlog::SHARD_MAX,
    &backlog::DEFERRED_MAX,
    &STOP_NOTICE,
];

/// Every setting of this folder.
pub fn settings() -> Vec<&'static Setting> {
    [SETTINGS, auth::SETTINGS].concat()
}

/// Largest limit of a document that can be set, in bytes: what one S3 object of 10,000 parts can surely hold.
const DOCUMENT_BYTES_CEILING: u64 = 64 * 1024 * 1024 * 1024;
/// How long an answer without an upload may take: a shard that is away is noticed in half of it.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// How HTTP is served.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Address and port.
    pub addr: SocketAddr,
    /// Largest document, in bytes.
    pub document_bytes_max: u64,
    /// Model of uploads that name none.
    pub model_default: ModelRef,
    /// How much may be open.
    pub backlog: BacklogConfig,
    /// Between "not ready" and closed, when the process is told to stop.
    pub stop_notice: Duration,
    /// Which tokens are good; none where the API is not served.
    pub auth: Option<AuthConfig>,
}

impl HttpConfig {
    /// Reads and checks the settings of this folder; the key of tokens only where the API is served.
    pub fn from_env(env: &Env, serves_api: bool) -> Result<Self, ConfigError> {
        Ok(Self {
            addr: env.get(&ADDR)?,
            document_bytes_max: env.within(&DOCUMENT_BYTES_MAX, 1..=DOCUMENT_BYTES_CEILING)?,
            model_default: env.get(&MODEL_DEFAULT)?,
            backlog: BacklogConfig::from_env(env)?,
            stop_notice: Duration::from_secs(env.within(&STOP_NOTICE, 0..=60)?),
            auth: serves_api.then(|| AuthConfig::from_env(env)).transpose()?,
        })
    }
}

/// What every route may use; clones share it.
#[derive(Clone)]
pub struct AppState {
    shards: Shards,
    blobs: BlobStore,
    models: Models,
    handover: HandOver,
    auth: Verifier,
    uploads: Uploads,
    reads: Places,
    backlogs: Backlogs,
    document_bytes_max: u64,
    model_default: ModelRef,
    readiness: Readiness,
    metrics: PrometheusHandle,
    shutdown: Shutdown,
}

impl AppState {
    /// The state of a process with these stores.
    pub fn new(
        config: &HttpConfig,
        (shards, blobs, models, handover): (Shards, BlobStore, Models, HandOver),
        metrics: PrometheusHandle,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            readiness: Readiness::new(shards.clone(), blobs.clone(), shutdown.clone()),
            shards,
            blobs,
            models,
            handover,
            auth: config.auth.as_ref().map(Verifier::new).unwrap_or_default(),
            uploads: Uploads::default(),
            reads: Places::new(reads::READS_MAX),
            backlogs: Backlogs::new(config.backlog),
            document_bytes_max: config.document_bytes_max,
            model_default: config.model_default.clone(),
            metrics,
            shutdown,
        }
    }

    /// Whether the process should be sent requests.
    pub async fn is_ready(&self) -> bool {
        self.readiness.is_ready().await
    }
}

impl FromRef<AppState> for Readiness {
    fn from_ref(state: &AppState) -> Self {
        state.readiness.clone()
    }
}

impl FromRef<AppState> for PrometheusHandle {
    fn from_ref(state: &AppState) -> Self {
        state.metrics.clone()
    }
}

/// The routes: probes and metrics in every role, the API and its description where it is served.
pub fn router(state: AppState, api: bool) -> Router {
    let mut routes = OpenApiRouter::with_openapi(openapi::Description::openapi()).merge(probes());
    if api {
        routes = routes.merge(answers(&state)).merge(operator::routes()).merge(uploads());
    }
    let (router, document) = routes.split_for_parts();
    // The last layer is the outermost: whoever is refused for its query reads why, too.
    let described = query::Described::of(&document);
    let mut router = router
        .layer(middleware::from_fn_with_state(described, query::check))
        .layer(middleware::from_fn_with_state(state.shutdown.clone(), linger::linger));
    if api {
        router = router.merge(open(Router::from(openapi::page(document))));
    }
    wrap(router).with_state(state)
}

/// What every request passes, matched or not.
fn wrap<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    // The last layer is the outermost.
    router
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(SetResponseHeaderLayer::overriding(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(middleware::from_fn(observe::observe))
        .layer(SetSensitiveRequestHeadersLayer::new([AUTHORIZATION]))
}

fn probes() -> OpenApiRouter<AppState> {
    let room = Arc::new(Semaphore::new(reads::OPEN_MAX));
    OpenApiRouter::new()
        .routes(routes!(health::metrics))
        .layer(middleware::from_fn_with_state(room, reads::bound_open))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::startupz))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_MAX,
        ))
}

/// The page that describes the API, for anybody.
fn open(page: Router<AppState>) -> Router<AppState> {
    let room = Arc::new(Semaphore::new(reads::OPEN_MAX));
    page.layer(middleware::from_fn_with_state(room, reads::bound_open))
}

fn answers(state: &AppState) -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(documents::list))
        .routes(routes!(documents::one))
        .routes(routes!(results::entities))
        .routes(routes!(results::text))
        .routes(routes!(jobs::of_document, reanalyse::reanalyse))
        .routes(routes!(jobs::one, jobs::cancel))
        .routes(routes!(models::list))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_MAX,
        ))
        .layer(middleware::from_fn_with_state(state.clone(), reads::bound))
}

fn uploads() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(upload::upload))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
    use axum::response::Response;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn answer(path: &str) -> (Response<()>, serde_json::Value) {
        let slow = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_MAX);
        let router = Router::new()
            .route("/panics", get(async || -> StatusCode { panic!("a bug") }))
            .route("/hangs", get(std::future::pending::<StatusCode>).layer(slow))
            .route("/odd", get(async || (StatusCode::IM_A_TEAPOT, "a library's own words")));
        let response = wrap(router)
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let problem = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!(parts.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(parts.headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        (Response::from_parts(parts, ()), problem)
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_goes_wrong_is_a_problem() {
        let (response, problem) = answer("/panics").await;
        assert_eq!(response.status(), 500);
        assert_eq!(problem["type"], "urn:docket:problem:internal");
        assert!(!problem.to_string().contains("a bug"), "{problem}");
        let (response, problem) = answer("/hangs").await;
        assert_eq!(
            (response.status().as_u16(), &problem["type"]),
            (503, &"urn:docket:problem:unavailable".into())
        );
        assert!(response.headers().contains_key(RETRY_AFTER));
        let (response, problem) = answer("/odd").await;
        assert_eq!(
            (response.status().as_u16(), &problem["type"]),
            (418, &"about:blank".into())
        );
        assert_eq!(answer("/nothing").await.1["type"], "urn:docket:problem:not-found");
    }
}
