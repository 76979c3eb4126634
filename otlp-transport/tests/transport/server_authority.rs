//! `:authority` is not judged: gRPC's C core sends the percent-encoded path of a Unix socket.

use crate::harness::{Capture, SocketPath, connect, context, serve_config};
use crate::server_early::{
    DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame, frames,
};
use otlp_protocol::Signal;
use otlp_transport::{
    GrpcTransportStrategy, HttpTransportStrategy, MultiplexTransportStrategy, ServerConfig, ServerStrategy,
};
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// POST over http with these path, authority and content type, all of them for the dynamic table. The name of the
/// authority is that of the static table, or spelled out, as C core has it.
fn head(path: &str, authority: &[u8], content_type: &str, is_spelled_out: bool) -> Vec<u8> {
    let name: &[u8] = if is_spelled_out { b"\x40\x0a:authority" } else { b"\x41" };
    let string = |text: &[u8]| [&[u8::try_from(text.len()).unwrap()], text].concat();
    [
        &[0x83, 0x86, 0x44][..],
        &string(path.as_bytes()),
        name,
        &string(authority),
        &[0x5f],
        &string(content_type.as_bytes()),
    ]
    .concat()
}

/// The same fields once more: from the dynamic table, newest first.
const AGAIN: &[u8] = &[0x83, 0x86, 0xc0, 0xbf, 0xbe];

#[tokio::test]
async fn no_authority_is_refused_on_any_transport() {
    let socket = SocketPath::new("authority");
    let authorities = ["%2Ftmp%2Fx.sock", "/tmp/x.sock", "a b", "a:1:2", "user@host", "my_host", "[::1", "a"];
    let long = "%41".repeat(40);
    for endpoint in ["127.0.0.1:0", &socket.address()] {
        let grpc = (Signal::LOGS.grpc_path, "application/grpc", &[0; 5][..]);
        let http = (Signal::LOGS.http_path, "application/x-protobuf", &[][..]);
        let servers: [(&dyn ServerStrategy, _); 3] = [
            (&GrpcTransportStrategy, grpc),
            (&HttpTransportStrategy, http),
            (&MultiplexTransportStrategy, grpc),
        ];
        for (strategy, (path, content_type, body)) in servers {
            let config = ServerConfig::new(endpoint);
            let server = serve_config(strategy, &Capture::accepting(), &context(), config).await;
            for (served, authority) in (0..).zip(authorities.iter().copied().chain([long.as_str()])) {
                let mut io = connect(server.local_addr()).await;
                io.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
                for (stream, head) in [
                    (1, head(path, authority.as_bytes(), content_type, served % 2 == 0)),
                    (3, AGAIN.to_vec()),
                ] {
                    let request =
                        [frame(HEADERS, END_HEADERS, stream, &head), frame(DATA, END_STREAM, stream, body)];
                    io.write_all(&request.concat()).await.unwrap();
                    let mut answer = Vec::new();
                    let is_ended = |answer: &[u8]| {
                        let mut frames = frames(answer).into_iter();
                        frames.any(|(_, flags, of)| of == stream && flags & END_STREAM != 0)
                    };
                    while !is_ended(&answer) {
                        assert!(io.read_buf(&mut answer).await.unwrap() > 0, "{authority}: {answer:?}");
                        let is_reset = frames(&answer).iter().any(|(kind, ..)| *kind == RST_STREAM);
                        assert!(!is_reset, "{authority} on {endpoint}");
                    }
                }
                let accepted = server.stats().accepted_requests.load(Ordering::Relaxed);
                assert_eq!(accepted, 2 * (served + 1), "{authority} on {endpoint}");
            }
            server.drain(context().clock.now()).await;
        }
    }
}

/// h2 answers such heads by itself.
#[tokio::test]
async fn heads_that_h2_refuses_are_counted() {
    let server = serve_config(
        &GrpcTransportStrategy,
        &Capture::accepting(),
        &context(),
        ServerConfig::new("127.0.0.1:0"),
    )
    .await;
    let mut io = connect(server.local_addr()).await;
    // Without :method; with an empty :authority; sound.
    let sound = head(Signal::LOGS.grpc_path, b"a", "application/grpc", false);
    let empty = head(Signal::LOGS.grpc_path, b"", "application/grpc", true);
    let request = [
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, &[]),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x86, 0x84]),
        frame(HEADERS, END_HEADERS | END_STREAM, 3, &empty),
        frame(HEADERS, END_HEADERS, 5, &sound),
        frame(DATA, END_STREAM, 5, &[0; 5]),
    ];
    io.write_all(&request.concat()).await.unwrap();
    let mut answer = Vec::new();
    while !frames(&answer).iter().any(|(_, flags, stream)| *stream == 5 && flags & END_STREAM != 0) {
        assert!(io.read_buf(&mut answer).await.unwrap() > 0, "{answer:?}");
    }
    drop(io);
    while server.stats().open_connections.load(Ordering::Relaxed) > 0 {
        tokio::task::yield_now().await;
    }
    let stats = server.stats();
    let counted = [&stats.accepted_requests, &stats.refused_requests, &stats.refused_headers];
    assert_eq!(counted.map(|counter| counter.load(Ordering::Relaxed)), [1, 2, 2]);
}
