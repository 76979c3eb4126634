//! Spans of a moment's calls.

use super::calls::{Call, Side};
use super::shop::Work;
use super::{Moment, services};
use otlp_protocol::encode::{SpanWriter, Spans};
use otlp_protocol::{Body, SpanKind, StatusCode};

/// Writes a request of traces.
pub(super) fn write(moment: &Moment) -> Body {
    let mut text = String::new();
    Body::write::<Spans>(|request| {
        services(request, moment, |scope, index, service| {
            scope.scope(|scope| {
                scope.name(service.scope).version(service.version);
            });
            for call in moment.calls_of(index) {
                scope.span(|span| write_span(span, moment, call, &mut text));
            }
        });
    })
}

fn write_span(span: &mut SpanWriter<'_>, moment: &Moment, call: &Call, text: &mut String) {
    span.trace_id(&call.trace_id).span_id(&call.span_id);
    if let Some(parent) = &call.parent {
        span.parent_span_id(parent);
    }
    span.name(call.name(text)).kind(match call.side {
        Side::Client => SpanKind::Client,
        Side::Internal => SpanKind::Internal,
        Side::Server => SpanKind::Server,
    });
    span.start_time_unix_nano(moment.time(call.start_ago)).end_time_unix_nano(moment.time(call.end_ago));
    match &call.operation.work {
        Work::Http { method, route } => http_attributes(span, call, method, route),
        Work::Query { system, verb, collection, text } => {
            span.attribute("db.system.name", *system)
                .attribute("db.namespace", "shop")
                .attribute("db.operation.name", *verb)
                .attribute("db.collection.name", *collection)
                .attribute("db.query.text", *text)
                .attribute("server.address", *system)
                .attribute("db.response.returned_rows", call.subject % 20);
        }
        Work::Internal(_) => {
            span.attribute("code.function.name", call.name(text)).attribute("thread.id", call.subject % 16);
        }
    }
    if let Some(failure) = call.failure {
        span.attribute("error.type", failure.kind);
        if call.is_origin {
            span.event(|event| {
                event
                    .name("exception")
                    .time_unix_nano(moment.time(call.end_ago))
                    .attribute("exception.type", failure.kind)
                    .attribute("exception.message", failure.message)
                    .attribute("exception.stacktrace", STACKTRACE);
            });
        }
        span.status(|status| {
            status.code(StatusCode::Error).message(failure.message);
        });
    }
    span.flags(SAMPLED);
}

fn http_attributes(span: &mut SpanWriter<'_>, call: &Call, method: &str, route: &str) {
    span.attribute("http.request.method", method)
        .attribute("url.scheme", "http")
        .attribute("http.response.status_code", call.status())
        .attribute("network.protocol.version", "1.1")
        .attribute("server.address", call.callee())
        .attribute("server.port", 8080);
    if call.side == Side::Server {
        span.attribute("http.route", route)
            .attribute("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101")
            .attribute("enduser.id", call.subject);
    } else {
        span.attribute("url.template", route);
    }
}

const SAMPLED: u32 = 1;
const STACKTRACE: &str = "Traceback (most recent call last):\n  File \"payment.py\", line 88, in charge\n    \
    self.gateway.charge(card, amount)\n  File \"gateway.py\", line 41, in charge\n    raise error\n";
