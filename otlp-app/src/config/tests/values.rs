//! Values as files in use have them: the Collector takes all of these.

use super::*;
use otlp_service::OnFull;
use std::time::Duration;

fn exporter(settings: &str) -> Plan {
    plan(&around(&format!("  otlp: {{endpoint: 'c:1', {settings}}}")))
}

/// Returns the errors in an exporter's settings; empty without errors.
fn wrong(component: &str, settings: &str) -> String {
    let text = around(&format!("  otlp: {{endpoint: 'c:1'}}\n  {component}: {{{settings}}}"));
    Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]).err().unwrap_or_default()
}

fn receiver(protocols: &str) -> Plan {
    plan(&around("  otlp: {endpoint: c:1}").replace("{grpc: }", protocols))
}

#[test]
fn whole_numbers_may_be_written_as_helm_does_and_in_quotes() {
    for (written, number) in [
        ("8192", 8192),
        ("8192.0", 8192),
        ("1e+06", 1_000_000),
        ("6.7108864e+07", 67_108_864),
        ("\"512\"", 512),
        ("'1e3'", 1000),
        ("0x10", 16),
        ("0o17", 15),
        ("017", 15),
        ("0b11", 3),
        ("1_000", 1000),
    ] {
        let queue = &exporter(&format!("sending_queue: {{queue_size: {written}}}")).exporters[0].1.part.queue;
        assert_eq!(queue.queue_size, number, "{written}");
    }
    for wrong in ["8192.5", "1e300", "'a'", "true", "-1", "''", "0-5", "[1]"] {
        let text = around(&format!("  otlp: {{endpoint: 'c:1', sending_queue: {{num_consumers: {wrong}}}}}"));
        let loaded = Fake::default().file("c.yaml", text).load(&["c.yaml"], &[]);
        let takes_default = loaded.is_ok_and(|plan| plan.exporters[0].1.part.queue.num_consumers == 10);
        assert_eq!(takes_default, wrong == "''", "{wrong}");
    }
    let retry = &exporter("retry_on_failure: {multiplier: '2', randomization_factor: \"0.25\"}").exporters[0]
        .1
        .part
        .retry;
    assert_eq!((retry.multiplier, retry.randomization_factor), (2.0, 0.25));
}

#[test]
fn sizes_below_zero_are_the_default() {
    let plan = receiver("{http: {max_request_body_size: -1, cors: {allowed_origins: [a], max_age: -1}}}");
    let config = &plan.receivers[0].1.servers[0].spec.config;
    assert_eq!(config.limits.max_request_bytes, 64 << 20);
    assert_eq!(config.cors.as_ref().unwrap().max_age, Duration::ZERO);
    assert_eq!(wrong("otlp_http", "endpoint: 'http://c', max_conns_per_host: -1"), "");
}

#[test]
fn words_are_taken_in_any_case() {
    let text = around("  otlp: {endpoint: 'c:1', compression: GZIP}")
        + "  telemetry: {metrics: {level: Basic}, logs: {level: Warning, encoding: JSON}}\n";
    let plan = plan(&text);
    assert!(
        plan.telemetry.logs.json && plan.telemetry.logs.level == tracing::level_filters::LevelFilter::WARN
    );
    assert!(wrong("otlp/x", "endpoint: 'c:1', compression: gzp").contains("did you mean `gzip`?"));
}

/// The value of a variable is text where a text is expected, also if it could be read as another type.
#[test]
fn variables_stay_text_where_text_is_expected() {
    for value in ["123", "1e5", "true", "null", "~", "{a: b}", "[x]", "{\"a\": 1}"] {
        let text = around("  otlp: {endpoint: 'c:1', user_agent: \"${env:V}\", headers: {x: \"${env:V}\"}}");
        let fake = Fake::default().var("V", value).file("c.yaml", text);
        let plan = fake.load(&["c.yaml"], &[]).unwrap_or_else(|problems| panic!("{value}: {problems}"));
        assert_eq!(plan.exporters.len(), 1);
    }
    let headers =
        decoded::<headers::Headers>("{a: \"${V}\", b: ~, c: null, d: 1.10, e: true}", "{x: [1, 2]}");
    let pairs: Vec<_> = headers.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("a", "{x: [1, 2]}"), ("b", ""), ("c", ""), ("d", "1.10"), ("e", "true")]);
}

