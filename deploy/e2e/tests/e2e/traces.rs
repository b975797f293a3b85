//! Traces: one from an upload to its result, batches linked to their jobs, no harm from an absent collector, and log lines that
//! name their trace.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use docket_contract::ids::ClientId;
use docket_contract::sharding;
use docket_e2e::api::Accepted;
use docket_e2e::collector::{Collector, Span};
use docket_e2e::system::{Program, System};
use docket_e2e::wire::Wire;
use docket_testing::{TestCertificates, TlsFront};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::LETTER;

const CALLERS_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLERS_SPAN: &str = "00f067aa0ba902b7";
/// The request, the sending of the message, and its delivery, which ends with the acknowledgement.
const OF_AN_UPLOAD: [SpanKind; 3] = [SpanKind::Server, SpanKind::Producer, SpanKind::Consumer];
/// Longest stop of an idle program: the notice of 1 s, the flush, and a busy machine.
const STOP_MAX: Duration = Duration::from_secs(15);
/// How long programs take to notice that the collector is gone or back: the exporter retries for 10 s.
const NOTICED_MAX: Duration = Duration::from_secs(60);

fn callers() -> String {
    format!("00-{CALLERS_TRACE}-{CALLERS_SPAN}-01")
}

/// Settings that export spans to a URL, several times a second.
fn exporting_to(url: &str) -> Vec<(&str, &str)> {
    vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url), ("OTEL_BSP_SCHEDULE_DELAY", "100")]
}

/// The only span of a trace with this name.
fn one<'a>(trace: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<&Span> = trace.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "spans called {name:?} in {trace:#?}");
    found[0]
}

/// Waits for a whole trace: for spans of these kinds, each of which is exported after its children. Processes export
/// independently: a worker's part may arrive before the request that began the trace.
async fn whole_trace(collector: &Collector, trace: &str, kinds: &[SpanKind]) -> Vec<Span> {
    let of_trace = |span: &&Span| span.trace == trace;
    let done = |spans: &[Span]| {
        let has = |kind: &SpanKind| spans.iter().filter(of_trace).any(|span| span.kind == *kind);
        kinds.iter().all(has)
    };
    let spans = collector.until(done).await;
    spans.iter().filter(of_trace).cloned().collect()
}

#[tokio::test]
async fn one_trace_shows_an_upload_from_its_request_to_its_result() {
    let collector = Collector::start().await;
    let url = format!("http://{}", collector.address);
    let system = System::start_set(&exporting_to(&url)).await;
    let _worker = system.worker_with(&exporting_to(&url)).await;
    let caller = system.caller("acme").await;
    let (accepted, answered) = caller.upload_traced(Some(&callers()), LETTER).await;
    caller.checked_entities(&accepted).await;
    let trace = whole_trace(&collector, CALLERS_TRACE, &OF_AN_UPLOAD).await;

    let request = one(&trace, "POST /v1/documents");
    assert_eq!((request.kind, &*request.parent), (SpanKind::Server, CALLERS_SPAN));
    assert_eq!(request.attribute("http.response.status_code"), "202");
    assert_eq!(answered, format!("00-{CALLERS_TRACE}-{}-01", request.id));
    for step in ["store", "commit"] {
        assert_eq!(one(&trace, step).parent, request.id, "{step}");
    }
    let sent = one(&trace, "send docket.jobs:ner-legal");
    assert_eq!((sent.kind, &sent.parent), (SpanKind::Producer, &request.id));
    assert_eq!(sent.attribute("messaging.operation.type"), "send");
    assert_eq!(sent.attribute("messaging.message.id"), accepted.job);
    let processed = one(&trace, "process docket.jobs:ner-legal:docket.jobs.ner-legal");
    assert_eq!((processed.kind, &processed.parent), (SpanKind::Consumer, &sent.id));
    assert_eq!(processed.attribute("messaging.system"), "rabbitmq");
    assert_eq!(processed.attribute("docket.job.outcome"), "succeeded");
    assert_eq!(processed.attribute("docket.job.attempt"), "1");
    let steps = [
        "claim",
        "model",
        "memory",
        "fetch",
        "extract",
        "language",
        "window",
        "infer",
        "decode",
        "understand",
        "store_text",
        "save",
    ];
    for step in steps
        .into_iter()
        .chain(["ack docket.jobs:ner-legal:docket.jobs.ner-legal"])
    {
        assert_eq!(one(&trace, step).parent, processed.id, "{step}");
    }
    assert_eq!(trace.len(), 5 + steps.len() + 1, "{trace:#?}");
    assert_eq!(row_of(&system, &accepted).await, answered);

    for (batch, step) in [("infer batch", "infer"), ("save batch", "save")] {
        let served = (CALLERS_TRACE.to_owned(), one(&trace, step).id.clone());
        let linked = |span: &Span| span.name == batch && span.links.contains(&served);
        let spans = collector.until(|spans| spans.iter().any(linked)).await;
        let batch = spans.iter().find(|span| linked(span)).unwrap();
        assert_ne!(batch.trace, CALLERS_TRACE);
        assert_eq!(batch.parent, "");
    }
    let request_service = (&*request.service, &*processed.service);
    assert_eq!(request_service, ("docket-producer", "docket-worker"));
    nothing_confidential(&collector.spans());
}

