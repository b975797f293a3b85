//! What the description (OpenAPI 3.1) of each of our APIs shares: the bearer token, the problems of routes, and the page to
//! browse the description.

use std::collections::BTreeMap;

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Ref, RefOr, Response};
use utoipa::{IntoResponses, Modify};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::problem::Kind;

/// Declares that requests carry a bearer token.
pub struct Bearer;

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

/// Path of the description.
const DOCUMENT_PATH: &str = "/v1/openapi.json";

/// The routes of the description and of its page.
pub fn page(document: utoipa::openapi::OpenApi) -> SwaggerUi {
    // Otherwise the page has the description checked by a service on the internet.
    let config = Config::default().validator_url("none");
    SwaggerUi::new("/docs").config(config).url(DOCUMENT_PATH, document)
}

/// Problems of every route that needs a token.
pub const EVERYWHERE: [Kind; 5] = [
    Kind::INVALID_REQUEST,
    Kind::UNAUTHENTICATED,
    Kind::INVALID_TOKEN,
    Kind::INTERNAL,
    Kind::UNAVAILABLE,
];

/// Describes kinds of problems, by HTTP status.
pub fn describe(kinds: impl IntoIterator<Item = Kind>) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<&'static str>>::new();
    for kind in kinds {
        by_status.entry(kind.status.as_u16()).or_default().push(kind.name);
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

/// Declares the problems of a route, beside those of every route that needs a token.
#[macro_export]
macro_rules! problems {
    ($(#[$doc:meta])* $type:ident: $($kind:expr),* $(,)?) => {
        $(#[$doc])*
        pub struct $type;

        impl utoipa::IntoResponses for $type {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                $crate::openapi::describe($crate::openapi::EVERYWHERE.into_iter().chain([$($kind),*]))
            }
        }
    };
}

/// The problems of a probe that may fail.
pub struct ProbeProblems;

impl IntoResponses for ProbeProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        describe([Kind::INVALID_REQUEST, Kind::NOT_READY])
    }
}

/// The problems of a route that needs no token and always answers.
pub struct OpenProblems;

impl IntoResponses for OpenProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        describe([Kind::INVALID_REQUEST])
    }
}
