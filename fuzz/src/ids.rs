//! Ids of the wrong length, against prost.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp_protocol::{DecodeErrorKind, Repairs, Signal, ValidateLimits, repair, validate};
use prost::Message as _;

/// A body with bad ids is put right without a panic: what is left is sound, and of traces it is the spans whose ids are
/// empty or have their length.
pub fn ids(data: &[u8]) {
    let Some((signal, body)) = super::signal(data) else { return };
    let body = Bytes::copy_from_slice(body);
    let limits = ValidateLimits::default();
    let repairs = Repairs { utf8: false, ids: true };
    let Ok(repaired) = repair(signal, &body, &limits, repairs, 1 << 24) else { return };
    let bytes = repaired.body.plain().to_contiguous();
    assert_eq!(validate(signal, &bytes, &limits).map(|checked| checked.count), Ok(repaired.body.count()));
    let is_sound = repaired.ids == 0 && repaired.rejected.is_none();
    match validate(signal, &body, &limits) {
        Ok(_) => assert!(is_sound && bytes == body),
        Err(error) => assert!(!is_sound && matches!(error.kind, DecodeErrorKind::IdLength { .. })),
    }
    if signal != Signal::TRACES {
        assert!(repaired.rejected.is_none());
        return;
    }
    let before = ExportTraceServiceRequest::decode(body).expect("sound but for ids");
    let after = ExportTraceServiceRequest::decode(bytes).expect("sound");
    let rejected = repaired.rejected.map_or(0, |rejected| rejected.count.items);
    assert_eq!(spans(&before).count() as u64, spans(&after).count() as u64 + rejected);
    let has_good_ids = |span: &&Span| {
        let good = |id: &[u8], len| id.is_empty() || id.len() == len;
        let links = span.links.iter().all(|link| good(&link.trace_id, 16) && good(&link.span_id, 8));
        links && good(&span.trace_id, 16) && good(&span.span_id, 8) && good(&span.parent_span_id, 8)
    };
    assert_eq!(spans(&after).filter(has_good_ids).count(), spans(&after).count());
}

fn spans(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans)
}
