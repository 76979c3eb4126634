//! TLS, tokens and client certificates between two gateways.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what the test shares may panic like the test itself")]

use crate::process::{Otlp, command, file, http, one_span};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::PathBuf;
use std::time::Duration;

/// Files of this test.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, text: &str) {
        // As rotation tools do it: never half a file.
        std::fs::write(self.0.join("new"), text).unwrap();
        std::fs::rename(self.0.join("new"), self.0.join(name)).unwrap();
    }

    /// An authority, a server's certificate and a client's.
    fn put_certificates(&self) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        self.put("ca.pem", &authority.pem());
        for (name, of) in [("server", "localhost"), ("client", "agent")] {
            let mut params = CertificateParams::new(vec![of.to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, of);
            let key = KeyPair::generate().unwrap();
            self.put(&format!("{name}.pem"), &params.signed_by(&key, &authority).unwrap().pem());
            self.put(&format!("{name}.key"), &key.serialize_pem());
        }
    }
}

#[test]
fn gateways_know_each_other_by_certificate_and_token_which_are_rotated() {
    let files = Files::new("secure");
    let dir = files.0.display();
    files.put_certificates();
    files.put("tokens", "one\n");
    files.put("own", "one\n");
    let tls = |name: &str| {
        format!("cert_file: {dir}/{name}.pem, key_file: {dir}/{name}.key, reload_interval: 100ms")
    };
    let central = file(&format!(
        "receivers:\n  otlp:\n    protocols:\n      grpc: {{endpoint: 127.0.0.1:0, tls: {{{}, client_ca_file: \
         {dir}/ca.pem}}, auth: {{authenticator: bearertokenauth}}}}\nextensions: {{bearertokenauth: {{filename: \
         {dir}/tokens}}}}\nexporters: {{debug: }}\nservice:\n  extensions: [bearertokenauth]\n  telemetry: {{metrics: \
         {{address: 127.0.0.1:0}}}}\n  pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}\n",
        tls("server")
    ));
    let mut central = Otlp::start(command(&["--config", &central]), &["otlp/grpc", "metrics"]);
    let port = central.address("otlp/grpc").port();
    let agent = |credentials: &str, certificate: &str| {
        let text = format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}\nextensions: {{bearertokenauth: \
             {{filename: {dir}/own}}}}\nexporters:\n  otlp:\n    endpoint: https://localhost:{port}\n    \
             sending_queue: {{enabled: false}}\n    retry_on_failure: {{enabled: false}}\n    {credentials}\n    tls: \
             {{ca_file: {dir}/ca.pem{certificate}}}\nservice:\n  extensions: [bearertokenauth]\n  telemetry: \
             {{metrics: {{level: none}}}}\n  pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}\n"
        );
        Otlp::start(command(&["--config", &file(&text)]), &["otlp/http"])
    };
    let (token, certificate) = ("auth: {authenticator: bearertokenauth}", format!(", {}", tls("client")));
    for (credentials, certificate, status) in
        [("", &*certificate, 401), (token, "", 503), (token, &*certificate, 200)]
    {
        let agent = agent(credentials, certificate);
        let (answered, text) = http(agent.address("otlp/http"), "POST", "/v1/traces", &one_span());
        assert_eq!(answered, status, "{credentials} {certificate}: {text}");
    }
    central.line("traces resource_spans=1 spans=1");
    let (_, page) = http(central.address("metrics"), "GET", "/metrics", &[]);
    assert_eq!(value(&page, "otlp_server_refused_requests", "unauthenticated"), 1.0, "{page}");
    // Also as the request is sent once more on another connection.
    assert!(value(&page, "otlp_server_tls_handshake_errors", "") >= 1.0, "{page}");

    // Certificates of another authority: the running agent and the running gateway both take them up.
    let agent = agent(token, &certificate);
    files.put_certificates();
    let mut is_up = false;
    for _ in 0..200 {
        let (sent, _) = http(agent.address("otlp/http"), "POST", "/v1/traces", &one_span());
        let (_, page) = http(central.address("metrics"), "GET", "/metrics", &[]);
        is_up = sent == 200 && value(&page, "otlp_file_reloads", "") >= 1.0;
        if is_up {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(is_up);
}

/// The value of a metric with such a label.
fn value(page: &str, name: &str, label: &str) -> f64 {
    let mut lines = page.lines().filter(|line| line.starts_with(name) && line.contains(label));
    let value = lines.next().and_then(|line| line.rsplit_once(' ')).map(|(_, value)| value);
    value.unwrap_or_else(|| panic!("no {name} {label}: {page}")).parse().unwrap()
}
