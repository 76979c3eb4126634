//! Forwarding loops: a gateway that is sent its own telemetry takes each item once and then refuses it.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{FORWARDING, Otlp, command, file, forwarding, http, one_span, told};
use crate::sink::Port;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// A port from which connections are passed on to an address that is given later: nothing in a configuration tells where
/// the port leads.
struct Relay {
    address: SocketAddr,
    leads_to: Sender<SocketAddr>,
}

impl Relay {
    fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("an address");
        let (leads_to, target) = channel();
        thread::spawn(move || {
            let Ok(target) = target.recv() else { return };
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(target) else { continue };
                let (from, to) = (client.try_clone().expect("share"), server.try_clone().expect("share"));
                thread::spawn(move || pass_on(&from, &to));
                thread::spawn(move || pass_on(&server, &client));
            }
        });
        Self { address, leads_to }
    }
}

fn pass_on(mut from: &TcpStream, mut to: &TcpStream) {
    // One side closing is the end of the other.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// A gateway that sends over HTTP to one of several endpoints, of which there is one.
fn balancing(to: SocketAddr) -> String {
    file(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:0}}, http: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         exporters: {{debug: , load_balancing: {{protocol: {{otlp_http: {{tls: {{insecure: true}}}}}}, \
         resolver: {{static: {{hostnames: ['{to}']}}}}}}}}\n\
         service: {{telemetry: {{metrics: {{address: 127.0.0.1:0}}}}, \
         pipelines: {{traces: {{receivers: [otlp], exporters: [debug, load_balancing]}}}}}}\n",
    ))
}

fn refused_loops(otlp: &Otlp) -> u64 {
    otlp.metrics().sum("otlp_server_refused_requests", "reason=\"loop\"")
}

fn accepted(otlp: &Otlp) -> u64 {
    otlp.metrics().sum("otelcol_receiver_accepted_spans", "")
}

#[test]
fn a_gateway_that_sends_to_itself_takes_each_item_once() {
    for (configured, server) in [("otlp", "otlp/grpc"), ("load_balancing", "otlp/http")] {
        let relay = Relay::listen();
        let config = match configured {
            "otlp" => forwarding(64, relay.address, ""),
            _ => balancing(relay.address),
        };
        let mut otlp = Otlp::start(command(&["--config", &config]), FORWARDING);
        relay.leads_to.send(otlp.address(server)).expect("the relay runs");
        assert_eq!(http(otlp.address("otlp/http"), "POST", "/v1/traces", &one_span()).0, 200);
        otlp.line("reason=\"loop\"");
        let dropped = otlp.line("items are dropped");
        assert!(dropped.contains("forwarding loop") && dropped.contains("remove the exporter"), "{dropped}");
        let sent = otlp.settled();
        assert_eq!(sent, u64::from(configured != "otlp"), "the exporter `debug` alone gets the span");
        assert_eq!((accepted(&otlp), refused_loops(&otlp)), (1, 1));
    }
}

#[test]
fn two_gateways_that_send_to_each_other_take_each_item_once() {
    let relay = Relay::listen();
    let first = Otlp::start(command(&["--config", &forwarding(64, relay.address, "")]), FORWARDING);
    let config = balancing(first.address("otlp/http"));
    let mut second = Otlp::start(command(&["--config", &config]), FORWARDING);
    relay.leads_to.send(second.address("otlp/grpc")).expect("the relay runs");
    assert_eq!(http(first.address("otlp/http"), "POST", "/v1/traces", &one_span()).0, 200);
    second.line("items are dropped");
    assert_eq!((first.settled(), second.settled()), (1, 1));
    assert_eq!((accepted(&first), refused_loops(&first)), (1, 1));
    assert_eq!((accepted(&second), refused_loops(&second)), (1, 0));
}

#[test]
fn the_local_gateway_does_not_forward_to_itself() {
    let port = Port::reserve();
    let mut command = command(&["--grpc", "127.0.0.1:0", "--http", &port.address().to_string()]);
    let endpoint = format!("http://me:secret@localhost:{}", port.address().port());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    let mut otlp = Otlp::start(command, &[]);
    let warning = otlp.line("OTEL_EXPORTER_OTLP_ENDPOINT");
    assert!(warning.contains("is this gateway itself") && !warning.contains("secret"), "{warning}");
    otlp.line("otlp/http listens on");
    assert_eq!(http(port.address(), "POST", "/v1/traces", &one_span()).0, 200);
    otlp.line("GET /");
    otlp.signal("TERM");
    assert_eq!(otlp.exit_code(), 0);
}

#[test]
fn the_local_gateway_says_where_it_forwards_to() {
    let mut command = command(&["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.invalid:4318/?key=secret");
    let mut otlp = Otlp::start(command, &[]);
    let line = otlp.line("forwards");
    assert!(line.contains("to collector.invalid:4318") && !line.contains("secret"), "{line}");
}

#[test]
fn an_own_endpoint_is_noted_by_a_check_and_refused_at_the_start() {
    let config = file(
        "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\n\
         exporters: {otlp: {endpoint: 'localhost:4317', tls: {insecure: true}}}\n\
         service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n",
    );
    let loops = "localhost:4317 is this gateway's own receiver otlp";
    let (code, stdout, stderr) = told(&command(&["validate", "--config", &config]).output().expect("run"));
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains(loops) && stdout.contains("refuses to start"), "{stdout}");
    let (code, _, stderr) = told(&command(&["run", "--config", &config]).output().expect("run"));
    assert_eq!(code, 78);
    assert!(stderr.contains(loops) && stderr.contains(".yaml:2:30"), "{stderr}");
}
