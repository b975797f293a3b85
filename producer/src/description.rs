//! The description of the whole API (OpenAPI 3.1), made from the code that serves it.

use docket_http::openapi::Bearer;
use docket_http::problem::Problem;
use utoipa::OpenApi;

/// What all routes have in common; each route adds itself.
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
