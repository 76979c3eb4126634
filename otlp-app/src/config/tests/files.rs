//! Files that settings name, and settings that the layers below refuse: each is shown at its key.

use super::*;

#[test]
fn a_missing_file_is_an_error_at_its_key_whatever_it_is_for() {
    const AUTH: &str = "auth: {authenticator: ID}";
    // Settings of the receiver, an extension, settings of the exporter, the key.
    let cases = [
        ("tls: {cert_file: /no/f, key_pem: k}", "", "", "otlp: protocols.grpc.tls.cert_file"),
        ("tls: {cert_pem: c, key_file: /no/f}", "", "", "otlp: protocols.grpc.tls.key_file"),
        (
            "tls: {client_ca_file: /no/f, cert_pem: c, key_pem: k}",
            "",
            "",
            "otlp: protocols.grpc.tls.client_ca_file",
        ),
        (AUTH, "basicauth: {htpasswd: {file: /no/f}}", "", "basicauth: htpasswd.file"),
        (AUTH, "bearertokenauth: {filename: /no/f}", "", "bearertokenauth: filename"),
        // Listed, but used by no receiver and no exporter.
        ("", "bearertokenauth: {filename: /no/f}", "", "bearertokenauth: filename"),
        (
            "",
            "basicauth: {client_auth: {username: u, password_file: /no/f}}",
            AUTH,
            "basicauth: client_auth.password_file",
        ),
        (
            "",
            "basicauth: {client_auth: {username_file: /no/f, password: p}}",
            "",
            "basicauth: client_auth.username_file",
        ),
        (
            "",
            "headers_setter: {headers: [{key: k, value_file: /no/f}]}",
            AUTH,
            "headers_setter: headers.0.value_file",
        ),
        ("", "", "tls: {ca_file: /no/f}", "otlp: tls.ca_file"),
        // Without TLS the files are not needed.
        ("", "", "tls: {insecure: true, ca_file: /no/f}", "otlp: tls.ca_file"),
        ("", "", "tls: {insecure: true, cert_file: /no/f, key_pem: k}", "otlp: tls.cert_file"),
    ];
    for (receiver, extension, exporter, key) in cases {
        let id = extension.split(':').next().unwrap_or_default();
        let text = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{{receiver}}}}}}}}}\nextensions: {{{extension}}}\n\
             exporters:\n  otlp: {{endpoint: 'localhost:1', {exporter}}}\nservice:\n  extensions: [{id}]\n  \
             pipelines: {{traces: {{receivers: otlp, exporters: otlp}}}}\n"
        )
        .replace("ID", id);
        let shown = refusals(&text);
        let title = format!("error: {key}: cannot read `/no/f`: No such file or directory (os error 2)\n");
        assert!(shown.starts_with(&title) && shown.matches("error: ").count() == 1, "{text}\n{shown}");
        let (before, _) = text.split_once("/no/f").unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        assert!(shown.contains(&format!(" c.yaml:{line}:{column}\n")), "{shown}");
    }
}