/// A text decoded, with the variable V.
fn decoded<T: DeserializeOwned>(text: &str, variable: &str) -> T {
    let mut sources = Sources::default();
    let source = sources.add("c.yaml", text);
    let mut node = parse::parse(text, source).unwrap();
    expand::expand(&mut node, &mut sources, &Fake::default().var("V", variable), &mut Vec::new()).unwrap();
    let mut problems = Problems::default();
    decode::decode(&node, &mut problems).unwrap_or_else(|| panic!("{}", problems.render(&sources, false)))
}

#[test]
fn a_quoted_reference_to_nothing_is_the_empty_text() {
    let text = "receivers: {otlp: {protocols: {grpc: }}}\nprocessors:\n  attributes:\n    actions:\n      \
                - {key: a, action: insert, value: \"${env:V:-}\"}\n      - {key: b, action: insert, value: ''}\n\
                exporters: {nop: }\n\
                service: {pipelines: {logs: {receivers: [otlp], processors: [attributes], exporters: [nop]}}}\n";
    plan(text);
    // Where something else is expected, that type's zero: as in the Collector.
    let value: Option<u64> = decoded("\"${V}\"", "");
    assert_eq!(value, None);
    assert_eq!(decoded::<u64>("\"${V}\"", ""), 0);
    assert!(!decoded::<bool>("\"${V}\"", ""));
    assert_eq!(decoded::<otlp_service::GoDuration>("\"${V}\"", "").0, Duration::ZERO);
    assert_eq!(decoded::<Vec<String>>("\"${V}\"", ""), Vec::<String>::new());
}

#[test]
fn empty_texts_are_settings_that_are_not_given() {
    for settings in [
        "tls: {ca_file: '', cert_file: '', key_file: '', min_version: '', server_name_override: ''}",
        "balancer_name: ''",
        "authority: ''",
        "user_agent: ''",
        "compression: ''",
        "auth: ",
        "tls: ",
    ] {
        let plan = exporter(settings);
        let connect = plan.exporters.into_iter().next().unwrap().1.part.connect;
        let made = connect("a".into(), &otlp_transport::TransportContext::tcp(1 << 20), None);
        assert!(made.is_ok(), "{settings}: {:?}", made.err());
    }
}

/// A key that is refused is judged by its value.
#[test]
fn values_that_say_off_are_not_refused() {
    for (component, settings) in [
        ("otlp_http", "proxy_url: ''"),
        ("otlp_http", "cookies: "),
        ("otlp_http", "cookies: {enabled: false}"),
        ("otlp_http", "cookies: {}"),
        ("otlp_http", "middlewares: []"),
        ("otlp_grpc", "sending_queue: {storage: }"),
        ("otlp_grpc", "sending_queue: {storage: ''}"),
        (
            "otlp_grpc",
            "sending_queue: {enabled: false, queue_size: 0, num_consumers: 0, storage: file_storage}",
        ),
        ("otlp_grpc", "sending_queue: {enabled: false, batch: }"),
        ("otlp_grpc", "retry_on_failure: {enabled: false, multiplier: -1}"),
        ("otlp_grpc", "retry_on_failure: {multiplier: 0}"),
        ("otlp_grpc", "tls: {tpm: {enabled: false}}"),
        ("otlp_grpc", "tls: {tpm: {enabled: false, path: /dev/tpmrm0}}"),
        ("otlp_grpc", "keepalive: {enabled: false, time: 1s}"),
        ("otlp_grpc", "auth: {enabled: false, authenticator: x}"),
    ] {
        let endpoint = if component == "otlp_http" { "http://c" } else { "c:1" };
        assert_eq!(wrong(component, &format!("endpoint: '{endpoint}', {settings}")), "", "{settings}");
    }
    assert!(wrong("otlp_http", "endpoint: 'http://c', cookies: {enabled: true}").contains("cookies is not"));
}

