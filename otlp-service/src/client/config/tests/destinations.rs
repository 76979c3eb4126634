//! Destinations: a signal's own settings over those of all signals, and settings that cannot work.

use super::*;
#[cfg(all(feature = "http", feature = "tls"))]
use std::fs;

fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn all_settings_of_all_signals_and_of_one_are_read() {
    for (prefix, read) in [
        ("OTEL_EXPORTER_OTLP", (|config| &config.destination) as fn(&OtlpConfig) -> &Destination),
        ("OTEL_EXPORTER_OTLP_TRACES", |config| &config.traces.destination),
        ("OTEL_EXPORTER_OTLP_METRICS", |config| &config.metrics.destination),
        ("OTEL_EXPORTER_OTLP_LOGS", |config| &config.logs.destination),
    ] {
        let values = [
            ("ENDPOINT", "https://collector.example:4317"),
            ("PROTOCOL", "grpc"),
            ("INSECURE", "true"),
            ("HEADERS", "api-key=a%20b, x-tenant = t "),
            ("COMPRESSION", "gzip"),
            ("TIMEOUT", "2500"),
            ("CERTIFICATE", "/ca.pem"),
            ("CLIENT_CERTIFICATE", "/client.pem"),
            ("CLIENT_KEY", "/client.key"),
        ];
        let names = values.map(|(name, value)| (format!("{prefix}_{name}"), value));
        let pairs: Vec<_> = names.iter().map(|(name, value)| (&**name, *value)).collect();
        let config = of(&pairs);
        let expect = Destination {
            endpoint: Some("https://collector.example:4317".into()),
            protocol: Some(Protocol::Grpc),
            insecure: Some(true),
            headers: headers(&[("api-key", "a b"), ("x-tenant", "t")]),
            compression: Some(Compression::Gzip),
            timeout: Some(Duration::from_millis(2500)),
            certificate: Some(Pem::File("/ca.pem".into())),
            client_certificate: Some(Pem::File("/client.pem".into())),
            client_key: Some(Pem::File("/client.key".into())),
        };
        assert_eq!(read(&config), &expect, "{prefix}");
        let all = [
            &config.destination,
            &config.traces.destination,
            &config.metrics.destination,
            &config.logs.destination,
        ];
        assert_eq!(all.iter().filter(|other| ***other == Destination::default()).count(), 3);
        assert_eq!(warnings(&config), [""; 0]);
    }
}

#[test]
fn pairs_that_are_no_headers_are_ignored_and_not_quoted() {
    let list = "a=1,secret,b c=2,=3,d=%4,e=%0A,f=ok";
    let config = of(&[("OTEL_EXPORTER_OTLP_LOGS_HEADERS", list)]);
    assert_eq!(config.logs.destination.headers, headers(&[("a", "1"), ("f", "ok")]));
    let problems = [
        "pair 2: no `=`: write name=value,name=value",
        "pair 3: invalid header name",
        "pair 4: invalid header name",
        "pair 5: invalid percent-encoding of the value: write `%25` for a percent sign",
        "pair 6: invalid header value: control character",
    ];
    let expect =
        problems.map(|problem| format!("OTEL_EXPORTER_OTLP_LOGS_HEADERS: {problem}; the pair is ignored"));
    assert_eq!(warnings(&config), expect);
}

#[test]
fn the_last_value_of_a_header_counts() {
    let config = of(&[("OTEL_EXPORTER_OTLP_HEADERS", "a=1,b=2,A=3")]);
    assert_eq!(config.destination.headers, headers(&[("b", "2"), ("A", "3")]));
}

#[test]
fn a_signals_own_settings_win_and_headers_are_joined() {
    let all = Destination {
        endpoint: Some("http://all".into()),
        protocol: Some(Protocol::Grpc),
        headers: headers(&[("api-key", "all"), ("x-all", "1")]),
        timeout: Some(Duration::from_secs(3)),
        certificate: Some(Pem::File("all.pem".into())),
        ..Destination::default()
    };
    let own = Destination {
        protocol: Some(Protocol::HttpJson),
        headers: headers(&[("Api-Key", "own")]),
        certificate: Some(Pem::Text("own".into())),
        ..Destination::default()
    };
    let expect = Destination {
        endpoint: None,
        headers: headers(&[("x-all", "1"), ("Api-Key", "own")]),
        timeout: Some(Duration::from_secs(3)),
        ..own.clone()
    };
    assert_eq!(Destination::of_signal(&own, &all), expect);
}

