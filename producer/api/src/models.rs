//! The models that callers can name: the list, and the lookup of one.

use std::collections::BTreeMap;

use crate::kinds;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use docket_contract::ids::ModelRef;
use docket_contract::language::Language;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problems::ListProblems;
use crate::state::ApiState;
use docket_http::caller::Caller;
use docket_http::conditional;
use docket_http::problem::{ApiError, Kind};
use docket_objects::published::{Lookup, Published};

/// Parses a model as a caller names it: `name` or `name@version`.
pub fn parse(named: &str) -> Result<ModelRef, ApiError> {
    let unknown = |_| ApiError::new(kinds::UNKNOWN_MODEL, "No model has such a name or such a version.");
    named.parse().map_err(unknown)
}

/// Parses a language as a caller names it.
pub fn language(named: &str) -> Result<Language, ApiError> {
    named
        .parse()
        .map_err(|error| ApiError::new(Kind::INVALID_FIELD, format!("{error}.")))
}

/// Refuses a model that is not published.
pub async fn require(state: &ApiState, model: &ModelRef) -> Result<(), ApiError> {
    let detail = match state.models.lookup(model).await? {
        Lookup::Published => return Ok(()),
        Lookup::NoModel => format!("No model {} is published.", model.name),
        Lookup::NoVersion => format!("No version {model} of the model is published."),
    };
    Err(ApiError::new(kinds::UNKNOWN_MODEL, detail))
}

/// A model that reads documents.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Model {
    /// Its name.
    #[schema(examples("ner-legal"))]
    pub name: String,
    /// The current version, for uploads that name no version; null when an upload must name a version.
    #[schema(examples("2"))]
    pub version: Option<String>,
    /// Every version that can be named, the one published last first.
    pub versions: Vec<String>,
    /// What it is for, in a line, as its author says of `version`.
    pub description: Option<String>,
    /// The languages that it reads, as BCP 47 codes, as its author says of `version`; empty when its author does not say.
    #[schema(examples(json!(["en"])))]
    pub languages: Vec<String>,
    /// Under which terms it may be used, as its author says of `version`.
    pub licence: Option<String>,
}

impl From<&Published> for Model {
    fn from(model: &Published) -> Self {
        let about = model.about.as_ref();
        Self {
            name: model.name.to_string(),
            version: model.current.as_ref().map(ToString::to_string),
            versions: model.versions.iter().map(ToString::to_string).collect(),
            description: about.map(|about| about.description.clone()),
            languages: about.map(|about| about.languages.clone()).unwrap_or_default(),
            licence: about.map(|about| about.licence.clone()),
        }
    }
}

/// The models that can be named in an upload.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Models {
    /// The model of uploads that name none, as `name` or `name@version`.
    pub default: String,
    /// The models of uploads that name none and one of these languages, by the language.
    pub default_by_language: BTreeMap<String, String>,
    /// The models, by name.
    pub models: Vec<Model>,
}

/// Models
///
/// What can be named in an upload, by name.
#[utoipa::path(
    get,
    path = "/v1/models",
    operation_id = "list_models",
    tag = "models",
    params(("if-none-match" = Option<String>, Header, description = "Entity tag of what the caller has.")),
    responses(
        (status = 200, description = "The models.", body = Models, headers(("etag", description = "Its entity tag."))),
        (status = 304, description = "The caller has it."),
        ListProblems,
    )
)]
pub async fn list(_: Caller, State(state): State<ApiState>, headers: HeaderMap) -> Result<Response, ApiError> {
    let published = state.models.published().await?;
    let by_language = state.model_defaults.by_language();
    let by_language = by_language.map(|(language, model)| (language.to_string(), model.to_string()));
    let answer = Models {
        default: state.model_defaults.general().to_string(),
        default_by_language: by_language.collect(),
        models: published.iter().map(Model::from).collect(),
    };
    conditional::json(&headers, &answer)
}
