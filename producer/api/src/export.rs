//! A document's entities in the format of another tool, as a stream.
//!
//! What the formats are, `docket-export` knows. `feed.rs` reads what they need.

mod feed;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use docket_contract::ids::{DocumentId, JobId};
use docket_export::Format;
use docket_process::telemetry;
use docket_store::read::{documents, reading};
use futures::stream;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::filter::Asked;
use crate::original::disposition;
use crate::problems::ExportProblems;
use crate::results::analysed;
use crate::state::ApiState;
use docket_http::caller::Caller;
use docket_http::extract::{Id, Params};
use docket_http::problem::{ApiError, Kind};
use feed::Feed;

/// Which format, and which entities.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `jsonl`, `csv`, `web-annotation`, `label-studio`, `doccano`, `spacy`, `opencontracts`, `brat` or `conll`.
    #[param(required = true, example = "jsonl")]
    format: Option<String>,
    /// The analysis to export: a job of the document. By default the newest that succeeded.
    job_id: Option<Uuid>,
    /// Only entities with this label.
    label: Option<String>,
    /// Only entities whose `score` is at least this, 0 to 1.
    #[param(minimum = 0, maximum = 1)]
    min_score: Option<f32>,
    /// Only entities in this region of the document.
    region: Option<String>,
    /// Only entities that the `model` found, those that no more than a `recogniser` found, or those that were `carried`.
    source: Option<String>,
    /// Only mentions of this thing: the `id` of its first mention.
    #[param(minimum = 1)]
    canonical: Option<i32>,
}

/// Export
///
/// The entities of an analysis in the format of another tool, where the format has it with the text. The answer is a stream: a
/// connection that breaks before the answer's end means that the file is not complete.
#[utoipa::path(
    get,
    path = "/v1/documents/{document_id}/export",
    operation_id = "export_document",
    tag = "documents",
    params(("document_id" = Uuid, Path, description = "The document."), ExportQuery),
    responses(
        (status = 200, description = "The file.", content(
            (String = "application/x-ndjson"), (String = "text/csv"), (String = "application/ld+json"),
            (String = "application/json"), (Vec<u8> = "application/zip"), (String = "text/plain"),
        )),
        ExportProblems,
    )
)]
pub async fn export(
    caller: Caller,
    Id(id): Id,
    Params(query): Params<ExportQuery>,
    State(state): State<ApiState>,
) -> Result<Response, ApiError> {
    let format = format(query.format.as_deref())?;
    let asked = Asked {
        label: query.label,
        min_score: query.min_score,
        region: query.region,
        source: query.source,
        canonical: query.canonical,
    };
    let wanted = asked.page(0, feed::ENTITIES_READ)?;
    let document = DocumentId(id);
    let mut tx = reading::begin(&state.shards, caller.bucket).await?;
    let job = analysed(&mut tx, &caller, document, query.job_id.map(JobId)).await?;
    let source = documents::source(&mut tx, caller.bucket, document, &caller.client).await?;
    drop(tx);
    let source = source.ok_or_else(ApiError::not_found)?;
    let name = file_name(source.file_name.as_deref(), document, format);
    let mut feed = Feed::open(state, caller, (job, source), (format, wanted)).await?;
    // An error up to here has an answer of its own. From the first byte on, it can only break the connection.
    let first = feed.next().await?;
    Ok((headers(format, &name), body(first, feed)).into_response())
}

fn format(name: Option<&str>) -> Result<Format, ApiError> {
    name.and_then(Format::named).ok_or_else(|| {
        let known = Format::WORDS.join(", ");
        ApiError::new(Kind::INVALID_REQUEST, format!("format must be one of {known}."))
    })
}

/// The document's name, or else its id, with the format's ending.
fn file_name(name: Option<&str>, document: DocumentId, format: Format) -> String {
    let stem = name.map(|name| name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    let stem = stem.filter(|stem| !stem.is_empty()).map(str::to_owned);
    let stem = stem.unwrap_or_else(|| document.to_string());
    format!("{stem}.{}", format.ending())
}

fn headers(format: Format, name: &str) -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (CONTENT_DISPOSITION, disposition(Some(name))),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ])
}

fn body(first: Option<Bytes>, feed: Feed) -> Body {
    let rest = stream::try_unfold((first, feed), |(first, mut feed)| async move {
        let piece = match first {
            Some(first) => Some(first),
            None => feed.next().await.inspect_err(|error| {
                let error = telemetry::chain(error);
                tracing::warn!(error, "an export broke off");
            })?,
        };
        Ok::<_, ApiError>(piece.map(|piece| (piece, (None, feed))))
    });
    Body::from_stream(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_the_document() {
        let id = DocumentId(Uuid::nil());
        let named = |name| file_name(name, id, Format::Csv);
        assert_eq!(named(Some("M\u{fc}ller.v2.pdf")), "M\u{fc}ller.v2.csv");
        assert_eq!(named(Some("lease")), "lease.csv");
        let unnamed = "00000000-0000-0000-0000-000000000000.csv";
        assert_eq!([named(None), named(Some(".pdf"))], [unnamed, unnamed]);
    }

    #[test]
    fn formats_are_named_where_one_is_missing_or_unknown_and_in_the_description() {
        for asked in [None, Some("xml"), Some("JSONL")] {
            let told = format(asked).unwrap_err().to_string();
            assert!(told.contains("jsonl, csv, web-annotation"), "{told}");
        }
        let parameters = ExportQuery::into_params(|| None);
        let description = parameters[0].description.as_deref().unwrap();
        for word in Format::WORDS {
            assert!(description.contains(&format!("`{word}`")), "{word}");
        }
    }
}
