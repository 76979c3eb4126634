//! `otlp doctor`, as a user runs it, against small servers with one fault each.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{Otlp, command, file, told};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// A server that gives each request of HTTP/1.1 the same answer.
fn answering(head: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("an address");
    let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut connection = connection;
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && connection.read_exact(&mut byte).is_ok() {
                    head.push(byte[0]);
                }
                let _ = connection.write_all(answer.as_bytes());
            });
        }
    });
    address
}

/// A gateway that takes traces over both protocols and discards them; `tls` has more of its receivers' settings.
fn gateway(tls: &str) -> Otlp {
    let port = format!("{{endpoint: '127.0.0.1:0'{tls}}}");
    let config = file(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {port}, http: {port}}}}}}}\nexporters: {{nop: }}\n\
         service: {{telemetry: {{metrics: {{level: none}}}}, pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}}}\n"
    ));
    Otlp::start(command(&["--config", &config]), &["otlp/grpc", "otlp/http"])
}

/// Files of a self-signed certificate: certificate and key.
fn certificate(name: &str, last_year: i32) -> [String; 2] {
    certificate_until(name, date_time_ymd(last_year, 1, 1).into())
}

fn certificate_until(name: &str, not_after: SystemTime) -> [String; 2] {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    params.not_after = not_after.into();
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let path = |kind: &str| {
        PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("doctor-{name}-{}.{kind}", std::process::id()))
    };
    [("pem", certificate.pem()), ("key", key.serialize_pem())].map(|(kind, text)| {
        std::fs::write(path(kind), text).expect("write a file");
        path(kind).to_str().expect("a UTF-8 path").to_owned()
    })
}

/// A configuration without ports whose only exporter has these settings.
fn exporting(name: &str, settings: &str) -> String {
    file(&format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:0'}}}}}}}}\nexporters: {{{name}: {{{settings}}}}}\n\
         service: {{telemetry: {{metrics: {{level: none}}}}, \
         pipelines: {{traces: {{receivers: [otlp], exporters: [{name}]}}}}}}\n"
    ))
}

/// Exit code and text of a doctor that looks at no port that another test may have.
fn doctor(args: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = command(&[&["doctor"], args].concat());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let (code, stdout, stderr) = told(&command.output().expect("run otlp"));
    assert_eq!(stderr, "", "{stdout}");
    (code, stdout)
}

/// The lines of a check.
fn findings(text: &str, check: &str) -> String {
    let mut is_of_check = false;
    let lines = text.lines().filter(|line| {
        if !line.starts_with(' ') {
            is_of_check = line.split_whitespace().nth(1) == Some(check);
        }
        is_of_check
    });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn endpoints_that_answer_are_ok() {
    let gateway = gateway("");
    let (grpc, http) = (gateway.address("otlp/grpc"), gateway.address("otlp/http"));
    let config = exporting("otlp_http", &format!("endpoint: 'http://{http}'"));
    let (code, text) = doctor(&["--config", &config], &[]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains(&format!(
            "ok       endpoint  exporter otlp_http http://{http}: takes traces over HTTP\n"
        )),
        "{text}"
    );
    assert!(text.contains("ok       config    the configuration is valid\n"), "{text}");
    assert!(text.contains("ok       port      otlp 127.0.0.1:0: the system chooses a port\n"), "{text}");
    assert!(findings(&text, "clock").starts_with("ok "), "{text}");
    assert!(text.ends_with("0 problems, 0 warnings\n"), "{text}");
    let config = exporting("otlp", &format!("endpoint: '{grpc}', tls: {{insecure: true}}"));
    let (code, text) = doctor(&["--config", &config, "--json"], &[]);
    assert_eq!(code, 0, "{text}");
    let line = format!(
        r#"{{"level":"ok","check":"endpoint","place":"exporter otlp {grpc}","text":"takes traces over gRPC","help":""}}"#
    );
    assert!(text.lines().any(|found| found == line), "{text}");
}

#[test]
fn the_destinations_of_own_telemetry_are_checked() {
    let gateway = gateway("");
    let http = gateway.address("otlp/http");
    let exporter = |path: &str| format!("{{exporter: {{otlp: {{endpoint: 'http://{http}{path}'}}}}}}");
    let config = file(&format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:0'}}}}}}}}\nexporters: {{nop: }}\n\
         service:\n  telemetry:\n    metrics: {{level: none}}\n    traces: {{processors: [{{batch: {}}}]}}\n    \
         logs: {{processors: [{{batch: {}}}]}}\n  pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}\n",
        exporter(""),
        exporter("/else"),
    ));
    let (code, text) = doctor(&["--config", &config], &[]);
    let found = findings(&text, "endpoint");
    let name = |signal: &str| {
        format!("endpoint  service.telemetry.{signal}.processors.0.batch.exporter.otlp http://{http}")
    };
    assert!(found.contains(&format!("ok       {}: takes traces over HTTP\n", name("traces"))), "{text}");
    assert!(code == 1 && found.contains(&format!("problem  {}/else: HTTP 404", name("logs"))), "{text}");
}

