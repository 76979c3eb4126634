use super::*;
use crate::commands::send::SendArgs;
use clap::Parser;
use std::collections::HashMap;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: SendArgs,
}

#[derive(Default)]
struct Variables(HashMap<&'static str, &'static str>);

impl Lookup for Variables {
    fn env(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, _path: &str) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

fn destination(line: &str, variables: &Variables) -> Destination {
    let line =
        Line::try_parse_from(["send", "--generate", "logs"].into_iter().chain(line.split_whitespace()));
    Destination::new(
        &line.unwrap_or_else(|error| panic!("{error}")).args.destination,
        variables,
        &mut Vec::new(),
    )
}

#[test]
fn endpoints_choose_their_protocol() {
    for (line, expected) in [
        ("", "http://localhost:4317 (gRPC)"),
        ("--protocol grpc", "http://localhost:4317 (gRPC)"),
        ("--protocol http/protobuf", "http://localhost:4318 (HTTP, protobuf)"),
        ("--protocol http/json", "http://localhost:4318 (HTTP, JSON)"),
        ("--to localhost:4317", "localhost:4317 (gRPC)"),
        ("--to http://a:4318", "http://a:4318 (HTTP, protobuf)"),
        ("--to a:4318", "http://a:4318 (HTTP, protobuf)"),
        ("--to https://a/otlp", "https://a/otlp (HTTP, protobuf)"),
        ("--to https://a:443", "https://a:443 (gRPC)"),
        ("--to unix:///tmp/a/b", "unix:///tmp/a/b (gRPC)"),
        ("--to http://me:secret@a:4318/?key=secret --protocol http/json", "http://a:4318/ (HTTP, JSON)"),
        ("--to http://a:4318 --protocol grpc", "http://a:4318 (gRPC)"),
    ] {
        let found = destination(line, &Variables::default());
        assert_eq!(found.description(), expected, "{line}");
        assert_eq!(
            found.config.tls.insecure,
            line.contains("--to localhost") || line.contains("--to a:") || line.contains("unix")
        );
    }
}

#[test]
fn the_environment_counts_without_an_endpoint_and_flags_come_on_top() {
    let variables = Variables(HashMap::from([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=secret"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ]));
    let found = destination("--header a=b --timeout 3s", &variables);
    assert_eq!(found.description(), "https://collector:4318 (HTTP, protobuf)");
    let headers = [("key", "secret"), ("a", "b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(found.config.headers, headers);
    assert_eq!(found.config.compression, otlp_transport::Compression::Gzip);
    assert_eq!(found.config.timeout, Some(std::time::Duration::from_secs(3)));
    let json = destination("--protocol http/json", &variables);
    assert_eq!(json.description(), "https://collector:4318 (HTTP, JSON)");
    assert_eq!(json.config.headers, [("key".to_owned(), "secret".to_owned())]);
    // Secrets of the environment are for the endpoint of the environment.
    let other = destination("--to http://other:4317 --compression zstd", &variables);
    assert!(other.config.headers.is_empty());
    assert_eq!(other.config.compression, otlp_transport::Compression::Zstd);
}

#[test]
fn tls_flags_without_tls_are_told() {
    for (line, is_told) in [
        ("--tls-skip-verify", true),
        ("--to localhost:4317 --tls-ca a.pem", true),
        ("--to http://a:4318 --tls-server-name b", true),
        ("--to https://a:4317 --tls-ca a.pem", false),
        ("--to localhost:4317", false),
    ] {
        let parsed = ["send", "--generate", "logs"].into_iter().chain(line.split_whitespace());
        let args = Line::try_parse_from(parsed).unwrap_or_else(|error| panic!("{error}")).args;
        let mut warnings = Vec::new();
        Destination::new(&args.destination, &Variables::default(), &mut warnings);
        assert_eq!(!warnings.is_empty(), is_told, "{line}: {warnings:?}");
    }
}
