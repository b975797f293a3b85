//! A collector of traces: receives what programs export (OTLP over HTTP) and keeps it for the test.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use docket_contract::hex::hex;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Held;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{self as wire, span::SpanKind};
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Longest wait for spans: far longer than programs delay their export.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A collector, which listens until it is dropped.
pub struct Collector {
    /// Host and port for the exporters.
    pub address: String,
    kept: Kept,
    serving: JoinHandle<()>,
}

type Kept = Arc<Mutex<Vec<Span>>>;

/// A span as it was exported.
#[derive(Debug, Clone)]
pub struct Span {
    /// Name of the span's service.
    pub service: String,
    /// URL of the semantic conventions that the span follows.
    pub conventions: String,
    /// Name of the span.
    pub name: String,
    /// The span's role between services, such as server or consumer.
    pub kind: SpanKind,
    /// Id of the trace, in hex.
    pub trace: String,
    /// Id of the span, in hex.
    pub id: String,
    /// Id of the parent span; empty at the root of a trace.
    pub parent: String,
    /// Trace and span ids of the linked spans.
    pub links: Vec<(String, String)>,
    /// Attributes, with their values as text.
    pub attributes: HashMap<String, String>,
    /// Number of events in the span.
    pub events: usize,
    /// Whether the span's status is an error.
    pub failed: bool,
}

impl Collector {
    /// Starts a collector on a port of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let kept = Kept::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(kept.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, kept, serving }
    }

    /// All spans received so far.
    pub fn spans(&self) -> Vec<Span> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the received spans are as wished; returns them.
    pub async fn until(&self, wished: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let found = async {
            loop {
                let spans = self.spans();
                if wished(&spans) {
                    return spans;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let found = tokio::time::timeout(WAIT_MAX, found).await;
        found.unwrap_or_else(|_| {
            let names: HashSet<String> = self.spans().into_iter().map(|span| span.name).collect();
            panic!("not what was wished after {WAIT_MAX:?}, only {names:?}")
        })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Span {
    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

async fn take(State(kept): State<Kept>, body: Bytes) -> Result<(), StatusCode> {
    let request = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    for of_resource in request.resource_spans {
        let resource = of_resource.resource.unwrap_or_default();
        let service = attributes(&resource.attributes)
            .remove("service.name")
            .unwrap_or_default();
        for of_scope in of_resource.scope_spans {
            let conventions = &of_scope.schema_url;
            kept.extend(of_scope.spans.iter().map(|span| read(&service, conventions, span)));
        }
    }
    Ok(())
}

fn read(service: &str, conventions: &str, span: &wire::Span) -> Span {
    let links = span.links.iter();
    let status = span.status.as_ref().map(wire::Status::code);
    Span {
        service: service.to_owned(),
        conventions: conventions.to_owned(),
        name: span.name.clone(),
        kind: span.kind(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        links: links.map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
        attributes: attributes(&span.attributes),
        events: span.events.len(),
        failed: status == Some(wire::status::StatusCode::Error),
    }
}

fn attributes(of: &[KeyValue]) -> HashMap<String, String> {
    let value = |value: Option<&AnyValue>| match value.and_then(|value| value.value.as_ref()) {
        Some(Held::StringValue(text)) => text.clone(),
        Some(Held::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    of.iter()
        .map(|pair| (pair.key.clone(), value(pair.value.as_ref())))
        .collect()
}
