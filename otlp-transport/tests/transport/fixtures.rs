//! The vectors of otlp-protocol's `tests/fixtures`, over sockets: the same verdict over gRPC and over HTTP, and what is
//! accepted comes out byte for byte.

use crate::harness::{Capture, Http1Peer, Http2Peer, fixture, framed, serve, unhex};
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge, Signal};
use otlp_transport::{GrpcTransportStrategy, HttpTransportStrategy, codec};
use serde_json::Value;

/// What a case of the vectors must come to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Accepted,
    Rejected,
    TooLarge,
    Unsupported,
}

impl Verdict {
    fn of(case: &Value) -> Self {
        let encoding = case["content_encoding"].as_str();
        if encoding.is_some_and(|encoding| codec(encoding).is_none()) {
            return Self::Unsupported;
        }
        match case["outcome"].as_str().unwrap() {
            // Items are not judged here: what decodes is handed on. Limits of this size are far from being reached.
            "accept" | "accept_ignore_unknown" | "accept_item_invalid" | "accept_or_limit" => Self::Accepted,
            "reject" | "reject_no_crash" => Self::Rejected,
            "too_large" => Self::TooLarge,
            other => panic!("{}: unexpected outcome {other}", case["name"]),
        }
    }

    fn grpc_code(self) -> u32 {
        match self {
            Self::Accepted => 0,
            Self::Rejected => 3,
            Self::TooLarge => 8,
            Self::Unsupported => 12,
        }
    }

    fn http_status(self) -> u16 {
        match self {
            Self::Accepted => 200,
            Self::Rejected => 400,
            Self::TooLarge => 413,
            Self::Unsupported => 415,
        }
    }
}

struct Case {
    name: String,
    signal: Signal,
    encoding: Option<String>,
    wire: Bytes,
    verdict: Verdict,
}

fn cases() -> Vec<Case> {
    let manifest: Value = serde_json::from_slice(&fixture("manifest.json")).unwrap();
    let list = |key: &str| manifest[key].as_array().unwrap().clone();
    let signal = |case: &Value| Signal::by_name(case["signal"].as_str().unwrap()).unwrap();
    let name = |case: &Value| case["name"].as_str().unwrap().to_owned();
    let malformed =
        list("cases").into_iter().filter(|case| case["encoding"] == "protobuf").map(|case| Case {
            name: name(&case),
            signal: signal(&case),
            encoding: case["content_encoding"].as_str().map(str::to_owned),
            wire: case["hex"].as_str().map_or_else(|| fixture(case["file"].as_str().unwrap()), unhex),
            verdict: Verdict::of(&case),
        });
    let valid = list("valid").into_iter().map(|case| Case {
        name: name(&case),
        signal: signal(&case),
        encoding: None,
        wire: fixture(case["protobuf"]["file"].as_str().unwrap()),
        verdict: Verdict::Accepted,
    });
    let truncated =
        list("truncations").into_iter().filter(|case| case["encoding"] == "protobuf").flat_map(|case| {
            let whole = fixture(case["source"].as_str().unwrap());
            let sound = case["prefix_lengths_that_decode"].as_array().unwrap().clone();
            // All lengths are otlp-protocol's own tests; here a sample.
            let lengths = (0..whole.len())
                .step_by(whole.len() / 7 + 1)
                .chain(sound.iter().map(|len| len.as_u64().unwrap() as usize));
            let lengths: Vec<usize> = lengths.collect();
            lengths
                .into_iter()
                .map(move |len| Case {
                    name: format!("{} cut to {len}", case["source"]),
                    signal: signal(&case),
                    encoding: None,
                    wire: whole.slice(..len),
                    verdict: if sound.contains(&len.into()) { Verdict::Accepted } else { Verdict::Rejected },
                })
                .collect::<Vec<_>>()
        });
    let wrong: Value = serde_json::from_slice(&fixture("wrong_wire_type.json")).unwrap();
    let wrong = wrong["cases"].as_array().unwrap().clone().into_iter().map(|case| Case {
        name: case.to_string(),
        signal: signal(&case),
        encoding: None,
        wire: unhex(case["hex"].as_str().unwrap()),
        verdict: Verdict::Rejected,
    });
    malformed.chain(valid).chain(truncated).chain(wrong).collect()
}

