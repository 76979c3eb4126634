//! The gRPC server, request by request.

use crate::harness::engines::{Engine, Port};
use crate::harness::{Capture, Http2Peer, Reply, context, fixture, framed, serve, unhex};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use otlp_protocol::{Accepted, ErrorKind, Retry, Signal};
use otlp_transport::{ExportError, GrpcTransportStrategy, ServerConfig, TransportContext, codec};
use prost::Message as _;
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::time::Duration;

const PATH: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

fn logs() -> Bytes {
    fixture("valid/logs_full.pb")
}

async fn call_one(engine: Engine, export: &Capture, headers: &[(&str, &str)], frames: Vec<Bytes>) -> Reply {
    engine.serve(Port::Grpc, export).await.http2().await.call(PATH, headers, frames).await
}

on_each_engine!(
    frames_are_exactly_one_message,
    a_body_in_many_frames_comes_out_whole,
    only_grpc_is_served,
    the_flag_decides_whether_a_message_is_compressed,
    partial_success_is_told_as_a_generated_client_reads_it,
    failures_are_told_with_code_message_and_details,
    a_long_message_fits_into_headers,
    an_empty_request_succeeds_and_is_handed_to_nobody,
    the_callers_deadline_is_kept_and_handed_on,
    a_body_that_stops_coming_is_not_waited_for,
    without_memory_the_sender_is_told_to_come_back,
);

async fn frames_are_exactly_one_message(engine: Engine) {
    let tables: Value = serde_json::from_slice(&fixture("tables.json")).unwrap();
    let server = engine.serve(Port::Grpc, &Capture::accepting()).await;
    let peer = server.http2().await;
    for case in tables["grpc_frames"].as_array().unwrap() {
        let bytes = unhex(case["hex"].as_str().unwrap());
        let codes: &[u32] = match case["outcome"].as_str().unwrap() {
            "accept" => &[0],
            "INTERNAL" => &[13],
            "INTERNAL or UNIMPLEMENTED" => &[13, 12],
            "RESOURCE_EXHAUSTED before any allocation" => &[8],
            other => panic!("unexpected outcome {other}"),
        };
        for size in [1, 3, 5, 6, 100] {
            let frames = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
            let reply = peer.call(Signal::TRACES.grpc_path, &[], frames).await;
            assert!(codes.contains(&reply.code()), "{case} in frames of {size}: {reply:?}");
        }
    }
    assert_eq!(peer.call(PATH, &[], vec![]).await.code(), 13, "no message at all");
}

async fn a_body_in_many_frames_comes_out_whole(engine: Engine) {
    let capture = Capture::accepting();
    let server = engine.serve(Port::Grpc, &capture).await;
    let peer = server.http2().await;
    let body: Bytes = logs().repeat(400).into();
    let gzip = codec("gzip").unwrap();
    let wire = gzip.compressor().unwrap().compress(&body.clone().into(), &context().buffers).unwrap();
    for (headers, message) in
        [(&[][..], framed(false, &body)), (&[("grpc-encoding", "gzip")], framed(true, &wire))]
    {
        for size in [999, 16_384, 100_000, usize::MAX] {
            let frames = message.chunks(size).map(Bytes::copy_from_slice).collect();
            assert_eq!(peer.call(PATH, headers, frames).await.code(), 0);
            assert!(capture.take() == [(Signal::LOGS, body.clone(), 57 * 400)], "in frames of {size}");
        }
    }
}

#[tokio::test]
async fn many_calls_share_a_connection() {
    let capture = Capture::with(|_| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(Accepted::FULL)
        })
    });
    let server = serve(&GrpcTransportStrategy, &capture).await;
    let peer = Http2Peer::connect(server.local_addr()).await;
    let calls = (0..500).map(|_| peer.call(PATH, &[], vec![framed(false, &logs())]));
    let replies = futures_util::future::join_all(calls).await;
    assert!(replies.iter().all(|reply| reply.code() == 0));
    assert_eq!(capture.take().len(), 500);
    assert_eq!(server.stats().accepted_requests.load(Ordering::Relaxed), 500);
}

