//! `service.telemetry`, as files have it.

use super::*;
use crate::config::telemetry::{LogOutput, LogSampling, OwnDestination, OwnExporterPlan, OwnTelemetry};
use crate::protocol::Protocol;
use otlp_protocol::AttributeValue;
use otlp_service::{MetricsLevel, MetricsPage, ParentBased, Sampler};
use otlp_transport::{ClientConfig, Compression, Encoding};
use std::time::Duration;

/// A configuration with that `service.telemetry`.
fn with(telemetry: &str) -> String {
    around("  otlp: {endpoint: c:1}") + &format!("  telemetry: {telemetry}\n")
}

fn of(telemetry: &str) -> OwnTelemetry {
    plan(&with(telemetry)).telemetry
}

fn client(exporter: &OwnExporterPlan) -> (Protocol, &ClientConfig) {
    match &exporter.destination {
        OwnDestination::Otlp(protocol, config) => (*protocol, config),
        OwnDestination::Console => panic!("the console"),
    }
}

#[test]
fn pages_are_those_of_all_pull_readers() {
    for (telemetry, pages) in [
        ("{}", &["localhost:8888"][..]),
        ("{metrics: {address: ':9'}}", &["[::]:9"]),
        ("{metrics: {level: none}}", &[]),
        ("{metrics: {readers: []}}", &["localhost:8888"]),
        ("{metrics: {readers: [{pull: {exporter: {prometheus: }}}]}}", &["localhost:8888"]),
        ("{metrics: {readers: [{periodic: {exporter: {console: }}}]}}", &[]),
        (
            "{metrics: {readers: [{pull: {exporter: {prometheus: {host: '::1', port: 9}}}}, \
             {pull: {exporter: {prometheus: {host: b, port: '8'}}}}]}}",
            &["[::1]:9", "b:8"],
        ),
    ] {
        let endpoints: Vec<_> = of(telemetry).pages.into_iter().map(|page| page.endpoint).collect();
        assert_eq!(endpoints, pages, "{telemetry}");
    }
}

#[test]
fn a_page_has_the_level_and_the_names_of_its_settings() {
    let page = |level, type_suffix| MetricsPage { level, type_suffix, ..MetricsPage::new("localhost:8888") };
    let readers = |settings| format!("readers: [{{pull: {{exporter: {{prometheus: {{{settings}}}}}}}}}]");
    for (metrics, expect) in [
        ("level: basic".to_owned(), page(MetricsLevel::Basic, false)),
        (format!("level: detailed, {}", readers("")), page(MetricsLevel::Detailed, false)),
        (readers("without_type_suffix: true"), page(MetricsLevel::Normal, false)),
        (readers("without_type_suffix: false"), page(MetricsLevel::Normal, true)),
    ] {
        assert_eq!(of(&format!("{{metrics: {{{metrics}}}}}")).pages, [expect], "{metrics}");
    }
}

#[test]
fn own_metrics_are_sent_as_the_file_says() {
    let own = of(
        "{metrics: {level: detailed, readers: [{periodic: {interval: 10000, timeout: 5000, exporter: {otlp: {protocol: grpc, \
         endpoint: 'http://c:4317', headers: [{name: api-key, value: x}], headers_list: 'a=b,c=d', compression: gzip, timeout: 7, \
         temporality_preference: delta}}}}]}}",
    );
    let [reader] = own.readers.as_slice() else { panic!("one reader: {own:?}") };
    assert_eq!((reader.interval, reader.timeout), (Duration::from_secs(10), Duration::from_secs(5)));
    assert_eq!((reader.level, reader.exporter.is_delta), (MetricsLevel::Detailed, true));
    let (protocol, config) = client(&reader.exporter);
    assert_eq!((protocol, config.endpoint.as_str()), (Protocol::Grpc, "http://c:4317"));
    let headers: Vec<_> = config.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((headers, config.compression), (vec!["api-key", "a", "c"], Compression::Gzip));
    assert_eq!(config.timeout, Some(Duration::from_millis(7)));
    assert!(of("{metrics: {level: none, readers: [{periodic: {exporter: {console: }}}]}}").is_unsent());
}

#[test]
fn urls_over_http_are_bases_or_whole() {
    for (otlp, base, whole) in [
        ("{endpoint: 'http://c:4318'}", "http://c:4318", None),
        ("{endpoint: 'http://c:4318/'}", "http://c:4318/", None),
        ("{endpoint: 'https://c/v1/logs'}", "", Some("https://c/v1/logs")),
        ("{endpoint: 'c:4318', insecure: true}", "http://c:4318", None),
        ("{endpoint: 'c:4318'}", "https://c:4318", None),
        ("{protocol: http/json}", "", None),
        ("", "", None),
    ] {
        let own = of(&format!("{{logs: {{processors: [{{batch: {{exporter: {{otlp: {otlp}}}}}}}]}}}}"));
        let (protocol, config) = client(&own.log_processors[0].exporter);
        let found = config.signal_endpoints.iter().map(|(_, url)| url.as_str()).next();
        assert_eq!((config.endpoint.as_str(), found), (base, whole), "{otlp}");
        assert_eq!(protocol, Protocol::Http);
        assert_eq!(config.encoding == Encoding::Json, otlp.contains("json"));
    }
}

