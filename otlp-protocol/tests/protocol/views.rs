//! Views against prost, over messages encoded in every way that protobuf allows, and over bytes that are no message.

use crate::by_hand::field;
use crate::random::{Random, message};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    profiles::v1development::ExportProfilesServiceRequest, trace::v1::ExportTraceServiceRequest,
};
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{exemplar, number_data_point};
use opentelemetry_proto::tonic::profiles::v1development as profiles;
use opentelemetry_proto::tonic::resource::v1 as resource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use otlp_protocol::Signal;
use otlp_protocol::encode::SpanWriter;
use otlp_protocol::view::*;
use proptest::prelude::*;
use prost::Message as _;
use std::fmt::Write as _;

const DEPTH: usize = 7;

/// Asserts that getters of a view return the fields of the same name of what prost decoded.
macro_rules! same {
    ($view:expr, $decoded:expr, $($field:ident)+) => {{
        $( assert_eq!($view.$field(), $decoded.$field, stringify!($field)); )+
    }};
}

/// Asserts that getters of a view return the ids of the same name that prost decoded; ids of the wrong length are absent.
macro_rules! same_ids {
    ($view:expr, $decoded:expr, $($field:ident)+) => {{
        $( assert_eq!($view.$field(), $decoded.$field.as_slice().try_into().ok(), stringify!($field)); )+
    }};
}

/// Asserts that two lists are of one length and that `$check` holds for each pair.
fn each<V, D>(views: impl IntoIterator<Item = V>, decoded: &[D], check: impl Fn(V, &D)) {
    let views: Vec<V> = views.into_iter().collect();
    assert_eq!(views.len(), decoded.len());
    views.into_iter().zip(decoded).for_each(|(view, decoded)| check(view, decoded));
}

fn bits(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

fn all<T>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect()
}

// === common ===

fn attributes(view: Attributes<'_>, decoded: &[common::KeyValue]) {
    assert_eq!(view.is_empty(), decoded.is_empty());
    assert_eq!(view.count(), decoded.len());
    if let Some(first) = decoded.first() {
        let found = view.get(&first.key).unwrap();
        value(found, first.value.as_ref());
    }
    assert!(view.get("no such key").is_none());
    each(view, decoded, |view, decoded| {
        same!(view, decoded, key key_strindex);
        assert!(view.has_key(&decoded.key));
        value(view.value(), decoded.value.as_ref());
    });
}

fn value(view: AnyValue<'_>, decoded: Option<&common::AnyValue>) {
    match (view, decoded.and_then(|decoded| decoded.value.as_ref())) {
        (AnyValue::Empty, None) => {}
        (AnyValue::Array(view), Some(Value::ArrayValue(decoded))) => {
            assert_eq!(view.count(), decoded.values.len());
            each(view, &decoded.values, |view, decoded| value(view, Some(decoded)));
        }
        (AnyValue::Bool(view), Some(Value::BoolValue(decoded))) => assert_eq!(view, *decoded),
        (AnyValue::Bytes(view), Some(Value::BytesValue(decoded))) => assert_eq!(view, decoded),
        (AnyValue::Double(view), Some(Value::DoubleValue(decoded))) => {
            assert_eq!(view.to_bits(), decoded.to_bits());
        }
        (AnyValue::Int(view), Some(Value::IntValue(decoded))) => assert_eq!(view, *decoded),
        (AnyValue::Map(view), Some(Value::KvlistValue(decoded))) => attributes(view, &decoded.values),
        (AnyValue::String(view), Some(Value::StringValue(decoded))) => assert_eq!(view, decoded),
        (AnyValue::StringIndex(view), Some(Value::StringValueStrindex(decoded))) => {
            assert_eq!(view, *decoded);
        }
        (view, decoded) => unreachable!("{view:?} for {decoded:?}"),
    }
}

