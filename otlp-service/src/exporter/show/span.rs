//! Spans.

use super::entry::{NORMAL_PAIRS, ShownEntry};
use super::style::{Look, Style};
use super::text::{Hex, Nanos, TimeOfDay, Timestamp, is_full, put, put_text};
use super::value::{MAX_VALUE_BYTES, put_attributes, put_more, put_pairs};
use otlp_protocol::view::{Event, Link, Span};

/// Appends a line: time, service, kind, name, duration, status, and the start of the trace id for a root. `branch` is written
/// before the name.
pub(super) fn put_line(
    out: &mut String,
    style: Style,
    entry: &ShownEntry<'_>,
    span: &Span<'_>,
    branch: &str,
) {
    let status = span.status();
    let look = if status.code().number() == STATUS_ERROR { Look::Error } else { Look::Plain };
    style.begin(out, TimeOfDay(span.start_time_unix_nano()), entry.service, "span", kind(span).0, look);
    style.paint(out, look, |out| {
        out.push_str(branch);
        put_text(out, span.name(), MAX_NAME_BYTES);
        let nanos = span.end_time_unix_nano().saturating_sub(span.start_time_unix_nano());
        put(out, format_args!("  {}  ", Nanos(nanos)));
        out.push_str(match status.code().number() {
            1 => "ok",
            STATUS_ERROR => "ERROR",
            _ => "unset",
        });
        if !status.message().is_empty() {
            out.push(' ');
            put_text(out, status.message(), MAX_LINE_TEXT_BYTES);
        }
    });
    if branch.is_empty() {
        style.put_trace(out, span.trace_id());
    }
    out.push('\n');
}

/// Appends a line in the format `Normal`: name, ids, attributes.
pub(super) fn put_normal(out: &mut String, span: &Span<'_>) {
    put_text(out, span.name(), MAX_VALUE_BYTES);
    put(out, format_args!(" {} {}", Hex(span.trace_id()), Hex(span.span_id())));
    if !span.attributes().is_empty() {
        out.push(' ');
        put_pairs(out, span.attributes(), NORMAL_PAIRS, &[]);
    }
    out.push('\n');
}

/// Appends all fields of a span.
pub(super) fn put_detailed(out: &mut String, number: usize, span: &Span<'_>) {
    put(out, format_args!("Span #{number}\n"));
    put_field(out, "Trace ID", format_args!("{}", Hex(span.trace_id())));
    put_field(out, "Parent ID", format_args!("{}", Hex(span.parent_span_id())));
    put_field(out, "ID", format_args!("{}", Hex(span.span_id())));
    put_text_field(out, "Name", span.name());
    put_field(out, "Kind", format_args!("{}", kind(span).1));
    if !span.trace_state().is_empty() {
        put_text_field(out, "TraceState", span.trace_state());
    }
    put_field(out, "Start time", format_args!("{}", Timestamp(span.start_time_unix_nano())));
    put_field(out, "End time", format_args!("{}", Timestamp(span.end_time_unix_nano())));
    let status = span.status();
    let code = ["Unset", "Ok", "Error"].get(usize::try_from(status.code().number()).unwrap_or(usize::MAX));
    put_field(out, "Status code", format_args!("{}", code.unwrap_or(&"Unknown")));
    put_text_field(out, "Status message", status.message());
    put_field(out, "DroppedAttributesCount", format_args!("{}", span.dropped_attributes_count()));
    put_field(out, "DroppedEventsCount", format_args!("{}", span.dropped_events_count()));
    put_field(out, "DroppedLinksCount", format_args!("{}", span.dropped_links_count()));
    put_attributes(out, "", "Attributes", span.attributes(), &[]);
    put_events(out, span);
    put_links(out, span);
}

fn put_events(out: &mut String, span: &Span<'_>) {
    let mut rest = span.events().enumerate();
    while !is_full(out) {
        let Some((number, event)) = rest.next() else { return };
        if number == 0 {
            out.push_str("Events:\n");
        }
        put_event(out, number, &event);
        if number + 1 == MAX_PARTS {
            break;
        }
    }
    put_more(out, "", rest.count() as u64, "events");
}

fn put_event(out: &mut String, number: usize, event: &Event<'_>) {
    put(out, format_args!("SpanEvent #{number}\n     -> Name: "));
    put_text(out, event.name(), MAX_VALUE_BYTES);
    put(out, format_args!("\n     -> Timestamp: {}", Timestamp(event.time_unix_nano())));
    put(out, format_args!("\n     -> DroppedAttributesCount: {}\n", event.dropped_attributes_count()));
    put_attributes(out, "     ", "-> Attributes", event.attributes(), &[]);
}

fn put_links(out: &mut String, span: &Span<'_>) {
    let mut rest = span.links().enumerate();
    while !is_full(out) {
        let Some((number, link)) = rest.next() else { return };
        if number == 0 {
            out.push_str("Links:\n");
        }
        put_link(out, number, &link);
        if number + 1 == MAX_PARTS {
            break;
        }
    }
    put_more(out, "", rest.count() as u64, "links");
}

fn put_link(out: &mut String, number: usize, link: &Link<'_>) {
    put(out, format_args!("SpanLink #{number}\n     -> Trace ID: {}", Hex(link.trace_id())));
    put(out, format_args!("\n     -> ID: {}\n     -> TraceState: ", Hex(link.span_id())));
    put_text(out, link.trace_state(), MAX_VALUE_BYTES);
    put(out, format_args!("\n     -> DroppedAttributesCount: {}\n", link.dropped_attributes_count()));
    put_attributes(out, "     ", "-> Attributes", link.attributes(), &[]);
}

/// Returns the name of the kind in a line, and the Collector's name.
fn kind(span: &Span<'_>) -> (&'static str, &'static str) {
    match span.kind().number() {
        1 => ("internal", "Internal"),
        2 => ("server", "Server"),
        3 => ("client", "Client"),
        4 => ("producer", "Producer"),
        5 => ("consumer", "Consumer"),
        _ => ("-", "Unspecified"),
    }
}

/// Appends a line of an aligned list.
pub(super) fn put_field(out: &mut String, name: &str, value: std::fmt::Arguments<'_>) {
    put(out, format_args!("    {name:<15}: {value}\n"));
}

/// Appends a line of an aligned list whose value is a sender's text.
pub(super) fn put_text_field(out: &mut String, name: &str, value: &str) {
    put(out, format_args!("    {name:<15}: "));
    put_text(out, value, MAX_VALUE_BYTES);
    out.push('\n');
}

/// `STATUS_CODE_ERROR`.
const STATUS_ERROR: i32 = 2;
/// Of a name in a line.
pub(super) const MAX_NAME_BYTES: usize = 120;
/// Of other texts in a line.
pub(super) const MAX_LINE_TEXT_BYTES: usize = 240;
/// Events of a span, and links.
const MAX_PARTS: usize = 64;
