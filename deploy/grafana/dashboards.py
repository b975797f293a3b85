#!/usr/bin/env python3
"""Writes dashboards/*.json; with --check only says whether they are what it would write. Standard library alone.

A dashboard is a list of rows, a row a title and its panels, a panel a title, its queries and what they mean. Places, ids and all
that Grafana wants besides are made here. $shard and $model are variables of every dashboard; both take several values.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
RUNBOOKS = "${runbooks}"
# Where panels' runbooks are unless a reader says otherwise: give the URL under which people open deploy/runbooks.
RUNBOOKS_AT = "deploy/runbooks"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Of Grafana 12.2 and 13; earlier ones read it too.
SCHEMA = 42
WIDTH, HEIGHT = 24, 8

SHARD = 'shard=~"$shard"'
MODEL = 'model=~"$model"'
BOTH = f"{SHARD}, {MODEL}"
RATE = "[$__rate_interval]"


def rate(metric, by="", where=""):
    """The rate of a counter, summed up."""
    return f"sum{f' by ({by}) ' if by else ''}(rate({metric}{{{where}}}{RATE}))"


def quantile(q, histogram, by="", where=""):
    """A quantile of a histogram."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{{{where}}}{RATE})))"


def mean(histogram, by, where=""):
    """The mean of a histogram."""
    return f"{rate(histogram + '_sum', by, where)} / {rate(histogram + '_count', by, where)}"


