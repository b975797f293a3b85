//! Traces: which spans they have, which of those are exported, and to where.
//!
//! A trace has the spans of our own crates only: no spans of libraries, the exporter included, and no log lines. Names and
//! attributes follow OpenTelemetry's semantic conventions, where these have a word; our own attributes begin with `docket.`. No
//! attribute holds document text, a secret, a name that a caller chose, or a client's id.
//!
//! Without a collector only the spans that log lines belong to exist, and nothing is recorded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::trace::{Link, SpanKind, TraceContextExt, TraceId, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, Protocol,
    SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, IdGenerator, RandomIdGenerator, Sampler, SamplingResult, SdkTracerProvider, ShouldSample, Span,
    SpanData, SpanExporter as ExportsSpans, SpanProcessor,
};
use reqwest::Certificate;
use reqwest::blocking::Client;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use super::context::OfCaller;
use super::each_time;
use crate::metrics::{self, By};
use crate::settings::{Env, Setting};
use crate::telemetry;
use crate::tls::Roots;

/// Where traces are sent. The standard variable, which operators of OpenTelemetry set for all their programs.
pub const ENDPOINT: Setting = Setting::optional(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "URL of an OpenTelemetry collector that takes OTLP over HTTP (usually on port 4318); without this setting, no \
     trace is exported",
);
/// Part of the traces that is exported.
pub const RATIO: Setting = Setting::with_default(
    "OTEL_TRACES_SAMPLER_ARG",
    "1",
    "fraction of traces to export, from 0 to 1; a caller cannot choose whether the trace of its request is exported",
);

/// The semantic conventions that names and attributes follow. Those for messaging are still in development.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.42.0";
/// How long a stopping process waits for its last spans to be taken: a healthy collector answers in milliseconds.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// Spans that exist without a collector too, since log lines name their trace: one per request, one per delivery.
const ALWAYS: [&str; 2] = ["request", "process"];

/// A process's traces.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    exported: bool,
}

impl Traces {
    /// Makes traces by the settings of this file. OpenTelemetry's other standard variables (headers, timeout, compression, the
    /// queue, the resource) hold as the SDK reads them.
    pub(super) fn from_env(env: &Env, service: By) -> anyhow::Result<Self> {
        let ratio = env.within(&RATIO, 0.0..=1.0)?;
        let exported = env.text(&ENDPOINT)?.is_some();
        let builder = SdkTracerProvider::builder().with_resource(resource(service.as_str()));
        let builder = if exported {
            let exporter = SpanExporter::builder()
                .with_http()
                .with_http_client(client(Roots::from_env(env)?)?)
                .with_protocol(Protocol::HttpBinary)
                .build()
                .context("traces cannot be exported with these OTEL_EXPORTER_OTLP_ settings")?;
            let queue = BatchSpanProcessor::builder(Exporter::new(exporter)).build();
            builder
                .with_sampler(Sampling::of(ratio))
                .with_span_processor(Counted(queue))
        } else {
            builder.with_sampler(Sampling::of(0.0))
        };
        Ok(Self {
            provider: builder.build(),
            exported,
        })
    }

    /// Turns spans of `tracing` into spans of traces.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let scope = InstrumentationScope::builder("docket")
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_schema_url(SCHEMA_URL)
            .build();
        let exported = self.exported;
        let wanted = move |metadata: &Metadata<'_>| is_of_a_trace(metadata, exported);
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer_with_scope(scope))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(each_time(filter_fn(wanted).with_max_level_hint(LevelFilter::DEBUG)))
    }

    /// Exports the spans that are left, for two seconds at most. Nothing is exported afterwards.
    pub async fn flush(self) {
        if !self.exported {
            return;
        }
        let flushed = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(FLUSH_MAX)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last spans were not exported");
        }
    }
}

/// The HTTP client for the collector: trusts the system's roots and ours, and has the exporter's timeout. The client is built on
/// a thread of its own, because building it blocks, which threads of the runtime may not.
fn client(roots: Option<Roots>) -> anyhow::Result<Client> {
    let certificates = roots.map_or(Ok(Vec::new()), |roots| {
        Certificate::from_pem_bundle(roots.pem().as_bytes())
    });
    let builder = Client::builder().timeout(timeout()).tls_certs_merge(certificates?);
    let made = std::thread::spawn(|| builder.build()).join();
    let made = made.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    made.context("make a client for the collector of traces")
}

/// The timeout that the exporter reads from its variables. The exporter gives up then, but cannot end a call; the client can.
fn timeout() -> Duration {
    let named = [OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT];
    let set = named.into_iter().find_map(|name| std::env::var(name).ok());
    let milliseconds = set.and_then(|set| set.parse().ok());
    milliseconds.map_or(OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, Duration::from_millis)
}

fn is_of_a_trace(metadata: &Metadata<'_>, exported: bool) -> bool {
    metadata.is_span()
        && *metadata.level() <= Level::DEBUG
        && metadata.target().starts_with("docket_")
        && (exported || ALWAYS.contains(&metadata.name()))
}

