//! An edit of the bytes is the edit of what they decode to, with prost as the judge.

use crate::by_hand::sound;
use crate::edit::{Do, Levels};
use crate::random::{Random, message};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Proto;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::profiles::v1development::ProfilesDictionary;
use opentelemetry_proto::tonic::resource::v1::Resource;
use otlp_protocol::view;
use otlp_protocol::{
    AttributeEdits, Change, Decision, Item, Put, Signal, ValidateLimits, edit, sha256_hex, validate,
};
use proptest::prelude::*;
use prost::Message as _;

/// What is done to the attributes of every message at the chosen levels.
#[derive(Clone, Debug)]
enum Op {
    Put(Put, String, i64),
    PutFrom(Put, String, String),
    Delete(String),
    Rename(String, String),
    Hash(String),
    /// Deletes keys of odd length, overwrites strings.
    Redact,
}

/// What is done, and to whom: the decisions are drawn from the seed, one for each message that is shown.
#[derive(Clone, Debug)]
struct Plan {
    ops: Vec<Op>,
    levels: Levels,
    drop_one_in: usize,
    seed: u64,
}

/// What happens to one message after the other.
struct Script {
    plan: Plan,
    random: Random,
}

impl Script {
    fn new(plan: &Plan) -> Self {
        Self { plan: plan.clone(), random: Random::new(plan.seed) }
    }

    fn fate(&mut self) -> Decision {
        let of = self.plan.drop_one_in;
        if of > 0 && self.random.one_in(of) { Decision::Drop } else { Decision::Keep }
    }
}

// === the edit of bytes ===

fn apply(op: &Op, edits: &mut AttributeEdits<'_>) {
    match op {
        Op::Put(put, key, value) => drop(edits.put(*put, key, *value)),
        Op::PutFrom(put, key, from) => drop(edits.put_from(*put, key, from)),
        Op::Delete(key) => drop(edits.delete(key)),
        Op::Rename(key, to) => drop(edits.rename(key, to)),
        Op::Hash(key) => drop(edits.hash(key)),
        Op::Redact => edits.for_each(|key, value, replacement| match view::AnyValue::new(value) {
            _ if key.len() % 2 == 1 => Change::Delete,
            view::AnyValue::String(_) => {
                replacement.set("***");
                Change::Replace
            }
            _ => Change::Keep,
        }),
    }
}

fn edit_bytes(signal: Signal, body: &[u8], plan: &Plan) -> otlp_protocol::Edited {
    let mut script = Script::new(plan);
    let with = |_: &str, _: &Item<'_>, edits: Option<&mut AttributeEdits<'_>>| {
        if let Some(edits) = edits {
            script.plan.ops.clone().iter().for_each(|op| apply(op, edits));
        }
        script.fate()
    };
    let mut editor = Do { levels: plan.levels, with };
    edit(&sound(signal, body.to_vec()), &mut editor, 1 << 30).unwrap()
}

// === the edit of what was decoded ===

fn string(text: &str) -> Option<AnyValue> {
    Some(AnyValue { value: Some(Proto::StringValue(text.to_owned())) })
}

fn hashed(value: &Option<AnyValue>) -> Option<AnyValue> {
    let bytes = value.as_ref().map(prost::Message::encode_to_vec).unwrap_or_default();
    string(&sha256_hex(view::AnyValue::new(&bytes)))
}

/// The attribute of a key is given a value; others of that key go.
fn put_value(list: &mut Vec<KeyValue>, put: Put, key: &str, value: Option<AnyValue>) {
    let Some(first) = list.iter().position(|attribute| attribute.key == key) else {
        if put != Put::Update {
            list.push(KeyValue { key: key.to_owned(), value, ..KeyValue::default() });
        }
        return;
    };
    if put != Put::Insert {
        list[first].value = value;
        keep_first(list, key);
    }
}

fn keep_first(list: &mut Vec<KeyValue>, key: &str) {
    let mut seen = false;
    list.retain(|attribute| attribute.key != key || !std::mem::replace(&mut seen, true));
}

fn apply_decoded(op: &Op, list: &mut Vec<KeyValue>) {
    let value_of = |list: &[KeyValue], key: &str| {
        let found = list.iter().find(|attribute| attribute.key == key);
        // An absent value is copied as an empty one.
        found.map(|attribute| Some(attribute.value.clone().unwrap_or_default()))
    };
    match op {
        Op::Put(put, key, value) => {
            put_value(list, *put, key, Some(AnyValue { value: Some(Proto::IntValue(*value)) }));
        }
        Op::PutFrom(put, key, from) => {
            if let Some(value) = value_of(list, from) {
                put_value(list, *put, key, value);
            }
        }
        Op::Delete(key) => list.retain(|attribute| attribute.key != *key),
        Op::Rename(key, to) if key != to && list.iter().any(|attribute| attribute.key == *key) => {
            list.retain(|attribute| attribute.key != *to);
            keep_first(list, key);
            let found = list.iter_mut().find(|attribute| attribute.key == *key);
            found.unwrap().key.clone_from(to);
        }
        Op::Rename(..) => {}
        Op::Hash(key) => {
            if let Some(value) = value_of(list, key) {
                put_value(list, Put::Update, key, hashed(&value));
            }
        }
        Op::Redact => {
            list.retain(|attribute| attribute.key.len() % 2 == 0);
            for attribute in list {
                if let Some(AnyValue { value: Some(Proto::StringValue(_)) }) = attribute.value {
                    attribute.value = string("***");
                }
            }
        }
    }
}