/// The trace context in a job's row.
async fn row_of(system: &System, accepted: &Accepted) -> String {
    let mut shard = system.shard_of(accepted).await;
    sqlx::query_scalar("select trace_parent from jobs where id::text = $1")
        .bind(&accepted.job)
        .fetch_one(&mut shard)
        .await
        .unwrap()
}

/// Asserts that no span holds the document's words, its name, its client or a token's beginning, and that no span holds log
/// lines.
fn nothing_confidential(spans: &[Span]) {
    let words = LETTER.split_whitespace().filter(|word| word.len() > 5);
    let secret: Vec<&str> = words.chain(["gonzalez.txt", "acme", "eyJ"]).collect();
    for span in spans {
        assert_eq!(span.events, 0, "{span:?}");
        assert!(
            span.conventions.starts_with("https://opentelemetry.io/schemas/"),
            "{span:?}"
        );
        for text in span.attributes.values().chain([&span.name]) {
            let held = secret.iter().find(|word| text.contains(**word));
            assert_eq!(held, None, "{span:?}");
        }
    }
}

/// The uploads wait for a worker, which finds them together. One comes through the dispatcher, long after its request.
#[tokio::test]
async fn batches_are_linked_to_the_jobs_they_serve_and_the_dispatcher_goes_on_with_a_rows_trace() {
    const JOBS: usize = 12;
    let collector = Collector::start().await;
    let url = format!("http://{}", collector.address);
    let system = System::start_set(&exporting_to(&url)).await;
    let caller = system.caller("acme").await;
    let soon = jiff::Timestamp::now() + Duration::from_secs(2);
    let mut uploads = vec![caller.upload_with(&format!("not_before={soon}"), LETTER).await];
    for _ in 1..JOBS {
        uploads.push(caller.upload(LETTER).await);
    }
    let mut settings = exporting_to(&url);
    settings.push(("DOCKET_BATCH_WINDOWS", "8"));
    let _worker = system.worker_with(&settings).await;
    for accepted in &uploads {
        caller.until(accepted, "succeeded").await;
    }
    let mut inferred = Vec::new();
    for accepted in &uploads {
        let stored = row_of(&system, accepted).await;
        let fields: Vec<&str> = stored.split('-').collect();
        let trace = whole_trace(&collector, fields[1], &OF_AN_UPLOAD).await;
        assert_eq!(one(&trace, "send docket.jobs:ner-legal").parent, fields[2]);
        inferred.push(one(&trace, "infer").id.clone());
    }
    let linked = |spans: &[Span], id: &String| {
        let mut batches = spans.iter().filter(|span| span.name == "infer batch");
        batches.any(|span| span.links.iter().any(|(_, linked)| linked == id))
    };
    let spans = collector
        .until(|spans| inferred.iter().all(|id| linked(spans, id)))
        .await;
    let shared = spans
        .iter()
        .filter(|span| span.name == "infer batch" && span.links.len() > 1);
    assert!(shared.count() > 0, "no pass served two jobs");
}

