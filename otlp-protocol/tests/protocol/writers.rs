//! Writers against prost: what prost decoded is written again, and must decode to the same and be as short.

use crate::random::{Random, message};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    profiles::v1development::ExportProfilesServiceRequest, trace::v1::ExportTraceServiceRequest,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue as Decoded, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{exemplar, number_data_point};
use opentelemetry_proto::tonic::profiles::v1development as profiles;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp_protocol::encode::*;
use otlp_protocol::schema;
use otlp_protocol::view::{AnyValue, RequestView};
use otlp_protocol::wire::{Cursor, put_len_delimited, put_tag};
use otlp_protocol::{Signal, ValidateLimits, validate};
use proptest::prelude::*;
use prost::Message;

const DEPTH: usize = 7;

/// Calls a setter for each of these fields.
macro_rules! set {
    ($writer:expr, $decoded:expr, $($field:ident)+) => {{
        $( $writer.$field($decoded.$field.clone()); )+
    }};
}

/// The same for text and bytes.
macro_rules! set_text {
    ($writer:expr, $decoded:expr, $($field:ident)+) => {{
        $( $writer.$field(&$decoded.$field); )+
    }};
}

/// The id, if it has the length of one.
fn id<const N: usize>(bytes: &[u8]) -> Option<&[u8; N]> {
    bytes.try_into().ok()
}

macro_rules! ids {
    ($writer:expr, $decoded:expr, $($field:ident)+) => {{
        $( if let Some(id) = id(&$decoded.$field) { $writer.$field(id); } )+
    }};
}

macro_rules! attributes {
    ($writer:expr, $attributes:expr) => {{
        for KeyValue { key, value, .. } in $attributes {
            match value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Value::ArrayValue(list)) => {
                    $writer.attribute_array(key, |array| {
                        list.values.iter().for_each(|value| element(array, value))
                    });
                }
                Some(Value::KvlistValue(list)) => {
                    $writer.attribute_map(key, |map| attributes_of_map(map, &list.values));
                }
                scalar => {
                    $writer.attribute(key, plain(scalar));
                }
            }
        }
    }};
}

fn attributes_of_map(map: &mut MapWriter<'_>, attributes: &[KeyValue]) {
    attributes!(map, attributes);
}

fn element(array: &mut ArrayWriter<'_>, value: &Decoded) {
    match &value.value {
        Some(Value::ArrayValue(list)) => {
            array.array(|array| list.values.iter().for_each(|value| element(array, value)));
        }
        Some(Value::KvlistValue(list)) => {
            array.map(|map| attributes_of_map(map, &list.values));
        }
        scalar => {
            array.value(plain(scalar.as_ref()));
        }
    }
}

fn plain(value: Option<&Value>) -> AnyValue<'_> {
    match value {
        Some(Value::BoolValue(value)) => (*value).into(),
        Some(Value::BytesValue(value)) => AnyValue::Bytes(value),
        Some(Value::DoubleValue(value)) => (*value).into(),
        Some(Value::IntValue(value)) => (*value).into(),
        Some(Value::StringValue(value)) => value.as_str().into(),
        Some(Value::StringValueStrindex(value)) => AnyValue::StringIndex(*value),
        Some(Value::ArrayValue(_) | Value::KvlistValue(_)) | None => AnyValue::Empty,
    }
}