impl Script {
    /// What becomes of a message with these attributes.
    fn message(&mut self, is_shown: bool, list: Option<&mut Vec<KeyValue>>) -> Decision {
        if !is_shown {
            return Decision::Keep;
        }
        if let Some(list) = list {
            self.plan.ops.iter().for_each(|op| apply_decoded(op, list));
        }
        self.fate()
    }

    /// What becomes of a resource or scope, which may be absent until it gets an attribute.
    fn header<M: Default>(
        &mut self,
        is_shown: bool,
        message: &mut Option<M>,
        attributes: fn(&mut M) -> &mut Vec<KeyValue>,
    ) -> Decision {
        let mut made = M::default();
        let fate = self.message(is_shown, Some(attributes(message.as_mut().unwrap_or(&mut made))));
        if message.is_none() && !attributes(&mut made).is_empty() {
            *message = Some(made);
        }
        fate
    }

    /// Asks about each; whether what they are in goes with them.
    fn retain<T>(
        &mut self,
        list: &mut Vec<T>,
        mut ask: impl FnMut(&mut Self, &mut T) -> Decision,
    ) -> Decision {
        let before = list.len();
        list.retain_mut(|child| ask(self, child) == Decision::Keep);
        if before > 0 && list.is_empty() { Decision::Drop } else { Decision::Keep }
    }
}

macro_rules! edit_decoded {
    ($name:ident, $request:ty, $resources:ident, $scopes:ident, $entries:ident, $items:expr) => {
        fn $name(body: &[u8], script: &mut Script) -> Vec<u8> {
            let mut request = <$request>::decode(body).unwrap();
            look_up(&mut request);
            let levels = script.plan.levels;
            script.retain(&mut request.$resources, |script, group| {
                if script.header(levels.resources, &mut group.resource, |resource: &mut Resource| {
                    &mut resource.attributes
                }) == Decision::Drop
                {
                    return Decision::Drop;
                }
                if !levels.scopes && !levels.entries && !levels.items {
                    return Decision::Keep;
                }
                script.retain(&mut group.$scopes, |script, group| {
                    if script.header(levels.scopes, &mut group.scope, |scope: &mut InstrumentationScope| {
                        &mut scope.attributes
                    }) == Decision::Drop
                    {
                        return Decision::Drop;
                    }
                    script.retain(&mut group.$entries, |script, entry| {
                        if script.message(levels.entries, None) == Decision::Drop {
                            return Decision::Drop;
                        }
                        if levels.items { $items(script, entry) } else { Decision::Keep }
                    })
                })
            });
            request.encode_to_vec()
        }
    };
}

edit_decoded!(
    traces,
    ExportTraceServiceRequest,
    resource_spans,
    scope_spans,
    spans,
    |script: &mut Script, span: &mut opentelemetry_proto::tonic::trace::v1::Span| {
        script.message(true, Some(&mut span.attributes))
    }
);
edit_decoded!(
    logs,
    ExportLogsServiceRequest,
    resource_logs,
    scope_logs,
    log_records,
    |script: &mut Script, record: &mut opentelemetry_proto::tonic::logs::v1::LogRecord| {
        script.message(true, Some(&mut record.attributes))
    }
);
edit_decoded!(
    profiles,
    ExportProfilesServiceRequest,
    resource_profiles,
    scope_profiles,
    profiles,
    |script: &mut Script, profile: &mut opentelemetry_proto::tonic::profiles::v1development::Profile| {
        script.retain(&mut profile.samples, |script, _| script.message(true, None))
    }
);
edit_decoded!(
    metrics,
    ExportMetricsServiceRequest,
    resource_metrics,
    scope_metrics,
    metrics,
    |script: &mut Script, metric: &mut opentelemetry_proto::tonic::metrics::v1::Metric| {
        macro_rules! points {
            ($data:expr) => {
                script.retain(&mut $data.data_points, |script, point| {
                    script.message(true, Some(&mut point.attributes))
                })
            };
        }
        match &mut metric.data {
            None => Decision::Keep,
            Some(Data::Gauge(data)) => points!(data),
            Some(Data::Sum(data)) => points!(data),
            Some(Data::Histogram(data)) => points!(data),
            Some(Data::ExponentialHistogram(data)) => points!(data),
            Some(Data::Summary(data)) => points!(data),
        }
    }
);

/// Spells out what attributes of resources and scopes say by reference to the dictionary, if there is one.
trait LookUp {
    fn lists(&mut self) -> (Option<ProfilesDictionary>, Vec<&mut Vec<KeyValue>>) {
        (None, Vec::new())
    }
}