#[test]
fn methods_take_precedence_over_variables() {
    let config = of(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs:4318"),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "x-key=a,x-other=b"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "1"),
    ]);
    let config = config
        .with_endpoint("http://mine:4318")
        .with_header("X-Key", "c")
        .with_protocol(Protocol::HttpProtobuf)
        .with_compression(Compression::None)
        .with_timeout(Duration::from_secs(2));
    let expect = Destination {
        endpoint: Some("http://mine:4318".into()),
        protocol: Some(Protocol::HttpProtobuf),
        headers: headers(&[("X-Key", "c")]),
        compression: Some(Compression::None),
        timeout: Some(Duration::from_secs(2)),
        ..Destination::default()
    };
    assert_eq!(config.destination, expect);
    assert_eq!(config.logs.destination.headers, headers(&[("x-other", "b")]));
    let own = [&config.traces, &config.metrics, &config.logs].map(|signal| &signal.destination);
    for own in own {
        assert_eq!(own.endpoint.as_ref().or(None), None);
        assert!(own.protocol.is_none() && own.compression.is_none() && own.timeout.is_none());
    }
}

#[test]
fn debug_output_shows_no_secrets() {
    let mut config = OtlpConfig::default().with_endpoint("https://user:hidden@collector:4318/p?token=hidden");
    config = config.with_header("authorization", "hidden");
    config.traces.destination.client_key = Some(Pem::Text("hidden".into()));
    config.proxies.https_proxy = "http://user:hidden@proxy:1".into();
    let text = format!("{config:?}");
    assert!(!text.contains("hidden"), "{text}");
    assert!(text.contains("https://collector:4318/p") && text.contains("authorization"), "{text}");
}

#[test]
#[cfg(all(feature = "grpc", feature = "http"))]
fn problems_name_field_variable_and_value() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")],
            "destination.endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) \"collector:4318\": expected a URL",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector")],
            "traces.destination.endpoint (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) \"collector\": ",
        ),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://host"), ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc")], ""),
        (
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://host/path"),
                ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc"),
            ],
            "destination.endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) \"http://host/path\": a gRPC endpoint cannot have a path",
        ),
        (
            &[
                ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "ftp://host"),
                ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc"),
            ],
            "logs.destination.endpoint (OTEL_EXPORTER_OTLP_LOGS_ENDPOINT) \"ftp://host\": expected a URL",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "content-type=x")],
            "metrics.destination.headers (OTEL_EXPORTER_OTLP_METRICS_HEADERS): `content-type` is set by the exporter",
        ),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://remote"), ("HTTP_PROXY", "socks://p")],
            "proxies (HTTPS_PROXY): ",
        ),
    ];
    for (variables, expect) in cases {
        let found = problem(&of(variables));
        assert!(
            found.starts_with(expect) && (expect.is_empty() == found.is_empty()),
            "{variables:?}: {found}"
        );
    }
}

#[test]
#[cfg(all(feature = "http", not(feature = "gzip")))]
fn a_compression_that_is_not_compiled_in_is_refused() {
    let found = problem(&of(&[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]));
    let expect = "destination.compression (OTEL_EXPORTER_OTLP_COMPRESSION): gzip is not compiled in: build with the feature \
                  `gzip`, or set it to `none`";
    assert_eq!(found, expect);
}

#[test]
#[cfg(not(feature = "grpc"))]
fn a_protocol_that_is_not_compiled_in_is_refused() {
    let found = problem(&of(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]));
    let expect = "destination.protocol (OTEL_EXPORTER_OTLP_PROTOCOL) \"grpc\": not compiled in: build otlp-service with the \
                  feature `grpc`";
    assert!(found.starts_with(expect), "{found}");
}

#[test]
#[cfg(not(feature = "http"))]
fn the_default_protocol_is_refused_if_it_is_not_compiled_in() {
    let found = problem(&OtlpConfig::default());
    let expect = "destination.protocol (OTEL_EXPORTER_OTLP_PROTOCOL) \"http/protobuf\": not compiled in: build otlp-service \
                  with the feature `http`";
    assert!(found.starts_with(expect), "{found}");
}