#[test]
fn all_missing_files_are_shown_and_those_of_unused_components_are_not() {
    let shown = refusals(&around(
        "  otlp: {endpoint: 'c:1', tls: {ca_file: /no/ca, cert_file: /no/cert, key_file: /no/key}}\n  \
         otlp/unused: {endpoint: 'c:1', tls: {ca_file: /no/unused}}",
    ));
    for part in [
        "tls.ca_file: cannot read `/no/ca`",
        "tls.cert_file: cannot read `/no/cert`",
        "tls.key_file: cannot read `/no/key`",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    assert!(!shown.contains("/no/unused") && shown.matches("error: ").count() == 3, "{shown}");
    let off = around(
        "  otlp: {endpoint: 'c:1', tls: {insecure: true, ca_file: \"\", cert_file: \"\", key_file: }}",
    );
    assert_eq!(refusals(&off), "", "an empty path is none");
}

#[test]
fn a_refusal_of_the_layers_below_names_the_key_of_the_file() {
    let http = |settings: &str| {
        around(&format!("  otlp: {{endpoint: c:1}}\n  otlp_http: {{{settings}}}"))
            .replace("exporters: [otlp]", "exporters: [otlp_http]")
    };
    let grpc = |settings: &str| around(&format!("  otlp: {{endpoint: 'c:1', {settings}}}"));
    let cases = [
        (http("endpoint: 'a b'"), "otlp_http: endpoint: `a b`: not a URL: invalid uri character"),
        (
            http("endpoint: c"),
            "otlp_http: endpoint: `c`: expected a URL that starts with http:// or https://",
        ),
        (
            http("endpoint: 'http://c', logs_endpoint: d"),
            "otlp_http: logs_endpoint: `d`: expected a URL that starts with http:// or https://",
        ),
        (
            http("traces_endpoint: 'https://a..b'"),
            "otlp_http: traces_endpoint: `a..b` is neither a DNS name nor an IP address",
        ),
        (
            http("endpoint: 'https://c', proxy_url: 'ftp://p'"),
            "otlp_http: proxy_url: `ftp://p`: expected a proxy as",
        ),
        (grpc("headers: {'a b': c}"), "otlp: headers: `a b` is not a header name"),
        (
            grpc("headers: {a: \"b\\nc\"}"),
            "otlp: headers: the value of `a`: it has characters that a header cannot carry",
        ),
        (grpc("user_agent: \"b\\nc\""), "otlp: user_agent: it has characters that a header cannot carry"),
        (grpc("tls: {ca_pem: x}"), "otlp: tls.ca_pem: no certificate found: expected PEM"),
        (
            grpc("tls: {ca_pem: \"-----BEGIN CERTIFICATE-----\\nAAAA\"}"),
            "otlp: tls.ca_pem: not PEM: a `-----BEGIN …-----` has no",
        ),
        (
            grpc("tls: {cert_pem: x}"),
            "otlp: tls.cert_pem: the certificate has no key: set tls.key_file or tls.key_pem",
        ),
        (
            grpc("tls: {server_name_override: 'a b'}"),
            "otlp: tls.server_name_override: `a b` is neither a DNS name nor",
        ),
        (grpc("tls: {cipher_suites: [X]}"), "otlp: tls.cipher_suites: unknown or unsafe cipher suite `X`"),
        (
            grpc("tls: {max_version: '1.2', cipher_suites: [TLS_AES_128_GCM_SHA256]}"),
            "otlp: tls.cipher_suites: no listed suite belongs to a TLS version from min_version to max_version",
        ),
        (
            grpc("tls: {min_version: '1.3', max_version: '1.2'}"),
            "otlp: tls.min_version: min_version is above max_version",
        ),
    ];
    for (text, message) in cases {
        let shown = refusals(&text);
        assert!(
            shown.starts_with(&format!("error: {message}")),
            "{message:?} is not what is shown:\n{shown}"
        );
        assert!(shown.contains("  --> c.yaml:"), "{shown}");
    }
}

#[test]
fn a_receivers_encodings_are_refused_by_their_key() {
    let text = around("  otlp: {endpoint: c:1}").replace("grpc: ", "http: {compression_algorithms: [gzp]}");
    let shown = problems(&text);
    let title = "error: otlp: protocols.http.compression_algorithms: unknown encoding `gzp`; available: identity, gzip";
    assert!(shown.starts_with(title) && shown.contains(" c.yaml:1:"), "{shown}");
}

#[test]
fn a_token_that_cannot_be_sent_is_refused_by_the_key_of_the_file() {
    let text = around("  otlp: {endpoint: 'localhost:1', auth: {authenticator: bearertokenauth}}").replace(
        "service:\n",
        "extensions: {bearertokenauth: {token: \"a\\nb\"}}\nservice:\n  extensions: bearertokenauth\n",
    );
    let shown = refusals(&text);
    assert!(shown.starts_with("error: bearertokenauth: token: ") && !shown.contains("tokens"), "{shown}");
}