impl LookUp for ExportTraceServiceRequest {}
impl LookUp for ExportMetricsServiceRequest {}
impl LookUp for ExportLogsServiceRequest {}

impl LookUp for ExportProfilesServiceRequest {
    fn lists(&mut self) -> (Option<ProfilesDictionary>, Vec<&mut Vec<KeyValue>>) {
        let mut lists = Vec::new();
        for group in &mut self.resource_profiles {
            lists.extend(group.resource.as_mut().map(|resource| &mut resource.attributes));
            for group in &mut group.scope_profiles {
                lists.extend(group.scope.as_mut().map(|scope| &mut scope.attributes));
            }
        }
        (self.dictionary.clone(), lists)
    }
}

fn look_up(request: &mut impl LookUp) {
    let (dictionary, lists) = request.lists();
    let strings = dictionary.unwrap_or_default().string_table;
    let string_of = |index: i32| {
        usize::try_from(index).ok().filter(|&index| index > 0).and_then(|index| strings.get(index))
    };
    for attribute in lists.into_iter().flatten() {
        if let Some(key) = string_of(attribute.key_strindex).filter(|_| attribute.key.is_empty()) {
            attribute.key.clone_from(key);
            attribute.key_strindex = 0;
        }
        if let Some(AnyValue { value: Some(Proto::StringValueStrindex(index)) }) = attribute.value
            && let Some(text) = string_of(index)
        {
            attribute.value = string(text);
        }
    }
}

/// Decodes, looks up and encodes: what bodies are compared by.
fn canonical(signal: Signal, body: &[u8]) -> Vec<u8> {
    let plan = Plan {
        ops: Vec::new(),
        levels: Levels { resources: false, scopes: false, entries: false, items: false },
        drop_one_in: 0,
        seed: 0,
    };
    edit_decoded(signal, body, &plan)
}

fn edit_decoded(signal: Signal, body: &[u8], plan: &Plan) -> Vec<u8> {
    let mut script = Script::new(plan);
    match signal {
        _ if signal == Signal::TRACES => traces(body, &mut script),
        _ if signal == Signal::METRICS => metrics(body, &mut script),
        _ if signal == Signal::LOGS => logs(body, &mut script),
        _ => profiles(body, &mut script),
    }
}

// === plans ===

/// A body some of whose keys are among few.
fn body_and_keys(signal: Signal, random: &mut Random) -> (Vec<u8>, Vec<String>) {
    let body = message(random, signal.request, 7);
    let mut keys: Vec<String> = ["", "new", "key"].map(str::to_owned).into();
    let mut found = Vec::new();
    let levels = Levels { resources: true, scopes: true, entries: false, items: true };
    let with = |_: &str, _: &Item<'_>, edits: Option<&mut AttributeEdits<'_>>| {
        found.extend(edits.unwrap().iter().map(|(key, _)| key.to_owned()));
        Decision::Keep
    };
    edit(&sound(signal, body.clone()), &mut Do { levels, with }, 1 << 30).unwrap();
    for _ in 0..4.min(found.len()) {
        keys.push(found.swap_remove(random.below(found.len())));
    }
    (body, keys)
}

fn plan(random: &mut Random, keys: &[String]) -> Plan {
    let mut ops = Vec::new();
    for _ in 0..1 + random.below(4) {
        let put = [Put::Insert, Put::Update, Put::Upsert][random.below(3)];
        let key = keys[random.below(keys.len())].clone();
        let other = keys[random.below(keys.len())].clone();
        ops.push(match random.below(6) {
            0 => Op::Put(put, key, random.next() as i64),
            1 => Op::PutFrom(put, key, other),
            2 => Op::Delete(key),
            3 => Op::Rename(key, other),
            4 => Op::Hash(key),
            _ => Op::Redact,
        });
    }
    let levels = Levels {
        resources: random.one_in(2),
        scopes: random.one_in(2),
        entries: random.one_in(3),
        items: random.one_in(2),
    };
    Plan { ops, levels, drop_one_in: [0, 0, 2, 5][random.below(4)], seed: random.next() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_is_what_it_would_be_of_the_decoded(signal in prop::sample::select(Signal::ALL.to_vec()), seed: u64) {
        let mut random = Random::new(seed);
        let (body, keys) = body_and_keys(signal, &mut random);
        let plan = plan(&mut random, &keys);
        let edited = edit_bytes(signal, &body, &plan);
        let bytes = edited.body.plain().to_contiguous();
        let before = validate(signal, &body, &ValidateLimits::default()).unwrap();
        let after = validate(signal, &bytes, &ValidateLimits::default());
        prop_assert!(after.is_ok(), "{:?} {:?}", plan, after);
        let mut count = before.count;
        count -= edited.dropped;
        prop_assert_eq!(after.unwrap().count, count, "{:?}", &plan);
        prop_assert_eq!(edited.changed, bytes != body);
        prop_assert!(canonical(signal, &bytes) == edit_decoded(signal, &body, &plan), "{:?}", plan);
    }
}