#[test]
fn an_endpoint_of_another_protocol_is_told_with_what_works() {
    let plain = gateway("");
    let [cert, key] = certificate("other", 2099);
    let secure = gateway(&format!(", tls: {{cert_file: '{cert}', key_file: '{key}'}}"));
    let works = |way: &str, endpoint: &str| {
        let (exporter, protocol) =
            if way.starts_with("gRPC") { ("otlp_grpc", "grpc") } else { ("otlp_http", "http/protobuf") };
        format!(
            "OTLP over {way} works: use the exporter {exporter} (OTEL_EXPORTER_OTLP_PROTOCOL={protocol}) with the endpoint \
             {endpoint}\n"
        )
    };
    let [grpc, http, tls, https] = [
        format!("http://{}", plain.address("otlp/grpc")),
        format!("http://{}", plain.address("otlp/http")),
        format!("https://{}", secure.address("otlp/grpc")),
        format!("https://{}", secure.address("otlp/http")),
    ];
    let other = |url: &str| match url.strip_prefix("https") {
        Some(rest) => format!("http{rest}"),
        None => url.replacen("http", "https", 1),
    };
    for (name, endpoint, error, advice) in [
        ("otlp_http", grpc.clone(), "HTTP 505", works("gRPC without TLS", &grpc)),
        ("otlp_grpc", http.clone(), "does not speak gRPC", works("HTTP without TLS", &http)),
        ("otlp_grpc", other(&grpc), "TLS", works("gRPC without TLS", &grpc)),
        ("otlp_http", other(&http), "TLS", works("HTTP without TLS", &http)),
        ("otlp_grpc", other(&tls), "", works("gRPC with TLS", &tls)),
        ("otlp_http", other(&https), "", works("HTTP with TLS", &https)),
        ("otlp_http", format!("{http}/v1/traces"), "HTTP 404", "the URL has it twice".into()),
        (
            "otlp_http",
            format!("traces_endpoint: '{http}'"),
            "HTTP 404",
            "such as /v1/traces, is missing".into(),
        ),
    ] {
        let setting =
            if endpoint.contains(": ") { endpoint.clone() } else { format!("endpoint: '{endpoint}'") };
        let (code, text) = doctor(&["--config", &exporting(name, &setting)], &[]);
        let found = findings(&text, "endpoint");
        assert_eq!(code, 1, "{name} {endpoint}: {text}");
        assert!(
            found.starts_with("problem ") && found.contains(error) && found.contains(&advice),
            "{name} {endpoint}: {text}"
        );
    }
}