impl Case {
    /// What must be handed on: the body in the clear, unless there is nothing in it.
    fn expected(&self) -> Vec<(Signal, Bytes)> {
        if self.verdict != Verdict::Accepted {
            return Vec::new();
        }
        let plain = match &self.encoding {
            Some(encoding) => codec(encoding)
                .unwrap()
                .decompress(&self.wire, 64 << 20, &mut Charge::none(), &BufferPool::new(1))
                .unwrap(),
            None => self.wire.clone(),
        };
        let is_empty = otlp_protocol::count(self.signal, &plain).unwrap().entries == 0;
        if is_empty { Vec::new() } else { vec![(self.signal, plain)] }
    }

    fn check(&self, transport: &str, capture: &Capture) {
        let taken: Vec<_> = capture.take().into_iter().map(|(signal, body, _)| (signal, body)).collect();
        assert!(taken == self.expected(), "{transport}: {} did not come out as it went in", self.name);
    }
}

#[tokio::test]
async fn grpc_gives_every_vector_its_verdict() {
    let capture = Capture::accepting();
    let server = serve(&GrpcTransportStrategy, &capture).await;
    let peer = Http2Peer::connect(server.local_addr()).await;
    for case in cases() {
        let encoding = case.encoding.as_deref().map(|encoding| ("grpc-encoding", encoding));
        let frames = vec![framed(case.encoding.is_some(), &case.wire)];
        let reply = peer.call(case.signal.grpc_path, encoding.as_slice(), frames).await;
        assert_eq!((reply.status, reply.code()), (200, case.verdict.grpc_code()), "{}: {reply:?}", case.name);
        assert_eq!(reply.has_trailers, case.verdict == Verdict::Accepted, "{}", case.name);
        match case.verdict {
            Verdict::Accepted => assert_eq!(&reply.body[..], [0; 5]),
            Verdict::Rejected => assert!(!reply.header("grpc-message").is_empty(), "{}", case.name),
            // OTLP §Failures: no RetryInfo, so that it is not sent again.
            Verdict::TooLarge => assert!(!reply.headers.contains_key("grpc-status-details-bin")),
            Verdict::Unsupported => assert_eq!(reply.header("grpc-accept-encoding"), "identity,gzip,zstd"),
        }
        case.check("gRPC", &capture);
    }
}

#[tokio::test]
async fn http_gives_every_vector_its_verdict() {
    let capture = Capture::accepting();
    let server = serve(&HttpTransportStrategy, &capture).await;
    for case in cases() {
        let mut peer = Http1Peer::connect(server.local_addr()).await;
        let mut headers = vec![("content-type", "application/x-protobuf")];
        headers.extend(case.encoding.as_deref().map(|encoding| ("content-encoding", encoding)));
        let reply = peer.post(case.signal.http_path, &headers, &case.wire).await;
        assert_eq!(reply.status, case.verdict.http_status(), "{}: {reply:?}", case.name);
        assert_eq!(reply.header("content-type"), "application/x-protobuf");
        if case.verdict == Verdict::Accepted {
            assert!(reply.body.is_empty());
        } else {
            assert!(!reply.rpc_status().message.is_empty(), "{}", case.name);
        }
        case.check("HTTP", &capture);
    }
}

#[tokio::test]
async fn a_refusal_names_the_field() {
    let capture = Capture::accepting();
    let server = serve(&GrpcTransportStrategy, &capture).await;
    let peer = Http2Peer::connect(server.local_addr()).await;
    let body = framed(false, b"\x0a\x03\x1a\x01\xff");
    let reply = peer.call(Signal::LOGS.grpc_path, &[], vec![body]).await;
    assert_eq!(reply.code(), 3);
    let details = reply.details();
    assert_eq!(details.violations[0].field, "resource_logs[0].schema_url");
    assert_eq!((details.code, details.retry_delay), (3, None));
    assert!(reply.header("grpc-message").contains("resource_logs[0].schema_url"), "{reply:?}");
}
