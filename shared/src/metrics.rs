//! Every metric's name, and one function an event. Names follow Prometheus (base units, `_total` for counters). No label
//! ever holds a client's id: the number of clients has no bound.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const BUILD_INFO: &str = "docket_build_info";
const WRONG_SHARD: &str = "docket_wrong_shard_total";
const UPLOADS: &str = "docket_uploads_total";
const UPLOAD_SECONDS: &str = "docket_upload_seconds";
const HTTP_REQUESTS: &str = "docket_http_requests_total";
const HTTP_SECONDS: &str = "docket_http_request_seconds";
const PUBLISHED: &str = "docket_messages_published_total";
const PUBLISH_FAILED: &str = "docket_publish_failures_total";
const DISPATCH_ACTING: &str = "docket_dispatch_acting";
const DISPATCH_CLIENTS: &str = "docket_dispatch_waiting_clients";
const BACKLOG_JOBS: &str = "docket_backlog_jobs";
const BACKLOG_BYTES: &str = "docket_backlog_bytes";
const BACKLOG_OLDEST: &str = "docket_backlog_oldest_seconds";
const WORK_WAITING: &str = "docket_work_waiting_seconds";
const WORKER_SPEED: &str = "docket_worker_tokens_per_second";
const QUEUE_READY: &str = "docket_queue_ready_messages";
const REPAIRED: &str = "docket_repaired_rows_total";
const PARKED: &str = "docket_parked_messages_total";
const CONNECTED: &str = "docket_broker_connected";
const JOBS: &str = "docket_jobs_total";
const JOB_SECONDS: &str = "docket_job_seconds";
const JOBS_RUNNING: &str = "docket_jobs_running";
const INTAKE_LIMIT: &str = "docket_worker_intake_limit";
const STALLED: &str = "docket_worker_stalled_seconds";
const STAGE_SECONDS: &str = "docket_stage_seconds";
const TOKENS: &str = "docket_model_tokens_total";
const RESULTS_TOGETHER: &str = "docket_results_together";
const MODEL_SERVING: &str = "docket_model_serving";
const MODEL_REFUSED: &str = "docket_model_refusals_total";
const HEARTBEAT_FAILED: &str = "docket_heartbeat_failures_total";

/// Describes every metric to Prometheus.
pub fn describe() {
    describe_gauge!(BUILD_INFO, "1, with the version and the service as labels");
    describe_counter!(
        WRONG_SHARD,
        "transactions refused by a shard that does not own the bucket"
    );
    describe_counter!(UPLOADS, "uploads by outcome");
    describe_histogram!(
        UPLOAD_SECONDS,
        Unit::Seconds,
        "time of an accepted upload, from headers to answer"
    );
    describe_counter!(HTTP_REQUESTS, "requests by route and status class");
    describe_histogram!(HTTP_SECONDS, Unit::Seconds, "time of a request by route");
    describe_counter!(PUBLISHED, "job messages confirmed by the broker, by path");
    describe_counter!(PUBLISH_FAILED, "job messages not confirmed, by reason");
    describe_gauge!(DISPATCH_ACTING, "1 where this process is the dispatcher of the shard");
    describe_gauge!(DISPATCH_CLIENTS, "clients with work waiting, as the last scan saw them");
    describe_gauge!(BACKLOG_JOBS, "jobs of a shard that have not ended, by model");
    describe_gauge!(BACKLOG_BYTES, Unit::Bytes, "bytes of their documents");
    describe_gauge!(
        BACKLOG_OLDEST,
        Unit::Seconds,
        "for how long the oldest of them has been due"
    );
    describe_gauge!(
        WORK_WAITING,
        Unit::Seconds,
        "how long one worker would take for what can be done now of a shard's jobs of a model, running ones included"
    );
    describe_gauge!(WORKER_SPEED, "tokens a second of one worker, as workers said last");
    describe_gauge!(QUEUE_READY, "messages ready in a model's queue");
    describe_counter!(REPAIRED, "rows that the sweeper repaired, by what was wrong");
    describe_counter!(PARKED, "messages of the dead queue, by what became of them");
    describe_gauge!(CONNECTED, "1 while connected to the broker, by use");
    describe_counter!(JOBS, "deliveries settled by a worker, by outcome");
    describe_histogram!(RESULTS_TOGETHER, "results written in one transaction");
    describe_gauge!(
        MODEL_SERVING,
        "1 for the version of a model that this worker serves, 0 for earlier ones"
    );
    describe_counter!(MODEL_REFUSED, "published versions that could not be used");
    describe_histogram!(JOB_SECONDS, Unit::Seconds, "time from a claim to its end, by outcome");
    describe_gauge!(JOBS_RUNNING, "jobs claimed by this worker");
    describe_gauge!(
        INTAKE_LIMIT,
        "jobs that this worker takes at a time; less than usual while object storage is overloaded"
    );
    describe_gauge!(
        STALLED,
        Unit::Seconds,
        "how long this worker has had jobs in hand without getting anywhere"
    );
    describe_histogram!(STAGE_SECONDS, Unit::Seconds, "time of a job's stage");
    describe_counter!(TOKENS, "tokens of text that were read by the model, each counted once");
    describe_counter!(HEARTBEAT_FAILED, "heartbeats that a shard did not take");
}

