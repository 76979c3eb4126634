use super::*;
use serde_json::Value;

/// The `endpoint_http` rows of the shared tables.
#[test]
fn http_urls_are_formed_as_the_specification_says() {
    let tables: Value =
        serde_json::from_str(include_str!("../../../otlp-protocol/tests/fixtures/tables.json")).unwrap();
    for row in tables["endpoint_http"].as_array().unwrap() {
        let endpoint = match (row["base"].as_str(), row["traces_endpoint"].as_str()) {
            (Some(base), _) => Endpoint::http(base, "/v1/traces"),
            (_, url) => Endpoint::url("signal_endpoints", url.unwrap()),
        }
        .unwrap();
        let url = endpoint.uri(endpoint.path.clone()).unwrap().to_string();
        assert_eq!(url, row["traces"].as_str().unwrap(), "{row}");
        if let Some(port) = row["port"].as_u64() {
            assert!(endpoint.address.ends_with(&format!(":{port}")), "{row}: {}", endpoint.address);
        }
    }
}

#[test]
fn http_goes_over_unix_sockets_too() {
    let endpoint = Endpoint::http("unix:///run/otlp.sock", "/v1/traces").unwrap();
    assert_eq!((&*endpoint.address, endpoint.path.as_str()), ("unix:///run/otlp.sock", "/v1/traces"));
    assert_eq!(endpoint.uri(endpoint.path.clone()).unwrap(), "http://localhost/v1/traces");
}

#[test]
fn signal_urls_keep_their_query() {
    let endpoint = Endpoint::url("signal_endpoints", "http://c:1/in?key=1&b").unwrap();
    assert_eq!(endpoint.uri(endpoint.path.clone()).unwrap(), "http://c:1/in?key=1&b");
}

#[test]
fn grpc_endpoints() {
    let rows = [
        // given, insecure, secure, address, host
        ("collector:4317", true, false, "collector:4317", "collector"),
        ("collector:4317", false, true, "collector:4317", "collector"),
        ("dns:///collector:4317", true, false, "collector:4317", "collector"),
        ("dns:collector:4317", true, false, "collector:4317", "collector"),
        ("passthrough:///collector:4317", true, false, "collector:4317", "collector"),
        ("passthrough:collector:4317", false, true, "collector:4317", "collector"),
        ("ipv4:127.0.0.1:4317", true, false, "127.0.0.1:4317", "127.0.0.1"),
        ("ipv6:[::1]:4317", true, false, "[::1]:4317", "::1"),
        ("http://user:pass@collector:4317", false, false, "collector:4317", "collector"),
        ("http://collector:4317", false, false, "collector:4317", "collector"),
        ("https://collector:4317/", true, true, "collector:4317", "collector"),
        ("https://collector", true, true, "collector:443", "collector"),
        ("http://collector", false, false, "collector:80", "collector"),
        ("[::1]:4317", true, false, "[::1]:4317", "::1"),
        ("http://[::1]:4317", true, false, "[::1]:4317", "::1"),
        ("127.0.0.1:4317", true, false, "127.0.0.1:4317", "127.0.0.1"),
        ("", false, false, "localhost:4317", "localhost"),
        ("unix:///run/otlp.sock", true, false, "unix:///run/otlp.sock", "localhost"),
        ("unix:/run/otlp.sock", false, true, "unix:///run/otlp.sock", "localhost"),
        ("unix:otlp.sock", true, false, "unix://otlp.sock", "localhost"),
    ];
    for (given, insecure, secure, address, host) in rows {
        let endpoint = Endpoint::grpc(given, insecure).unwrap();
        assert_eq!(
            (endpoint.secure, &*endpoint.address, endpoint.host()),
            (secure, address, host),
            "{given}"
        );
    }
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    let grpc = |endpoint| Endpoint::grpc(endpoint, true).unwrap_err().to_string();
    let http = |endpoint| Endpoint::http(endpoint, "/v1/logs").unwrap_err().to_string();
    let rows = [
        (grpc("collector"), "the port is missing"),
        (grpc("collector:99999"), "1 to 65535"),
        (grpc("collector:0"), "1 to 65535"),
        (grpc("http://collector:x"), "1 to 65535"),
        (grpc("unix://"), "the path of the socket is missing"),
        (http("unix:"), "the path of the socket is missing"),
        (grpc("ftp://collector:1"), "http://"),
        (grpc("http://collector:4317/path"), "cannot have a path"),
        (grpc("::1:4317"), "host:port"),
        (grpc(":4317"), "host"),
        (grpc("a b:1"), "host:port"),
        (http("collector:4318"), "http://"),
        (http("http://"), "\"http://\""),
        (http("/v1"), "http://"),
    ];
    for (error, expected) in rows {
        assert!(error.starts_with("endpoint \"") && error.contains(expected), "{error}: no `{expected}`");
    }
}

#[test]
fn a_base_url_keeps_its_query_at_the_end() {
    let endpoint = Endpoint::http("http://c:1/in/?key=1/2", "/v1/logs").unwrap();
    assert_eq!(endpoint.uri(endpoint.path.clone()).unwrap(), "http://c:1/in/v1/logs?key=1/2");
    assert_eq!(endpoint.name(), "http://c:1/in/v1/logs", "a query may hold a secret");
}

#[test]
fn user_and_password_are_sent_and_not_shown() {
    for (url, expected) in [
        ("http://user:secret@c:1", "Basic dXNlcjpzZWNyZXQ="),
        ("https://user:sec%3Aret@c:1/x?a@b", "Basic dXNlcjpzZWM6cmV0"),
        ("http://user@c:1", "Basic dXNlcjo="),
    ] {
        let endpoint = Endpoint::url("endpoint", url).unwrap();
        assert_eq!(endpoint.authorization.as_ref().unwrap(), expected, "{url}");
        assert_eq!((endpoint.address.as_str(), endpoint.authority.as_str()), ("c:1", "c:1"), "{url}");
        let shown =
            format!("{endpoint:?} {} {}", endpoint.name(), endpoint.uri(endpoint.path.clone()).unwrap());
        assert!(!shown.contains("ret") && !shown.contains("user"), "{shown}");
    }
    assert_eq!(Endpoint::http("http://c:1/a@b", "/v1/logs").unwrap().authorization, None);
}

#[test]
fn requests_may_call_the_server_otherwise() {
    let endpoint = Endpoint::url("endpoint", "https://c:1").unwrap().called("tenant.example:9").unwrap();
    assert_eq!(endpoint.uri(endpoint.path.clone()).unwrap(), "https://tenant.example:9/");
    assert_eq!((endpoint.host(), endpoint.name().as_str()), ("c", "https://c:1"));
    assert!(endpoint.called("a b").unwrap_err().to_string().starts_with("authority \"a b\": "));
}

#[test]
fn what_is_wrong_with_a_url_is_said_without_its_user() {
    for endpoint in [
        "ftp://user:secret@collector",
        "user:secret@collector",
        "https://user:secret @collector:x",
        "https://user:secret@",
        "https://user:sec/ret@collector",
        "https://us%3Aer:secret@collector:1",
    ] {
        for result in [Endpoint::http(endpoint, "/v1/logs"), Endpoint::grpc(endpoint, true)] {
            let error = result.unwrap_err().to_string();
            assert!(!error.contains("secret") && !error.contains("sec/"), "{endpoint}: {error}");
        }
    }
}