async fn only_grpc_is_served(engine: Engine) {
    let server = engine.serve(Port::Grpc, &Capture::accepting()).await;
    let peer = server.http2().await;
    for (method, content_type, status) in [
        ("POST", "application/grpc", 200),
        ("POST", "application/grpc+proto", 200),
        ("POST", "Application/GRPC;charset=utf-8", 200),
        ("POST", "application/grpc+json", 415),
        ("POST", "application/grpc-web", 415),
        ("POST", "application/json", 415),
        ("POST", "", 415),
        ("GET", "application/grpc", 405),
        ("HEAD", "", 405),
    ] {
        let headers = [("content-type", content_type)];
        let reply = peer.try_request(method, PATH, &headers, vec![framed(false, b"")]).await.unwrap();
        assert_eq!(reply.status, status, "{method} {content_type:?}");
        // Whoever looks in with a browser is told.
        let is_told = String::from_utf8_lossy(&reply.body).contains("OTLP/gRPC port");
        assert_eq!(is_told, status != 200 && method != "HEAD", "{method} {content_type:?}");
        assert_eq!(reply.header("content-type") == "text/plain", status != 200);
    }
    let unknown = "/opentelemetry.proto.collector.trace.v1.TraceService/Import";
    for path in [unknown, "/", "/v1/traces"] {
        let reply = peer.call(path, &[], vec![framed(false, b"")]).await;
        assert_eq!((reply.status, reply.code(), reply.has_trailers), (200, 12, false), "{path}");
    }
    assert_eq!(server.stats().refused_unsupported.load(Ordering::Relaxed), 9);
}

async fn the_flag_decides_whether_a_message_is_compressed(engine: Engine) {
    let gzip = [("grpc-encoding", "gzip")];
    let reply = call_one(engine, &Capture::accepting(), &gzip, vec![framed(false, &logs())]).await;
    assert_eq!(reply.code(), 0);
    for headers in [&[][..], &[("grpc-encoding", "identity")]] {
        let reply = call_one(engine, &Capture::accepting(), headers, vec![framed(true, &logs())]).await;
        assert_eq!(reply.code(), 13);
    }
}

async fn partial_success_is_told_as_a_generated_client_reads_it(engine: Engine) {
    for (rejected, message) in [(3, "too old"), (0, "think of an upgrade"), (7, "")] {
        let accepted = Accepted { rejected, message: message.into() };
        let reply = call_one(
            engine,
            &Capture::answering(move |_| Ok(accepted.clone())),
            &[],
            vec![framed(false, &logs())],
        )
        .await;
        assert_eq!(reply.code(), 0);
        assert_eq!(reply.body[..5], [0, 0, 0, 0, (reply.body.len() - 5) as u8]);
        let partial = ExportLogsServiceResponse::decode(&reply.body[5..]).unwrap().partial_success.unwrap();
        assert_eq!(
            (partial.rejected_log_records, partial.error_message.as_str()),
            (rejected as i64, message)
        );
    }
}

async fn failures_are_told_with_code_message_and_details(engine: Engine) {
    for (kind, retry, code) in [
        (ErrorKind::Unavailable, Retry::Backoff, 14),
        (ErrorKind::Exhausted, Retry::After(Duration::from_millis(2500)), 14),
        (ErrorKind::Exhausted, Retry::Never, 8),
        (ErrorKind::InvalidData, Retry::Never, 3),
        (ErrorKind::Unauthenticated, Retry::Never, 16),
        (ErrorKind::Internal, Retry::Never, 13),
    ] {
        let error = ExportError::new(kind, retry, "größer als 100 %\n");
        let reply = call_one(
            engine,
            &Capture::answering(move |_| Err(error.clone())),
            &[],
            vec![framed(false, &logs())],
        )
        .await;
        assert_eq!(
            (reply.status, reply.code(), reply.has_trailers),
            (200, code, false),
            "{kind:?} {retry:?}"
        );
        assert_eq!(reply.header("grpc-message"), "gr%C3%B6%C3%9Fer als 100 %25%0A");
        if let Retry::After(delay) = retry {
            assert_eq!(reply.details().retry_delay, Some(delay));
        } else {
            assert_eq!(reply.header("grpc-status-details-bin"), "");
        }
    }
}

async fn a_long_message_fits_into_headers(engine: Engine) {
    let error = ExportError::new(ErrorKind::Internal, Retry::Never, "ä".repeat(100_000));
    let reply =
        call_one(engine, &Capture::answering(move |_| Err(error.clone())), &[], vec![framed(false, &logs())])
            .await;
    assert_eq!(reply.code(), 13);
    assert!((1000..8192).contains(&reply.header("grpc-message").len()));
}

