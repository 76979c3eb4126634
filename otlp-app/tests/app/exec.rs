//! `otlp exec`, as a user runs it.

use crate::process::{Otlp, command, file, run, told};
use std::process::Command;

const OTLP: &str = env!("CARGO_BIN_EXE_otlp");

/// `otlp exec` of a shell script.
fn script(flags: &[&str], script: &str) -> Command {
    command(&[&["exec"], flags, &["--", "sh", "-c", script]].concat())
}

#[test]
fn telemetry_of_the_command_is_shown_on_stderr() {
    for protocol in ["", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json"] {
        let send = format!("{protocol} {OTLP} send --generate traces --batch-items 10 --seed 1 && echo own");
        let output = script(&["--signal", "traces"], &send).output().expect("run otlp");
        let (code, stdout, stderr) = told(&output);
        assert_eq!(code, 0, "{protocol}: {stderr}");
        assert!(stdout.starts_with("1 request to ") && stdout.ends_with("\nown\n"), "{stdout}");
        assert_eq!(stderr.lines().filter(|line| line.contains(" span ")).count(), 10, "{stderr}");
    }
}

#[test]
fn flags_choose_what_is_shown() {
    let send = format!("{OTLP} send --generate logs --batch-items 3 >/dev/null");
    let shown = |flags: &[&str]| told(&script(flags, &send).output().expect("run otlp"));
    assert_eq!(shown(&["--signal", "traces"]), (0, String::new(), String::new()));
    assert_eq!(shown(&["--service", "no such"]), (0, String::new(), String::new()));
    let (code, _, stderr) = shown(&["--json"]);
    assert!(code == 0 && stderr.starts_with("{\"resourceLogs\":["), "{stderr}");
    let (code, _, stderr) = shown(&["--config", "a", "--json"]);
    assert!(code == 2 && stderr.contains("cannot be used with"), "{stderr}");
}

#[test]
fn variables_of_the_outside_do_not_lead_elsewhere() {
    let mut exec = script(&[], "env | grep ^OTEL_ | sort");
    exec.env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret").env("OTEL_SERVICE_NAME", "shop");
    exec.env("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/a").env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let (code, stdout, stderr) = told(&exec.output().expect("run otlp"));
    let lines: Vec<_> = stdout.lines().collect();
    let [endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_SERVICE_NAME=shop"] = lines.as_slice() else {
        panic!("{code}: {stdout}{stderr}")
    };
    assert!(endpoint.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:"), "{endpoint}");
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let codes = [("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("true", 0)];
    for (text, expected) in codes {
        let (code, stdout, stderr) = told(&script(&[], text).output().expect("run otlp"));
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (expected, "", ""), "{text}");
    }
    let (code, _, stderr) = told(&run(&["exec", "--", "/nonexistent"]));
    assert!(code == 127 && stderr.starts_with("otlp: cannot run `/nonexistent`: No such file"), "{stderr}");
    let (code, _, stderr) = told(&run(&["exec", "--", "/"]));
    assert!(code == 126 && stderr.starts_with("otlp: cannot run `/`: "), "{stderr}");
    assert_eq!(told(&run(&["exec"])).0, 2);
    assert_eq!(told(&run(&["exec", "--config", "/nonexistent", "--", "true"])).0, 78);
}

#[test]
fn signals_are_passed_to_the_command() {
    for name in ["TERM", "HUP", "INT", "QUIT"] {
        let text = format!(
            "trap 'echo got {name}; exit 3' {name}; echo 'ready listens on it'; while :; do sleep 0.05; done"
        );
        // In a session of its own, so that no terminal sends the signal to the command as well.
        let exec = script(&[], &text);
        let mut alone = Command::new("setsid");
        alone.arg(exec.get_program()).args(exec.get_args());
        let mut otlp = Otlp::start(alone, &["ready"]);
        otlp.signal(name);
        otlp.line(&format!("got {name}"));
        assert_eq!(otlp.exit_code(), 3, "{name}");
    }
}

#[test]
fn telemetry_is_forwarded_to_the_endpoint_of_the_outside() {
    // The inner gateway has the outer one as its outside.
    let send = format!("{OTLP} exec -- {OTLP} send --generate logs --batch-items 5 --seed 1");
    let (code, _, stderr) = told(&script(&[], &send).output().expect("run otlp"));
    assert_eq!(code, 0, "{stderr}");
    let mut lines: Vec<_> = stderr.lines().filter(|line| line.contains(" log ")).collect();
    assert_eq!(lines.len(), 10, "{stderr}");
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 5, "{stderr}");
}

#[test]
fn a_configuration_takes_the_place_of_the_local_gateway() {
    let config = file(
        "receivers: {otlp: {protocols: {grpc: {endpoint: '127.0.0.1:0'}}}}\n\
         exporters: {debug: {use_internal_logger: false}}\n\
         service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [otlp], exporters: [debug]}}}\n",
    );
    let text = format!("echo $OTEL_EXPORTER_OTLP_PROTOCOL; {OTLP} send --generate logs --batch-items 5");
    let (code, stdout, stderr) = told(&script(&["--config", &config], &text).output().expect("run otlp"));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("grpc\n") && stdout.contains("5 accepted"), "{stdout}");
    // A command can neither know a certificate nor credentials.
    for endpoint in [
        "endpoint: '/tmp/otlp-exec.sock', transport: unix",
        "endpoint: '127.0.0.1:0', auth: {authenticator: basicauth}",
    ] {
        let without = file(&format!(
            "extensions: {{basicauth: {{htpasswd: {{inline: 'a:b'}}}}}}\n\
             receivers: {{otlp: {{protocols: {{grpc: {{{endpoint}}}}}}}}}\nexporters: {{nop: }}\n\
             service: {{extensions: [basicauth], telemetry: {{metrics: {{level: none}}}}, \
             pipelines: {{logs: {{receivers: [otlp], exporters: [nop]}}}}}}\n"
        ));
        let (code, _, stderr) = told(&script(&["--config", &without], "true").output().expect("run otlp"));
        assert!(code == 1 && stderr.contains("no OTLP receiver on TCP"), "{stderr}");
    }
}
