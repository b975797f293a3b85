//! W3C Trace Context (`traceparent`, version 00), which carries a trace to other processes: in HTTP headers, in message headers
//! and in job rows. `tracestate` is not carried: Docket has nothing to put there, and a row has no room for 512 bytes of other
//! systems' state.

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, Value};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Name of the header, in HTTP and in AMQP.
pub const TRACE_PARENT: &str = "traceparent";

/// Puts a span that has not begun into a trace of our own. `parent` says whether the trace is recorded. A `parent` that is not in
/// the form of version 00 is ignored, as the standard asks.
pub fn go_on(span: &Span, parent: Option<&str>) {
    set_parent(span, Context::new(), parent);
}

/// Puts a span that has not begun into a trace that a caller began. The caller's ids are taken, but the sampler decides here
/// whether the trace is recorded. Otherwise any caller could have everything recorded, or nothing.
pub fn adopt(span: &Span, caller: Option<&str>) {
    set_parent(span, Context::new().with_value(OfCaller), caller);
}

/// Marks the context of a span whose parent is a caller's.
pub(super) struct OfCaller;

fn set_parent(span: &Span, context: Context, parent: Option<&str>) {
    if let Some(parent) = parent.and_then(parse) {
        // An error only says that there is no span to set the parent on, for instance because nobody records the span.
        let _ = span.set_parent(context.with_remote_span_context(parent));
    }
}

/// The trace context of a span, for the process that continues its trace.
pub fn of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let of = span.span_context();
    let flags = of.trace_flags() & TraceFlags::SAMPLED;
    of.is_valid()
        .then(|| format!("00-{}-{}-{:02x}", of.trace_id(), of.span_id(), flags.to_u8()))
}

/// The trace context of the current span.
pub fn current() -> Option<String> {
    of(&Span::current())
}

/// Adds an attribute to a span that has begun. Log lines do not get the attribute.
pub fn note(span: &Span, attribute: &'static str, value: impl Into<Value>) {
    span.set_attribute(attribute, value);
}

/// Marks a span as failed. `reason` is one of a few short words.
pub fn failed(span: &Span, reason: impl Into<Value>) {
    note(span, "error.type", reason);
    span.set_status(Status::error(""));
}

fn parse(text: &str) -> Option<SpanContext> {
    let mut fields = text.split('-');
    let mut next = |length: usize| {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        fields
            .next()
            .filter(|field| field.len() == length && field.bytes().all(is_hex))
    };
    let (version, trace, parent, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    if version != "00" || fields.next().is_some() {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, parent) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(parent).ok()?);
    let context = SpanContext::new(trace, parent, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_context_is_taken_only_in_its_form() {
        let parsed = parse(GOOD).unwrap();
        assert_eq!(parsed.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parsed.span_id().to_string(), "00f067aa0ba902b7");
        assert!(parsed.is_sampled() && parsed.is_remote());
        let zero_trace = GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
        for bad in [
            "",
            "00",
            &GOOD[1..],
            &GOOD.to_uppercase(),
            &GOOD.replacen("00-", "ff-", 1),
            &format!("{GOOD}-00"),
            &GOOD.replace("4bf9", "4bg9"),
            &GOOD.replace("-01", "-+1"),
            &zero_trace,
        ] {
            assert!(parse(bad).is_none(), "{bad} was taken");
        }
    }
}
