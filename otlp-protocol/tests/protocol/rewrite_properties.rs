//! A rewrite of the bytes is the same rewrite of what they decode to, with prost as the judge: changes at all levels at once.

use crate::by_hand::sound;
use crate::random::{Random, message};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Proto;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, Gauge, Histogram, Metric, Sum, Summary, number_data_point,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp_protocol::rewrite::{FieldValue, Level, OpenMessages, Rewriter, rewrite};
use otlp_protocol::view::{self, RequestView};
use otlp_protocol::{Body, Decision, Signal, ValidateLimits, Value, validate};
use proptest::prelude::*;

/// A change of an open message, by a visit of the level or of a level below.
#[derive(Clone, Debug)]
enum Op {
    Attribute(Level, String, i64),
    Delete(Level, String),
    /// The name of the scope, the entry or the event.
    Name(Level, String),
    SchemaUrl(Level, String),
    /// A status, a log body, the temporality of a sum, the value of a data point.
    Special(Level, i64),
    Clear(Level),
}

#[derive(Clone, Debug)]
struct Plan {
    ops: Vec<(Level, Op)>,
    shown: [bool; 5],
    drop_one_in: usize,
    seed: u64,
}

struct Script<'p> {
    plan: &'p Plan,
    random: Random,
    /// The keys and numbers of attributes that were read at each visit.
    read: Vec<(Level, usize)>,
}

impl<'p> Script<'p> {
    fn new(plan: &'p Plan) -> Self {
        Self { plan, random: Random::new(plan.seed), read: Vec::new() }
    }

    fn fate(&mut self) -> Decision {
        let of = self.plan.drop_one_in;
        if of > 0 && self.random.one_in(of) { Decision::Drop } else { Decision::Keep }
    }
}

// === the rewrite of bytes ===

/// The field numbers of attributes and name, and the path of what is special.
fn numbers(messages: &OpenMessages, level: Level) -> (u32, u32, &'static [u32]) {
    let data = messages.data_number();
    match (level, messages.signal().name) {
        (Level::Resource, _) => (1, 0, &[]),
        (Level::Scope, _) => (3, 1, &[]),
        (Level::Entry, "traces") => (9, 5, &[15, 3]),
        (Level::Entry, "logs") => (6, 3, &[5]),
        (Level::Entry, _) => (12, 1, &[7, 2]),
        (Level::Child, "traces") => (3, 2, &[]),
        (Level::Child, _) if data == 9 => (9, 0, &[]),
        (Level::Child, _) if data == 10 => (1, 0, &[]),
        (Level::Child, _) if data == 11 => (7, 0, &[]),
        (Level::Child, _) => (7, 0, &[6]),
        (Level::Exemplar, _) => (7, 0, &[]),
    }
}

fn special(messages: &mut OpenMessages, level: Level, value: i64) {
    let (_, _, path) = numbers(messages, level);
    let is_sum = matches!(view::Metric::new(messages.bytes(level)).data(), view::MetricData::Sum(_));
    let value = match (messages.signal().name, level) {
        _ if path.is_empty() => return,
        ("logs", _) => FieldValue::Value(Value::Any(view::AnyValue::Int(value))),
        ("metrics", Level::Entry) if !is_sum => return,
        ("metrics", Level::Child) => FieldValue::Int(value),
        _ => FieldValue::Int(i64::from(value as i32)),
    };
    assert!(messages.edit(level).set(path, value));
}

