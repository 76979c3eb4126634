//! Views of any bytes; of sound ones, against prost and the count.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use otlp_protocol::view::{AnyValue, Attributes, Dictionary, Entry, Metric, RequestView, Resource, Span};
use otlp_protocol::{Signal, ValidateLimits, model};
use std::fmt::{self, Write as _};

/// Every getter of every view reads any bytes without a panic, in bounded time. Of a sound body, views say what prost says,
/// and hold as much as is counted.
pub fn views(data: &[u8]) {
    let Some((signal, body)) = super::signal(data) else { return };
    let view = RequestView::new(signal, body);
    let mut shown = Shown(0);
    // `Debug` calls all getters, down to a depth.
    let _ = write!(shown, "{view:?}{:?}", view.dictionary());
    let _ = write!(shown, "{:?}{:?}{:?}", AnyValue::new(body), Metric::new(body), Span::new(body));
    let _ = write!(shown, "{:?}{:?}", Resource::new(body), Dictionary::new(body));
    assert!(shown.0 <= 10_000 + MAX_SHOWN * body.len(), "{} bytes of {}", shown.0, body.len());

    let Ok(checked) = otlp_protocol::validate(signal, body, &ValidateLimits::default()) else { return };
    assert_eq!(view.entries().count() as u64, checked.count.entries);
    let items: usize = view
        .entries()
        .map(|entry| match *entry {
            Entry::Metric(metric) => metric.points().count(),
            Entry::Profile(profile) => profile.samples().count(),
            _ => 1,
        })
        .sum();
    assert_eq!(items as u64, checked.count.items);
    if signal == Signal::TRACES {
        traces(view, &model::decode(body).expect("what is sound decodes"));
    } else if signal == Signal::LOGS {
        logs(view, &model::decode(body).expect("what is sound decodes"));
    }
}

fn traces(view: RequestView<'_>, decoded: &ExportTraceServiceRequest) {
    let mut views = view.spans();
    let scopes = decoded.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    for span in scopes.flat_map(|scope| &scope.spans) {
        let view = views.next().expect("as many as prost has");
        assert_eq!((view.name(), view.trace_id()), (&*span.name, (&*span.trace_id).try_into().ok()));
        assert_eq!(view.end_time_unix_nano(), span.end_time_unix_nano);
        assert_eq!(view.status().code().number(), span.status.as_ref().map_or(0, |status| status.code));
        assert_eq!((view.events().count(), view.links().count()), (span.events.len(), span.links.len()));
        attributes(view.attributes(), &span.attributes);
    }
    assert!(views.next().is_none());
}

fn logs(view: RequestView<'_>, decoded: &ExportLogsServiceRequest) {
    let mut views = view.log_records();
    let scopes = decoded.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
    for record in scopes.flat_map(|scope| &scope.log_records) {
        let view = views.next().expect("as many as prost has");
        assert_eq!(
            (view.severity_number().number(), view.severity_text()),
            (record.severity_number, &*record.severity_text)
        );
        assert_eq!(view.flags(), record.flags);
        attributes(view.attributes(), &record.attributes);
    }
    assert!(views.next().is_none());
}

fn attributes(view: Attributes<'_>, decoded: &[KeyValue]) {
    let keys: Vec<&str> = view.iter().map(|attribute| attribute.key()).collect();
    let expected: Vec<&str> = decoded.iter().map(|attribute| &*attribute.key).collect();
    assert_eq!(keys, expected);
}

/// How much is shown for each byte, at most: an empty point in two bytes shows all its fields, once for each way that the
/// bytes are read.
const MAX_SHOWN: usize = 10_000;

/// Counts what is written to it.
struct Shown(usize);

impl fmt::Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
