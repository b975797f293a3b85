//! Log lines: which of them are written, in what format, and the trace that each belongs to.

use std::fmt;
use std::io::{self, IsTerminal};

use opentelemetry::trace::TraceContextExt;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{self, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use super::each_time;
use crate::settings::{ConfigError, Env, Setting};

/// Which log lines are written.
pub const FILTER: Setting = Setting::with_default(
    "DOCKET_LOG",
    "info,lapin=warn,aws=warn",
    "log filter, as `level` or `target=level,...` (levels: error, warn, info, debug, trace)",
);
/// Format of log lines.
pub const FORMAT: Setting =
    Setting::with_default("DOCKET_LOG_FORMAT", "json", "format of log lines: `json` or `pretty`");

/// Writes log lines to standard output.
pub(super) fn layer<S>(env: &Env) -> Result<Box<dyn Layer<S> + Send + Sync>, ConfigError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let filter = EnvFilter::try_new(env.text(&FILTER)?.unwrap_or_default()).map_err(|error| FILTER.invalid(error))?;
    let filter = each_time(filter);
    let base = tracing_subscriber::fmt::layer();
    match env.text(&FORMAT)? {
        Some("json") => {
            let lines = format::format().json().flatten_event(true).with_span_list(false);
            let fields = format::JsonFields::new();
            Ok(base
                .fmt_fields(fields)
                .event_format(WithTrace(lines))
                .with_filter(filter)
                .boxed())
        }
        // On a terminal the library uses colours, unless NO_COLOR is set.
        Some("pretty") if io::stdout().is_terminal() => Ok(base.with_filter(filter).boxed()),
        Some("pretty") => Ok(base.with_ansi(false).with_filter(filter).boxed()),
        _ => Err(FORMAT.invalid("it must be json or pretty")),
    }
}

/// JSON lines, which begin with `trace_id` and `span_id` wherever a trace is known.
struct WithTrace<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithTrace<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let of = opentelemetry::Context::map_current(|current| current.span().span_context().clone());
        if !of.is_valid() {
            return self.0.format_event(ctx, writer, event);
        }
        let mut line = String::new();
        self.0.format_event(ctx, Writer::new(&mut line), event)?;
        let rest = line.strip_prefix('{').ok_or(fmt::Error)?;
        let (trace, span) = (of.trace_id(), of.span_id());
        write!(writer, r#"{{"trace_id":"{trace}","span_id":"{span}",{rest}"#)
    }
}
