//! Receivers: where they listen, and what they are told of HTTP.

use super::*;
use crate::config::plan::ServerPlan;
use otlp_transport::{InvalidIds, InvalidUtf8};
use std::time::Duration;

/// A configuration whose receiver has these protocols.
fn receiving(protocols: &str) -> String {
    around("  otlp: {endpoint: c:1}").replace("{grpc: }", protocols)
}

fn servers(protocols: &str) -> Vec<ServerPlan> {
    plan(&receiving(protocols)).receivers.remove(0).1.servers
}

#[test]
fn protocols_on_one_endpoint_share_its_port() {
    for (protocols, expected) in [
        ("{grpc: , http: }", &[("grpc", "localhost:4317"), ("http", "localhost:4318")][..]),
        ("{grpc: {endpoint: 'a:1'}, http: {endpoint: 'a:1'}}", &[("grpc+http", "a:1")]),
        ("{grpc: {endpoint: ':1'}, http: {endpoint: '0.0.0.0:1'}}", &[("grpc+http", "[::]:1")]),
        ("{grpc: {endpoint: 'a:0'}, http: {endpoint: 'a:0'}}", &[("grpc", "a:0"), ("http", "a:0")]),
        (
            "{grpc: {endpoint: 'unix:/run/x'}, http: {transport: unix, endpoint: /run/x}}",
            &[("grpc+http", "unix:///run/x")],
        ),
        ("{http: {transport: unix, endpoint: /run/x}}", &[("http", "unix:///run/x")]),
    ] {
        let servers = servers(protocols);
        let found: Vec<_> = servers
            .iter()
            .map(|server| (server.spec.strategy.name(), server.spec.config.endpoint.as_str()))
            .collect();
        assert_eq!(found, expected, "{protocols}");
    }
}

#[test]
fn one_port_has_the_settings_of_both() {
    let grpc = "endpoint: 'a:1', max_concurrent_streams: 7, keepalive: {server_parameters: {time: 3s}}, \
                body_timeout: 7s, max_body_time: 1m";
    let http = "endpoint: 'a:1', max_request_body_size: 1000, idle_timeout: 5s, logs_url_path: l, \
                min_body_rate: 500, read_timeout: 1m";
    let [server] = &servers(&format!("{{grpc: {{{grpc}}}, http: {{{http}}}}}"))[..] else {
        panic!("not one server");
    };
    let limits = &server.spec.config.limits;
    assert_eq!((limits.max_concurrent_streams, limits.max_request_bytes), (7, 1000));
    assert_eq!(limits.keepalive_interval, Duration::from_secs(3));
    assert_eq!((limits.body_timeout, limits.min_body_rate), (Duration::from_secs(7), 500));
    assert_eq!(limits.max_body_time, Some(Duration::from_secs(60)));
    assert_eq!((limits.idle_timeout, limits.max_connection_idle), {
        let idle = Duration::from_secs(5);
        (idle, Some(idle))
    });
    assert_eq!(server.spec.http_paths.len(), 1);
}

#[test]
fn what_cannot_differ_on_one_port_is_named_in_both() {
    for (grpc, http, of_grpc, of_http) in [
        ("max_body_time: 1m", "read_timeout: 2m", "max_body_time", "read_timeout"),
        ("min_body_rate: 1", "min_body_rate: 2", "min_body_rate", "min_body_rate"),
        ("body_timeout: 1s", "body_timeout: 2s", "body_timeout", "body_timeout"),
        (
            "max_recv_msg_size_mib: 4",
            "max_request_body_size: 1000",
            "max_recv_msg_size_mib",
            "max_request_body_size",
        ),
        ("invalid_utf8: refuse", "endpoint: 'a:1'", "invalid_utf8", "invalid_utf8"),
        ("invalid_ids: refuse", "endpoint: 'a:1'", "invalid_ids", "invalid_ids"),
        ("endpoint: 'a:1'", "include_metadata: true", "include_metadata", "include_metadata"),
    ] {
        let both = |grpc: &str, http: &str| {
            let at = |settings: &str| match settings.contains("endpoint") {
                true => settings.to_owned(),
                false => format!("endpoint: 'a:1', {settings}"),
            };
            receiving(&format!("{{grpc: {{{}}}, http: {{{}}}}}", at(grpc), at(http)))
        };
        let problems = problems(&both(grpc, http));
        assert!(problems.contains(&format!("protocols.http.{of_http}: it differs")), "{problems}");
        assert!(problems.contains(&format!("protocols.grpc.{of_grpc}")), "{problems}");
        assert!(problems.contains(" c.yaml:1:"), "{problems}");
    }
    let same = "{grpc: {endpoint: 'a:1', max_recv_msg_size_mib: 1}, \
                http: {endpoint: 'a:1', max_request_body_size: 1048576}}";
    assert_eq!(servers(same).len(), 1);
}