impl Rewriter for Script<'_> {
    fn shows(&self, level: Level) -> bool {
        self.plan.shown[level as usize]
    }

    fn visit(&mut self, level: Level, messages: &mut OpenMessages) -> Decision {
        for (_, op) in self.plan.ops.iter().filter(|(at, _)| *at == level) {
            match op {
                Op::Attribute(level, key, value) => {
                    let (number, ..) = numbers(messages, *level);
                    assert!(messages.edit(*level).set_attribute(number, key, *value));
                }
                Op::Delete(level, key) => {
                    let (number, ..) = numbers(messages, *level);
                    messages.edit(*level).delete_attribute(number, key);
                }
                Op::Name(level, name) => {
                    let (_, number, _) = numbers(messages, *level);
                    messages.edit(*level).set(&[number], FieldValue::Text(name));
                }
                Op::SchemaUrl(level, url) => drop(messages.set_schema_url(*level, url)),
                Op::Special(level, value) => special(messages, *level, *value),
                Op::Clear(level) => {
                    let (_, number, _) = numbers(messages, *level);
                    messages.edit(*level).clear(&[number]);
                }
            }
            let bytes = messages.bytes(Level::Resource);
            self.read.push((level, view::Resource::new(bytes).attributes().count()));
        }
        self.fate()
    }
}

// === the rewrite of what was decoded ===

/// A decoded request, whose messages are named by their indices from the resource down.
trait Decoded: prost::Message + Default {
    /// The number of messages in the message at a path.
    fn children(&mut self, at: &[usize]) -> usize;
    fn remove(&mut self, at: &[usize]);
    fn attributes(&mut self, at: &[usize]) -> Option<&mut Vec<KeyValue>>;
    fn name(&mut self, at: &[usize]) -> Option<&mut String>;
    fn url(&mut self, at: &[usize]) -> Option<&mut String>;
    fn special(&mut self, at: &[usize], value: i64);
}

/// Implements the methods for resources and scopes; `$below` is for entries and deeper messages.
macro_rules! decoded {
    ($request:ty, $resources:ident, $scopes:ident, $entries:ident) => {
        impl Decoded for $request {
            fn children(&mut self, at: &[usize]) -> usize {
                match *at {
                    [] => self.$resources.len(),
                    [r] => self.$resources[r].$scopes.len(),
                    [r, s] => self.$resources[r].$scopes[s].$entries.len(),
                    [r, s, e, ref below @ ..] => self.$resources[r].$scopes[s].$entries[e].parts(below),
                }
            }

            fn remove(&mut self, at: &[usize]) {
                match *at {
                    [] => {}
                    [r] => drop(self.$resources.remove(r)),
                    [r, s] => drop(self.$resources[r].$scopes.remove(s)),
                    [r, s, e] => drop(self.$resources[r].$scopes[s].$entries.remove(e)),
                    [r, s, e, ref below @ ..] => self.$resources[r].$scopes[s].$entries[e].remove(below),
                }
            }

            fn attributes(&mut self, at: &[usize]) -> Option<&mut Vec<KeyValue>> {
                match *at {
                    [] => None,
                    [r] => Some(&mut self.$resources[r].resource.get_or_insert_default().attributes),
                    [r, s] => {
                        Some(&mut self.$resources[r].$scopes[s].scope.get_or_insert_default().attributes)
                    }
                    [r, s, e, ref below @ ..] => self.$resources[r].$scopes[s].$entries[e].attributes(below),
                }
            }

            fn name(&mut self, at: &[usize]) -> Option<&mut String> {
                match *at {
                    [] | [_] => None,
                    [r, s] => Some(&mut self.$resources[r].$scopes[s].scope.get_or_insert_default().name),
                    [r, s, e, ref below @ ..] => self.$resources[r].$scopes[s].$entries[e].name(below),
                }
            }

            fn url(&mut self, at: &[usize]) -> Option<&mut String> {
                match *at {
                    [r] => Some(&mut self.$resources[r].schema_url),
                    [r, s] => Some(&mut self.$resources[r].$scopes[s].schema_url),
                    _ => None,
                }
            }

            fn special(&mut self, at: &[usize], value: i64) {
                if let [r, s, e, ref below @ ..] = *at {
                    self.$resources[r].$scopes[s].$entries[e].special(below, value);
                }
            }
        }
    };
}

