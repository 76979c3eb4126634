//! Log records.

use super::entry::{NORMAL_PAIRS, ShownEntry};
use super::span::MAX_LINE_TEXT_BYTES;
use super::style::{Look, Style};
use super::text::{Hex, TimeOfDay, Timestamp, put, put_text};
use super::value::{MAX_VALUE_BYTES, put_attributes, put_pairs, put_typed, put_value};
use otlp_protocol::view::{AnyValue, LogRecord};

/// Appends a line: time, service, severity, event name, body, start of the trace id.
pub(super) fn put_line(out: &mut String, style: Style, entry: &ShownEntry<'_>, record: &LogRecord<'_>) {
    let time = match record.time_unix_nano() {
        0 => record.observed_time_unix_nano(),
        time => time,
    };
    let look = match record.severity_number().number() {
        13..=16 => Look::Warning,
        17.. => Look::Error,
        _ => Look::Plain,
    };
    let severity = match record.severity_text() {
        "" => severity(record.severity_number().number()),
        text => text.get(..text.floor_char_boundary(MAX_SEVERITY_BYTES)).unwrap_or_default().to_owned(),
    };
    style.begin(out, TimeOfDay(time), entry.service, "log", &severity.to_uppercase(), look);
    style.paint(out, look, |out| {
        if !record.event_name().is_empty() {
            put_text(out, record.event_name(), MAX_LINE_TEXT_BYTES);
            if record.body() != AnyValue::Empty {
                out.push_str(": ");
            }
        }
        put_value(out, record.body(), MAX_LINE_TEXT_BYTES, &[]);
    });
    style.put_trace(out, record.trace_id());
    out.push('\n');
}

/// Appends a line in the format `Normal`: body, attributes.
pub(super) fn put_normal(out: &mut String, record: &LogRecord<'_>) {
    put_value(out, record.body(), MAX_VALUE_BYTES, &[]);
    out.push(' ');
    put_pairs(out, record.attributes(), NORMAL_PAIRS, &[]);
    out.push('\n');
}

/// Appends all fields of a log record.
pub(super) fn put_detailed(out: &mut String, number: usize, record: &LogRecord<'_>) {
    put(out, format_args!("LogRecord #{number}\n"));
    put(out, format_args!("ObservedTimestamp: {}\n", Timestamp(record.observed_time_unix_nano())));
    put(out, format_args!("Timestamp: {}\nSeverityText: ", Timestamp(record.time_unix_nano())));
    put_text(out, record.severity_text(), MAX_VALUE_BYTES);
    let number = record.severity_number().number();
    put(out, format_args!("\nSeverityNumber: {}({number})\n", severity(number)));
    if !record.event_name().is_empty() {
        out.push_str("EventName: ");
        put_text(out, record.event_name(), MAX_VALUE_BYTES);
        out.push('\n');
    }
    out.push_str("Body: ");
    put_typed(out, record.body(), &[]);
    out.push('\n');
    put_attributes(out, "", "Attributes", record.attributes(), &[]);
    put(out, format_args!("DroppedAttributesCount: {}\n", record.dropped_attributes_count()));
    put(out, format_args!("Trace ID: {}\n", Hex(record.trace_id())));
    put(out, format_args!("Span ID: {}\nFlags: {}\n", Hex(record.span_id()), record.flags()));
}

/// Returns the name of a severity number: `Info`, `Info2`.
fn severity(number: i32) -> String {
    let name = match number {
        1..=4 => "Trace",
        5..=8 => "Debug",
        9..=12 => "Info",
        13..=16 => "Warn",
        17..=20 => "Error",
        21..=24 => "Fatal",
        _ => return "Unspecified".to_owned(),
    };
    match (number - 1) % 4 {
        0 => name.to_owned(),
        step => format!("{name}{}", step + 1),
    }
}

/// Largest length of a severity text in a line.
const MAX_SEVERITY_BYTES: usize = 40;