/// Two releases run side by side, of which one publishes no trace header.
#[tokio::test]
async fn a_message_without_the_header_goes_on_with_the_trace_in_its_body() {
    let collector = Collector::start().await;
    let url = format!("http://{}", collector.address);
    let system = System::start().await;
    let caller = system.caller("acme").await;
    let later = jiff::Timestamp::now() + Duration::from_secs(3_600);
    let waiting = caller.upload_with(&format!("not_before={later}"), LETTER).await;
    let client: ClientId = "acme".parse().unwrap();
    let body = serde_json::json!({
        "version": "1",
        "bucket": sharding::bucket_of(&client).number(),
        "job_id": waiting.job,
        "client_id": client,
        "model": "ner-legal",
        "trace_parent": callers(),
    });
    let _worker = system.worker_with(&exporting_to(&url)).await;
    let management = system.world.management();
    let body = body.to_string();
    let published = management.publish(&system.world.vhost, "docket.jobs", "ner-legal", &body);
    published.await.expect("it is routed");
    let trace = whole_trace(&collector, CALLERS_TRACE, &[SpanKind::Consumer]).await;
    let processed = one(&trace, "process docket.jobs:ner-legal:docket.jobs.ner-legal");
    assert_eq!(processed.parent, CALLERS_SPAN);
    assert_eq!(processed.attribute("docket.job.outcome"), "not_due");
}

#[tokio::test]
async fn a_collector_that_is_away_harms_nothing_and_is_missed_once() {
    let collector = Collector::start().await;
    let wire = Wire::to(&collector.address).await;
    let url = format!("http://{}", wire.address);
    let mut settings = exporting_to(&url);
    settings.push(("OTEL_BSP_MAX_QUEUE_SIZE", "16")); // Full at once.
    wire.set_whole(false);
    let mut system = System::start_set(&settings).await;
    let mut worker = system.worker_with(&settings).await;
    let caller = system.caller("acme").await;
    for _ in 0..8 {
        let accepted = caller.upload(LETTER).await;
        caller.checked_entities(&accepted).await;
    }
    for program in [&worker, &system.producer] {
        let lost = program.until_metrics(is_lost);
        assert!(
            tokio::time::timeout(NOTICED_MAX, lost).await.is_ok(),
            "nobody misses the collector"
        );
        let metrics = program.metrics().await;
        let [recorded, sent] = ["docket_spans_recorded_total", "docket_spans_total"].map(|name| sum(&metrics, name));
        // More spans are missing than a full queue and the batch being sent hold: the others were dropped.
        assert!(recorded - sent > 2.0 * 16.0, "{sent} of {recorded}");
    }
    wire.set_whole(true);
    let exported = async {
        let services = |spans: &[Span]| {
            spans
                .iter()
                .map(|span| span.service.clone())
                .collect::<HashSet<_>>()
                .len()
        };
        while services(&collector.spans()) < 2 {
            let accepted = caller.upload(LETTER).await;
            caller.until(&accepted, "succeeded").await;
        }
    };
    let exported = tokio::time::timeout(NOTICED_MAX, exported).await;
    assert!(exported.is_ok(), "nothing is exported again");
    // The collector may have received a batch whose answer was cut off.
    for program in [&worker, &system.producer] {
        let is_taken =
            |line: &str| line.starts_with("docket_spans_total{outcome=\"exported\"}") && !line.ends_with(" 0");
        let taken = tokio::time::timeout(NOTICED_MAX, program.until_metrics(is_taken)).await;
        assert!(taken.is_ok(), "no answer of the collector arrives");
    }
    wire.set_whole(false);
    stops_in_time(&mut worker).await;
    stops_in_time(&mut system.producer).await;
    for program in [&worker, &system.producer] {
        let lines = program.log_lines();
        let said = |text: &str| lines.iter().filter(|line| line["message"] == text).count();
        assert_eq!(said("traces are exported again"), 1);
        assert!((1..=2).contains(&said("traces are not exported")), "{lines:#?}");
    }
}