#[test]
fn an_endpoint_of_the_environment_is_called_by_its_variable() {
    let gateway = gateway("");
    let http = gateway.address("otlp/http");
    let endpoint = http.to_string();
    let config = exporting("nop", "");
    // A configuration decides what is checked.
    let (code, text) = doctor(&["--config", &config], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    assert!(code == 0 && text.contains("there is no endpoint"), "{text}");
    let (_, text) = doctor(&[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let found = findings(&text, "endpoint");
    assert!(found.starts_with("problem  endpoint  OTEL_EXPORTER_OTLP_ENDPOINT "), "{text}");
    assert!(found.contains("http://"), "{text}");
    let url = format!("http://user:s3cretpassword@{http}?key=s3cretquery");
    let (_, text) =
        doctor(&[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")]);
    assert!(text.contains("OTEL_EXPORTER_OTLP_TIMEOUT: not a number"), "{text}");
    assert!(findings(&text, "endpoint").contains(": takes traces over HTTP"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn answers_are_explained() {
    for (head, expected) in [
        ("401 Unauthorized", "wants other credentials"),
        ("403 Forbidden", "wants other credentials"),
        ("404 Not Found", "HTTP 404"),
        (
            "308 Permanent Redirect\r\nlocation: https://else.example/v1/traces",
            "write the URL that the server redirects to",
        ),
        ("503 Service Unavailable", "HTTP 503"),
    ] {
        let config = exporting("otlp_http", &format!("endpoint: 'http://{}'", answering(head)));
        let (code, text) = doctor(&["--config", &config], &[]);
        let found = findings(&text, "endpoint");
        assert!(code == 1 && found.starts_with("problem ") && found.contains(expected), "{head}: {text}");
    }
    // Without the headers of a sender a refusal only shows that the server is there.
    let given = format!("http://{}/base", answering("401 Unauthorized"));
    let (_, text) = doctor(&[&given], &[]);
    assert!(findings(&text, "endpoint").starts_with("warning "), "{text}");
}

#[test]
fn a_clock_that_is_wrong_is_a_warning() {
    let server = answering("200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT");
    let config = exporting("otlp_http", &format!("endpoint: 'http://{server}'"));
    let (code, text) = doctor(&["--config", &config], &[]);
    assert_eq!(code, 0, "{text}");
    let found = findings(&text, "clock");
    assert!(found.starts_with("warning ") && found.contains(" s ahead of the clock of the server"), "{text}");
    // What is not checked is told.
    let config = exporting("otlp_http", &format!("endpoint: 'http://{}'", answering("200 OK")));
    let (_, text) = doctor(&["--config", &config], &[]);
    assert!(findings(&text, "clock").starts_with("skipped "), "{text}");
    let config = exporting("otlp_http", "endpoint: 'http://127.0.0.1:9'");
    assert_eq!(findings(&doctor(&["--config", &config], &[]).1, "clock"), "");
}

#[test]
fn certificates_are_judged_as_the_exporter_judges_them() {
    for (last_year, host, expected) in [
        (2099, "localhost", "takes traces over gRPC"),
        (2099, "127.0.0.1", "certificate"),
        (2000, "localhost", "has expired"),
    ] {
        let [cert, key] = certificate(&format!("{last_year}-{host}"), last_year);
        let secure = gateway(&format!(", tls: {{cert_file: '{cert}', key_file: '{key}'}}"));
        let port = secure.address("otlp/grpc").port();
        let settings = format!("endpoint: 'https://{host}:{port}', tls: {{ca_file: '{cert}'}}");
        let (code, text) = doctor(&["--config", &exporting("otlp_grpc", &settings)], &[]);
        let found = findings(&text, "endpoint");
        assert!(found.contains(expected), "{last_year} {host}: {text}");
        assert_eq!(code, i32::from(!expected.starts_with("takes")), "{text}");
    }
}

#[test]
fn certificates_that_expire_are_told() {
    let now = SystemTime::now();
    let day = Duration::from_secs(24 * 60 * 60);
    for (not_after, level, text) in [
        (now + day * 100, "ok", "expires in 99 days"),
        (now + day * 3, "warning", "expires in 2 days"),
        (now - day * 3, "problem", "expired 3 days ago"),
    ] {
        let [cert, key] = certificate_until(level, not_after);
        let files = format!("tls: {{cert_file: '{cert}', key_file: '{key}'}}");
        let config = file(&format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:0', {files}}}}}}}}}\nexporters: {{nop: }}\n\
             service: {{telemetry: {{metrics: {{level: none}}}}, \
             pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}}}\n"
        ));
        let (code, found) = doctor(&["--config", &config], &[]);
        let line = format!("{level:<8} cert      server {cert}: {text}\n");
        assert!(findings(&found, "cert").starts_with(&line), "{found}");
        assert_eq!(code, i32::from(level == "problem"));
    }
}

#[test]
fn a_taken_port_is_told_with_its_process() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let gateway = gateway("");
    let config = |address: SocketAddr| {
        file(&format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{address}'}}}}}}}}\nexporters: {{nop: }}\n\
             service: {{telemetry: {{metrics: {{level: none}}}}, pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}}}\n"
        ))
    };
    let address = taken.local_addr().expect("an address");
    let (code, text) = doctor(&["--timeout", "300ms", "--config", &config(address)], &[]);
    let found = findings(&text, "port");
    assert!(
        code == 1 && found.starts_with(&format!("problem  port      otlp {address}: taken by ")),
        "{text}"
    );
    assert!(found.contains(&format!("(process {})", std::process::id())), "{text}");
    let (code, text) = doctor(&["--config", &config(gateway.address("otlp/grpc"))], &[]);
    let found = findings(&text, "port");
    assert!(
        code == 0 && found.starts_with("warning ") && found.contains(": taken by otlp (process "),
        "{text}"
    );
    assert!(found.contains("which speaks OTLP over gRPC without TLS"), "{text}");
}

#[test]
fn the_proxy_of_an_endpoint_is_named() {
    let config = exporting("otlp_grpc", "endpoint: 'http://backend.invalid:4317'");
    let proxy = answering("403 Forbidden");
    let url = format!("http://user:s3cretpassword@{proxy}");
    let (code, text) = doctor(&["--config", &config], &[("HTTPS_PROXY", &url)]);
    assert_eq!(code, 1, "{text}");
    let found = findings(&text, "proxy");
    assert!(found.contains(&format!("go through the proxy http://{proxy}, by HTTPS_PROXY")), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    let (_, text) = doctor(&["--config", &config], &[("HTTPS_PROXY", &url), ("NO_PROXY", "backend.invalid")]);
    assert_eq!(findings(&text, "proxy"), "", "{text}");
    let (_, text) = doctor(&["--config", &config], &[("HTTPS_PROXY", "ftp://a")]);
    assert!(text.contains("HTTPS_PROXY"), "{text}");
}

#[test]
fn a_wrong_configuration_is_a_problem() {
    let (code, text) = doctor(&["--config", &exporting("otlp_http", "endpont: a")], &[]);
    let found = findings(&text, "config");
    assert!(
        code == 1 && found.starts_with("problem ") && found.contains("did you mean `endpoint`?"),
        "{text}"
    );
    // Without a configuration there is nothing to say of endpoints.
    assert!(findings(&text, "endpoint").starts_with("skipped "), "{text}");
    let looped = file(
        "receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:4996'}}}}\n\
         exporters: {otlp_http: {endpoint: 'http://127.0.0.1:4996'}}\n\
         service: {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], exporters: [otlp_http]}}}\n",
    );
    let (code, text) = doctor(&["--config", &looped], &[]);
    assert!(code == 1 && findings(&text, "config").starts_with("problem "), "{text}");
    let (code, _, _) = told(&command(&["doctor", "--no-such-flag"]).output().expect("run otlp"));
    assert_eq!(code, 2);
}