/// The Collector turns off any optional section by `enabled: false`.
#[test]
fn sections_may_be_turned_off() {
    for (protocols, servers) in [
        ("{grpc: {enabled: false}, http: {enabled: true}}", &["http"][..]),
        (
            "{grpc: {tls: {enabled: false, cert_file: /x}, auth: {enabled: false, authenticator: x}}}",
            &["grpc"],
        ),
        ("{grpc: {keepalive: {enabled: false}}, http: {cors: {enabled: false}}}", &["grpc", "http"]),
    ] {
        let plan = receiver(protocols);
        let servers_made = &plan.receivers[0].1.servers;
        let names: Vec<_> = servers_made.iter().map(|server| server.spec.strategy.name()).collect();
        assert_eq!(names, servers, "{protocols}");
        assert!(servers_made.iter().all(|server| server.spec.config.tls.is_none() && server.auth.is_none()));
    }
    let notes = receiver("{http: {keepalive: {enabled: false}}}").notes;
    assert!(notes.iter().any(|note| note.text.contains("keepalive.enabled is ignored")), "{notes:?}");
}

#[test]
fn a_component_twice_in_a_list_is_there_once() {
    let text = "receivers: {otlp: {protocols: {grpc: }}}\nprocessors: {batch: }\nexporters: {nop: }\n\
                extensions: {health_check: }\nservice:\n  extensions: [health_check, health_check]\n  \
                pipelines: {logs: {receivers: [otlp, otlp], processors: [batch], exporters: [nop, nop]}}\n";
    let plan = plan(text);
    let pipeline = &plan.pipelines[0];
    assert_eq!(
        (&pipeline.receivers[..], &pipeline.exporters[..]),
        (&["otlp".into()][..], &["nop".into()][..])
    );
    let told = problems(&text.replace("[batch]", "[batch, batch]"));
    assert!(told.contains("`batch` is listed twice"), "{told}");
}

#[test]
fn settings_of_clients_reach_them() {
    let text = around("  otlp: {endpoint: 'c:1'}\n  otlp_http: {endpoint: 'http://u:s3cret@c/x?k=s3cret', headers: {Host: tenant}, \
                       keepalive: {idle_conn_timeout: 7s, max_idle_conns: 3, enabled: true}, disable_keep_alives: true}")
        .replace("exporters: [otlp]", "exporters: [otlp_http]");
    let plan = plan(&text);
    let exporter = &plan.exporters[0].1;
    assert_eq!(exporter.part.endpoints[0].1, "c", "neither user nor password");
    for compression in
        ["snappy", "zlib", "deflate", "x-snappy-framed", "lz4", "zstd", "none", "''", "adaptive"]
    {
        assert_eq!(wrong("otlp_http", &format!("endpoint: 'http://c', compression: {compression}")), "");
    }
    let queue = &exporter_of("sending_queue: {block_on_overflow: true}").part.queue;
    assert_eq!(queue.on_full, OnFull::Block);
}

#[test]
fn weights_are_checked_and_need_something_to_weigh() {
    let told = |rest: &str| wrong("otlp_http", &format!("endpoint: 'http://c', {rest}"));
    assert_eq!(told("compression: adaptive, adaptive_compression: {ratio_weight: 1, speed_weight: 0}"), "");
    let without_adaptive = told("adaptive_compression: {ratio_weight: 1}");
    assert!(without_adaptive.contains("set `compression: adaptive`"), "{without_adaptive}");
    // The client checks its weights.
    for (weights, expected) in [
        ("speed_weight: -1", "0 to 1000"),
        ("ratio_weight: 0, speed_weight: 0, decompress_weight: 0", "all weights are 0"),
    ] {
        let settings = format!("compression: adaptive, adaptive_compression: {{{weights}}}");
        let refused = refusals(&around(&format!("  otlp: {{endpoint: c:1, {settings}}}")));
        assert!(refused.contains("adaptive_compression") && refused.contains(expected), "{refused}");
    }
}