decoded!(ExportTraceServiceRequest, resource_spans, scope_spans, spans);
decoded!(ExportMetricsServiceRequest, resource_metrics, scope_metrics, metrics);
decoded!(ExportLogsServiceRequest, resource_logs, scope_logs, log_records);

/// An entry and its parts.
trait Entry {
    fn parts(&mut self, at: &[usize]) -> usize;
    fn remove(&mut self, at: &[usize]);
    fn attributes(&mut self, at: &[usize]) -> Option<&mut Vec<KeyValue>>;
    fn name(&mut self, at: &[usize]) -> Option<&mut String>;
    fn special(&mut self, at: &[usize], value: i64);
}

impl Entry for LogRecord {
    fn parts(&mut self, _: &[usize]) -> usize {
        0
    }

    fn remove(&mut self, _: &[usize]) {}

    fn attributes(&mut self, _: &[usize]) -> Option<&mut Vec<KeyValue>> {
        Some(&mut self.attributes)
    }

    fn name(&mut self, _: &[usize]) -> Option<&mut String> {
        Some(&mut self.severity_text)
    }

    fn special(&mut self, _: &[usize], value: i64) {
        self.body = Some(AnyValue { value: Some(Proto::IntValue(value)) });
    }
}

impl Entry for Span {
    fn parts(&mut self, at: &[usize]) -> usize {
        if at.is_empty() { self.events.len() } else { 0 }
    }

    fn remove(&mut self, at: &[usize]) {
        self.events.remove(at[0]);
    }

    fn attributes(&mut self, at: &[usize]) -> Option<&mut Vec<KeyValue>> {
        match *at {
            [event, ..] => Some(&mut self.events[event].attributes),
            [] => Some(&mut self.attributes),
        }
    }

    fn name(&mut self, at: &[usize]) -> Option<&mut String> {
        match *at {
            [event, ..] => Some(&mut self.events[event].name),
            [] => Some(&mut self.name),
        }
    }

    fn special(&mut self, at: &[usize], value: i64) {
        if at.is_empty() {
            self.status.get_or_insert_default().code = value as i32;
        }
    }
}

/// Evaluates an expression on the data points of a metric, of any kind.
macro_rules! points {
    ($metric:expr, $points:ident => $then:expr, $none:expr) => {
        match &mut $metric.data {
            None => $none,
            Some(Data::Gauge(Gauge { data_points: $points })) => $then,
            Some(Data::Sum(Sum { data_points: $points, .. })) => $then,
            Some(Data::Histogram(Histogram { data_points: $points, .. })) => $then,
            Some(Data::ExponentialHistogram(ExponentialHistogram { data_points: $points, .. })) => $then,
            Some(Data::Summary(Summary { data_points: $points })) => $then,
        }
    };
}

/// Returns the exemplars of a data point.
fn exemplars(metric: &mut Metric, point: usize) -> Option<&mut Vec<Exemplar>> {
    match &mut metric.data {
        None | Some(Data::Summary(_)) => None,
        Some(Data::Gauge(data)) => Some(&mut data.data_points[point].exemplars),
        Some(Data::Sum(data)) => Some(&mut data.data_points[point].exemplars),
        Some(Data::Histogram(data)) => Some(&mut data.data_points[point].exemplars),
        Some(Data::ExponentialHistogram(data)) => Some(&mut data.data_points[point].exemplars),
    }
}

impl Entry for Metric {
    fn parts(&mut self, at: &[usize]) -> usize {
        match *at {
            [] => points!(self, points => points.len(), 0),
            [point] => exemplars(self, point).map_or(0, |exemplars| exemplars.len()),
            _ => 0,
        }
    }

    fn remove(&mut self, at: &[usize]) {
        match *at {
            [point] => points!(self, points => drop(points.remove(point)), ()),
            [point, exemplar] => drop(exemplars(self, point).unwrap().remove(exemplar)),
            _ => {}
        }
    }

