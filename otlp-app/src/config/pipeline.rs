//! `service.pipelines`: pipelines and the components that they name.

use super::node::{Entry, Node, Value};
use super::problem::{Problem, Problems};
use super::source::Span;
use otlp_protocol::Signal;

/// A pipeline of the file.
pub(crate) struct Pipeline {
    /// `signal` or `signal/name`.
    pub(crate) id: String,
    /// Place of the id.
    pub(crate) span: Span,
    /// Signal that the pipeline carries.
    pub(crate) signal: Signal,
    /// Ids, with their places.
    pub(crate) receivers: Vec<(String, Span)>,
    /// Ids, with their places, in order.
    pub(crate) processors: Vec<(String, Span)>,
    /// Ids, with their places.
    pub(crate) exporters: Vec<(String, Span)>,
}

/// Reads the pipelines of `service`.
pub(crate) fn pipelines(service: &Node, problems: &mut Problems) -> Vec<Pipeline> {
    let node = service.get("pipelines");
    let entries = node.and_then(Node::entries).unwrap_or_default();
    if entries.is_empty() {
        let span = node.map_or(service.span, |node| node.span);
        let problem = Problem::at(span, "service.pipelines: no pipeline is defined");
        problems.push(problem.help("such as `traces: {receivers: [otlp], exporters: [debug]}`"));
    }
    entries.iter().filter_map(|entry| pipeline(entry, problems)).collect()
}

/// Reads a list of component ids; an id that is listed twice counts once, as in the Collector.
pub(crate) fn ids(list: &Node, problems: &mut Problems) -> Vec<(String, Span)> {
    let nodes = match &list.value {
        Value::List(nodes) => nodes.as_slice(),
        _ if list.is_null() => &[],
        Value::Scalar(scalar) if !scalar.text.contains(',') => std::slice::from_ref(list),
        _ => {
            problems
                .push(Problem::at(list.span, format!("expected a list of ids, found {}", list.describe())));
            &[]
        }
    };
    if nodes.len() > MAX_IDS {
        problems.push(Problem::at(list.span, format!("more than {MAX_IDS} ids in one list")));
    }
    let mut ids: Vec<(String, Span)> = Vec::new();
    for node in nodes.iter().take(MAX_IDS) {
        match &node.value {
            Value::Scalar(scalar) if ids.iter().any(|(id, _)| *id == scalar.text) => {}
            Value::Scalar(scalar) => ids.push((scalar.text.clone(), node.span)),
            _ => problems.push(Problem::at(node.span, format!("expected an id, found {}", node.describe()))),
        }
    }
    ids
}

/// Reports a processor that is listed twice, since it would run once.
fn refuse_repeated(list: &Node, problems: &mut Problems) {
    let Value::List(nodes) = &list.value else { return };
    let mut seen: Vec<&str> = Vec::new();
    for node in nodes.iter().take(MAX_IDS) {
        let Value::Scalar(scalar) = &node.value else { continue };
        if seen.contains(&scalar.text.as_str()) {
            let message = format!("`{}` is listed twice", scalar.text.escape_debug());
            problems.push(Problem::at(node.span, message));
        }
        seen.push(&scalar.text);
    }
}

fn pipeline(entry: &Entry, problems: &mut Problems) -> Option<Pipeline> {
    let Entry { key: id, key_span: span, value } = entry;
    let name = id.split_once('/').map_or(id.as_str(), |(name, _)| name);
    let Some(signal) = Signal::by_name(name) else {
        let known = Signal::ALL.map(|signal| signal.name);
        problems.push(Problem::unknown(*span, "signal", name, &known));
        return None;
    };
    let mut pipeline = Pipeline {
        id: id.clone(),
        span: *span,
        signal,
        receivers: Vec::new(),
        processors: Vec::new(),
        exporters: Vec::new(),
    };
    let Some(keys) = value.entries() else {
        problems.push(Problem::at(value.span, format!("{id}: expected a map, found {}", value.describe())));
        return None;
    };
    for Entry { key, key_span, value } in keys {
        match key.as_str() {
            "receivers" => pipeline.receivers = ids(value, problems),
            "processors" => {
                refuse_repeated(value, problems);
                pipeline.processors = ids(value, problems);
            }
            "exporters" => pipeline.exporters = ids(value, problems),
            _ => problems.push(Problem::unknown(
                *key_span,
                "key",
                key,
                &["receivers", "processors", "exporters"],
            )),
        }
    }
    for (part, given) in [("receivers", &pipeline.receivers), ("exporters", &pipeline.exporters)] {
        if given.is_empty() {
            problems.push(Problem::at(*span, format!("{id}: a pipeline needs {part}")));
        }
    }
    Some(pipeline)
}

/// Limit of a list, since each id is looked up in all before it.
const MAX_IDS: usize = 100;