/// Which build of which service this is.
pub fn build_info(service: &'static str) {
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION"), "service" => service).set(1.0);
}

/// A shard refused a bucket.
pub fn wrong_shard(shard: &str) {
    counter!(WRONG_SHARD, "shard" => shard.to_owned()).increment(1);
}

/// An upload ended with this HTTP status.
pub fn upload(status: u16, elapsed: Duration) {
    counter!(UPLOADS, "status" => status.to_string()).increment(1);
    if status == 202 {
        histogram!(UPLOAD_SECONDS).record(elapsed);
    }
}

/// A request was answered. `route` is the pattern, never the path.
pub fn http_request(route: &str, status: u16, elapsed: Duration) {
    let class = match status / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    counter!(HTTP_REQUESTS, "route" => route.to_owned(), "status" => class).increment(1);
    histogram!(HTTP_SECONDS, "route" => route.to_owned()).record(elapsed);
}

/// Messages were confirmed; `path` is `dispatcher` or `handover`.
pub fn published(path: &'static str, messages: u64) {
    counter!(PUBLISHED, "path" => path).increment(messages);
}

/// A message was not confirmed.
pub fn publish_failed(reason: &'static str) {
    counter!(PUBLISH_FAILED, "reason" => reason).increment(1);
}

/// Whether this process is the dispatcher of a shard.
pub fn acting(shard: &str, acts: bool) {
    gauge!(DISPATCH_ACTING, "shard" => shard.to_owned()).set(f64::from(u8::from(acts)));
}

/// What a scan of a shard saw.
pub fn waiting_clients(shard: &str, clients: usize) {
    gauge!(DISPATCH_CLIENTS, "shard" => shard.to_owned()).set(clients as f64);
}

/// What a shard has of a model: jobs, bytes, and seconds since the oldest became due.
pub fn backlog(shard: &str, model: &str, (jobs, bytes, oldest): (f64, f64, f64)) {
    let labels = [("shard", shard.to_owned()), ("model", model.to_owned())];
    gauge!(BACKLOG_JOBS, &labels).set(jobs);
    gauge!(BACKLOG_BYTES, &labels).set(bytes);
    gauge!(BACKLOG_OLDEST, &labels).set(oldest);
}

/// What one worker would take for a shard's work of a model, in seconds.
pub fn work_waiting(shard: &str, model: &str, seconds: f64) {
    gauge!(WORK_WAITING, "shard" => shard.to_owned(), "model" => model.to_owned()).set(seconds);
}

/// What one worker reads.
pub fn worker_speed(model: &str, tokens_per_second: f64) {
    gauge!(WORKER_SPEED, "model" => model.to_owned()).set(tokens_per_second);
}

/// Depth of a model's queue.
pub fn queue_ready(model: &str, messages: u32) {
    gauge!(QUEUE_READY, "model" => model.to_owned()).set(f64::from(messages));
}

/// The sweeper repaired rows.
pub fn repaired(what: &'static str, rows: u64) {
    counter!(REPAIRED, "what" => what).increment(rows);
}

/// A message of the dead queue was dealt with: `requeued`, `ended` or `parked`.
pub fn dead_message(outcome: &'static str) {
    counter!(PARKED, "outcome" => outcome).increment(1);
}

/// Whether a connection to the broker stands; `connection` is `publish`, or the queue that is consumed.
pub fn connected(connection: &str, stands: bool) {
    gauge!(CONNECTED, "connection" => connection.to_owned()).set(f64::from(u8::from(stands)));
}

/// A delivery was settled.
pub fn job_settled(outcome: &'static str, elapsed: Option<Duration>) {
    counter!(JOBS, "outcome" => outcome).increment(1);
    if let Some(elapsed) = elapsed {
        histogram!(JOB_SECONDS, "outcome" => outcome).record(elapsed);
    }
}

/// Jobs claimed now.
pub fn jobs_running(jobs: usize) {
    gauge!(JOBS_RUNNING).set(jobs as f64);
}

/// Jobs that are taken at a time.
pub fn intake_limit(jobs: f64) {
    gauge!(INTAKE_LIMIT).set(jobs.floor());
}

/// No job in hand got anywhere for this long.
pub fn stalled(time: Duration) {
    gauge!(STALLED).set(time.as_secs_f64());
}

/// A stage of a job took this long.
pub fn stage(stage: &'static str, elapsed: Duration) {
    histogram!(STAGE_SECONDS, "stage" => stage).record(elapsed);
}

/// Text was read.
pub fn tokens(tokens: u64) {
    counter!(TOKENS).increment(tokens);
}

/// So many results were written in one transaction.
pub fn results_written(results: usize) {
    histogram!(RESULTS_TOGETHER).record(results as f64);
}

/// A version of a model is served from now on, or no longer.
pub fn model_serving(model: &str, version: &str, serves: bool) {
    let labels = [("model", model.to_owned()), ("version", version.to_owned())];
    gauge!(MODEL_SERVING, &labels).set(f64::from(u8::from(serves)));
}

/// A published version could not be used.
pub fn model_refused(model: &str) {
    counter!(MODEL_REFUSED, "model" => model.to_owned()).increment(1);
}

/// A heartbeat failed.
pub fn heartbeat_failed(shard: &str) {
    counter!(HEARTBEAT_FAILED, "shard" => shard.to_owned()).increment(1);
}
