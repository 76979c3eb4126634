//! Reloads of the real binary: an edited file, SIGHUP and `--watch`, wrong files, and senders that notice nothing.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::door::Door;
use crate::peers::{Peer, Verdict};
use crate::process::{FORWARDING, Otlp, command, file, forwarding, http, one_span};
use crate::sink::{Port, Sink};
use otlp_transport::{Clock, TokioClock};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tokio::task::block_in_place;

/// A gateway of traces over HTTP, with metrics; `exporters` is its section of exporters, all of which are used.
fn config(endpoint: &str, exporters: &str, ids: &str) -> String {
    format!(
        "receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: {endpoint}\n\
         exporters: {{{exporters}}}\nservice:\n  telemetry: {{metrics: {{address: 127.0.0.1:0}}}}\n  \
         pipelines: {{traces: {{receivers: [otlp], exporters: [{ids}]}}}}\n"
    )
}

const SERVED: &[&str] = &["otlp/http", "metrics"];
const ANY: &str = "127.0.0.1:0";

/// Replaces a file as an editor does: a new file is renamed over the old one.
fn edit(path: &str, text: &str) {
    let new = format!("{path}.new");
    std::fs::write(&new, text).expect("write the new file");
    std::fs::rename(&new, path).expect("rename the new file");
}

fn reloads(otlp: &Otlp, outcome: &str) -> u64 {
    otlp.metrics().sum("otlp_config_reloads", &format!("outcome=\"{outcome}\""))
}

/// Sends a span; the status of the answer.
fn send(address: SocketAddr) -> u16 {
    http(address, "POST", "/v1/traces", &one_span()).0
}

#[test]
fn a_wrong_file_changes_nothing_and_a_right_one_is_taken() {
    let path = file(&config(ANY, "nop: ", "nop"));
    let mut otlp = Otlp::start(command(&["--config", &path]), SERVED);
    let address = otlp.address("otlp/http");
    edit(&path, &config(ANY, "nop: ", "nop").replace("endpoint: 127", "endpont: 127"));
    otlp.signal("HUP");
    otlp.line("reload failed, the running configuration stays");
    for part in [
        "error: unknown key `endpont`",
        &format!("--> {path}:5:9"),
        " 5 |         endpont: 127.0.0.1:0",
        "   |         ^^^^^^^",
        "did you mean `endpoint`?",
    ] {
        otlp.line(part);
    }
    assert_eq!(send(address), 200);
    assert_eq!((reloads(&otlp, "failed"), reloads(&otlp, "applied")), (1, 0));
    assert_eq!(otlp.metrics().sum("otlp_config_last_reload_successful", ""), 0);
    edit(&path, &config(ANY, "nop: ", "nop"));
    otlp.signal("HUP");
    otlp.line("configuration unchanged");
    assert_eq!(reloads(&otlp, "unchanged"), 1);
    edit(&path, &config(ANY, "debug: ", "debug"));
    otlp.signal("HUP");
    let line = otlp.line("configuration reloaded: ");
    assert!(line.contains("exporter debug: added") && line.contains("exporter nop: removed"), "{line}");
    assert_eq!(send(address), 200);
    otlp.line("traces resource_spans=1 spans=1");
    assert_eq!((reloads(&otlp, "failed"), reloads(&otlp, "applied")), (1, 1));
    assert_eq!(otlp.metrics().sum("otlp_config_last_reload_successful", ""), 1);
    assert!(otlp.metrics().sum("otlp_config_last_reload_success_timestamp_seconds", "") > 0);
    otlp.signal("TERM");
    otlp.line("drained");
    assert_eq!(otlp.exit_code(), 0);
}