#[test]
fn settings_of_http_reach_the_transport() {
    let servers = servers(
        "{http: {cors: {allowed_origins: ['https://*.example'], allowed_headers: [x], exposed_headers: [y], \
         max_age: 7200}, response_headers: {strict-transport-security: max-age=1}, include_metadata: true, \
         compression_algorithms: ['', gzip], invalid_utf8: refuse, invalid_ids: refuse}}",
    );
    let [ServerPlan { spec, .. }] = &servers[..] else { panic!("not one server") };
    assert!(spec.keep_headers);
    let cors = spec.config.cors.as_ref().unwrap();
    assert_eq!(cors.allowed_origins, ["https://*.example"]);
    assert_eq!(
        (&cors.allowed_headers[..], &cors.exposed_headers[..]),
        (&["x".into()][..], &["y".into()][..])
    );
    assert_eq!(cors.max_age, Duration::from_secs(7200));
    assert_eq!(spec.config.response_headers, [("strict-transport-security".into(), "max-age=1".into())]);
    assert_eq!(spec.config.encodings, Some(vec!["identity".into(), "gzip".into()]));
    assert_eq!(spec.config.invalid_utf8, InvalidUtf8::Refuse);
    assert_eq!(spec.config.invalid_ids, InvalidIds::Refuse);
    let plain = self::servers("{http: {cors: {max_age: 1}}}");
    assert!(plain[0].spec.config.cors.is_none() && plain[0].spec.config.encodings.is_none());
}

#[test]
fn wrong_settings_are_shown_where_they_stand() {
    for (protocols, marked, message) in [
        ("{http: {compression_algorithms: [lz5]}}", "[lz5]", "unknown encoding `lz5`"),
        ("{http: {response_headers: {a b: c}}}", "{a b", "`a b`: invalid header name or value"),
        (
            "{http: {cors: {allowed_origins: [a], allowed_headers: [a b]}}}",
            "[a b",
            "`a b` is not a header name",
        ),
        ("{http: {traces_url_path: /v1 x}}", "/v1 x", "invalid URL path"),
        ("{http: {traces_url_path: /x, logs_url_path: /x}}", "/x", "another signal has the same path"),
        ("{http: {traces_url_path: v1/logs}}", "v1/logs", "another signal has the same path"),
        ("{http: {transport: unix}}", "", "path of a socket"),
        ("{http: {transport: udp}}", "udp", "unknown value `udp`"),
        ("{http: {transport: unix, endpoint: 'localhost:1'}}", "'localhost", "path of a socket"),
        ("{grpc: {invalid_ids: drop}}", "drop", "unknown value `drop`"),
        ("{grpc: {invalid_utf8: drop}}", "drop", "unknown value `drop`"),
    ] {
        let text = receiving(protocols);
        let problems = problems(&text);
        assert!(problems.contains(message), "{protocols}: {problems}");
        let place = match marked {
            "" => " c.yaml:1:".to_owned(),
            marked => format!(" c.yaml:1:{}\n", text.find(marked).unwrap() + 1),
        };
        assert!(problems.contains(&place), "{protocols} {place}: {problems}");
    }
}

#[test]
fn no_two_listen_at_one_place() {
    let text = |endpoint: &str, rest: &str| {
        format!(
            "receivers:\n  otlp: {{protocols: {{grpc: {{endpoint: 'a:1'}}}}}}\n  otlp/2: {{protocols: {{http: {{endpoint: \
             '{endpoint}'}}}}}}\nexporters: {{nop: }}\nextensions: {{health_check: {{endpoint: 'a:3'}}}}\nservice:\n  \
             extensions: [health_check]\n  telemetry: {{metrics: {{address: 'a:2'}}}}\n  pipelines: {{traces: {{receivers: \
             [otlp{rest}], exporters: [nop]}}}}\n"
        )
    };
    for (endpoint, other) in [("a:1", "otlp"), ("a:2", "service.telemetry.metrics"), ("a:3", "health_check")]
    {
        let problems = problems(&text(endpoint, ", otlp/2"));
        let expected = format!("otlp/2: address {endpoint} is used twice: {other} listens on it, too");
        assert!(problems.contains(&expected) && problems.contains(" c.yaml:3:3\n"), "{problems}");
        plan(&text(endpoint, ""));
    }
    plan(&text("a:4", ", otlp/2"));
}
