//! Requests as bytes: written, printed as JSON, read back, counted, cut, edited; and the error for bytes that are no request.

use otlp_protocol::encode::Spans;
use otlp_protocol::json::{JsonLimits, from_protobuf};
use otlp_protocol::{
    AttributeEdits, Body, Editor, Fate, Item, Levels, Signal, SplitLimits, ValidateLimits, edit, split, view,
};

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
                        span.trace_id(&[7; 16]).span_id(&[id; 8]).name(name).kind(2);
                        span.attribute("enduser.id", "ada").attribute("http.response.status_code", 200);
                    });
                }
            });
        });
    });
    let text = json(&written)?;
    println!("{text}");

    let read = Body::from_json(Signal::TRACES, text.as_bytes(), &JsonLimits::default())?;
    println!("{} spans in {} bytes", read.count().items, read.len());
    for part in split(&read, SplitLimits { max_items: Some(2), max_bytes: None }) {
        println!("a part of {} spans", part.count().items);
    }

    let edited = edit(&read, &mut Redact, MAX_BYTES)?;
    println!("{} dropped: {}", edited.dropped.items, json(&edited.body)?);

    let garbage = b"\x0a\x03\x1a\x01\xff".to_vec();
    if let Err(error) = Body::check(Signal::TRACES, garbage, &ValidateLimits::default()) {
        println!("refused: {error}");
    }
    let wrong = br#"{"resourceSpans": [{"schemaUrl": 1}]}"#;
    if let Err(error) = Body::from_json(Signal::TRACES, wrong, &JsonLimits::default()) {
        println!("refused: {error}");
    }
    Ok(())
}

fn json(body: &Body) -> Result<String, Box<dyn std::error::Error>> {
    let mut text = Vec::new();
    from_protobuf(body.signal().request, &body.plain().to_contiguous(), MAX_BYTES, &mut text)?;
    Ok(String::from_utf8(text)?)
}

/// Hides users, and drops the spans of health checks.
struct Redact;

impl Editor for Redact {
    fn levels(&self) -> Levels {
        Levels { items: true, ..Levels::default() }
    }

    fn item(&mut self, item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Fate {
        attributes.update("enduser.id", "***");
        if view::Span::new(item.entry).name() == "GET /health" { Fate::Drop } else { Fate::Keep }
    }
}