#[test]
fn an_address_in_use_changes_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let taken = taken.local_addr().map(|address| (taken, address)).expect("an address");
    let path = file(&config(ANY, "nop: ", "nop"));
    let mut otlp = Otlp::start(command(&["--config", &path]), SERVED);
    edit(&path, &config(&taken.1.to_string(), "nop: ", "nop"));
    otlp.signal("HUP");
    otlp.line("reload failed, the running configuration stays");
    otlp.line(&taken.1.to_string());
    assert_eq!(send(otlp.address("otlp/http")), 200);
    assert_eq!(reloads(&otlp, "failed"), 1);
}

#[test]
fn settings_that_only_a_start_applies_are_named() {
    let text = config(ANY, "nop: ", "nop");
    let path = file(&text);
    let mut otlp = Otlp::start(command(&["--config", &path]), SERVED);
    edit(&path, &text.replace("telemetry: {", "telemetry: {logs: {level: debug}, "));
    otlp.signal("HUP");
    otlp.line("configuration unchanged; service.telemetry.logs takes effect at the next start");
}

#[test]
fn a_changed_port_is_listened_on_and_the_old_one_closed() {
    let port = Port::reserve();
    let path = file(&config(ANY, "nop: ", "nop"));
    let mut otlp = Otlp::start(command(&["--config", &path]), SERVED);
    let old = otlp.address("otlp/http");
    edit(&path, &config(&port.address().to_string(), "nop: ", "nop"));
    otlp.signal("HUP");
    otlp.line("receiver otlp: new settings");
    otlp.line(&format!("otlp/http listens on {}", port.address()));
    assert_eq!(send(port.address()), 200);
    let closed = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        TcpStream::connect(old).is_err()
    });
    assert!(closed, "{old} still takes connections");
}

#[test]
fn a_watched_file_is_reloaded_when_it_changes() {
    let directory = file("").trim_end_matches(".yaml").to_owned();
    for (version, exporter) in [("1", "nop"), ("2", "debug")] {
        std::fs::create_dir_all(format!("{directory}/{version}")).expect("make a directory");
        let text = config(ANY, &format!("{exporter}: "), exporter);
        std::fs::write(format!("{directory}/{version}/gateway.yaml"), text).expect("write");
    }
    // Kubernetes mounts a link to a link, and replaces the inner one.
    let (link, inner) = (format!("{directory}/gateway.yaml"), format!("{directory}/data"));
    std::os::unix::fs::symlink("1", &inner).expect("make a link");
    std::os::unix::fs::symlink("data/gateway.yaml", &link).expect("make a link");
    let mut otlp = Otlp::start(command(&["--config", &link, "--watch"]), SERVED);
    std::os::unix::fs::symlink("2", format!("{inner}.new")).expect("make a link");
    std::fs::rename(format!("{inner}.new"), &inner).expect("replace the link");
    otlp.line("configuration reloaded: ");
    assert_eq!(send(otlp.address("otlp/http")), 200);
    otlp.line("traces resource_spans=1 spans=1");
    edit(&link, "receivers: [\n");
    otlp.line("reload failed, the running configuration stays");
    std::fs::remove_file(&link).expect("remove the file");
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!((reloads(&otlp, "failed"), reloads(&otlp, "applied")), (1, 1));
    assert_eq!(send(otlp.address("otlp/http")), 200);
}

#[test]
fn without_a_configuration_there_is_nothing_to_reload() {
    let local = ["--grpc", ANY, "--http", ANY];
    let mut otlp = Otlp::start(command(&local), &["otlp/http"]);
    otlp.signal("HUP");
    otlp.line("SIGHUP: nothing to reload: there is no configuration file");
    assert_eq!(send(otlp.address("otlp/http")), 200);
    let watched = command(&["--watch"]).output().expect("run otlp");
    assert_eq!(watched.status.code(), Some(2));
}