#[test]
fn lines_of_the_log_are_written_as_the_file_says() {
    let own = of(
        "{logs: {level: warn, output_paths: [stdout, stderr, file:///var/log/otlp.log], initial_fields: {service: a, n: 7}, \
         sampling: {enabled: true, initial: 5}, processors: [{simple: {exporter: {console: {}}}}, \
         {batch: {schedule_delay: 7, max_queue_size: 9, max_export_batch_size: 3, export_timeout: 50, exporter: {otlp: }}}]}}",
    );
    let file = LogOutput::File("/var/log/otlp.log".into());
    assert_eq!(own.logs.outputs, [LogOutput::Stdout, LogOutput::Stderr, file]);
    let fields: Vec<_> =
        own.logs.fields.iter().map(|(key, value)| format!("{key}={}", value.to_json())).collect();
    assert_eq!(fields, ["service=\"a\"", "n=7"]);
    let sampling = LogSampling { tick: Duration::from_secs(10), initial: 5, thereafter: 100 };
    assert_eq!(own.logs.sampling, Some(sampling));
    let [simple, batch] = own.log_processors.as_slice() else { panic!("two: {own:?}") };
    assert_eq!(simple.queue.schedule_delay, Duration::ZERO);
    assert_eq!(batch.queue.schedule_delay, Duration::from_millis(7));
    assert_eq!((batch.queue.max_queue_size, batch.queue.max_export_batch_size), (9, 3));
    assert_eq!(batch.export_timeout, Duration::from_millis(50));
    let unsampled = of("{logs: {sampling: {enabled: false, initial: 5}}}");
    assert_eq!((unsampled.logs.sampling, unsampled.logs.outputs), (None, vec![LogOutput::Stderr]));
}

#[test]
fn own_traces_are_on_if_they_have_a_destination() {
    let destination = "processors: [{batch: {exporter: {otlp: }}}]";
    let spans = |keys: &str| of(&format!("{{traces: {{{keys}}}}}")).spans;
    for off in ["", "processors: []", "sampler: {always_on: }", &format!("level: none, {destination}")] {
        assert!(spans(off).is_none(), "{off}");
    }
    let sampler = |sampler: &str| spans(&format!("{destination}, sampler: {sampler}")).unwrap().sampler;
    assert_eq!(spans(destination).unwrap().sampler, Sampler::default());
    assert_eq!(sampler("{always_on: }"), Sampler::AlwaysOn);
    assert_eq!(sampler("{always_off: {}}"), Sampler::AlwaysOff);
    assert_eq!(sampler("{trace_id_ratio_based: {ratio: 0.25}}"), Sampler::TraceIdRatio(0.25));
    assert_eq!(
        sampler("{parent_based: {root: {trace_id_ratio_based: {ratio: 0.01}}}}"),
        Sampler::parent_based(Sampler::TraceIdRatio(0.01))
    );
    assert_eq!(
        sampler(
            "{parent_based: {root: {always_off: }, remote_parent_sampled: {always_off: }, \
                 remote_parent_not_sampled: {always_on: }}}"
        ),
        Sampler::ParentBased(Box::new(ParentBased {
            root: Sampler::AlwaysOff,
            remote_parent_sampled: Sampler::AlwaysOff,
            remote_parent_not_sampled: Sampler::AlwaysOn,
        }))
    );
    assert!(!spans(destination).unwrap().is_propagated);
    let noted = plan(&with(&format!("{{traces: {{{destination}, propagators: [tracecontext, b3]}}}}")));
    assert!(noted.telemetry.spans.unwrap().is_propagated);
    assert!(noted.notes.iter().any(|note| note.text.contains("`b3` has no effect")), "{:?}", noted.notes);
}

#[test]
fn the_resource_is_a_map_or_a_list() {
    let text = |text: &str| Some(AttributeValue::string(text));
    for (resource, expected) in [
        (
            "{service.name: a, host.name: '', service.instance.id: }",
            vec![("service.name", text("a")), ("host.name", None), ("service.instance.id", None)],
        ),
        ("{version: 1.10}", vec![("version", text("1.10"))]),
        (
            "{attributes: [{name: a, value: 7}, {name: b, value: 7, type: string}, {name: c, value: [x]}]}",
            vec![
                ("a", Some(AttributeValue::int(7))),
                ("b", text("7")),
                ("c", Some(AttributeValue::array(["x"]))),
            ],
        ),
        (
            "{attributes: [{name: a, value: '7', type: int}, {name: b, value: 7, type: double}, \
             {name: c, value: [1, true], type: string_array}, {name: d, type: bool}]}",
            vec![
                ("a", Some(AttributeValue::int(7))),
                ("b", Some(AttributeValue::double(7.0))),
                ("c", Some(AttributeValue::array(["1", "true"]))),
                ("d", None),
            ],
        ),
        ("{attributes_list: 'a=b, c=d'}", vec![("a", text("b")), ("c", text("d"))]),
    ] {
        let found = of(&format!("{{resource: {resource}}}")).resource;
        let found: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        assert_eq!(found, expected, "{resource}");
    }
}

