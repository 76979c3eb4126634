//! Conditions in OTTL: texts of any bytes and well-formed texts, and any bodies.

use otlp_protocol::json;
use otlp_protocol::{Batch, Body, Charge, Signal, ValidateLimits};
use otlp_service::{FilterConditions, FilterConfig, FilterProcessor, Out, Processor};
use std::sync::LazyLock;

/// A condition of any text, or of well-formed random text, is refused with places inside of the text, or is evaluated on telemetry without a panic: in any signal, and
/// what is left is valid.
pub fn ottl(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    let text = match choice & 0x80 {
        0 => String::from_utf8_lossy(rest).into_owned(),
        _ => Choices(rest.iter()).condition(0),
    };
    for body in SAMPLES.iter() {
        let contexts = [None, Some("resource"), Some("span"), Some("log"), Some("datapoint")];
        let mut list = FilterConditions::new(body.signal(), [text.as_str()]);
        list.context = contexts[usize::from(choice & 0x7f) % contexts.len()].map(str::to_owned);
        run(list, body);
    }
}

/// Conditions that read many fields are evaluated on any valid body without a panic, and what is left is valid.
pub fn ottl_body(data: &[u8]) {
    let Some((signal, body)) = super::signal(data) else { return };
    let Ok(body) = Body::check(signal, body.to_vec(), &ValidateLimits::default()) else { return };
    let conditions =
        CONDITIONS.iter().filter(|(name, _)| *name == signal.name).map(|(_, condition)| *condition);
    run(FilterConditions::new(signal, conditions), &body);
}

fn run(list: FilterConditions, body: &Body) {
    let mut config = FilterConfig::default();
    config.conditions.push(list);
    let filter = match FilterProcessor::new(config) {
        Ok(filter) => filter,
        Err(errors) => {
            for (problem, lines) in errors.iter().flat_map(|error| error.error.explained()) {
                assert!(!problem.is_empty() && lines.len() >= 2, "{problem}");
            }
            return;
        }
    };
    let mut out = Out::new();
    let Ok(()) = filter.process(Batch::new(body.clone(), Charge::none()), &mut out) else { return };
    for batch in out.into_batches() {
        let left = batch.body().to_bytes();
        let checked = otlp_protocol::validate(body.signal(), &left, &ValidateLimits::default());
        assert_eq!(checked.map(|checked| checked.count), Ok(batch.count()));
    }
}

static SAMPLES: LazyLock<Vec<Body>> = LazyLock::new(|| {
    let samples = [
        (
            Signal::TRACES,
            r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"x"}}]},"scopeSpans":[{"scope":{"name":"s"},
            "spans":[{"traceId":"01020304050607080102030405060708","spanId":"0102030405060708","name":"GET /a","kind":2,
            "startTimeUnixNano":"5","endTimeUnixNano":"9","attributes":[{"key":"a","value":{"intValue":"7"}},
            {"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"arrayValue":{"values":[{"doubleValue":1.5}]}}}]}}}],
            "events":[{"name":"e","timeUnixNano":"6"}],"status":{"code":2,"message":"no"}}]}]}]}"#,
        ),
        (
            Signal::LOGS,
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"5","severityNumber":13,"severityText":"WARN",
            "body":{"stringValue":"user=bob {\"a\":1}"},"attributes":[{"key":"a","value":{"bytesValue":"AQI="}}]},
            {"body":{"kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}}]}}}]}]}]}"#,
        ),
        (
            Signal::METRICS,
            r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":[{"asInt":"1","timeUnixNano":"5"},
            {"asDouble":2.5}]}},{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"3","sum":1,
            "bucketCounts":["1","2"],"explicitBounds":[1]}]}}]}]}]}"#,
        ),
    ];
    samples.into_iter().map(|(signal, text)| json::from_str(signal, text).expect("a sample")).collect()
});

/// Makes well-formed conditions: each byte is a choice.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or_default()) % limit
    }

    fn of(&mut self, texts: &[&str]) -> String {
        texts[self.below(texts.len())].to_owned()
    }

    fn condition(&mut self, depth: usize) -> String {
        match self.below(if depth < 4 { 8 } else { 4 }) {
            4 => format!("not ({})", self.condition(depth + 1)),
            5 => format!("{} and {}", self.condition(depth + 1), self.condition(depth + 1)),
            6 => format!("({} or {})", self.condition(depth + 1), self.condition(depth + 1)),
            7 => self.call(depth),
            _ => {
                let comparison = ["==", "!=", "<", "<=", ">", ">="][self.below(6)];
                format!("{} {comparison} {}", self.value(depth), self.value(depth))
            }
        }
    }

    fn value(&mut self, depth: usize) -> String {
        match self.below(if depth < 5 { 10 } else { 4 }) {
            0 | 1 => self.of(PATHS),
            2 | 3 => self.of(LITERALS),
            4 => format!("[{}, {}]", self.value(depth + 1), self.value(depth + 1)),
            5 => format!("{{\"k\": {}}}", self.value(depth + 1)),
            6 => {
                let operator = ["+", "-", "*", "/"][self.below(4)];
                format!("({} {operator} {})", self.number(depth + 1), self.number(depth + 1))
            }
            _ => self.call(depth),
        }
    }

    fn number(&mut self, depth: usize) -> String {
        match self.below(3) {
            0 => self.of(&["1", "0", "2.5", "9223372036854775807", "-1"]),
            1 => self.of(PATHS),
            _ => self.call(depth),
        }
    }

    fn call(&mut self, depth: usize) -> String {
        let name = self.of(FUNCTIONS);
        let count = self.below(4);
        let arguments: Vec<_> = (0..count).map(|_| self.value(depth + 1)).collect();
        let keys = self.of(&["", "", "", "[0]", "[\"a\"]"]);
        format!("{name}({}){keys}", arguments.join(", "))
    }
}

