use super::*;
use std::io;
use std::path::Path;

/// Variables without their common prefix.
struct Vars<'a>(&'a [(&'a str, &'a str)]);

impl Lookup for Vars<'_> {
    fn env(&self, name: &str) -> Option<String> {
        let name = name.strip_prefix("OTEL_EXPORTER_OTLP_")?;
        self.0.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
    }

    fn file(&self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[test]
fn pairs_that_are_no_headers_are_ignored_with_a_warning() {
    let vars =
        [("ENDPOINT", "http://c:4318"), ("HEADERS", "authorization=Bearer%20abc,key=secret%zz,x=1,X=2")];
    let (given, warnings) = forward(&Vars(&vars));
    let expected = [("authorization", "Bearer abc"), ("X", "2")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(given.unwrap().config.headers, expected);
    let problem =
        "invalid percent-encoding of the value: write `%25` for a percent sign; the pair is ignored";
    assert_eq!(warnings, [format!("OTEL_EXPORTER_OTLP_HEADERS: pair 2: {problem}")]);
}

#[test]
fn own_endpoints_are_left_out() {
    // Variables, signals that are forwarded, where to, variables that are warned of.
    type Row<'a> = (&'a [(&'a str, &'a str)], Option<&'a [&'a str]>, &'a str, &'a [&'a str]);
    let rows: &[Row<'_>] = &[
        (
            &[("ENDPOINT", "http://out:4318")],
            Some(&["traces", "metrics", "logs", "profiles"]),
            "out:4318",
            &[],
        ),
        (&[("ENDPOINT", "http://me:secret@own:4318")], None, "", &["OTEL_EXPORTER_OTLP_ENDPOINT: own:4318 "]),
        (
            &[("ENDPOINT", "http://own:4318"), ("LOGS_ENDPOINT", "http://me:secret@out/v1/logs?key=secret")],
            Some(&["logs"]),
            "out:80",
            &["OTEL_EXPORTER_OTLP_ENDPOINT: own:4318 "],
        ),
        (
            &[("ENDPOINT", "http://out:4318"), ("TRACES_ENDPOINT", "http://own:1/v1/traces")],
            Some(&["metrics", "logs", "profiles"]),
            "out:4318",
            &["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own:1 "],
        ),
        (&[("LOGS_ENDPOINT", "http://own:1")], None, "", &["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: own:1 "]),
    ];
    for (vars, forwarded, to, warned) in rows {
        let (given, mut warnings) = forward(&Vars(vars));
        let is_own = |place: &Place| place.to_string().starts_with("own:");
        let left = given.unwrap().without_own(is_own, &mut warnings);
        let all = || Signal::ALL.map(|signal| signal.name).to_vec();
        let takes = left.as_ref().map(|left| left.takes.clone().unwrap_or_else(all));
        assert_eq!(takes.as_deref(), *forwarded, "{vars:?}");
        assert_eq!(left.map(|left| left.places()).unwrap_or_default(), *to, "{vars:?}");
        assert_eq!(warnings.len(), warned.len(), "{warnings:?}");
        assert!(warnings.iter().zip(*warned).all(|(warning, part)| warning.contains(part)), "{warnings:?}");
        assert!(!warnings.concat().contains("secret"), "{warnings:?}");
    }
}

#[test]
fn timeouts_are_milliseconds() {
    let cases = [
        ("10000", Some(10_000), 0),
        ("0", None, 0),
        ("-5", Some(10_000), 1),
        ("10s", Some(10_000), 1),
        ("", Some(10_000), 0),
    ];
    for (input, millis, warned) in cases {
        let mut warnings = Vec::new();
        assert_eq!(timeout(input, &mut warnings), millis.map(Duration::from_millis), "{input:?}");
        assert_eq!(warnings.len(), warned, "{input:?}: {warnings:?}");
    }
}

#[test]
fn an_endpoint_turns_forwarding_on() {
    assert!(forward(&Vars(&[])).0.is_none());
    assert!(forward(&Vars(&[("ENDPOINT", "")])).0.is_none(), "an empty variable is unset");
    let (plain, warnings) = forward(&Vars(&[("ENDPOINT", "http://c:4318"), ("PROTOCOL", "")]));
    let plain = plain.unwrap();
    assert_eq!((plain.protocol, plain.config.compression), (Protocol::Http, Compression::None));
    assert_eq!(plain.config.timeout, Some(Duration::from_secs(10)));
    assert!(warnings.is_empty() && plain.takes.is_none());
    let vars = [
        ("ENDPOINT", "c:4317"),
        ("PROTOCOL", "GRPC"),
        ("COMPRESSION", "gzip"),
        ("INSECURE", "True"),
        ("TIMEOUT", "0"),
        ("HEADERS", "a=b"),
        ("CERTIFICATE", "/ca.pem"),
        ("CLIENT_CERTIFICATE", "/own.pem"),
        ("CLIENT_KEY", "/own.key"),
    ];
    let (full, warnings) = forward(&Vars(&vars));
    let full = full.unwrap();
    assert_eq!((full.protocol, full.config.compression), (Protocol::Grpc, Compression::Gzip));
    assert!(full.config.tls.insecure && warnings.is_empty(), "{warnings:?}");
    assert_eq!(full.config.timeout, Some(Duration::ZERO), "no limit");
    assert_eq!(full.config.headers, [("a".to_owned(), "b".to_owned())]);
    let certificate = full.config.tls.certificate;
    assert_eq!(certificate.cert_file.as_deref(), Some(Path::new("/own.pem")));
    assert_eq!(certificate.key_file.as_deref(), Some(Path::new("/own.key")));
    let json = [("ENDPOINT", "http://c"), ("PROTOCOL", "http/json"), ("COMPRESSION", "br")];
    let (json, warnings) = forward(&Vars(&json));
    let config = json.unwrap().config;
    assert_eq!((config.encoding, config.compression), (Encoding::Json, Compression::Brotli));
    assert!(warnings.is_empty(), "{warnings:?}");
    let odd = [("ENDPOINT", "c"), ("PROTOCOL", "http/xml"), ("COMPRESSION", "lzw"), ("INSECURE", "1")];
    assert_eq!(forward(&Vars(&odd)).1.len(), 3);
}

#[test]
fn signals_may_have_endpoints_of_their_own() {
    let own = ("TRACES_ENDPOINT", "http://t/x");
    let (both, warnings) = forward(&Vars(&[("ENDPOINT", "http://c:4318"), own]));
    let both = both.unwrap();
    assert_eq!(both.config.signal_endpoints, [("traces".to_owned(), "http://t/x".to_owned())]);
    assert!(both.takes.is_none() && warnings.is_empty());

    let (alone, _) = forward(&Vars(&[own]));
    assert_eq!(alone.unwrap().takes, Some(vec!["traces"]), "the others are not sent to the default");

    let (grpc, warnings) = forward(&Vars(&[own, ("PROTOCOL", "grpc")]));
    assert!(grpc.is_none() && warnings.len() == 1, "{warnings:?}");

    let (all, warnings) =
        forward(&Vars(&[("ENDPOINT", "c"), ("LOGS_HEADERS", "a=secret"), ("LOGS_TIMEOUT", "1")]));
    assert!(all.unwrap().config.headers.is_empty());
    assert!(warnings.len() == 2 && !warnings.concat().contains("secret"), "{warnings:?}");
}