def quantiles(histogram, where=""):
    """The quantiles that one looks at, as queries."""
    return [(quantile(q, histogram, where=where), name) for q, name in [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")]]


def panel(title, about, queries, unit="short", **more):
    """A panel. Queries are pairs of an expression and a legend."""
    return {"title": title, "about": about, "queries": queries, "unit": unit, **more}


def thresholds(*steps):
    """Green, then (colour, from this value on)."""
    return {
        "mode": "absolute",
        "steps": [{"color": "green", "value": None}, *({"color": color, "value": value} for color, value in steps)],
    }


OVERVIEW = [
    (
        "Objectives",
        [
            panel(
                "Uploads that failed, 6 h",
                "Share of uploads that failed through no mistake of the caller. The objective is at most 0.01%.",
                [("docket:uploads_failed:ratio_rate6h", "failed")],
                "percentunit",
                kind="stat",
                steps=[("orange", 0.0001), ("red", 0.0006)],
                runbook="accept-slo",
            ),
            panel(
                "Uploads above 0.5 s, 6 h",
                "The objective is at most 1%.",
                [("docket:uploads_slow:ratio_rate6h", "slow")],
                "percentunit",
                kind="stat",
                steps=[("orange", 0.01), ("red", 0.06)],
                runbook="accept-slo",
            ),
            panel(
                "Interactive results above 1 min, 6 h",
                "The objective is at most 5%.",
                [("docket:results_slow:ratio_rate6h", "slow")],
                "percentunit",
                kind="stat",
                steps=[("orange", 0.05), ("red", 0.3)],
                runbook="oldest-job",
            ),
            panel(
                "Oldest interactive job",
                "Time since the oldest waiting job became due. Paused jobs do not count.",
                [(f'max(shard_model_priority:docket_backlog_oldest_waiting_seconds:max{{priority="interactive", {BOTH}}})', "oldest")],
                "s",
                kind="stat",
                steps=[("orange", 60), ("red", 900)],
                runbook="oldest-job",
            ),
            panel(
                "Burn rate of the accept budget",
                "1 uses the budget of 30 days up in 30 days. A page comes when an hour and its last 5 minutes are above 14.4.",
                [(f"docket:uploads_failed:ratio_rate{window} / 0.0001", window) for window in ["5m", "1h", "6h", "3d"]],
                "short",
                steps=[("red", 14.4)],
                runbook="accept-slo",
            ),
            panel(
                "Time of an accepted upload",
                "From its headers to its 202. The objective is 0.5 s for 99 of 100.",
                quantiles("docket_upload_seconds"),
                "s",
                steps=[("red", 0.5)],
                runbook="accept-slo",
            ),
            panel(
                "Time to result",
                "From an upload's acceptance, or the job's due time if later, to the stored result.",
                [
                    (quantile(q, "docket_time_to_result_seconds", "priority"), f"{{{{priority}}}} {name}")
                    for q, name in [(0.5, "p50"), (0.95, "p95")]
                ],
                "s",
                steps=[("red", 60)],
                runbook="oldest-job",
            ),
        ],
    ),
    (
        "Throughput",
        [
            panel("Uploads", "By class of status.", [(rate("docket_uploads_total", "status"), "{{status}}")], "reqps", stack=True),
            panel(
                "Deliveries settled by workers",
                "By what became of them.",
                [(rate("docket_jobs_total", "outcome") + " > 0", "{{outcome}}")],
                "ops",
                stack=True,
            ),
            panel(
                "Text read",
                "Tokens of the texts of jobs that succeeded, each counted once.",
                [(rate("docket_model_tokens_total", "model", MODEL), "{{model}}")],
                "tokens/s",
            ),
            panel(
                "Backlog",
                "Jobs that have not ended, on all chosen shards.",
                [(f"sum by (model) (shard_model:docket_backlog_jobs:max{{{BOTH}}})", "{{model}}")],
                stack=True,
            ),
            panel(
                "Errors of jobs",
                "By reason. A failed job stays failed until an operator acts.",
                [(rate("docket_job_errors_total", "reason, then"), "{{reason}}, {{then}}")],
                "ops",
                runbook="failed-jobs-growing",
            ),
            panel(
                "Jobs that expire",
                "Past their deadline, or after a day of waiting and trying. Over half an hour.",
                [("docket:jobs_expired:rate30m", "expired")],
                "ops",
                runbook="failed-jobs-growing",
            ),
            panel(
                "Producers that are ready",
                "Ready producers of each role. Without a ready producer of the role api no upload is accepted, and no process counts the refusals.",
                [("sum by (role) (docket_ready)", "{{role}}")],
                runbook="accept-slo",
            ),
            panel(
                "Processes",
                "How many of each service and release run.",
                [("count by (service, version) (docket_build_info)", "{{service}} {{version}}")],
            ),
        ],
    ),
    (
        "Requests",
        [
            panel(
                "Requests",
                "By route.",
                [(rate("docket_http_requests_total", "method, route"), "{{method}} {{route}}")],
                "reqps",
            ),
            panel(
                "Requests that failed",
                "Answers of class 5xx by route.",
                [(rate("docket_http_requests_total", "method, route", 'status="5xx"'), "{{method}} {{route}}")],
                "reqps",
                runbook="accept-slo",
            ),
            panel(
                "Time of requests, p95",
                "Until the answer begins, by route.",
                [(quantile(0.95, "docket_http_request_seconds", "method, route"), "{{method}} {{route}}")],
                "s",
            ),
            panel("Requests in flight", "Not answered yet.", [("docket_http_requests_in_flight", "{{instance}}")]),
            panel(
                "Memory of processes",
                "Resident memory. A worker needs at most the memory of its models, `DOCKET_MEMORY_BYTES`, and some more.",
                [("process_resident_memory_bytes", "{{job}} {{instance}}")],
                "bytes",
            ),
            panel(
                "CPU of processes",
                "Cores in use.",
                [("rate(process_cpu_seconds_total[$__rate_interval])", "{{job}} {{instance}}")],
                "short",
            ),
            panel(
                "Open files of processes",
                "Share of the open files that the system allows.",
                [("process_open_fds / process_max_fds", "{{job}} {{instance}}")],
                "percentunit",
                steps=[("red", 0.8)],
            ),
        ],
    ),
]

PIPELINE = [
    (
        "Stages",
        [
            panel(
                "Time in each stage, p95",
                "`infer` includes the wait for a free session of the model.",
                [(quantile(0.95, "docket_stage_seconds", "stage"), "{{stage}}")],
                "s",
            ),
            panel(
                "Where a job's time goes",
                "Seconds a second that jobs spend in each stage, all workers together.",
                [(rate("docket_stage_seconds_sum", "stage"), "{{stage}}")],
                "short",
                stack=True,
            ),
            panel(
                "Time of a job",
                "From claim to end, by what became of it.",
                [(quantile(0.95, "docket_job_seconds", "outcome", 'outcome=~"succeeded|failed|retried"'), "{{outcome}} p95")],
                "s",
            ),
            panel(
                "Results written together",
                "Results of one transaction; more than one when a worker is busy.",
                [(mean("docket_results_together", "instance"), "{{instance}}")],
            ),
        ],
    ),
    (
        "Documents",
        [
            panel(
                "Documents by kind",
                "Documents that were read, by what they are by their content.",
                [(rate("docket_documents_total", "media_type"), "{{media_type}}")],
                "ops",
            ),
            panel(
                "Documents by language",
                "Documents that were read, by the language of their text; `und` is not known.",
                [(rate("docket_document_languages_total", "language") + " > 0", "{{language}}")],
                "ops",
            ),
            panel(
                "Documents in another language",
                "Documents that were read although their text is in another language than their model reads.",
                [(rate("docket_documents_in_other_language_total", "instance"), "{{instance}}")],
                "ops",
            ),
            panel(
                "Pages",
                "Pages that were read, by how their text was had or why there is none.",
                [(rate("docket_pages_total", "reading"), "{{reading}}")],
                "ops",
            ),
            panel(
                "Pictures for OCR",
                "Pictures of pages that OCR was given, by how that ended. A page that reads badly is turned and given again.",
                [(rate("docket_ocr_pictures_total", "outcome"), "{{outcome}}")],
                "ops",
                runbook="file-not-read",
            ),
            panel(
                "Documents in parsers",
                "How documents ended in the processes that parse them.",
                [(rate("docket_parser_documents_total", "outcome"), "{{outcome}}")],
                "ops",
                runbook="file-not-read",
            ),
            panel(
                "Parsers started",
                "One for each document, and a few that wait.",
                [(rate("docket_parser_starts_total", "instance"), "{{instance}}")],
                "ops",
            ),
            panel(
                "Sandbox of parsers",
                "1 for each part that the kernel enforces.",
                [("min by (part) (docket_parser_sandbox_enforced)", "{{part}}")],
                "short",
                runbook="file-not-read",
            ),
        ],
    ),
    (
        "Models",
        [
            panel(
                "Time of a model call",
                "By model.",
                [(quantile(q, "docket_model_pass_seconds", "model", MODEL), f"{{{{model}}}} {name}") for q, name in [(0.5, "p50"), (0.99, "p99")]],
                "s",
                runbook="slow-model",
            ),
            panel(
                "Sessions in use",
                "Share of the sessions' time that model calls take. At 1, more work needs more workers.",
                [
                    (
                        f"{rate('docket_model_pass_seconds_sum', 'instance, model', MODEL)}"
                        " / on (instance) group_left () max by (instance) (docket_worker_sessions)",
                        "{{model}} {{instance}}",
                    )
                ],
                "percentunit",
            ),
            panel(
                "Tokens the model is called with",
                "Overlaps of windows and special tokens included. Padding tokens are wasted work.",
                [(rate("docket_model_pass_tokens_total", "model, kind", MODEL), "{{model}} {{kind}}")],
                "tokens/s",
                stack=True,
            ),
            panel(
                "Speed while busy",
                "Tokens per second of a busy session.",
                [
                    (
                        f"{rate('docket_model_pass_tokens_total', 'model', 'kind=' + chr(34) + 'text' + chr(34) + ', ' + MODEL)}"
                        f" / {rate('docket_model_pass_seconds_sum', 'model', MODEL)}",
                        "{{model}}",
                    )
                ],
                "tokens/s",
                runbook="slow-model",
            ),
            panel(
                "Windows a call",
                "1 on a CPU, unless `DOCKET_BATCH_WINDOWS` says otherwise.",
                [(mean("docket_model_pass_windows", "model", MODEL), "{{model}}")],
            ),
            panel(
                "Padding",
                "Share of the tokens that are padding.",
                [
                    (
                        f"{rate('docket_model_pass_tokens_total', 'model', 'kind=' + chr(34) + 'padding' + chr(34) + ', ' + MODEL)}"
                        f" / {rate('docket_model_pass_tokens_total', 'model', MODEL)}",
                        "{{model}}",
                    )
                ],
                "percentunit",
            ),
            panel(
                "Versions served",
                "Workers that serve each version.",
                [(f"sum by (model, version) (docket_model_serving{{{MODEL}}})", "{{model}} {{version}}")],
            ),
            panel(
                "Models loaded, and not",
                "Attempts in the last 15 minutes. A worker tries a refused version again each minute.",
                [(f"sum by (model, outcome) (increase(docket_model_loads_total{{{MODEL}}}[15m]))", "{{model}} {{outcome}}")],
                runbook="model-load-failing",
            ),
            panel(
                "Time to load a model",
                "Fetching, checking and trying it out included.",
                [(f"histogram_quantile(0.99, sum by (model, le) (docket_model_load_seconds_bucket{{{MODEL}}}))", "{{model}}")],
                "s",
            ),
            panel(
                "Entities found",
                "By model.",
                [(rate("docket_entities_total", "model", MODEL), "{{model}}")],
                "ops",
            ),
        ],
    ),
    (
        "Workers' hands",
        [
            panel(
                "Deliveries worked on",
                "Deliveries in work, and the most that a worker takes at the same time. A worker takes fewer while a store is overloaded.",
                [("docket_worker_intake_jobs", "{{instance}}"), ("docket_worker_intake_limit", "limit of {{instance}}")],
            ),
            panel(
                "Memory for documents",
                "Share of `DOCKET_MEMORY_BYTES` that is reserved. At 1, documents wait for memory.",
                [("docket_worker_memory_reserved_bytes / docket_worker_memory_limit_bytes", "{{instance}}")],
                "percentunit",
            ),
            panel(
                "Computations beside the model",
                "Share of the places for extracting, cutting and decoding that are taken.",
                [("docket_worker_cpu_tasks / docket_worker_cpu_tasks_max", "{{instance}}")],
                "percentunit",
            ),
            panel(
                "Stalled",
                "Time for which a worker has had jobs without useful progress.",
                [("docket_worker_stalled_seconds", "{{instance}}")],
                "s",
                steps=[("red", 180)],
                runbook="no-progress",
            ),
            panel(
                "Claims that were not kept alive",
                "Heartbeats that a shard did not accept.",
                [(rate("docket_heartbeat_failures_total", "shard", SHARD), "{{shard}}")],
                "ops",
                runbook="lost-shard",
            ),
        ],
    ),
]

QUEUES = [
    (
        "Backlog",
        [
            panel(
                "Open jobs",
                "By shard and model.",
                [(f"shard_model:docket_backlog_jobs:max{{{BOTH}}}", "{{shard}} {{model}}")],
                stack=True,
            ),
            panel(
                "In flight",
                "`queued` jobs are in the broker, `running` jobs are on workers. All other open jobs wait in the shards.",
                [(f"sum by (model, state) (shard_model_state:docket_backlog_in_flight_jobs:max{{{BOTH}}})", "{{model}} {{state}}")],
                stack=True,
            ),
            panel(
                "Oldest job that waits",
                "Time since the oldest waiting job became due. Paused jobs do not count.",
                [
                    (
                        f"max by (model, priority) (shard_model_priority:docket_backlog_oldest_waiting_seconds:max{{{BOTH}}})",
                        "{{model}} {{priority}}",
                    )
                ],
                "s",
                steps=[("red", 900)],
                runbook="oldest-job",
            ),
            panel(
                "Oldest job in the broker",
                "Time that the oldest queued job has been in the broker. The broker holds about one second of work, so more than some seconds mean busy or missing workers.",
                [(f"shard_model:docket_backlog_oldest_queued_seconds:max{{{BOTH}}}", "{{shard}} {{model}}")],
                "s",
                runbook="no-progress",
            ),
            panel(
                "Oldest open job",
                "Time since the oldest open job became due, whatever its state. Paused jobs count.",
                [(f"shard_model:docket_backlog_oldest_seconds:max{{{BOTH}}}", "{{shard}} {{model}}")],
                "s",
            ),
            panel(
                "Bytes that wait",
                "Documents of open jobs.",
                [(f"shard_model:docket_backlog_bytes:max{{{BOTH}}}", "{{shard}} {{model}}")],
                "bytes",
                stack=True,
            ),
        ],
    ),
    (
        "Dispatch",
        [
            panel(
                "Messages published",
                "Messages that the broker confirmed, by publisher: the dispatcher, the process that accepted the job (handover), or a worker that put the job off (delay).",
                [(rate("docket_messages_published_total", "path"), "{{path}}")],
                "ops",
                stack=True,
            ),
            panel(
                "From due to published",
                "Time that jobs wait in their shards.",
                [(quantile(q, "docket_dispatch_lag_seconds", "priority"), f"{{{{priority}}}} {name}") for q, name in [(0.5, "p50"), (0.95, "p95")]],
                "s",
            ),
            panel(
                "Dispatchers",
                "Processes that act for each shard: one, or for a moment none.",
                [(f"sum by (shard) (docket_dispatch_acting{{{SHARD}}})", "{{shard}}")],
                steps=[("red", 2)],
                runbook="dispatch-stuck",
            ),
            panel(
                "Looks at each shard",
                "At least ten a second while nothing waits, more while something does.",
                [(rate("docket_dispatch_tick_seconds_count", "shard", SHARD), "{{shard}}")],
                "ops",
                runbook="dispatch-stuck",
            ),
            panel(
                "Time of a look, p95",
                "Publishing included.",
                [(quantile(0.95, "docket_dispatch_tick_seconds", "shard", SHARD), "{{shard}}")],
                "s",
            ),
            panel(
                "Looks that failed",
                "By shard and reason.",
                [(rate("docket_dispatch_tick_failures_total", "shard, reason", SHARD), "{{shard}} {{reason}}")],
                "ops",
                runbook="dispatch-stuck",
            ),
            panel(
                "Repairs",
                "Rows and objects that the sweeper repaired, by what was wrong.",
                [(rate("docket_repaired_rows_total", "what"), "{{what}}")],
                "ops",
            ),
        ],
    ),
    (
        "Broker",
        [
            panel(
                "Ready messages",
                "Messages in each model's queue that no worker has.",
                [(f"model:docket_queue_ready_messages:max{{{MODEL}}}", "{{model}}")],
            ),
            panel("Workers that consume", "Of each queue.", [(f"model:docket_queue_consumers:max{{{MODEL}}}", "{{model}}")]),
            panel(
                "Connections",
                "Processes that are connected to the broker, by use.",
                [("sum by (connection) (docket_broker_connected)", "{{connection}}")],
                runbook="lost-broker",
            ),
            panel(
                "Time until a publish is answered",
                "Time until the broker has answered all messages that were published together.",
                quantiles("docket_publish_seconds"),
                "s",
                runbook="lost-broker",
            ),
            panel("Messages on their way", "Published and not answered.", [("sum by (instance) (docket_publish_in_flight_messages)", "{{instance}}")]),
            panel(
                "Publishes that failed",
                "By reason. The jobs keep waiting.",
                [(rate("docket_publish_failures_total", "reason"), "{{reason}}")],
                "ops",
                runbook="lost-broker",
            ),
            panel(
                "Dead messages",
                "Messages of the dead queue. A `requeued` message named a job, which waits again; a `parked` message named no job.",
                [(rate("docket_parked_messages_total", "outcome"), "{{outcome}}")],
                "ops",
            ),
        ],
    ),
]

SHARDS = [
    (
        "Databases",
        [
            panel(
                "Away",
                "1 while a process takes the database for away.",
                [("database:docket_database_circuit_open:max", "{{database}}")],
                steps=[("red", 1)],
                runbook="lost-shard",
            ),
            panel(
                "Transactions",
                "By database.",
                [(rate("docket_database_transaction_seconds_count", "database"), "{{database}}")],
                "ops",
            ),
            panel(
                "Errors",
                "`unavailable` may pass; `refused` is a mistake in a statement or a schema.",
                [(rate("docket_database_errors_total", "database, kind"), "{{database}} {{kind}}")],
                "ops",
                runbook="lost-shard",
            ),
            panel(
                "Time of a transaction",
                "From its begin to its end.",
                [
                    (quantile(q, "docket_database_transaction_seconds", "database"), f"{{{{database}}}} {name}")
                    for q, name in [(0.5, "p50"), (0.99, "p99")]
                ],
                "s",
            ),
            panel(
                "Time until a transaction begins, p99",
                "Waiting for a connection of the pool included.",
                [(quantile(0.99, "docket_database_begin_seconds", "database"), "{{database}}")],
                "s",
            ),
            panel(
                "Connections in use",
                "Share of the connections that a process may open (`DOCKET_PG_CONNECTIONS_MAX`).",
                [
                    (
                        'docket_database_connections{state="used"} / ignoring (state) docket_database_connections_max',
                        "{{database}} {{instance}}",
                    )
                ],
                "percentunit",
                steps=[("orange", 0.8)],
            ),
            panel(
                "Open connections",
                "Connections of all processes. The server, or the pooler in front of the server, must allow as many.",
                [("sum by (database) (docket_database_connections)", "{{database}}")],
            ),
            panel(
                "Callers that wait",
                "Callers that wait until their transaction begins.",
                [("sum by (database) (docket_database_waiting_callers)", "{{database}}")],
            ),
            panel(
                "Transactions at the wrong shard",
                "Transactions that a shard refused because the bucket has moved. Each refusal costs one round trip.",
                [(rate("docket_wrong_shard_total", "shard", SHARD), "{{shard}}")],
                "ops",
            ),
        ],
    ),
    (
        "Work by shard",
        [
            panel(
                "Open jobs",
                "By shard.",
                [(f"sum by (shard) (shard_model:docket_backlog_jobs:max{{{BOTH}}})", "{{shard}}")],
                stack=True,
            ),
            panel(
                "Clients with work waiting",
                "By shard.",
                [(f"shard:docket_dispatch_waiting_clients:max{{{SHARD}}}", "{{shard}}")],
            ),
        ],
    ),
    (
        "Object storage",
        [
            panel("Requests", "By operation.", [(rate("docket_object_request_seconds_count", "operation"), "{{operation}}")], "reqps"),
            panel("Requests that failed", "Requests whose last attempt failed.", [(rate("docket_object_errors_total", "operation"), "{{operation}}")], "reqps"),
            panel(
                "Time of a request, p95",
                "Until the answer begins.",
                [(quantile(0.95, "docket_object_request_seconds", "operation"), "{{operation}}")],
                "s",
            ),
        ],
    ),
]

FAIRNESS = [
    (
        "Clients",
        [
            panel(
                "Clients with work waiting",
                "Clients with waiting work at the last scan. A client counts once for each model and priority. No metric names a client: "
                "`docket-producer clients` and the databases do.",
                [(f"shard:docket_dispatch_waiting_clients:max{{{SHARD}}}", "{{shard}}")],
            ),
            panel(
                "Clients at their cap",
                "Clients with waiting work that have as many jobs in flight as they may.",
                [(f"shard:docket_dispatch_capped_clients:max{{{SHARD}}}", "{{shard}}")],
            ),
            panel(
                "Paused clients with work waiting",
                "The waiting work of a paused client stays in the shard.",
                [(f"shard:docket_dispatch_paused_clients:max{{{SHARD}}}", "{{shard}}")],
            ),
            panel(
                "Part of the largest client",
                "Share of the client with the most jobs in flight, among clients with waiting work. If the share is near 1 while many clients wait, look at weights and caps.",
                [(f"shard:docket_dispatch_largest_client_ratio:max{{{SHARD}}}", "{{shard}}")],
                "percentunit",
            ),
            panel(
                "Uploads refused for a full backlog",
                "Uploads answered 429 because the client has as many open jobs as it may (`DOCKET_BACKLOG_CLIENT_MAX`, `DOCKET_BACKLOG_SHARD_MAX`).",
                [(rate("docket_uploads_total", where='status="429"'), "429")],
                "reqps",
            ),
        ],
    ),
    (
        "Turns",
        [
            panel(
                "Wait for a turn",
                "Time from when a job became due until a worker claimed the job.",
                [(quantile(q, "docket_turn_wait_seconds", "priority"), f"{{{{priority}}}} {name}") for q, name in [(0.5, "p50"), (0.95, "p95")]],
                "s",
                steps=[("red", 60)],
                runbook="oldest-job",
            ),
            panel(
                "Turns of each priority",
                "While both wait, bulk work gets a tenth.",
                [(rate("docket_turn_wait_seconds_count", "priority"), "{{priority}}")],
                "ops",
                stack=True,
            ),
            panel(
                "Time to result, p95",
                "By priority.",
                [(quantile(0.95, "docket_time_to_result_seconds", "priority"), "{{priority}}")],
                "s",
            ),
            panel(
                "Distribution of interactive waits",
                "How many waited how long.",
                [(f'sum by (le) (increase(docket_turn_wait_seconds_bucket{{priority="interactive"}}{RATE}))', "{{le}}")],
                "s",
                kind="heatmap",
            ),
        ],
    ),
]

AUTOSCALING = [
    (
        "Demand and supply",
        [
            panel(
                "Work that waits, in one worker's seconds",
                "Seconds that one worker needs for the work that can be done now. Divide by the seconds that the work may take to get the number of workers.",
                [(f"sum by (model) (shard_model:docket_work_waiting_seconds:max{{{BOTH}}})", "{{model}}")],
                "s",
            ),
            panel(
                "Speed of one worker",
                "Tokens per second, as workers last reported.",
                [(f"model:docket_worker_tokens_per_second:max{{{MODEL}}}", "{{model}}")],
                "tokens/s",
            ),
            panel("Workers", "Workers that consume each queue.", [(f"model:docket_queue_consumers:max{{{MODEL}}}", "{{model}}")]),
            panel(
                "Messages a worker",
                "Ready and running messages per worker: the figure that an autoscaler on queue length sees.",
                [
                    (
                        f"sum by (model) (shard_model_state:docket_backlog_in_flight_jobs:max{{{BOTH}}})"
                        f" / on (model) clamp_min(model:docket_queue_consumers:max{{{MODEL}}}, 1)",
                        "{{model}}",
                    )
                ],
            ),
            panel(
                "Sessions in use",
                "Share of all sessions' time that model calls take.",
                [(f"{rate('docket_model_pass_seconds_sum')} / sum(docket_worker_sessions)", "in use")],
                "percentunit",
            ),
            panel(
                "Jobs in hand",
                "Claimed by workers.",
                [("docket_jobs_running", "{{instance}}")],
                stack=True,
            ),
            panel(
                "Deliveries given back",
                "Deliveries that stopping workers gave back. The jobs lose no attempt.",
                [(rate("docket_jobs_total", where='outcome=~"given_back|untouched"'), "given back")],
                "ops",
            ),
            panel(
                "Age of workers",
                "A worker that is always young crashes, or an autoscaler starts and stops workers too eagerly.",
                [
                    (
                        "time() - process_start_time_seconds and on (job, instance) docket_build_info{service=\"worker\"}",
                        "{{instance}}",
                    )
                ],
                "s",
                runbook="worker-crash-loop",
            ),
        ],
    ),
]

DASHBOARDS = [
    ("overview", "Docket: overview", OVERVIEW),
    ("pipeline", "Docket: pipeline and models", PIPELINE),
    ("queues", "Docket: queues and dispatch", QUEUES),
    ("shards", "Docket: shards and stores", SHARDS),
    ("fairness", "Docket: tenancy and fairness", FAIRNESS),
    ("autoscaling", "Docket: autoscaling", AUTOSCALING),
]


def variables():
    """Where to ask, of which shards and models, and where the runbooks are."""

    def of_label(name, metric):
        query = f"label_values({metric}, {name})"
        return {
            "name": name,
            "type": "query",
            "datasource": SOURCE,
            "query": {"query": query, "refId": name},
            "definition": query,
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }

    return [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
        of_label("shard", "docket_dispatch_acting"),
        of_label("model", "docket_model_serving"),
        {
            "name": "runbooks",
            "type": "textbox",
            "label": "Runbooks",
            "query": RUNBOOKS_AT,
            "current": {"text": RUNBOOKS_AT, "value": RUNBOOKS_AT},
        },
    ]


def drawn(spec, number, x, y, width):
    """A panel as Grafana wants it."""
    kind = spec.get("kind", "timeseries")
    custom = {"fillOpacity": 10, "showPoints": "never"}
    if spec.get("stack"):
        custom = {"fillOpacity": 30, "showPoints": "never", "stacking": {"mode": "normal", "group": "A"}}
    defaults = {"unit": spec["unit"], "min": 0}
    if kind == "timeseries":
        defaults["custom"] = custom
    if "steps" in spec:
        defaults["thresholds"] = thresholds(*spec["steps"])
        if kind == "timeseries":
            defaults["custom"] = {**custom, "thresholdsStyle": {"mode": "line"}}
    options = {
        "timeseries": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "stat": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"},
        "heatmap": {"calculate": False, "yAxis": {"unit": spec["unit"]}},
    }[kind]
    links = []
    if "runbook" in spec:
        links = [{"title": "Runbook", "url": f"{RUNBOOKS}/{spec['runbook']}.md", "targetBlank": True}]
    target = {"heatmap": {"format": "heatmap"}}.get(kind, {})
    return {
        "id": number,
        "type": kind,
        "title": spec["title"],
        "description": spec["about"],
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": HEIGHT},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "links": links,
        "targets": [
            {"refId": chr(65 + place), "datasource": SOURCE, "expr": expr, "legendFormat": legend, "range": True, **target}
            for place, (expr, legend) in enumerate(spec["queries"])
        ],
    }


def placed(rows):
    """All panels with their places: three or four abreast, rows below one another."""
    panels, y = [], 0
    for title, specs in rows:
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}})
        y, x = y + 1, 0
        for spec in specs:
            width = 6 if spec.get("kind") == "stat" else 8
            if x + width > WIDTH:
                x, y = 0, y + HEIGHT
            panels.append(drawn(spec, len(panels) + 1, x, y, width))
            x += width
        y += HEIGHT
    return panels


def dashboard(name, title, rows):
    """A dashboard as Grafana wants it."""
    return {
        "uid": f"docket-{name}",
        "title": title,
        "tags": ["docket"],
        "schemaVersion": SCHEMA,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "links": [{"type": "dashboards", "title": "Docket", "tags": ["docket"], "asDropdown": True, "includeVars": True, "keepTime": True}],
        "templating": {"list": variables()},
        "annotations": {"list": []},
        "panels": placed(rows),
    }


def main():
    stale = []
    for name, title, rows in DASHBOARDS:
        path = HERE / "dashboards" / f"{name}.json"
        text = json.dumps(dashboard(name, title, rows), indent=1) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"run deploy/grafana/dashboards.py: {', '.join(stale)} is not what it writes")


if __name__ == "__main__":
    main()