fn of_resource(view: Resource<'_>, decoded: Option<&resource::Resource>) {
    let decoded = decoded.cloned().unwrap_or_default();
    same!(view, decoded, dropped_attributes_count);
    attributes(view.attributes(), &decoded.attributes);
    each(view.entity_refs(), &decoded.entity_refs, |view, decoded| {
        same!(view, decoded, schema_url);
        assert_eq!(view.entity_type(), decoded.r#type);
        assert_eq!(all(view.id_keys()), decoded.id_keys);
        assert_eq!(all(view.description_keys()), decoded.description_keys);
    });
    let merged: Vec<u8> = view.pieces().flatten().copied().collect();
    let again = resource::Resource::decode(&*merged).unwrap();
    // Encodings are compared: a NaN in an attribute differs from itself.
    assert_eq!(again.encode_to_vec(), decoded.encode_to_vec());
}

fn of_scope(view: Scope<'_>, decoded: Option<&common::InstrumentationScope>) {
    let decoded = decoded.cloned().unwrap_or_default();
    same!(view, decoded, name version dropped_attributes_count);
    attributes(view.attributes(), &decoded.attributes);
}

// === Entries ===

fn span(view: Span<'_>, decoded: &trace::Span) {
    same_ids!(view, decoded, trace_id span_id parent_span_id);
    same!(view, decoded, trace_state name kind start_time_unix_nano);
    same!(view, decoded, end_time_unix_nano dropped_attributes_count dropped_events_count);
    same!(view, decoded, dropped_links_count flags);
    attributes(view.attributes(), &decoded.attributes);
    each(view.events(), &decoded.events, |view, decoded| {
        same!(view, decoded, time_unix_nano name dropped_attributes_count);
        attributes(view.attributes(), &decoded.attributes);
    });
    each(view.links(), &decoded.links, |view, decoded| {
        same_ids!(view, decoded, trace_id span_id);
        same!(view, decoded, trace_state dropped_attributes_count flags);
        attributes(view.attributes(), &decoded.attributes);
    });
    let status = decoded.status.clone().unwrap_or_default();
    same!(view.status(), status, message code);
    assert_eq!(&trace::Span::decode(view.as_bytes()).unwrap().encode_to_vec(), &decoded.encode_to_vec());
}

fn log_record(view: LogRecord<'_>, decoded: &logs::LogRecord) {
    same!(view, decoded, time_unix_nano severity_number severity_text dropped_attributes_count flags);
    same_ids!(view, decoded, trace_id span_id);
    same!(view, decoded, observed_time_unix_nano event_name);
    value(view.body(), decoded.body.as_ref());
    attributes(view.attributes(), &decoded.attributes);
}

fn metric(view: Metric<'_>, decoded: &metrics::Metric) {
    same!(view, decoded, name description unit);
    attributes(view.metadata(), &decoded.metadata);
    let points =
        view.points().inspect(|point| assert!(point.attributes().count() <= point.as_bytes().len())).count();
    let points_are = |decoded: usize| assert_eq!(points, decoded);
    match (view.data(), &decoded.data) {
        (MetricData::Empty, None) => points_are(0),
        (MetricData::Gauge(view), Some(Data::Gauge(decoded))) => {
            points_are(decoded.data_points.len());
            each(view.data_points(), &decoded.data_points, number_point);
        }
        (MetricData::Sum(view), Some(Data::Sum(decoded))) => {
            points_are(decoded.data_points.len());
            same!(view, decoded, aggregation_temporality is_monotonic);
            each(view.data_points(), &decoded.data_points, number_point);
        }
        (MetricData::Histogram(view), Some(Data::Histogram(decoded))) => {
            points_are(decoded.data_points.len());
            same!(view, decoded, aggregation_temporality);
            each(view.data_points(), &decoded.data_points, histogram_point);
        }
        (MetricData::ExponentialHistogram(view), Some(Data::ExponentialHistogram(decoded))) => {
            points_are(decoded.data_points.len());
            same!(view, decoded, aggregation_temporality);
            each(view.data_points(), &decoded.data_points, exponential_histogram_point);
        }
        (MetricData::Summary(view), Some(Data::Summary(decoded))) => {
            points_are(decoded.data_points.len());
            each(view.data_points(), &decoded.data_points, summary_point);
        }
        (view, decoded) => unreachable!("{view:?} for {decoded:?}"),
    }
}

fn number_point(view: NumberPoint<'_>, decoded: &metrics::NumberDataPoint) {
    same!(view, decoded, start_time_unix_nano time_unix_nano flags);
    let number = match decoded.value {
        None => Number::Empty,
        Some(number_data_point::Value::AsDouble(value)) => Number::Double(value),
        Some(number_data_point::Value::AsInt(value)) => Number::Int(value),
    };
    same_number(view.value(), number);
    attributes(view.attributes(), &decoded.attributes);
    each(view.exemplars(), &decoded.exemplars, exemplar);
}

fn same_number(view: Number, decoded: Number) {
    match (view, decoded) {
        (Number::Double(view), Number::Double(decoded)) => assert_eq!(view.to_bits(), decoded.to_bits()),
        (view, decoded) => assert_eq!(view, decoded),
    }
}

fn exemplar(view: Exemplar<'_>, decoded: &metrics::Exemplar) {
    same_ids!(view, decoded, span_id trace_id);
    same!(view, decoded, time_unix_nano);
    let number = match decoded.value {
        None => Number::Empty,
        Some(exemplar::Value::AsDouble(value)) => Number::Double(value),
        Some(exemplar::Value::AsInt(value)) => Number::Int(value),
    };
    same_number(view.value(), number);
    attributes(view.filtered_attributes(), &decoded.filtered_attributes);
}

fn histogram_point(view: HistogramPoint<'_>, decoded: &metrics::HistogramDataPoint) {
    same!(view, decoded, start_time_unix_nano time_unix_nano count flags);
    assert_eq!(bits(view.sum()), bits(decoded.sum));
    assert_eq!(bits(view.min()), bits(decoded.min));
    assert_eq!(bits(view.max()), bits(decoded.max));
    assert_eq!(all(view.bucket_counts()), decoded.bucket_counts);
    assert_eq!(bits(view.explicit_bounds()), bits(decoded.explicit_bounds.iter().copied()));
    attributes(view.attributes(), &decoded.attributes);
    each(view.exemplars(), &decoded.exemplars, exemplar);
}

fn exponential_histogram_point(
    view: ExponentialHistogramPoint<'_>,
    decoded: &metrics::ExponentialHistogramDataPoint,
) {
    same!(view, decoded, start_time_unix_nano time_unix_nano count scale zero_count flags);
    assert_eq!(bits(view.sum()), bits(decoded.sum));
    assert_eq!(bits(view.min()), bits(decoded.min));
    assert_eq!(bits(view.max()), bits(decoded.max));
    assert_eq!(view.zero_threshold().to_bits(), decoded.zero_threshold.to_bits());
    for (view, decoded) in [(view.positive(), &decoded.positive), (view.negative(), &decoded.negative)] {
        let decoded = decoded.clone().unwrap_or_default();
        same!(view, decoded, offset);
        assert_eq!(all(view.bucket_counts()), decoded.bucket_counts);
    }
    attributes(view.attributes(), &decoded.attributes);
    each(view.exemplars(), &decoded.exemplars, exemplar);
}

fn summary_point(view: SummaryPoint<'_>, decoded: &metrics::SummaryDataPoint) {
    same!(view, decoded, start_time_unix_nano time_unix_nano count flags);
    assert_eq!(view.sum().to_bits(), decoded.sum.to_bits());
    attributes(view.attributes(), &decoded.attributes);
    each(view.quantile_values(), &decoded.quantile_values, |view, decoded| {
        assert_eq!(bits([view.quantile(), view.value()]), bits([decoded.quantile, decoded.value]));
    });
}

fn profile(view: Profile<'_>, decoded: &profiles::Profile) {
    same_ids!(view, decoded, profile_id);
    same!(view, decoded, time_unix_nano duration_nano period dropped_attributes_count);
    same!(view, decoded, original_payload_format original_payload);
    for (view, decoded) in
        [(view.sample_type(), &decoded.sample_type), (view.period_type(), &decoded.period_type)]
    {
        let decoded = decoded.unwrap_or_default();
        same!(view, decoded, type_strindex unit_strindex);
    }
    assert_eq!(all(view.attribute_indices()), decoded.attribute_indices);
    each(view.samples(), &decoded.samples, |view, decoded| {
        same!(view, decoded, stack_index link_index);
        assert_eq!(all(view.attribute_indices()), decoded.attribute_indices);
        assert_eq!(all(view.values()), decoded.values);
        assert_eq!(all(view.timestamps_unix_nano()), decoded.timestamps_unix_nano);
    });
}

fn dictionary(view: Dictionary<'_>, decoded: Option<&profiles::ProfilesDictionary>) {
    let decoded = decoded.cloned().unwrap_or_default();
    each(view.mappings(), &decoded.mapping_table, |view, decoded| {
        same!(view, decoded, memory_start memory_limit file_offset filename_strindex);
        assert_eq!(all(view.attribute_indices()), decoded.attribute_indices);
    });
    each(view.locations(), &decoded.location_table, |view, decoded| {
        same!(view, decoded, mapping_index address);
        assert_eq!(all(view.attribute_indices()), decoded.attribute_indices);
        each(view.lines(), &decoded.lines, |view, decoded| same!(view, decoded, function_index line column));
    });
    each(view.functions(), &decoded.function_table, |view, decoded| {
        same!(view, decoded, name_strindex system_name_strindex filename_strindex start_line);
    });
    each(view.links(), &decoded.link_table, |view, decoded| same_ids!(view, decoded, trace_id span_id));
    each(view.attributes(), &decoded.attribute_table, |view, decoded| {
        same!(view, decoded, key_strindex unit_strindex);
        value(view.value(), decoded.value.as_ref());
    });
    each(view.stacks(), &decoded.stack_table, |view, decoded| {
        assert_eq!(all(view.location_indices()), decoded.location_indices);
    });
    assert_eq!(all(view.strings()), decoded.string_table);
    for index in -1..=decoded.string_table.len() as i32 {
        let expected = usize::try_from(index).ok().and_then(|index| decoded.string_table.get(index));
        assert_eq!(view.string(index), expected.map(String::as_str));
    }
    assert!(view.stack(i32::MAX).is_none() && view.link(i32::MIN).is_none());
}

// === Requests ===

/// Compares a request with what prost makes of it; `$entry` compares one entry.
macro_rules! request {
    ($view:expr, $resources:expr, $scopes:ident, $entries:ident, $entry:ident) => {
        let mut scoped = $view.$entries();
        each($view.resources(), $resources, |view, decoded| {
            same!(view, decoded, schema_url);
            of_resource(view.resource(), decoded.resource.as_ref());
            each(view.scopes(), &decoded.$scopes, |view, decoded| {
                same!(view, decoded, schema_url);
                of_scope(view.scope(), decoded.scope.as_ref());
                each(view.$entries(), &decoded.$entries, $entry);
            });
        });
        for resource in $resources {
            for scope in &resource.$scopes {
                for entry in &scope.$entries {
                    let found = scoped.next().unwrap();
                    of_resource(found.resource(), resource.resource.as_ref());
                    of_scope(found.scope(), scope.scope.as_ref());
                    $entry(*found, entry);
                }
            }
        }
        assert!(scoped.next().is_none());
    };
}

fn compare(signal: Signal, body: &[u8]) {
    let view = RequestView::new(signal, body);
    match signal {
        _ if signal == Signal::TRACES => {
            let decoded = ExportTraceServiceRequest::decode(body).unwrap();
            request!(view, &decoded.resource_spans, scope_spans, spans, span);
        }
        _ if signal == Signal::LOGS => {
            let decoded = ExportLogsServiceRequest::decode(body).unwrap();
            request!(view, &decoded.resource_logs, scope_logs, log_records, log_record);
        }
        _ if signal == Signal::METRICS => {
            let decoded = ExportMetricsServiceRequest::decode(body).unwrap();
            request!(view, &decoded.resource_metrics, scope_metrics, metrics, metric);
        }
        _ => {
            let decoded = ExportProfilesServiceRequest::decode(body).unwrap();
            request!(view, &decoded.resource_profiles, scope_profiles, profiles, profile);
            dictionary(view.dictionary(), decoded.dictionary.as_ref());
        }
    }
    let wrong = Signal::ALL.into_iter().filter(|other| *other != signal);
    for view in wrong.map(|signal| RequestView::new(signal, body)) {
        let of_this = match signal {
            _ if signal == Signal::TRACES => view.spans().count(),
            _ if signal == Signal::LOGS => view.log_records().count(),
            _ if signal == Signal::METRICS => view.metrics().count(),
            _ => view.profiles().count(),
        };
        assert_eq!(of_this, 0, "a request of another signal has none");
    }
}

fn any_signal() -> impl Strategy<Value = Signal> {
    prop::sample::select(Signal::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn views_say_what_prost_says(signal in any_signal(), seed: u64) {
        compare(signal, &message(&mut Random::new(seed), signal.request, DEPTH));
    }

    #[test]
    fn bytes_that_are_no_message_can_be_viewed(
        signal in any_signal(),
        read_as in any_signal(),
        seed: u64,
    ) {
        let mut body = message(&mut Random::new(seed), signal.request, DEPTH);
        let mut random = Random::new(!seed);
        for _ in 0..random.below(4) {
            let at = random.below(body.len());
            if let Some(byte) = body.get_mut(at) {
                *byte = random.next() as u8;
            }
        }
        body.truncate(random.below(4 * body.len()));
        let view = RequestView::new(read_as, &body);
        let mut shown = String::new();
        write!(shown, "{view:?}{:?}{:?}", view.dictionary(), Span::new(&body)).unwrap();
        write!(shown, "{:?}{:?}{:?}", AnyValue::new(&body), Metric::new(&body), Dictionary::new(&body)).unwrap();
    }
}

proptest! {
    /// Lookups read the usual encoding in a way of their own.
    #[test]
    fn a_lookup_finds_what_an_iteration_finds(seed in any::<u64>(), cut in any::<bool>()) {
        let mut random = Random::new(seed);
        let mut message = message(&mut random, Signal::TRACES.levels()[2].unwrap(), 6);
        if cut {
            message.truncate(random.below(message.len().max(1)));
        }
        let span = Span::new(&message);
        let lists = [Some(span.attributes()), span.events().next().map(|event| event.attributes())];
        for list in lists.into_iter().flatten() {
            let keys: Vec<_> = list.iter().map(|attribute| attribute.key()).chain(["absent", ""]).collect();
            for key in keys {
                let found = list.iter().find(|attribute| attribute.key() == key).map(|attribute| attribute.value());
                prop_assert_eq!(format!("{:?}", list.get(key)), format!("{found:?}"));
            }
        }
    }
}

#[test]
fn lookups_read_unusual_encodings() {
    let plain = field(1, b"k");
    let keyed = |rest: &[u8]| [plain.clone(), field(2, &field(1, b"v")), rest.to_vec()].concat();
    for (attribute, key) in [
        (keyed(&[]), "k"),
        // A second key counts.
        (keyed(&field(1, b"other")), "other"),
        ([field(2, &field(1, b"v")), plain.clone()].concat(), "k"),
        // An unknown field, and a length of two bytes.
        (keyed(&field(9, b"x")), "k"),
        ([vec![0x0a, 0x81, 0x00], b"k".to_vec(), field(2, &field(1, b"v"))].concat(), "k"),
    ] {
        let message = [field(5, b"name"), field(9, &attribute), vec![0x85, 0x01, 1, 0, 0, 0]].concat();
        let attributes = Span::new(&message).attributes();
        assert_eq!(attributes.get(key), Some("v".into()), "{attribute:02x?}");
        assert_eq!(attributes.get("absent"), None);
    }
}

/// What random messages seldom are: pieces of pieces, with other arms between.
#[test]
fn pieces_are_merged_and_replaced_as_a_decoder_would() {
    let entry = |key: &str| field(1, &field(1, key.as_bytes()));
    let list = |key: &str| field(6, &entry(key));
    let string = field(1, b"text");
    let keys = |key_value: &[u8]| {
        let decoded = common::KeyValue::decode(key_value).unwrap();
        value(KeyValue::new(key_value).value(), decoded.value.as_ref());
        match KeyValue::new(key_value).value() {
            AnyValue::Map(map) => map.iter().map(|entry| entry.key().to_owned()).collect(),
            other => vec![format!("{other:?}")],
        }
    };
    let cases: [(Vec<Vec<u8>>, &[&str]); 6] = [
        (vec![list("a")], &["a"]),
        (vec![[list("a"), list("b")].concat()], &["a", "b"]),
        (vec![list("a"), list("b")], &["a", "b"]),
        (vec![[list("a"), string.clone(), list("b")].concat(), list("c")], &["b", "c"]),
        (vec![list("a"), string.clone(), list("b"), list("c")], &["b", "c"]),
        (vec![list("a"), [list("b"), string].concat()], &["\"text\""]),
    ];
    for (values, expected) in cases {
        let key_value: Vec<u8> = values.iter().flat_map(|value| field(2, value)).collect();
        assert_eq!(keys(&key_value), expected, "{key_value:02x?}");
    }
}

/// A getter's work and stack do not grow with depth.
#[test]
fn deep_values_are_viewed_lazily() {
    let mut deep = Vec::new();
    for _ in 0..2_000 {
        deep = field(5, &field(1, &deep));
    }
    assert!(matches!(AnyValue::new(&deep), AnyValue::Array(list) if list.count() == 1));
    assert!(format!("{:?}", AnyValue::new(&deep)).contains('…'));
}

#[test]
fn an_id_goes_from_a_view_to_a_writer_and_is_absent_if_its_length_is_wrong() {
    let mut written = Vec::new();
    SpanWriter::new(&mut written).trace_id(&[7; 16]).span_id(&[8; 8]);
    let span = Span::new(&written);
    let (trace_id, span_id) = (span.trace_id().unwrap(), span.span_id().unwrap());
    let mut copy = Vec::new();
    SpanWriter::new(&mut copy).trace_id(trace_id).span_id(span_id);
    assert_eq!((copy, span.parent_span_id()), (written.clone(), None));
    // A trace id of two bytes.
    assert_eq!(Span::new(b"\x0a\x02\x01\x02").trace_id(), None);
}
