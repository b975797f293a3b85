//! Checks the query of a request before its route reads it. An unknown parameter is refused: otherwise a mistyped filter would be
//! ignored and its list would show everything. The API's description says which parameters a route has, so no route can forget
//! the check.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use utoipa::openapi::OpenApi;

use crate::problem::{ApiError, Kind};

/// Characters of an unknown name that its refusal repeats: longer than any known name.
const NAME_CHARS_SHOWN: usize = 40;

/// The query parameters of every described route.
#[derive(Clone)]
pub struct Described(Arc<HashMap<Route, Vec<String>>>);

/// A method in upper case, and a path with its parameters' names.
type Route = (String, String);

impl Described {
    /// Reads the parameters from a description.
    pub fn of(document: &OpenApi) -> Self {
        let document = serde_json::to_value(document).expect("a description always serialises");
        let paths = document["paths"].as_object().into_iter().flatten();
        let routes = paths.flat_map(|(path, operations)| {
            let operations = operations.as_object().into_iter().flatten();
            operations.map(|(method, operation)| ((method.to_uppercase(), path.clone()), in_query(operation)))
        });
        Self(Arc::new(routes.collect()))
    }

    /// The problem of a request's query, if it has one. Requests of routes that are not described are not checked.
    fn refusal(&self, request: &Request) -> Option<ApiError> {
        let query = request.uri().query()?;
        let path = request.extensions().get::<MatchedPath>()?.as_str().to_owned();
        let method = if request.method() == Method::HEAD {
            &Method::GET
        } else {
            request.method()
        };
        let known = self.0.get(&(method.to_string(), path))?;
        let mut parameters = query.split('&').filter(|parameter| !parameter.is_empty());
        parameters.find_map(|parameter| check_parameter(parameter, known).err())
    }
}

fn in_query(operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
    let names = in_query.filter_map(|parameter| parameter["name"].as_str());
    names.map(str::to_owned).collect()
}

/// Refuses a request whose query has a parameter that its route does not have.
pub async fn check(State(described): State<Described>, request: Request, next: Next) -> Response {
    match described.refusal(&request) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }
}

/// Refuses what is not UTF-8: the decoder that routes use would replace it by U+FFFD.
fn check_parameter(parameter: &str, known: &[String]) -> Result<(), ApiError> {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let not_utf_8 = |what: &str| ApiError::new(Kind::INVALID_REQUEST, format!("{what} is not UTF-8 once decoded."));
    let name = decoded(name).ok_or_else(|| not_utf_8("The name of a query parameter"))?;
    if !known.iter().any(|known| *known == name) {
        return Err(unknown(&name, known));
    }
    let value = decoded(value).map(drop);
    value.ok_or_else(|| not_utf_8(&format!("The query parameter {name}")))
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok() // A "+" for a blank is UTF-8 either way.
}

fn unknown(name: &str, known: &[String]) -> ApiError {
    let shown: String = name.chars().take(NAME_CHARS_SHOWN).collect();
    let detail = if known.is_empty() {
        format!("This route has no query parameters, so none of the name {shown:?}.")
    } else {
        let known = known.join(", ");
        format!("This route has no query parameter {shown:?}; it has {known}.")
    };
    ApiError::new(Kind::INVALID_REQUEST, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_taken_by_its_name_and_in_utf_8() {
        let known = ["external_id".to_owned(), "limit".to_owned()];
        let refused = |parameter: &str| check_parameter(parameter, &known).err().map(|error| error.to_string());
        for good in [
            "limit=1",
            "limit",
            "external%5Fid=a=b",
            "external_id=M%C3%BCller+%2B+S%C3%B6hne",
            "external_id=100%",
            "external_id=",
        ] {
            assert_eq!(refused(good), None, "{good}");
        }
        for bad in ["status=failed", "Limit=1", "=1", "limit+=1", "limit[]=1"] {
            assert!(refused(bad).unwrap().contains("it has external_id, limit"), "{bad}");
        }
        for bad in ["external_id=M%FCller", "external_id=%ED%A0%80", "%FF=1"] {
            assert!(refused(bad).unwrap().contains("UTF-8"), "{bad}");
        }
        let none = check_parameter("a=b", &[]).unwrap_err().to_string();
        assert!(none.contains("no query parameters"), "{none}");
        assert!(unknown(&"a".repeat(9_000), &known).to_string().len() < 200);
    }
}
