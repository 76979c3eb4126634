//! Items of requests as lists of fields, with the same text for ids and times of different runs.

use crate::by_hand::SET_TIME;
use otlp_protocol::{Batch, json};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Items by kind and name, each with its fields: path and value.
#[derive(Debug, Default)]
pub struct Items {
    items: BTreeMap<(&'static str, String), BTreeMap<String, String>>,
    ids: BTreeMap<String, String>,
}

/// Lists of groups in a request, lists of items in a group.
const SIGNALS: [(&str, &str, &str, &str); 3] = [
    ("resourceSpans", "scopeSpans", "spans", "span"),
    ("resourceLogs", "scopeLogs", "logRecords", "log"),
    ("resourceMetrics", "scopeMetrics", "metrics", "metric"),
];

/// Attributes whose values are different in each run, or with each version of a library.
const VARIABLE: [&str; 4] = ["busy_ns", "idle_ns", "telemetry.sdk.version", "thread.id"];

impl Items {
    /// Reads the items of batches.
    pub fn of(batches: &[Batch]) -> Self {
        let requests: Vec<Value> = batches
            .iter()
            .map(|batch| serde_json::from_str(&json::to_string(batch.body()).unwrap()).unwrap())
            .collect();
        let mut this = Self::default();
        for request in &requests {
            this.read_ids(request);
        }
        for (request, (groups, scopes, entries, kind)) in
            requests.iter().flat_map(|request| SIGNALS.map(|names| (request, names)))
        {
            for group in list(request, groups) {
                let mut fields = BTreeMap::new();
                this.flatten(&group["resource"], "", &mut fields);
                this.flatten(&group["schemaUrl"], "schemaUrl", &mut fields);
                this.insert("resource", String::new(), fields);
                for scope in list(group, scopes) {
                    list(scope, entries).for_each(|entry| this.read(kind, scope, entry));
                }
            }
        }
        this
    }

    /// Returns the fields that differ: `kind (names): path: value of self -> value of other`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut names = BTreeMap::<_, BTreeSet<&str>>::new();
        let keys: BTreeSet<_> = self.items.keys().chain(other.items.keys()).collect();
        let none = BTreeMap::new();
        for key in &keys {
            let [left, right] = [self, other].map(|items| items.items.get(*key).unwrap_or(&none));
            for path in left.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
                let [left, right] = [left, right].map(|fields| fields.get(path).map_or("none", |text| text));
                if left != right {
                    names.entry((key.0, path, left, right)).or_default().insert(&key.1);
                }
            }
        }
        let count = |kind| keys.iter().filter(|(of, _)| *of == kind).count();
        names
            .into_iter()
            .map(|((kind, path, left, right), names)| {
                let names = match names.len() {
                    some if some == count(kind) => "all".to_owned(),
                    _ => names.into_iter().collect::<Vec<_>>().join(", "),
                };
                format!("{kind} ({names}): {path}: {left} -> {right}")
            })
            .collect()
    }

    fn insert(&mut self, kind: &'static str, name: String, fields: BTreeMap<String, String>) {
        let known = self.items.insert((kind, name), fields.clone());
        assert!(known.is_none_or(|known| kind == "resource" && known == fields), "{kind}: twice: {fields:?}");
    }

    /// Names the ids: a span's id by its name, a trace's id by its first span.
    fn read_ids(&mut self, request: &Value) {
        for span in list(request, "resourceSpans")
            .flat_map(|group| list(group, "scopeSpans"))
            .flat_map(|scope| list(scope, "spans"))
        {
            let name = text(&span["name"]);
            self.ids.insert(text(&span["spanId"]), format!("span {name:?}"));
            let trace = format!("trace of {name:?}");
            let known = self.ids.entry(text(&span["traceId"])).or_insert(trace.clone());
            if trace < *known {
                *known = trace;
            }
        }
    }

    fn read(&mut self, kind: &'static str, scope: &Value, entry: &Value) {
        let name = match kind {
            "log" => {
                entry["body"]["stringValue"].as_str().or(entry["eventName"].as_str()).unwrap_or_default()
            }
            _ => entry["name"].as_str().unwrap_or_default(),
        };
        let mut fields = BTreeMap::new();
        self.flatten(&scope["scope"], "scope", &mut fields);
        self.flatten(&scope["schemaUrl"], "scope.schemaUrl", &mut fields);
        self.flatten(entry, "", &mut fields);
        self.insert(kind, name.to_owned(), fields);
    }

    fn flatten(&self, value: &Value, path: &str, out: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(map) => self.flatten_map(map, path, out),
            Value::Array(list) if list.iter().any(Value::is_object) => {
                out.insert(format!("{path}.len"), list.len().to_string());
                let mut list: Vec<_> = list.iter().collect();
                if path.ends_with("dataPoints") {
                    list.sort_by_key(|point| sorted(&point["attributes"]).to_string());
                }
                // Of many equal entries the first few are enough.
                for (index, entry) in list.into_iter().enumerate().take(8) {
                    self.flatten(entry, &format!("{path}[{index}]"), out);
                }
            }
            Value::Null => {}
            scalar => {
                out.insert(path.to_owned(), self.normal(path, scalar));
            }
        }
    }

    fn flatten_map(&self, map: &Map<String, Value>, path: &str, out: &mut BTreeMap<String, String>) {
        if map.is_empty() {
            out.insert(path.to_owned(), "{}".to_owned());
        }
        for (key, value) in map {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            if key != "attributes" {
                self.flatten(value, &path, out);
                continue;
            }
            let attributes: Vec<_> = value.as_array().into_iter().flatten().collect();
            // Of very many attributes, all alike, the number is enough.
            let shown = if attributes.len() > 100 { 1 } else { attributes.len() };
            if shown < attributes.len() {
                out.insert(format!("{path}.len"), attributes.len().to_string());
            }
            for attribute in attributes.into_iter().take(shown) {
                let key = text(&attribute["key"]);
                let value = if VARIABLE.contains(&key.as_str()) {
                    "any".to_owned()
                } else {
                    attribute["value"].to_string()
                };
                let mut path = format!("{path}.{key}");
                while out.contains_key(&path) {
                    path += " again";
                }
                out.insert(path, value);
            }
        }
    }

    /// Writes a value; ids by their span, times by whether the program set them.
    fn normal(&self, path: &str, value: &Value) -> String {
        let field = path.rsplit('.').next().unwrap_or(path);
        if field.ends_with("Id") {
            let id = text(value);
            return self.ids.get(&id).cloned().unwrap_or(id);
        }
        if field.ends_with("TimeUnixNano") || field == "timeUnixNano" {
            let nanos: u64 = text(value).parse().unwrap();
            let is_set = nanos / 1_000_000_000 == SET_TIME;
            return if is_set { text(value) } else { "now".to_owned() };
        }
        // The version of a scope that is named after a library changes with the library.
        if path == "scope.version" { "any".to_owned() } else { value.to_string() }
    }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Sorts attributes by key.
fn sorted(attributes: &Value) -> Value {
    let mut list = attributes.as_array().cloned().unwrap_or_default();
    list.sort_by_key(|attribute| text(&attribute["key"]));
    Value::Array(list)
}