async fn an_empty_request_succeeds_and_is_handed_to_nobody(engine: Engine) {
    let capture = Capture::accepting();
    // One empty message, and one unknown field.
    for body in [&b""[..], b"\xc0\x3e\x01"] {
        assert_eq!(call_one(engine, &capture, &[], vec![framed(false, body)]).await.code(), 0);
    }
    assert!(capture.take().is_empty());
}

async fn the_callers_deadline_is_kept_and_handed_on(engine: Engine) {
    let never = Capture::with(|batch| {
        assert!(batch.deadline.is_some());
        Box::pin(std::future::pending())
    });
    let reply = call_one(engine, &never, &[("grpc-timeout", "20m")], vec![framed(false, &logs())]).await;
    assert_eq!(reply.code(), 4);

    let none = Capture::answering(|batch| {
        assert!(batch.deadline.is_none());
        Ok(Accepted::FULL)
    });
    for headers in [&[][..], &[("grpc-timeout", "soon")], &[("grpc-timeout", "123456789S")]] {
        assert_eq!(
            call_one(engine, &none, headers, vec![framed(false, &logs())]).await.code(),
            0,
            "{headers:?}"
        );
    }
}

async fn a_body_that_stops_coming_is_not_waited_for(engine: Engine) {
    let body = framed(false, &logs());
    let stopped = vec![body.slice(..100), body.slice(100..200)];
    let server = engine
        .serve_with(Port::Grpc, &Capture::accepting(), &context(), |limits| {
            limits.body_timeout = Duration::from_millis(30);
        })
        .await;
    let peer = server.http2().await;
    assert_eq!(peer.call_and_stall(PATH, &[], stopped.clone()).await.code(), 4);
    assert_eq!(server.stats().refused_slow.load(Ordering::Relaxed), 1);

    let server = engine.serve(Port::Grpc, &Capture::accepting()).await;
    let peer = server.http2().await;
    assert_eq!(peer.call_and_stall(PATH, &[("grpc-timeout", "30m")], stopped).await.code(), 4);
    // A request that is refused by its header is answered while the body is still due.
    assert_eq!(peer.call_and_stall(PATH, &[], vec![unhex("00ffffffff")]).await.code(), 8);
    assert_eq!(peer.call_and_stall(PATH, &[("grpc-encoding", "lzw")], vec![]).await.code(), 12);
}

async fn without_memory_the_sender_is_told_to_come_back(engine: Engine) {
    let context = TransportContext::tcp(2 << 20);
    let other = context.budget.try_charge((2 << 20) - 2_000).unwrap();
    let capture = Capture::accepting();
    let server = engine.serve_config(Port::Grpc, &capture, &context, ServerConfig::new("127.0.0.1:0")).await;
    let peer = server.http2().await;
    let zeros = codec("gzip")
        .unwrap()
        .compressor()
        .unwrap()
        .compress(&vec![0; 1 << 20].into(), &context.buffers)
        .unwrap();
    for (headers, message) in
        [(&[][..], framed(false, &logs())), (&[("grpc-encoding", "gzip")], framed(true, &zeros[..]))]
    {
        let reply = peer.call(PATH, headers, vec![message]).await;
        assert_eq!(
            (reply.code(), reply.details().retry_delay),
            (14, Some(Duration::from_secs(1))),
            "{headers:?}"
        );
    }
    assert_eq!(server.stats().refused_memory.load(Ordering::Relaxed), 2);
    drop(other);
    // What fits is still taken, and everything is given back.
    let small = fixture("valid/logs_min.pb");
    assert_eq!(peer.call(PATH, &[], vec![framed(false, &small)]).await.code(), 0);
    assert_eq!(context.budget.used(), 0);
}

#[tokio::test]
async fn a_panic_costs_its_own_call_alone() {
    let capture = Capture::answering(|batch| match batch.signal() == Signal::TRACES {
        true => panic!("a component's bug"),
        false => Ok(Accepted::FULL),
    });
    let server = serve(&GrpcTransportStrategy, &capture).await;
    let peer = Http2Peer::connect(server.local_addr()).await;
    let headers = [("content-type", "application/grpc")];
    let traces = framed(false, &fixture("valid/traces_min.pb"));
    let path = Signal::TRACES.grpc_path;
    assert!(peer.try_request("POST", path, &headers, vec![traces]).await.is_err());
    assert_eq!(peer.call(PATH, &[], vec![framed(false, &logs())]).await.code(), 0);
}