    fn attributes(&mut self, at: &[usize]) -> Option<&mut Vec<KeyValue>> {
        match *at {
            [] => Some(&mut self.metadata),
            [point] => points!(self, points => Some(&mut points[point].attributes), None),
            [point, exemplar, ..] => Some(&mut exemplars(self, point)?[exemplar].filtered_attributes),
        }
    }

    fn name(&mut self, at: &[usize]) -> Option<&mut String> {
        at.is_empty().then_some(&mut self.name)
    }

    fn special(&mut self, at: &[usize], value: i64) {
        match (at, &mut self.data) {
            ([], Some(Data::Sum(sum))) => sum.aggregation_temporality = value as i32,
            ([p], Some(Data::Gauge(Gauge { data_points }) | Data::Sum(Sum { data_points, .. }))) => {
                data_points[*p].value = Some(number_data_point::Value::AsInt(value));
            }
            _ => {}
        }
    }
}

impl Script<'_> {
    fn apply(&self, op: &Op, request: &mut impl Decoded, at: &[usize]) {
        let at = |level: &Level| &at[..=*level as usize];
        match op {
            Op::Attribute(level, key, value) => {
                let Some(list) = request.attributes(at(level)) else { return };
                let value = Some(AnyValue { value: Some(Proto::IntValue(*value)) });
                let Some(first) = list.iter().position(|attribute| attribute.key == *key) else {
                    return list.push(KeyValue { key: key.clone(), value, ..KeyValue::default() });
                };
                list[first].value = value;
                let mut index = 0;
                list.retain(|attribute| {
                    index += 1;
                    index <= first + 1 || attribute.key != *key
                });
            }
            Op::Delete(level, key) => {
                if let Some(list) = request.attributes(at(level)) {
                    list.retain(|attribute| attribute.key != *key);
                }
            }
            Op::Name(level, name) => {
                if let Some(place) = request.name(at(level)) {
                    name.clone_into(place);
                }
            }
            Op::SchemaUrl(level, url) => {
                if let Some(place) = request.url(at(level)) {
                    url.clone_into(place);
                }
            }
            Op::Clear(level) => request.name(at(level)).into_iter().for_each(String::clear),
            Op::Special(level, value) => request.special(at(level), *value),
        }
    }

    fn walk(&mut self, request: &mut impl Decoded, at: &mut Vec<usize>, is_metrics: bool) -> Decision {
        if let Some(index) = at.len().checked_sub(1)
            && self.plan.shown[index]
        {
            let level = Level::ALL[index];
            for (_, op) in self.plan.ops.iter().filter(|(at, _)| *at == level) {
                self.apply(op, request, at);
                self.read.push((level, request.attributes(&at[..1]).map_or(0, |list| list.len())));
            }
            if self.fate() == Decision::Drop {
                return Decision::Drop;
            }
        }
        if !self.plan.shown[at.len().min(5)..].contains(&true) {
            return Decision::Keep;
        }
        let children = request.children(at);
        let mut dropped = Vec::new();
        for index in 0..children {
            at.push(index);
            if self.walk(request, at, is_metrics) == Decision::Drop {
                dropped.push(at.clone());
            }
            at.pop();
        }
        dropped.iter().rev().for_each(|child| request.remove(child));
        let goes_with_its_children = at.len() < 3 || (at.len() == 3 && is_metrics);
        if goes_with_its_children && children > 0 && dropped.len() == children {
            return Decision::Drop;
        }
        Decision::Keep
    }
}

fn rewrite_decoded<R: Decoded>(body: &[u8], script: &mut Script<'_>, is_metrics: bool) -> Vec<u8> {
    let mut request = R::decode(body).unwrap();
    script.walk(&mut request, &mut Vec::new(), is_metrics);
    request.encode_to_vec()
}

fn by_prost(signal: Signal, body: &[u8], script: &mut Script<'_>) -> Vec<u8> {
    match signal.name {
        "traces" => rewrite_decoded::<ExportTraceServiceRequest>(body, script, false),
        "metrics" => rewrite_decoded::<ExportMetricsServiceRequest>(body, script, true),
        _ => rewrite_decoded::<ExportLogsServiceRequest>(body, script, false),
    }
}

