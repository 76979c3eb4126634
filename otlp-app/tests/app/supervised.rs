//! Under a supervisor: what systemd is told, and the delay that load balancers get before a drain.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{Otlp, command, file, http, limited, one_span, told};
use crate::sink::Port;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

fn heard(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 500];
    let len = socket.recv(&mut buffer).expect("a datagram");
    String::from_utf8_lossy(&buffer[..len]).into_owned()
}

#[test]
fn systemd_is_told_once_the_ports_are_open() {
    let path = std::env::temp_dir().join(format!("otlp-notify-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).expect("bind");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("set a timeout");
    let port = Port::reserve();
    let mut command = command(&["--grpc", "127.0.0.1:0", "--http", &port.address().to_string()]);
    command.env("NOTIFY_SOCKET", &path);
    let otlp = Otlp::start(command, &[]);
    assert!(heard(&socket).starts_with("READY=1\n"));
    assert_eq!(http(port.address(), "POST", "/v1/traces", &one_span()).0, 200);
    otlp.signal("TERM");
    let stopping = heard(&socket);
    assert!(stopping.starts_with("STOPPING=1\n") && stopping.ends_with("_USEC=10000000"), "{stopping}");
    assert_eq!(otlp.exit_code(), 0);
    let _ = std::fs::remove_file(&path);
}

#[test]
fn systemd_is_told_of_a_reload() {
    let path = std::env::temp_dir().join(format!("otlp-notify-reload-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).expect("bind");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("set a timeout");
    let text = "receivers: {otlp: {protocols: {http: {endpoint: 127.0.0.1:0}}}}\nexporters: {nop: }\n\
                service: {telemetry: {metrics: {level: none}}, pipelines: {logs: {receivers: [otlp], exporters: [nop]}}}\n";
    let config = file(text);
    let mut command = command(&["--config", &config]);
    command.env("NOTIFY_SOCKET", &path);
    let otlp = Otlp::start(command, &["otlp/http"]);
    assert!(heard(&socket).starts_with("READY=1\n"));
    for (text, status) in [
        (text, "configuration unchanged"),
        ("receivers: [", "reload failed, the running configuration stays"),
    ] {
        std::fs::write(&config, text).expect("write");
        otlp.signal("HUP");
        let reloading = heard(&socket);
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        assert_eq!(heard(&socket), format!("READY=1\nSTATUS={status}"));
    }
    let _ = std::fs::remove_file(&path);
}

#[test]
fn before_a_drain_it_says_that_it_is_not_ready_and_goes_on() {
    let config = file(
        "receivers: {otlp: {protocols: {http: {endpoint: 127.0.0.1:0}}}}\nexporters: {nop: }\n\
         extensions: {health_check: {endpoint: 127.0.0.1:0}}\nservice:\n  extensions: [health_check]\n  \
         telemetry: {metrics: {level: none}}\n  pipelines: {traces: {receivers: [otlp], exporters: [nop]}}\n",
    );
    let args = ["--config", &config, "--drain-delay", "10m"];
    let mut otlp = Otlp::start(command(&args), &["otlp/http", "health"]);
    let health = || http(otlp.address("health"), "GET", "/", &[]).0;
    assert_eq!(health(), 200);
    otlp.signal("TERM");
    for _ in 0..1000 {
        if health() == 503 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(health(), 503);
    assert_eq!(http(otlp.address("otlp/http"), "POST", "/v1/traces", &one_span()).0, 200);
    // It does not end the process at once, as it would during the drain.
    otlp.signal("TERM");
    otlp.line("drained");
    assert_eq!(otlp.exit_code(), 0);
}

#[test]
fn a_memory_limit_that_the_process_cannot_use_is_refused() {
    let config = file(
        "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {nop: }\n\
         processors:\n  memory_limiter:\n    limit_mib: 8192\n\
         service: {pipelines: {logs: {receivers: [otlp], processors: [memory_limiter], exporters: [nop]}}}\n",
    );
    // KiB: 4 GiB.
    let limit = "-v 4194304";
    for args in [&["validate", "--config", &config][..], &["--config", &config]] {
        let (code, _, stderr) = told(&limited(limit, args).output().expect("run otlp"));
        assert_eq!(code, 78, "{stderr}");
        for part in [
            &format!("{config}:5:16\n"),
            "limit_mib: 8192 MiB is more than the ",
            "MiB that the process may use (",
            "set at most ",
        ] {
            assert!(stderr.contains(part), "{part:?} is not in:\n{stderr}");
        }
    }
}