fn resource(service: &str) -> Resource {
    Resource::builder_empty()
        .with_service_name(format!("docket-{service}"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()))
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()))
        .build()
}

/// Which spans are recorded. A span of a trace that another Docket process began follows that process's decision. A span with
/// links (a batch) is recorded when any linked span is. Of all others, which begin here or come from a caller, a part is
/// recorded.
#[derive(Debug, Clone)]
struct Sampling {
    part: Sampler,
    of_parent: Sampler,
}

impl Sampling {
    fn of(ratio: f64) -> Self {
        let part = Sampler::TraceIdRatioBased(ratio);
        Self {
            part: part.clone(),
            of_parent: Sampler::ParentBased(Box::new(part)),
        }
    }
}

fn is_of_caller(parent: Option<&Context>) -> bool {
    let is_remote = |parent: &Context| parent.span().span_context().is_remote();
    parent.is_some_and(|parent| parent.get::<OfCaller>().is_some() && is_remote(parent))
}

impl ShouldSample for Sampling {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        if is_of_caller(parent) {
            // Decide by a random id of our own: a caller could choose an id that is always recorded.
            let ours = RandomIdGenerator::default().new_trace_id();
            return self.part.should_sample(None, ours, name, kind, attributes, links);
        }
        let sampler = match links {
            [] => &self.of_parent,
            links if links.iter().any(|link| link.span_context.is_sampled()) => &Sampler::AlwaysOn,
            _ => &Sampler::AlwaysOff,
        };
        sampler.should_sample(parent, trace, name, kind, attributes, links)
    }
}

/// The queue before the exporter, which counts the spans it is given: a full queue drops spans unnoticed.
#[derive(Debug)]
struct Counted(BatchSpanProcessor);

impl SpanProcessor for Counted {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        metrics::span_recorded();
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// The exporter, which logs a line when the collector goes away and a line when it is back.
#[derive(Debug)]
struct Exporter {
    inner: SpanExporter,
    away: AtomicBool,
}

impl Exporter {
    fn new(inner: SpanExporter) -> Self {
        Self {
            inner,
            away: AtomicBool::new(false),
        }
    }
}

impl ExportsSpans for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.inner.export(batch).await;
        metrics::spans(spans, exported.is_ok());
        match (&exported, self.away.swap(exported.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => tracing::warn!(error = telemetry::chain(error), "traces are not exported"),
            (Ok(()), true) => tracing::info!("traces are exported again"),
            (Err(_), true) | (Ok(()), false) => {}
        }
        Ok(()) // An error would make the SDK log a line for every batch.
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceState};
    use opentelemetry_sdk::trace::SamplingDecision;

    use super::*;

    fn of(flags: TraceFlags) -> SpanContext {
        SpanContext::new(TraceId::from(1), SpanId::from(1), flags, true, TraceState::NONE)
    }

    fn is_sampled(ratio: f64, parent: Option<TraceFlags>, links: &[TraceFlags]) -> bool {
        let parent = parent.map(|flags| Context::new().with_remote_span_context(of(flags)));
        let links: Vec<Link> = links.iter().map(|flags| Link::with_context(of(*flags))).collect();
        let sampling = Sampling::of(ratio);
        let result = sampling.should_sample(
            parent.as_ref(),
            TraceId::from(1),
            "a span",
            &SpanKind::Internal,
            &[],
            &links,
        );
        result.decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn a_caller_decides_neither_that_its_trace_is_recorded_nor_that_it_is_not() {
        let sampled = |ratio: f64, flags: TraceFlags, trace: TraceId| {
            let caller = SpanContext::new(trace, SpanId::from(1), flags, true, TraceState::NONE);
            let parent = Context::new().with_value(OfCaller).with_remote_span_context(caller);
            let result = Sampling::of(ratio).should_sample(Some(&parent), trace, "", &SpanKind::Server, &[], &[]);
            result.decision == SamplingDecision::RecordAndSample
        };
        for flags in [TraceFlags::SAMPLED, TraceFlags::default()] {
            // The sampler records the lowest ids, so try both ends.
            for trace in [TraceId::from(1), TraceId::from(u128::MAX)] {
                assert!(sampled(1.0, flags, trace) && !sampled(0.0, flags, trace));
                let recorded = (0..1_000).filter(|_| sampled(0.5, flags, trace)).count();
                assert!((300..700).contains(&recorded), "{recorded} of 1000 of {trace}");
            }
        }
    }

    #[test]
    fn what_began_elsewhere_in_docket_is_decided_there_and_batches_by_their_jobs() {
        let (yes, no) = (TraceFlags::SAMPLED, TraceFlags::default());
        assert!(is_sampled(1.0, None, &[]) && !is_sampled(0.0, None, &[]));
        assert!(is_sampled(0.0, Some(yes), &[]) && !is_sampled(1.0, Some(no), &[]));
        assert!(is_sampled(0.0, None, &[no, yes]) && !is_sampled(1.0, None, &[no, no]));
    }
}
