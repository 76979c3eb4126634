//! Requests as bytes: written, printed as JSON, read back, counted, cut, edited; and the error for bytes that are no request.

use otlp_protocol::edit::Decision;
use otlp_protocol::encode::Spans;
use otlp_protocol::view::Span;
use otlp_protocol::{Body, Signal, SpanKind, SplitLimits, ValidateLimits, edit, json, split};

const MAX_BYTES: usize = 1 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let written = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("service.name", "cart");
            });
            group.scope_group(|scope| {
                for (id, name) in [(1, "GET /cart"), (2, "GET /health"), (3, "POST /cart")] {
                    scope.span(|span| {
                        span.trace_id(&[7; 16]).span_id(&[id; 8]).name(name).kind(SpanKind::Server);
                        span.attribute("enduser.id", "ada").attribute("http.response.status_code", 200);
                    });
                }
            });
        });
    });
    let text = json::to_string(&written)?;
    println!("{text}");

    let read = json::from_str(Signal::TRACES, &text)?;
    println!("{} spans in {} bytes", read.count().items, read.len());
    for part in split(&read, SplitLimits { max_items: Some(2), max_bytes: None }) {
        println!("a part of {} spans", part.count().items);
    }

    let mut redact = edit::items(|item, attributes| {
        attributes.update("enduser.id", "***");
        if Span::new(item.entry).name() == "GET /health" { Decision::Drop } else { Decision::Keep }
    });
    let edited = edit(&read, &mut redact, MAX_BYTES)?;
    println!("{} dropped: {}", edited.dropped.items, json::to_string(&edited.body)?);

    let garbage = b"\x0a\x03\x1a\x01\xff".to_vec();
    if let Err(error) = Body::check(Signal::TRACES, garbage, &ValidateLimits::default()) {
        println!("refused: {error}");
    }
    if let Err(error) = json::from_str(Signal::TRACES, r#"{"resourceSpans": [{"schemaUrl": 1}]}"#) {
        println!("refused: {error}");
    }
    Ok(())
}