fn exporter_of(settings: &str) -> plan::ExporterPlan {
    exporter(settings).exporters.remove(0).1
}

/// `logging` is the old name of `debug`; extensions without a meaning here are taken with a note.
#[test]
fn components_of_other_days_are_taken_with_a_note() {
    let text = "receivers: {otlp: {protocols: {grpc: }}}\nexporters:\n  logging: {loglevel: DEBUG, sampling_initial: 5}\n  \
                logging/2: {loglevel: info}\n  logging/3: \nextensions: {zpages: {endpoint: 'a:1'}, pprof: , memory_ballast: {size_mib: 5}}\n\
                service:\n  extensions: [zpages, pprof, memory_ballast]\n  \
                pipelines: {logs: {receivers: [otlp], exporters: [logging, logging/2, logging/3]}}\n";
    let notes: Vec<_> = plan(text).notes.into_iter().map(|note| note.text).collect();
    for (start, count) in [
        ("exporters.logging is called `debug` now", 1),
        ("exporters.logging/3 is called `debug` now", 1),
        ("extensions.zpages is ignored: ", 1),
        ("extensions.pprof is ignored: ", 1),
        ("extensions.memory_ballast is ignored: ", 1),
    ] {
        assert_eq!(notes.iter().filter(|note| note.starts_with(start)).count(), count, "{start}: {notes:?}");
    }
    let told = problems(&text.replace("info}", "info, colour: red}"));
    assert!(told.contains("unknown key `colour`"), "{told}");
}

#[test]
fn receivers_and_probes_take_all_of_the_collectors_server() {
    let plan = receiver(
        "{grpc: {transport: tcp4, dialer: {timeout: 1s}}, http: {transport: tcp6, endpoint: '[::1]:9', keepalive: {idle_timeout: \
         9s}, keep_alives_enabled: false, compression_algorithms: [gzip, lz4], cors: {allowed_origins: ['https://*.a.*']}}}",
    );
    let [grpc, http] = &plan.receivers[0].1.servers[..] else { panic!("not two servers") };
    assert_eq!(grpc.spec.config.endpoint, "tcp4://localhost:4317");
    assert_eq!(http.spec.config.endpoint, "tcp6://[::1]:9");
    assert_eq!(http.spec.config.limits.idle_timeout, Duration::from_secs(9));
    assert_eq!(
        receiver("{grpc: {transport: tcp4, endpoint: ':1'}}").receivers[0].1.servers[0].spec.config.endpoint,
        "tcp4://0.0.0.0:1"
    );

    let text = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {nop: }\nextensions:\n  health_check: {transport: tcp4, \
                read_timeout: 1s, response_headers: {a: b}, cors: {}, tls: , auth: , compression_algorithms: [gzip]}\n  \
                health_check/2: {endpoint: 'a:2'}\nservice:\n  extensions: [health_check, health_check/2]\n  \
                pipelines: {logs: {receivers: [otlp], exporters: [nop]}}\n";
    let endpoints: Vec<_> =
        super::plan(text).health.probes.into_iter().map(|health| health.endpoint).collect();
    assert_eq!(endpoints, ["tcp4://localhost:13133", "a:2"]);
    let told = problems(&text.replace("transport: tcp4,", "endpoint: 'a:2',"));
    assert!(
        told.contains("health_check/2: address a:2 is used twice: another health_check listens on it, too"),
        "{told}"
    );
}

#[test]
fn load_balancing_takes_all_of_the_collectors_keys() {
    let settings = "routing_key: attributes, routing_attributes: [tenant], timeout: 9s, sending_queue: {batch: }, \
                    resolver: {static: {hostnames: [a]}}";
    assert_eq!(wrong("load_balancing", settings), "");
}
