#![doc = include_str!("../README.md")]

mod admission;
mod backlog;
mod commit;
mod documents;
mod export;
mod filter;
mod idempotent;
mod images;
mod jobs;
mod kinds;
mod models;
mod original;
mod pages;
mod problems;
mod reanalyse;
mod results;
mod schedule;
pub mod settings;
mod state;
mod things;
mod upload;
mod views;

use axum::http::StatusCode;
use axum::middleware;
use docket_http::{ANSWER_MAX, reads};
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use settings::ApiConfig;
pub use state::{ApiState, Stores};

/// The callers' routes.
pub fn routes(state: ApiState) -> OpenApiRouter {
    let answers = OpenApiRouter::new()
        .routes(routes!(documents::list))
        .routes(routes!(documents::one))
        .routes(routes!(results::entities))
        .routes(routes!(results::text))
        .routes(routes!(things::things))
        .routes(routes!(export::export))
        .routes(routes!(pages::one))
        .routes(routes!(images::image))
        .routes(routes!(original::original))
        .routes(routes!(jobs::of_document, reanalyse::reanalyse))
        .routes(routes!(jobs::one, jobs::cancel))
        .routes(routes!(models::list))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_MAX,
        ))
        .layer(middleware::from_fn_with_state(state.reads.clone(), reads::bound));
    answers.routes(routes!(upload::upload)).with_state(state)
}
