//! What every request passes: `observe.rs` (id, log, metrics, error bodies), the guard against panics, `query.rs` (parameter
//! names), and then its route.

use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::{Router, middleware};
use docket_process::shutdown::Shutdown;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;

use crate::{linger, observe, openapi, query, reads};

/// Makes a service of described routes; `has_page` adds the public page of the description.
pub fn assemble(routes: OpenApiRouter, shutdown: Shutdown, has_page: bool) -> Router {
    let (router, document) = routes.split_for_parts();
    // The last layer is the outermost: a request refused for its query gets an error body, too.
    let described = query::Described::of(&document);
    let mut router = router
        .layer(middleware::from_fn_with_state(described, query::check))
        .layer(middleware::from_fn_with_state(shutdown, linger::linger));
    if has_page {
        let room = Arc::new(Semaphore::new(reads::OPEN_MAX));
        let page = Router::from(openapi::page(document));
        router = router.merge(page.layer(middleware::from_fn_with_state(room, reads::bound_open)));
    }
    wrap(router)
}

/// Adds what every request passes, with or without a route.
fn wrap(router: Router) -> Router {
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
    use axum::response::Response;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    use tower_http::timeout::TimeoutLayer;

    use super::*;
    use crate::ANSWER_MAX;

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