#[test]
fn what_cannot_be_honoured_is_refused_with_its_place() {
    for (telemetry, problem) in [
        ("{metrics: {readers: [{periodic: {}}]}}", "an exporter is missing: `otlp` or `console`"),
        ("{logs: {processors: [{batch: {exporter: {}}}]}}", "an exporter is missing: `otlp` or `console`"),
        ("{logs: {processors: [{simple: {exporter: {otlp: , console: }}}]}}", "both `otlp` and `console`"),
        (
            "{metrics: {readers: [{periodic: {interval: 5, exporter: {console: }}}]}}",
            "at least 100 milliseconds",
        ),
        (
            "{metrics: {readers: [{periodic: {interval: 5s, exporter: {console: }}}]}}",
            "expected a whole number",
        ),
        ("{traces: {sampler: {trace_id_ratio_based: {ratio: 7}}}}", "it must be 0 to 1"),
        ("{traces: {sampler: {always_on: , always_off: }}}", "several samplers: one is expected"),
        ("{traces: {sampler: {jaeger_remote: {}}}}", "unknown key `jaeger_remote`"),
        (
            "{logs: {processors: [{batch: {max_queue_size: 0, exporter: {otlp: }}}]}}",
            "it must be 1 to 1000000",
        ),
        (
            "{logs: {processors: [{batch: {exporter: {otlp: {headers_list: a}}}}]}}",
            "expected name=value,name=value",
        ),
        ("{logs: {processors: [{batch: {exporter: {otlp: {protocol: udp}}}}]}}", "unknown value `udp`"),
        ("{resource: {attributes: [{nam: a}]}}", "unknown key `nam`"),
        ("{resource: {attributes: [{name: a, value: 1, type: strng}]}}", "`a`: unknown type `strng`"),
        (
            "{resource: {attributes: [{name: a, value: x, type: int}]}}",
            "`a`: the value is not of the type `int`",
        ),
        (
            "{resource: {attributes: [{name: a, value: [1], type: int}]}}",
            "`a`: the value is not of the type `int`",
        ),
    ] {
        let found = problems(&with(telemetry));
        assert!(found.contains(problem) && found.contains("c.yaml:"), "{telemetry}: {found}");
    }
    let at_start = refusals(&with(
        "{logs: {processors: [{batch: {exporter: {otlp: {endpoint: 'ftp://c:1', certificate: /none.pem}}}}]}}",
    ));
    assert!(
        at_start
            .contains("service.telemetry: logs.processors.0.batch.exporter.otlp.certificate: cannot read"),
        "{at_start}"
    );
    assert!(
        at_start.contains("service.telemetry.logs.processors.0.batch.exporter.otlp.endpoint: "),
        "{at_start}"
    );
}

#[test]
fn a_change_of_the_section_restarts_own_telemetry_alone() {
    let spec = |interval: u32| {
        let reader = format!("{{periodic: {{interval: {interval}, exporter: {{console: }}}}}}");
        spec_of(plan(&with(&format!("{{metrics: {{readers: [{reader}]}}}}"))))
    };
    assert!(spec(1000).changes_from(&spec(1000)).is_empty());
    let changes = spec(2000).changes_from(&spec(1000)).to_string();
    assert_eq!(changes, "extension service.telemetry: new settings");
}

#[test]
fn a_timeout_of_zero_is_none() {
    let timeout = |given: &str| {
        let reader = format!("{{metrics: {{readers: [{{periodic: {{{given}exporter: {{console: }}}}}}]}}}}");
        of(&reader).readers[0].timeout
    };
    assert_eq!((timeout(""), timeout("timeout: 7, ")), (Duration::from_secs(30), Duration::from_millis(7)));
    assert!(timeout("timeout: 0, ") > Duration::from_secs(24 * 3600));
    assert_eq!(timeout(&format!("timeout: {}, ", i64::MAX)), timeout("timeout: 0, "));
}

#[test]
fn an_output_that_is_named_twice_gets_each_line_once() {
    let outputs = of("{logs: {output_paths: [stderr, /tmp/log, stderr]}}").logs.outputs;
    assert_eq!(outputs, [LogOutput::Stderr, LogOutput::File("/tmp/log".into())]);
}