#[test]
#[cfg(all(feature = "http", not(feature = "tls")))]
fn https_needs_the_feature_tls() {
    let found = problem(&OtlpConfig::default().with_endpoint("https://collector.example"));
    assert!(found.contains("build with the feature `tls`"), "{found}");
}

#[test]
#[cfg(all(feature = "http", feature = "tls"))]
fn certificates_are_read_when_a_client_is_made() {
    let directory = std::env::temp_dir().join(format!("otlp-client-pem-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let garbage = directory.join("garbage.pem");
    fs::write(&garbage, "no PEM").unwrap();
    let [garbage, missing] = [garbage, directory.join("missing.pem")].map(|path| path.display().to_string());
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example");
    for (variables, expect) in [
        (
            vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", &*missing)],
            "destination.certificate (OTEL_EXPORTER_OTLP_CERTIFICATE)",
        ),
        (
            vec![("OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", &*garbage)],
            "logs.destination.certificate (OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE)",
        ),
        (
            vec![("OTEL_EXPORTER_OTLP_CLIENT_KEY", &*garbage)],
            "destination.client_key (OTEL_EXPORTER_OTLP_CLIENT_KEY)",
        ),
        (
            vec![("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &*garbage)],
            "destination.client_certificate (OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE)",
        ),
    ] {
        let mut variables = variables;
        variables.push(endpoint);
        let found = problem(&of(&variables));
        assert!(found.starts_with(expect), "{variables:?}: {found}");
    }
    fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn numbers_and_resources_are_checked() {
    let mut config = OtlpConfig::default();
    config.span_batches.max_queue_size = Some(10);
    let expect = "span_batches.max_export_batch_size (OTEL_BSP_MAX_EXPORT_BATCH_SIZE): 512 is more than \
                  span_batches.max_queue_size, 10: set at most 10";
    assert_eq!(problem(&config), expect);
    config.span_batches.max_queue_size = Some(0);
    assert!(
        problem(&config)
            .starts_with("span_batches.max_queue_size (OTEL_BSP_MAX_QUEUE_SIZE): 0 holds nothing")
    );
    let mut config = OtlpConfig::default();
    config.log_batches.max_export_batch_size = 0;
    assert!(
        problem(&config)
            .starts_with("log_batches.max_export_batch_size (OTEL_BLRP_MAX_EXPORT_BATCH_SIZE): 0 ")
    );
    let mut config = OtlpConfig::default();
    config.metric_settings.interval = Duration::ZERO;
    assert!(problem(&config).starts_with("metric_settings.interval (OTEL_METRIC_EXPORT_INTERVAL): "));
    let config = OtlpConfig::default().with_resource_attribute("", 7);
    assert_eq!(
        problem(&config),
        "resources (OTEL_RESOURCE_ATTRIBUTES): an attribute has no key; its value is 7"
    );
    let [one, two] =
        ["https://example.org/1", "https://example.org/2"].map(|url| Resource::new().with_schema_url(url));
    let config = OtlpConfig::default().with_resource(one).with_resource(two);
    assert!(
        problem(&config).contains("\"https://example.org/1\" and \"https://example.org/2\" cannot be merged")
    );
}

#[test]
#[cfg(feature = "http")]
fn the_programs_attributes_win_over_variables_and_detectors() {
    let resource = |config: &OtlpConfig| config.plan().unwrap().resource;
    let config = of(&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,x=1,y=1"), ("OTEL_SERVICE_NAME", "b")]);
    assert_eq!(resource(&config).get("service.name"), Some("b".into()));
    let config = config.with_service_name("c").with_resource_attribute("x", 2);
    let merged = resource(&config);
    assert_eq!(merged.get("service.name"), Some("c".into()));
    assert_eq!((merged.get("x"), merged.get("y")), (Some(2.into()), Some("1".into())));
    assert_eq!(merged.get("telemetry.sdk.name"), Some("otlp".into()));
    let bare = resource(&OtlpConfig::default().with_detectors(&[]));
    assert_eq!(bare, Resource::new());
}