fn resource(writer: &mut ResourceWriter<'_>, decoded: &Resource) {
    set!(writer, decoded, dropped_attributes_count);
    attributes!(writer, &decoded.attributes);
    for entity in &decoded.entity_refs {
        writer.entity_ref(|writer| {
            set_text!(writer, entity, schema_url);
            writer.entity_type(&entity.r#type);
            for key in &entity.id_keys {
                writer.id_key(key);
            }
            for key in &entity.description_keys {
                writer.description_key(key);
            }
        });
    }
}

fn scope(writer: &mut ScopeWriter<'_>, decoded: &InstrumentationScope) {
    set_text!(writer, decoded, name version);
    set!(writer, decoded, dropped_attributes_count);
    attributes!(writer, &decoded.attributes);
}

fn span(writer: &mut SpanWriter<'_>, decoded: &Span) {
    ids!(writer, decoded, trace_id span_id parent_span_id);
    set_text!(writer, decoded, trace_state name);
    set!(writer, decoded, kind start_time_unix_nano end_time_unix_nano dropped_attributes_count);
    set!(writer, decoded, dropped_events_count dropped_links_count flags);
    attributes!(writer, &decoded.attributes);
    for event in &decoded.events {
        writer.event(|writer| {
            set!(writer, event, time_unix_nano dropped_attributes_count);
            set_text!(writer, event, name);
            attributes!(writer, &event.attributes);
        });
    }
    for link in &decoded.links {
        writer.link(|writer| {
            ids!(writer, link, trace_id span_id);
            set_text!(writer, link, trace_state);
            set!(writer, link, dropped_attributes_count flags);
            attributes!(writer, &link.attributes);
        });
    }
    if let Some(status) = &decoded.status {
        writer.status(|writer| {
            writer.message(&status.message).code(status.code);
        });
    }
}

fn log_record(writer: &mut LogRecordWriter<'_>, decoded: &LogRecord) {
    ids!(writer, decoded, trace_id span_id);
    set_text!(writer, decoded, severity_text event_name);
    set!(writer, decoded, time_unix_nano severity_number dropped_attributes_count flags);
    set!(writer, decoded, observed_time_unix_nano);
    attributes!(writer, &decoded.attributes);
    match &decoded.body {
        Some(Decoded { value: Some(Value::KvlistValue(list)) }) => {
            writer.body_map(|map| attributes_of_map(map, &list.values));
        }
        Some(value) => {
            writer.body(AnyValue::new(&value.encode_to_vec()));
        }
        None => {}
    }
}

fn metric(mut writer: MetricWriter<'_>, decoded: &metrics::Metric, data: &Data) -> MetricEnd {
    writer = writer.name(&decoded.name).description(&decoded.description).unit(&decoded.unit);
    for KeyValue { key, value, .. } in &decoded.metadata {
        let value = value.as_ref().map(Message::encode_to_vec).unwrap_or_default();
        writer = writer.metadata(key, AnyValue::new(&value));
    }
    match data {
        Data::Gauge(data) => writer.gauge(|writer| {
            for point in &data.data_points {
                writer.point(|writer| number_point(writer, point));
            }
        }),
        Data::Sum(data) => writer.sum(|writer| {
            set!(writer, data, aggregation_temporality is_monotonic);
            for point in &data.data_points {
                writer.point(|writer| number_point(writer, point));
            }
        }),
        Data::Histogram(data) => writer.histogram(|writer| {
            set!(writer, data, aggregation_temporality);
            for point in &data.data_points {
                writer.point(|writer| histogram_point(writer, point));
            }
        }),
        Data::ExponentialHistogram(data) => writer.exponential_histogram(|writer| {
            set!(writer, data, aggregation_temporality);
            for point in &data.data_points {
                writer.point(|writer| exponential_point(writer, point));
            }
        }),
        Data::Summary(data) => writer.summary(|writer| {
            for point in &data.data_points {
                writer.point(|writer| summary_point(writer, point));
            }
        }),
    }
}

fn number_point(writer: &mut NumberPointWriter<'_>, decoded: &metrics::NumberDataPoint) {
    set!(writer, decoded, start_time_unix_nano time_unix_nano flags);
    match decoded.value {
        Some(number_data_point::Value::AsDouble(value)) => {
            writer.double(value);
        }
        Some(number_data_point::Value::AsInt(value)) => {
            writer.int(value);
        }
        None => {}
    }
    for decoded in &decoded.exemplars {
        writer.exemplar(|writer| exemplar(writer, decoded));
    }
    attributes!(writer, &decoded.attributes);
}

fn exemplar(writer: &mut ExemplarWriter<'_>, decoded: &metrics::Exemplar) {
    set!(writer, decoded, time_unix_nano);
    ids!(writer, decoded, span_id trace_id);
    match decoded.value {
        Some(exemplar::Value::AsDouble(value)) => {
            writer.double(value);
        }
        Some(exemplar::Value::AsInt(value)) => {
            writer.int(value);
        }
        None => {}
    }
    attributes!(writer, &decoded.filtered_attributes);
}

/// Calls a setter for each of these `optional` fields that is there.
macro_rules! set_some {
    ($writer:expr, $decoded:expr, $($field:ident)+) => {{
        $( if let Some(value) = $decoded.$field { $writer.$field(value); } )+
    }};
}

fn histogram_point(writer: &mut HistogramPointWriter<'_>, decoded: &metrics::HistogramDataPoint) {
    set!(writer, decoded, start_time_unix_nano time_unix_nano count bucket_counts explicit_bounds flags);
    set_some!(writer, decoded, sum min max);
    for decoded in &decoded.exemplars {
        writer.exemplar(|writer| exemplar(writer, decoded));
    }
    attributes!(writer, &decoded.attributes);
}

fn exponential_point(
    writer: &mut ExponentialHistogramPointWriter<'_>,
    decoded: &metrics::ExponentialHistogramDataPoint,
) {
    set!(writer, decoded, start_time_unix_nano time_unix_nano count scale zero_count flags zero_threshold);
    set_some!(writer, decoded, sum min max);
    if let Some(buckets) = &decoded.positive {
        writer.positive(|writer| set!(writer, buckets, offset bucket_counts));
    }
    if let Some(buckets) = &decoded.negative {
        writer.negative(|writer| set!(writer, buckets, offset bucket_counts));
    }
    for decoded in &decoded.exemplars {
        writer.exemplar(|writer| exemplar(writer, decoded));
    }
    attributes!(writer, &decoded.attributes);
}

fn summary_point(writer: &mut SummaryPointWriter<'_>, decoded: &metrics::SummaryDataPoint) {
    set!(writer, decoded, start_time_unix_nano time_unix_nano count sum flags);
    for decoded in &decoded.quantile_values {
        writer.quantile_value(|writer| set!(writer, decoded, quantile value));
    }
    attributes!(writer, &decoded.attributes);
}

fn profile(writer: &mut ProfileWriter<'_>, decoded: &profiles::Profile) {
    set!(writer, decoded, time_unix_nano duration_nano period dropped_attributes_count attribute_indices);
    set_text!(writer, decoded, original_payload_format original_payload);
    ids!(writer, decoded, profile_id);
    if let Some(decoded) = decoded.sample_type {
        writer.sample_type(|writer| set!(writer, decoded, type_strindex unit_strindex));
    }
    if let Some(decoded) = decoded.period_type {
        writer.period_type(|writer| set!(writer, decoded, type_strindex unit_strindex));
    }
    for decoded in &decoded.samples {
        writer.sample(|writer| {
            set!(writer, decoded, stack_index attribute_indices link_index values timestamps_unix_nano);
        });
    }
}

fn dictionary(writer: &mut DictionaryWriter<'_>, decoded: &profiles::ProfilesDictionary) {
    for decoded in &decoded.mapping_table {
        writer.mapping(|writer| {
            set!(writer, decoded, memory_start memory_limit file_offset filename_strindex attribute_indices);
        });
    }
    for decoded in &decoded.location_table {
        writer.location(|writer| {
            set!(writer, decoded, mapping_index address attribute_indices);
            for decoded in &decoded.lines {
                writer.line(|writer| set!(writer, decoded, function_index line column));
            }
        });
    }
    for decoded in &decoded.function_table {
        writer.function(|writer| {
            set!(writer, decoded, name_strindex system_name_strindex filename_strindex start_line);
        });
    }
    for decoded in &decoded.link_table {
        writer.link(|writer| ids!(writer, decoded, trace_id span_id));
    }
    for string in &decoded.string_table {
        writer.string(string);
    }
    for decoded in &decoded.attribute_table {
        writer.attribute(|writer| {
            set!(writer, decoded, key_strindex unit_strindex);
            if let Some(value) = &decoded.value {
                writer.value(AnyValue::new(&value.encode_to_vec()));
            }
        });
    }
    for decoded in &decoded.stack_table {
        writer.stack(|writer| set!(writer, decoded, location_indices));
    }
}

/// Writes the envelope of a request; `$entry` writes an entry.
macro_rules! envelope {
    ($writer:expr, $resources:expr, $scopes:ident, $entries:ident, |$group:ident, $decoded:ident| $entry:expr) => {
        for decoded in $resources {
            $writer.resource_group(|group| {
                set_text!(group, decoded, schema_url);
                if let Some(decoded) = &decoded.resource {
                    group.resource(|writer| resource(writer, decoded));
                }
                for decoded in &decoded.$scopes {
                    group.scope_group(|$group| {
                        set_text!($group, decoded, schema_url);
                        if let Some(decoded) = &decoded.scope {
                            $group.scope(|writer| scope(writer, decoded));
                        }
                        for $decoded in &decoded.$entries {
                            $entry;
                        }
                    });
                }
            });
        }
    };
}

fn decode<M: Message + Default>(body: &[u8]) -> M {
    M::decode(body).unwrap()
}

/// What writers can write of a message that prost encoded: ids of their length, attributes with a value, metrics with
/// points.
fn writable(schema: &schema::Message, body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut numbers = Vec::new();
    let mut fields = Cursor::new(body);
    while !fields.is_at_end() {
        let (number, wire_type) = fields.tag().unwrap();
        let field = schema.field(number).unwrap();
        let start = fields.position();
        fields.skip_value(number, wire_type).unwrap();
        let raw = &body[start..fields.position()];
        if let Some(child) = field.message() {
            let Some(value) = writable(child, Cursor::new(raw).len_delimited().unwrap()) else { continue };
            put_len_delimited(&mut out, number, &value);
        } else {
            let id_len = match field.name {
                "trace_id" | "profile_id" => Some(16),
                "span_id" | "parent_span_id" => Some(8),
                _ => None,
            };
            if id_len.is_some_and(|len| raw.len() != 1 + len) || field.name == "key_strindex" && number == 3 {
                continue;
            }
            put_tag(&mut out, number, wire_type);
            out.extend_from_slice(raw);
        }
        numbers.push(number);
    }
    match schema.name {
        "opentelemetry.proto.metrics.v1.Metric" if !numbers.iter().any(|number| (5..12).contains(number)) => {
            None
        }
        "opentelemetry.proto.common.v1.KeyValue" if !numbers.contains(&2) => {
            put_len_delimited(&mut out, 2, &[]);
            Some(out)
        }
        _ => Some(out),
    }
}

/// What the writers make of what prost decodes.
fn rewrite(signal: Signal, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match signal {
        _ if signal == Signal::TRACES => {
            let decoded: ExportTraceServiceRequest = decode(body);
            let mut writer = RequestWriter::<Spans>::new(&mut out);
            envelope!(writer, &decoded.resource_spans, scope_spans, spans, |group, decoded| {
                group.span(|writer| span(writer, decoded))
            });
        }
        _ if signal == Signal::LOGS => {
            let decoded: ExportLogsServiceRequest = decode(body);
            let mut writer = RequestWriter::<LogRecords>::new(&mut out);
            envelope!(writer, &decoded.resource_logs, scope_logs, log_records, |group, decoded| {
                group.log_record(|writer| log_record(writer, decoded))
            });
        }
        _ if signal == Signal::METRICS => {
            let decoded: ExportMetricsServiceRequest = decode(body);
            let mut writer = RequestWriter::<Metrics>::new(&mut out);
            envelope!(writer, &decoded.resource_metrics, scope_metrics, metrics, |group, decoded| {
                if let Some(data) = &decoded.data {
                    group.metric(|writer| metric(writer, decoded, data));
                }
            });
        }
        _ => {
            let decoded: ExportProfilesServiceRequest = decode(body);
            let mut writer = RequestWriter::<Profiles>::new(&mut out);
            envelope!(writer, &decoded.resource_profiles, scope_profiles, profiles, |group, decoded| {
                group.profile(|writer| profile(writer, decoded))
            });
            if let Some(decoded) = &decoded.dictionary {
                writer.dictionary(|writer| dictionary(writer, decoded));
            }
        }
    }
    out
}

/// As prost encodes it.
fn canonical(signal: Signal, body: &[u8]) -> Vec<u8> {
    match signal {
        _ if signal == Signal::TRACES => decode::<ExportTraceServiceRequest>(body).encode_to_vec(),
        _ if signal == Signal::LOGS => decode::<ExportLogsServiceRequest>(body).encode_to_vec(),
        _ if signal == Signal::METRICS => decode::<ExportMetricsServiceRequest>(body).encode_to_vec(),
        _ => decode::<ExportProfilesServiceRequest>(body).encode_to_vec(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_what_was_said(signal in prop::sample::select(Signal::ALL.to_vec()), seed: u64) {
        let body = canonical(signal, &message(&mut Random::new(seed), signal.request, DEPTH));
        let expected = canonical(signal, &writable(signal.request, &body).unwrap());
        let written = rewrite(signal, &expected);
        validate(signal, &written, &ValidateLimits::default()).unwrap();
        prop_assert_eq!(canonical(signal, &written), expected.clone());
        prop_assert_eq!(written.len(), expected.len(), "lengths are as short as can be");
    }
}

/// Entries that a reader picked out of other requests.
#[test]
fn encoded_entries_are_taken_as_they_are() {
    let mut body = Vec::new();
    let mut request = RequestWriter::<Spans>::new(&mut body);
    request.resource_group(|group| {
        group.scope_group(|scope| {
            scope.encoded(b"\x2a\x01a").unwrap().span(|span| {
                span.name("b");
            });
        });
    });
    assert_eq!(request.signal(), Signal::TRACES);
    let names: Vec<_> = RequestView::new(Signal::TRACES, &body).spans().map(|span| span.name()).collect();
    assert_eq!(names, ["a", "b"]);
}
