use super::*;
use std::collections::HashMap;

struct Variables(HashMap<&'static str, &'static str>);

impl Lookup for Variables {
    fn env(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, _: &str) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

fn set(
    endpoints: &[(&str, &str)],
    outside: &[(&'static str, &'static str)],
) -> Option<Vec<(String, String)>> {
    let address = |text: &str| Address::Tcp(text.parse().unwrap());
    let endpoints: Vec<_> =
        endpoints.iter().map(|(name, text)| ((*name).to_owned(), address(text))).collect();
    let environment = Environment::of(&endpoints, &Variables(outside.iter().copied().collect()))?;
    for removed in
        ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_INSECURE"]
    {
        assert!(environment.removed.iter().any(|name| name == removed), "{removed}");
    }
    let mut command = Command::new("a");
    environment.apply(&mut command);
    let text = |value: &std::ffi::OsStr| value.to_str().unwrap().to_owned();
    Some(command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect())
}

fn pairs(list: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
    Some(list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

#[test]
fn the_port_of_both_protocols_serves_the_protocol_of_the_outside() {
    let both = [("otlp/grpc+http", "127.0.0.1:7")];
    let endpoint = (ENDPOINT, "http://127.0.0.1:7");
    assert_eq!(set(&both, &[]), pairs(&[endpoint, (PROTOCOL, "http/protobuf")]));
    assert_eq!(set(&both, &[(PROTOCOL, "")]), pairs(&[endpoint, (PROTOCOL, "http/protobuf")]));
    assert_eq!(set(&both, &[(PROTOCOL, "grpc")]), pairs(&[endpoint, (PROTOCOL, "grpc")]));
}

#[test]
fn receivers_of_a_configuration_decide_the_protocol() {
    let two = [("otlp/grpc", "[::]:1"), ("otlp/http", "0.0.0.0:2")];
    assert_eq!(set(&two, &[]), pairs(&[(ENDPOINT, "http://127.0.0.1:2"), (PROTOCOL, "http/protobuf")]));
    let json = [(PROTOCOL, "http/json")];
    assert_eq!(set(&two, &json), pairs(&[(ENDPOINT, "http://127.0.0.1:2"), (PROTOCOL, "http/json")]));
    assert_eq!(set(&two, &[(PROTOCOL, "grpc")]), pairs(&[(ENDPOINT, "http://[::1]:1"), (PROTOCOL, "grpc")]));
    assert_eq!(set(&two[..1], &json), pairs(&[(ENDPOINT, "http://[::1]:1"), (PROTOCOL, "grpc")]));
    assert_eq!(set(&[("metrics", "127.0.0.1:1")], &[]), None);
}

#[test]
fn proxies_of_the_outside_are_not_used_for_the_gateway() {
    for (listener, listed) in
        [("127.0.0.1:7", "a,b,127.0.0.1"), ("[::]:7", "a,b,::1"), ("10.0.0.1:7", "a,b,10.0.0.1")]
    {
        let set = set(&[("otlp/grpc+http", listener)], &[("HTTP_PROXY", "http://p:1"), ("NO_PROXY", "a,b")]);
        let set = set.unwrap();
        assert!(set.contains(&("no_proxy".into(), listed.into())), "{set:?}");
        assert!(set.contains(&("NO_PROXY".into(), listed.into())), "{set:?}");
    }
}