/// Whether a line of the metrics counts spans that the collector did not take.
fn is_lost(line: &str) -> bool {
    line.starts_with("docket_spans_total{outcome=\"lost\"}") && !line.ends_with(" 0")
}

/// The sum of all series of a counter.
fn sum(metrics: &str, name: &str) -> f64 {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
    let of_name = lines.filter(|rest| rest.starts_with(['{', ' ']));
    let values = of_name.filter_map(|rest| rest.rsplit_once(' ')?.1.parse::<f64>().ok());
    values.sum()
}

#[tokio::test]
async fn a_collector_whose_authority_is_in_the_file_is_trusted_and_no_other() {
    let collector = Collector::start().await;
    let certificates = TestCertificates::make().await;
    let behind: SocketAddr = collector.address.parse().unwrap();
    let front = TlsFront::start(&certificates.localhost, behind.port()).await;
    let url = format!("https://localhost:{}", front.port());
    let mut trusting = exporting_to(&url);
    trusting.push(("DOCKET_CA_FILE", certificates.ca_file.to_str().unwrap()));
    let system = System::start_set(&trusting).await;
    let worker = system.worker_with(&exporting_to(&url)).await;
    let caller = system.caller("acme").await;
    let accepted = caller.upload(LETTER).await;
    caller.until(&accepted, "succeeded").await;
    let is_upload = |span: &Span| span.name == "POST /v1/documents";
    collector.until(|spans| spans.iter().any(is_upload)).await;
    let lost = tokio::time::timeout(NOTICED_MAX, worker.until_metrics(is_lost)).await;
    assert!(lost.is_ok(), "the worker was not told to trust it");
    assert!(collector.spans().iter().all(|span| span.service == "docket-producer"));
}

#[tokio::test]
async fn a_collector_that_does_not_answer_harms_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut system = System::start_set(&exporting_to(&url)).await;
    let mut worker = system.worker_with(&exporting_to(&url)).await;
    let caller = system.caller("acme").await;
    let accepted = caller.upload(LETTER).await;
    caller.checked_entities(&accepted).await;
    silent.accept().await.unwrap(); // The program is exporting now.
    stops_in_time(&mut worker).await;
    stops_in_time(&mut system.producer).await;
}

async fn stops_in_time(program: &mut Program) {
    let told = Instant::now();
    program.terminate().await;
    assert!(told.elapsed() < STOP_MAX, "{:?}", told.elapsed());
}

#[tokio::test]
async fn log_lines_name_the_trace_of_their_request_without_a_collector_too() {
    let system = System::start().await;
    let worker = system.worker().await;
    let caller = system.caller("acme").await;
    for sent in [Some(callers()), None] {
        let (accepted, answered) = caller.upload_traced(sent.as_deref(), LETTER).await;
        caller.until(&accepted, "succeeded").await;
        let fields: Vec<&str> = answered.split('-').collect();
        let (trace, span, flags) = (fields[1], fields[2], fields[3]);
        assert_eq!(flags, "00", "a caller does not decide that something is recorded");
        assert!(sent.is_none() || trace == CALLERS_TRACE, "{answered}");
        assert_eq!(row_of(&system, &accepted).await, answered);
        let request = line(&system.producer, |line| {
            line["message"] == "answered" && line["trace_id"] == trace
        })
        .await;
        assert_eq!(request["span_id"], span);
        assert_eq!(request["span"]["http.route"], "/v1/documents");
        let settled = line(&worker, |line| line["job.id"] == accepted.job).await;
        assert_eq!(settled["trace_id"], trace, "{settled}");
        assert_ne!(settled["span_id"], span);
    }
}

/// Waits for the first log line that is as wished.
async fn line(program: &Program, wished: impl Fn(&Value) -> bool) -> Value {
    let found = async {
        loop {
            if let Some(line) = program.log_lines().into_iter().find(&wished) {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .expect("the line is written")
}
