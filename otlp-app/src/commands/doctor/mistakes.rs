//! Common mistakes in endpoints, as they can be seen in the text.

use crate::own_addresses::Place;
use crate::protocol::Protocol;
use otlp_protocol::Signal;

/// Returns what is probably wrong with an endpoint that does not answer. `is_whole`: the endpoint is the whole URL of one
/// signal.
pub(super) fn mistakes(endpoint: &str, protocol: Protocol, is_whole: bool) -> Vec<String> {
    let mut found = Vec::new();
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("", endpoint));
    let path = rest.split_once('/').map_or("", |(_, path)| path).split(['?', '#']).next().unwrap_or_default();
    let path = path.trim_matches('/');
    let port = match Place::of(endpoint) {
        Some(Place::Tcp(_, port)) => port,
        _ => 0,
    };
    if scheme.is_empty() && protocol == Protocol::Http {
        found.push(format!("`http://` or `https://` is missing: http://{endpoint}"));
    }
    match protocol {
        Protocol::Http if port == GRPC_PORT => {
            found.push("4317 is the usual port of gRPC; OTLP over HTTP has 4318".into());
        }
        Protocol::Grpc if port == HTTP_PORT => {
            found.push("4318 is the usual port of OTLP over HTTP; gRPC has 4317".into());
        }
        Protocol::Grpc if !path.is_empty() => {
            found.push(format!("gRPC has no paths: remove /{path}"));
        }
        Protocol::Grpc | Protocol::Http => {}
    }
    if protocol == Protocol::Http {
        let ends_with = |signal: &Signal| path.ends_with(signal.http_path.trim_start_matches('/'));
        match Signal::ALL.iter().find(|signal| ends_with(signal)) {
            Some(signal) if !is_whole => found.push(format!(
                "{path} is added to the endpoint: the URL has it twice; remove it from the endpoint, or give the whole URL of \
                 {signal} alone: OTEL_EXPORTER_OTLP_{}_ENDPOINT, `{}_endpoint`",
                signal.name.to_ascii_uppercase(),
                signal.name
            )),
            None if is_whole && path.is_empty() => {
                found.push("the whole URL of one signal is used as written: its path, such as /v1/traces, is missing".into());
            }
            _ => {}
        }
    }
    found
}

const GRPC_PORT: u16 = 4317;
const HTTP_PORT: u16 = 4318;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_seen() {
        let (grpc, http) = (Protocol::Grpc, Protocol::Http);
        for (endpoint, protocol, is_whole, expected) in [
            ("http://a:4318", http, false, ""),
            ("http://a:4317", http, false, "4317 is the usual port of gRPC"),
            ("a:4317", grpc, false, ""),
            ("http://a:4318", grpc, false, "4318 is the usual port of OTLP over HTTP"),
            ("a:4318", http, false, "`http://` or `https://` is missing: http://a:4318"),
            ("http://a:1/v1/traces", http, false, "v1/traces is added to the endpoint"),
            ("http://a:1/v1/logs/", http, false, "LOGS_ENDPOINT"),
            ("http://a:1/v1/traces", http, true, ""),
            ("http://a:1/otlp", http, false, ""),
            ("http://a:1", http, true, "such as /v1/traces, is missing"),
            ("http://a:1/otlp", grpc, false, "gRPC has no paths: remove /otlp"),
        ] {
            let found = mistakes(endpoint, protocol, is_whole).join("\n");
            assert_eq!(found.is_empty(), expected.is_empty(), "{endpoint}: {found}");
            assert!(found.contains(expected), "{endpoint}: {found}");
        }
    }
}
