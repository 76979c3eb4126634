//! Settings of the extensions `health_check` and `healthcheckv2`.

use super::*;
use otlp_service::{Affects, HealthChecksSpec, StatusPages};
use std::time::Duration;

/// A configuration with these extensions, all in use.
fn with(extensions: &[(&str, &str)]) -> String {
    let defined: String = extensions.iter().map(|(id, settings)| format!("  {id}: {settings}\n")).collect();
    let ids: Vec<_> = extensions.iter().map(|(id, _)| *id).collect();
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{nop: }}\nextensions:\n{defined}service:\n  \
         extensions: [{}]\n  pipelines: {{logs: {{receivers: [otlp], exporters: [nop]}}}}\n",
        ids.join(", ")
    )
}

fn status(settings: &str) -> otlp_service::StatusSpec {
    let mut plan = plan(&with(&[("healthcheckv2", settings)]));
    assert!(plan.health.probes.is_empty());
    plan.health.status.remove(0)
}

#[test]
fn healthcheckv2_has_the_collectors_defaults() {
    let given = status("{use_v2: true, http: , grpc: }");
    assert_eq!(given.pages, Some(StatusPages::new("localhost:13133")));
    assert_eq!(given.grpc_endpoint.as_deref(), Some("localhost:13132"));
    assert_eq!(given.rules, otlp_service::ErrorRules::default());
    assert_eq!(status("{use_v2: true}").pages, Some(StatusPages::new("localhost:13133")));
    let given = status("{grpc: {endpoint: 'a:1', transport: tcp4}}");
    assert_eq!((given.pages, given.grpc_endpoint.as_deref()), (None, Some("tcp4://a:1")));
}

#[test]
fn healthcheckv2_takes_the_collectors_keys() {
    let given = status(
        "{use_v2: true, http: {endpoint: 'a:1', status: {path: /s}, config: {enabled: true, path: /c}, cors: {}}, \
         component_health: {include_permanent_errors: true, include_recoverable_errors: true, recovery_duration: 5m}}",
    );
    let pages = given.pages.expect("pages");
    assert_eq!((pages.endpoint.as_str(), pages.path.as_deref()), ("a:1", Some("/s")));
    let (path, text) = pages.config.expect("a page of the configuration");
    assert!(path == "/c" && text.contains("nop:"), "{text}");
    let rules = given.rules;
    assert!(rules.include_permanent && rules.include_recoverable);
    assert_eq!(rules.recovery, Duration::from_secs(300));
    let pages = status("{http: {status: {enabled: false}, config: {enabled: true}}}").pages.expect("pages");
    assert_eq!((pages.path, pages.config.map(|(path, _)| path).as_deref()), (None, Some("/config")));

    // Without `use_v2` the extension is `health_check`.
    for settings in ["{endpoint: 'a:1', path: /p}", "{use_v2: false, endpoint: 'a:1', path: /p, http: }"] {
        let plan = plan(&with(&[("healthcheckv2", settings)]));
        let probe = &plan.health.probes[0];
        assert_eq!((probe.endpoint.as_str(), probe.path.as_str()), ("a:1", "/p"));
        assert!(plan.health.status.is_empty());
    }
}

#[test]
fn secrets_are_not_on_the_page_of_the_configuration() {
    let text = with(&[("healthcheckv2", "{http: {config: {enabled: true}}}")])
        .replace("{nop: }", "{nop: , otlp_http: {endpoint: 'http://c:1', headers: {authorization: s3cret}}}");
    let plan = plan(&text);
    let pages = plan.health.status[0].pages.as_ref().expect("pages");
    let (_, shown) = pages.config.as_ref().expect("a page of the configuration");
    assert!(shown.contains("authorization: \"***\"") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn checks_are_on_with_a_health_extension_and_can_be_set() {
    let checks = |settings: &str| plan(&with(&[("health_check", settings)])).health.checks;
    assert_eq!(plan(&with(&[])).health.checks, HealthChecksSpec::default());
    assert_eq!(checks(""), HealthChecksSpec::usual());
    let off = checks(
        "{checks: {memory_percent: 0, descriptors_percent: 0, queue_percent: 0, certificate_days: 0}}",
    );
    assert_eq!(off, HealthChecksSpec::default());
    let given = checks(
        "{checks: {queue_percent: 50, certificate_days: 30, connect: {period: 1m}, stores: [{directory: /d, min_free_mib: 2, \
         affects: readiness, timeout: 2s}, {directory: /e}]}}",
    );
    assert_eq!((given.queue_percent, given.certificate_days), (Some(50), Some(30)));
    let connect = given.connect.expect("connect");
    assert_eq!((connect.period, connect.timeout), (Duration::from_secs(60), Duration::from_secs(5)));
    let [first, second] = &given.stores[..] else { panic!("not two stores") };
    assert_eq!((first.min_free_bytes, first.config.affects), (2 << 20, Affects::Readiness));
    assert_eq!((first.config.timeout, second.config.affects), (Duration::from_secs(2), Affects::Report));
}

#[test]
fn wrong_settings_of_health_are_told() {
    for (extensions, part) in [
        (&[("healthcheckv2", "{use_v2: true, endpoint: 'a:1'}")][..], "the key is `http.endpoint`"),
        (&[("healthcheckv2", "{use_v2: true, path: /a}")], "the key is `http.status.path`"),
        (&[("healthcheckv2", "{http: {endpoint: a}}")], "http.endpoint: a port is missing: host:port"),
        (&[("healthcheckv2", "{grpc: {endpoint: a}}")], "grpc.endpoint: a port is missing: host:port"),
        (&[("healthcheckv2", "{http: {status: {path: a}}}")], "http.status.path: it must start with `/`"),
        (
            &[("healthcheckv2", "{http: {config: {enabled: true, path: /status}}}")],
            "http.config.path: the status has the same path",
        ),
        (&[("healthcheckv2", "{http: {tls: {cert_file: a}}}")], "health probes are answered without TLS"),
        (&[("healthcheckv2", "{grpc: {auth: {authenticator: a}}}")], "answered without authentication"),
        (
            &[("healthcheckv2", "{http: {endpoint: 'a:1'}, grpc: {endpoint: 'a:1'}}")],
            "address a:1 is used twice",
        ),
        (
            &[("health_check", "{endpoint: 'a:1'}"), ("healthcheckv2", "{grpc: {endpoint: 'a:1'}}")],
            "healthcheckv2: address a:1 is used twice",
        ),
        (&[("healthcheckv2", "{grpc: {endpoint: 'localhost:4317'}}")], "health_check listens on it, too"),
        (
            &[("health_check", "{checks: {}}"), ("health_check/2", "{endpoint: 'a:1', checks: {}}")],
            "health_check/2: `checks` are those of the whole gateway, and set twice",
        ),
        (
            &[("health_check", "{checks: {memory_percent: 101}}")],
            "checks.memory_percent: it must be 0 to 100",
        ),
        (
            &[("health_check", "{checks: {connect: {period: 0s}}}")],
            "checks.connect.period: it must be more than 0",
        ),
        (
            &[("health_check", "{checks: {stores: [{directory: a}]}}")],
            "the absolute path of a directory is required",
        ),
        (
            &[("health_check", "{checks: {stores: [{affects: all}]}}")],
            "checks.stores.affects: unknown value `all`",
        ),
    ] {
        let told = problems(&with(extensions));
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}
