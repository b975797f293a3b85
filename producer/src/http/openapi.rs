//! The API's description (OpenAPI 3.1), made from the code that serves it, and the page to browse it.

use std::collections::BTreeMap;

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Ref, RefOr, Response};
use utoipa::{IntoResponses, Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::error::{Kind, Problem};

/// What all routes have in common; the routes add themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Docket",
        description = "Upload legal documents, and read the people, organisations, courts, statutes, dates and amounts \
            that are found in them. Every path under /v1 needs a bearer token; the token says whose documents are meant. \
            Those under /v1/operator need an operator's token, whose scope has docket:operator and which opens no others. \
            A query parameter, or a field of a body, that a route does not have is refused. Errors are problems of RFC 9457, \
            and their types never change.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "documents", description = "What is uploaded, and what was found in it."),
        (name = "jobs", description = "Analyses."),
        (name = "models", description = "What reads documents."),
        (name = "operations", description = "For those who run the service."),
        (name = "dead jobs", description = "For operators: failed and expired jobs of every client."),
        (name = "parked messages", description = "For operators: messages that named no job."),
        (name = "controls", description = "For operators: pauses, weights and caps."),
        (name = "audit", description = "For operators: what operators did."),
    ),
    components(schemas(Problem)),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
pub struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let scheme = scheme
            .description(Some("A JSON Web Token that names the client, or one of an operator."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Where the description is served.
const DOCUMENT_PATH: &str = "/v1/openapi.json";

/// The routes of the description and of the page.
pub fn page(document: utoipa::openapi::OpenApi) -> SwaggerUi {
    // Without this the page would have the description checked by a service on the internet.
    let config = Config::default().validator_url("none");
    SwaggerUi::new("/docs").config(config).url(DOCUMENT_PATH, document)
}

/// What can go wrong on every route that needs a token.
const EVERYWHERE: [Kind; 5] = [
    Kind::InvalidRequest,
    Kind::Unauthenticated,
    Kind::InvalidToken,
    Kind::Internal,
    Kind::Unavailable,
];

/// Describes kinds of problems by their status.
fn describe(kinds: impl IntoIterator<Item = Kind>) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<&'static str>>::new();
    for kind in kinds {
        let described = kind.describe();
        by_status
            .entry(described.status.as_u16())
            .or_default()
            .push(described.name);
    }
    let problem = || {
        ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build()
    };
    let response = |(status, names): (u16, Vec<&str>)| {
        let description = format!("A problem of the type {}.", names.join(" or "));
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", problem());
        (status.to_string(), RefOr::T(response.build()))
    };
    by_status.into_iter().map(response).collect()
}

macro_rules! problems {
    (for operators: $(#[$doc:meta])* $type:ident, $($kind:ident),* $(,)?) => {
        problems!(@of NotOperator, $(#[$doc])* $type, $($kind),*);
    };
    (@of $refusal:ident, $(#[$doc:meta])* $type:ident, $($kind:ident),*) => {
        $(#[$doc])*
        pub struct $type;

        impl IntoResponses for $type {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                describe(EVERYWHERE.into_iter().chain([Kind::$refusal, $(Kind::$kind),*]))
            }
        }
    };
    ($(#[$doc:meta])* $type:ident, $($kind:ident),* $(,)?) => {
        problems!(@of NoClient, $(#[$doc])* $type, $($kind),*);
    };
}

problems!(
    /// Of one thing by its id, and of a list of what it has.
    ReadProblems,
    NotFound,
    TooManyRequests,
    Overloaded
);
problems!(
    /// Of a list.
    ListProblems,
    TooManyRequests,
    Overloaded
);
problems!(
    /// Of the result of an analysis.
    ResultProblems,
    NotFound,
    NotAnalysed,
    TooManyRequests,
    Overloaded
);
problems!(
    /// Of another analysis of a document.
    ReanalysisProblems,
    NotFound,
    BodyTimedOut,
    IdempotencyInProgress,
    TooManyAnalyses,
    InvalidField,
    UnknownModel,
    IdempotencyMismatch,
    BacklogFull,
    TooManyRequests,
    Overloaded
);
problems!(
    /// Of a cancellation.
    CancelProblems,
    NotFound,
    AlreadyEnded,
    TooManyRequests,
    Overloaded
);
problems!(
    /// Of an upload.
    UploadProblems,
    BodyTimedOut,
    IdempotencyInProgress,
    PayloadTooLarge,
    UnsupportedMediaType,
    InvalidField,
    EmptyDocument,
    TooManyDocuments,
    UnknownModel,
    IdempotencyMismatch,
    BacklogFull,
    Overloaded
);
problems!(
    for operators:
    /// Of an operator's list.
    OperatorListProblems,
);
problems!(
    for operators:
    /// Of what an operator names in the path or in a filter.
    OperatorNamedProblems,
    NotFound
);
problems!(
    for operators:
    /// Of what an operator asks for in a body.
    OperatorActionProblems,
    NotFound,
    BodyTimedOut,
    InvalidField
);

/// Of a probe that may say no.
pub struct ProbeProblems;

impl IntoResponses for ProbeProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        describe([Kind::InvalidRequest, Kind::NotReady])
    }
}

/// Of a route without a token that always answers.
pub struct OpenProblems;

impl IntoResponses for OpenProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        describe([Kind::InvalidRequest])
    }
}
