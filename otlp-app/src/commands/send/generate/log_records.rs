//! Log records of a moment's calls: one of each call.

use super::calls::{Call, Side};
use super::shop::Work;
use super::{Moment, services};
use otlp_protocol::encode::{LogRecordWriter, LogRecords};
use otlp_protocol::{Body, SeverityNumber};
use std::fmt::Write as _;

/// Writes a request of logs.
pub(super) fn write(moment: &Moment) -> Body {
    let mut text = String::new();
    Body::write::<LogRecords>(|request| {
        services(request, moment, |scope, index, service| {
            scope.scope(|scope| {
                scope.name(service.name);
            });
            for call in moment.calls_of(index) {
                scope.log_record(|record| write_record(record, moment, call, &mut text));
            }
        });
    })
}

fn write_record(record: &mut LogRecordWriter<'_>, moment: &Moment, call: &Call, text: &mut String) {
    let time = moment.time(call.end_ago);
    let (severity, name) = match (call.failure, call.side) {
        (Some(_), _) => (SeverityNumber::Error, "ERROR"),
        (None, _) if call.duration() > SLOW_NANOS => (SeverityNumber::Warn, "WARN"),
        (None, Side::Server) => (SeverityNumber::Info, "INFO"),
        (None, _) => (SeverityNumber::Debug, "DEBUG"),
    };
    record.time_unix_nano(time).observed_time_unix_nano(time).severity_number(severity).severity_text(name);
    record.trace_id(&call.trace_id).span_id(&call.span_id).flags(1);
    call.name(text);
    let micros = call.duration() / 1_000;
    let written = match (call.failure, call.side) {
        (Some(failure), _) => write!(text, " failed: {}", failure.message),
        (None, Side::Server) => write!(text, " answered {} in {micros} µs", call.status()),
        (None, _) => write!(text, " took {micros} µs"),
    };
    if written.is_ok() {
        record.body(&*text);
    }
    record.attribute("enduser.id", call.subject).attribute("thread.name", "worker-3");
    if let Work::Http { route, .. } = call.operation.work {
        record.attribute("http.route", route).attribute("http.response.status_code", call.status());
    }
    if let Some(failure) = call.failure {
        record.attribute("exception.type", failure.kind).attribute("exception.message", failure.message);
    }
}

const SLOW_NANOS: u64 = 100_000_000;