const PATHS: &[&str] = &[
    "span.name",
    "span.attributes",
    "span.attributes[\"a\"]",
    "span.attributes[\"m\"][\"k\"][0]",
    "span.start_time",
    "span.events",
    "span.end_time_unix_nano",
    "span.status.code",
    "span.trace_id",
    "span.trace_id.string",
    "span.trace_state[\"a\"]",
    "spanevent.name",
    "log.body",
    "log.body.string",
    "log.body[\"a\"]",
    "log.attributes[\"a\"]",
    "log.severity_number",
    "log.time",
    "metric.name",
    "metric.type",
    "datapoint.value_int",
    "datapoint.value_double",
    "datapoint.bucket_counts",
    "datapoint.attributes",
    "resource.attributes[\"a\"]",
    "scope.name",
    "name",
    "attributes[\"a\"]",
    "body",
    "cache[\"x\"]",
    "span.cache[\"x\"]",
    "otelcol.client.metadata[\"a\"]",
    "span.attributes[span.name]",
];

const LITERALS: &[&str] = &[
    "1",
    "0",
    "-7",
    "2.5",
    "\"a\"",
    "\"x=1 y='2'\"",
    "\"(?P<n>a+)|b\"",
    "\"{\\\"a\\\":[1,null]}\"",
    "0x0a0b",
    "nil",
    "true",
    "false",
    "STATUS_CODE_ERROR",
    "SEVERITY_NUMBER_WARN",
    "\"%Y-%m-%d\"",
    "\"2024-03-01\"",
    "\"1.5s\"",
    "\"%v %5.2f %q %d\"",
    "\"\"",
    "\"é\"",
    "\"asc\"",
    "\"lower\"",
    "9223372036854775807",
    "[]",
    "{}",
];

const FUNCTIONS: &[&str] = &[
    "IsMatch",
    "Concat",
    "Split",
    "Substring",
    "Len",
    "Int",
    "Double",
    "String",
    "Bool",
    "ParseJSON",
    "ExtractPatterns",
    "Format",
    "Time",
    "FormatTime",
    "Duration",
    "Coalesce",
    "ParseKeyValue",
    "Sort",
    "SHA256",
    "SHA1",
    "MD5",
    "FNV",
    "TraceID",
    "SpanID",
    "ConvertCase",
    "ToSnakeCase",
    "ToCamelCase",
    "Trim",
    "TrimPrefix",
    "Index",
    "ContainsValue",
    "Keys",
    "Values",
    "Now",
    "IsRootSpan",
    "IsMap",
    "IsList",
    "TruncateTime",
    "UnixNano",
    "Unix",
    "Hours",
    "Milliseconds",
    "HasPrefix",
    "IsEmpty",
];

/// Conditions by signal.
const CONDITIONS: &[(&str, &str)] = &[
    ("traces", r#"span.attributes["a"]["b"][0] == span.kind.string and span.trace_state["k"] == "v""#),
    ("traces", r#"Milliseconds(span.end_time - span.start_time) > 5 or span.trace_id.string == "00""#),
    ("traces", r#"IsMatch(String(span.attributes), "a.*b") or Len(span.events) > 3"#),
    ("traces", r#"spanevent.attributes == span.attributes or Len(spanevent.name) == 3"#),
    ("traces", r#"resource.schema_url == scope.schema_url and resource.attributes["a"] != nil"#),
    ("logs", r#"log.body.string == "x" or IsMatch(log.body, "b+") or log.body["a"][0] == 1"#),
    ("logs", r#"ParseJSON(log.body)["a"] == 1 or log.severity_number > SEVERITY_NUMBER_WARN"#),
    (
        "logs",
        r#"Concat([log.attributes["a"], log.event_name], "-") == "a-b" or log.time < log.observed_time"#,
    ),
    ("metrics", r#"datapoint.value_int == 1 or datapoint.bucket_counts == [1, 2] or datapoint.sum > 1.5"#),
    ("metrics", r#"datapoint.positive.bucket_counts == nil and metric.is_monotonic == true"#),
    ("metrics", r#"metric.type == METRIC_DATA_TYPE_SUM and Len(metric.data_points) > 2"#),
];