/// Decodes and encodes. Absent resources and scopes are made, as they are by reading them in a [`Script`].
fn canonical(signal: Signal, body: &[u8]) -> Vec<u8> {
    let ops = vec![
        (Level::Entry, Op::Delete(Level::Resource, "none".to_owned())),
        (Level::Entry, Op::Delete(Level::Scope, "none".to_owned())),
        (Level::Resource, Op::Delete(Level::Resource, "none".to_owned())),
        (Level::Scope, Op::Delete(Level::Scope, "none".to_owned())),
    ];
    let plan = Plan { ops, shown: [true, true, true, false, false], drop_one_in: 0, seed: 0 };
    by_prost(signal, body, &mut Script::new(&plan))
}

// === plans ===

fn plan(random: &mut Random, keys: &[String]) -> Plan {
    let mut ops = Vec::new();
    for _ in 0..1 + random.below(6) {
        let at = Level::ALL[random.below(5)];
        let level = Level::ALL[random.below(at as usize + 1)];
        let key = keys[random.below(keys.len())].clone();
        let op = match random.below(9) {
            0..=2 => Op::Attribute(level, key, random.next() as i64),
            3 => Op::Delete(level, key),
            4 => Op::Name(level, key),
            5 => Op::SchemaUrl(level, key),
            6 => Op::Clear(level),
            _ => Op::Special(level, random.next() as i64),
        };
        ops.push((at, op));
    }
    let shown = std::array::from_fn(|_| random.one_in(2));
    Plan { ops, shown, drop_one_in: [0, 0, 2, 5][random.below(4)], seed: random.next() }
}

fn keys_of(body: &Body, random: &mut Random) -> Vec<String> {
    let mut keys: Vec<String> =
        ["", "new", "a rather long key, as there may be, of more than 127 bytes: ".repeat(3).as_str()]
            .map(str::to_owned)
            .into();
    let bytes = body.to_bytes();
    let mut found = Vec::new();
    for group in RequestView::new(body.signal(), &bytes).resources() {
        let scopes = group.scopes().map(|group| group.scope().attributes());
        for list in scopes.chain([group.resource().attributes()]) {
            found.extend(list.iter().map(|attribute| attribute.key().to_owned()));
        }
    }
    for _ in 0..4.min(found.len()) {
        keys.push(found.swap_remove(random.below(found.len())));
    }
    keys
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rewrite_is_what_it_would_be_of_the_decoded(
        signal in prop::sample::select(vec![Signal::TRACES, Signal::METRICS, Signal::LOGS]),
        seed: u64,
    ) {
        let mut random = Random::new(seed);
        let body = sound(signal, message(&mut random, signal.request, 7));
        let keys = keys_of(&body, &mut random);
        let plan = plan(&mut random, &keys);
        let (mut of_bytes, mut of_decoded) = (Script::new(&plan), Script::new(&plan));
        let rewritten = rewrite(&body, &mut of_bytes, 1 << 30).unwrap();
        let bytes = rewritten.body.to_bytes();
        let expect = by_prost(signal, &body.to_bytes(), &mut of_decoded);
        prop_assert_eq!(&of_bytes.read, &of_decoded.read, "{:?}", plan);
        prop_assert_eq!(canonical(signal, &bytes), canonical(signal, &expect), "{:?}", plan);
        let checked = validate(signal, &bytes, &ValidateLimits::default()).unwrap();
        prop_assert_eq!(checked.count, rewritten.body.count(), "{:?}", plan);
        let mut left = body.count();
        left -= rewritten.dropped;
        prop_assert_eq!(left, checked.count, "{:?}", plan);
        prop_assert_eq!(rewritten.changed, bytes != body.to_bytes(), "{:?}", plan);
    }
}