#[test]
fn a_configuration_from_a_pipe_cannot_be_read_again() {
    let pipe = crate::process::pipe("reload");
    let text = config(ANY, "nop: ", "nop");
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, text)
    });
    let mut otlp = Otlp::start(command(&["--config", &pipe]), SERVED);
    writer.join().expect("the writer").expect("write");
    otlp.signal("HUP");
    otlp.line("reload failed, the running configuration stays");
    otlp.line("it is a pipe");
    otlp.signal("TERM");
    otlp.line("drained");
    assert_eq!(otlp.exit_code(), 0);
    std::fs::remove_file(pipe).expect("remove the pipe");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn senders_notice_nothing_of_a_destination_that_moves() {
    let sink = Sink::new(Duration::from_millis(2));
    let mut server = sink.listen(([127, 0, 0, 1], 0).into()).await;
    let path = forwarding(32, server.local_addr(), "");
    let args = ["--config", &path, "--drain-timeout", "20s"];
    let mut otlp = Otlp::start(command(&args), FORWARDING);
    let door = Door::of(&otlp);
    let traffic = door.traffic();
    let mut replaced = Vec::new();
    for _ in 0..5 {
        door.accepted_more(50).await;
        let next = sink.listen(([127, 0, 0, 1], 0).into()).await;
        let text = std::fs::read_to_string(&path).expect("read the file");
        edit(&path, &text.replace(&server.local_addr().to_string(), &next.local_addr().to_string()));
        otlp.signal("HUP");
        let line = block_in_place(|| otlp.line("configuration reloaded: "));
        assert!(line.contains("exporter otlp: new settings"), "{line}");
        edit(&path, "exporters: }\n");
        otlp.signal("HUP");
        block_in_place(|| otlp.line("reload failed"));
        edit(&path, &text.replace(&server.local_addr().to_string(), &next.local_addr().to_string()));
        door.accepted_more(50).await;
        replaced.push(std::mem::replace(&mut server, next));
    }
    door.accepted_more(50).await;
    door.stop(traffic).await;
    assert_eq!(door.sent(|sent| sent.unanswered.items), 0, "a connection was closed under a sender");
    let sent = block_in_place(|| otlp.settled());
    assert_eq!(block_in_place(|| otlp.dropped()), 0, "items were dropped");
    assert_eq!(sink.check(&door), sent);
    // Only the last destination is left.
    for server in replaced {
        server.drain(TokioClock.now() + Duration::from_secs(20)).await;
    }
    door.send_next(true).await;
    assert_eq!(block_in_place(|| otlp.settled()), sent + 1);
    assert_eq!(sink.check(&door), sent + 1);
    assert_eq!((reloads(&otlp, "applied"), reloads(&otlp, "failed")), (5, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_a_receiver_moves_to_another_port() {
    let sink = Sink::new(Duration::from_millis(2));
    let server = sink.listen(([127, 0, 0, 1], 0).into()).await;
    let path = forwarding(32, server.local_addr(), "");
    let mut otlp = Otlp::start(command(&["--config", &path, "--drain-timeout", "20s"]), FORWARDING);
    let door = Door::of(&otlp);
    let traffic = door.traffic();
    door.accepted_more(50).await;
    let port = Port::reserve();
    let text = std::fs::read_to_string(&path).expect("read the file");
    edit(
        &path,
        &text.replace("http: {endpoint: 127.0.0.1:0", &format!("http: {{endpoint: {}", port.address())),
    );
    otlp.signal("HUP");
    let line = block_in_place(|| otlp.line("configuration reloaded: "));
    assert!(line.contains("receiver otlp: new settings"), "{line}");
    // gRPC keeps its port.
    door.accepted_more(50).await;
    let (signal, body) = door.next(100);
    let mut peer = Peer::connect(false, port.address()).await.expect("the new port");
    let answer = peer.send(signal, None, &body).await.expect("an answer");
    assert_eq!(answer.verdict, Verdict::Accepted);
    door.sent(|sent| sent.accepted.add(signal, &body));
    door.stop(traffic).await;
    let sent = block_in_place(|| otlp.settled());
    assert_eq!(block_in_place(|| otlp.dropped()), 0, "items were dropped");
    assert_eq!(sink.check(&door), sent);
}
