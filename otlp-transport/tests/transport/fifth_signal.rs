//! A signal that OTLP does not have travels as OTLP's do: over gRPC and HTTP, in protobuf and JSON, out and in.

#[path = "../../../otlp-protocol/tests/protocol/wishes.rs"]
mod wishes;

use crate::harness::{Capture, Http1Peer, context};
use otlp_protocol::{Accepted, Batch, Charge, Count, ErrorKind, Signal, ValidateLimits, validate};
use otlp_transport::{
    BoxExport, ClientConfig, Encoding, Export, GrpcClient, GrpcTransportStrategy, HttpClient,
    HttpTransportStrategy, Routes, Server, ServerConfig, ServerStrategy,
};
use wishes::{GIFTS, WISHES};

/// One wish, of one gift.
const BODY: &[u8] = b"\x0a\x0d\x12\x0b\x12\x09\x0a\x03Ada\x2a\x02\x0a\x00";

fn batch(signal: Signal) -> Batch {
    let checked = validate(signal, BODY, &ValidateLimits::default()).unwrap();
    Batch::unchecked(signal, BODY.to_vec(), checked.count, checked.mergeable, Charge::none())
}

/// A server of both signals; and a client's settings for it.
async fn server(strategy: &dyn ServerStrategy, sink: &Capture) -> (Server, ClientConfig) {
    let sink = BoxExport::new(sink.clone());
    let routes = Routes::new().with(WISHES, sink.clone()).with(GIFTS, sink);
    let server = strategy.bind(&context(), ServerConfig::new("127.0.0.1:0"), routes).await.unwrap();
    let mut config = ClientConfig::new(format!("http://{}", server.local_addr()));
    config.signals = vec![WISHES, GIFTS];
    (server, config)
}

fn partial() -> Accepted {
    Accepted { rejected: 1, message: "too dear".into() }
}

async fn sent_and_taken(client: &impl Export, sink: &Capture) {
    for signal in [WISHES, GIFTS] {
        assert_eq!(client.export(batch(signal)).await.unwrap(), partial());
        assert_eq!(sink.take(), [(signal, BODY.into(), 1)]);
    }
    let other = Batch::unchecked(Signal::LOGS, Vec::new(), Count::default(), true, Charge::none());
    let error = client.export(other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
    assert_eq!(sink.taken(), 0);
}

#[tokio::test]
async fn over_grpc() {
    let sink = Capture::answering(|_| Ok(partial()));
    let (_server, config) = server(&GrpcTransportStrategy, &sink).await;
    sent_and_taken(&GrpcClient::new(&context(), &config).unwrap(), &sink).await;
}

#[tokio::test]
async fn over_http() {
    let sink = Capture::answering(|_| Ok(partial()));
    let (_server, mut config) = server(&HttpTransportStrategy, &sink).await;
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        config.encoding = encoding;
        sent_and_taken(&HttpClient::new(&context(), &config).unwrap(), &sink).await;
    }
}

#[tokio::test]
async fn in_json_by_hand() {
    let sink = Capture::answering(|_| Ok(partial()));
    let (server, _) = server(&HttpTransportStrategy, &sink).await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    let text =
        r#"{"resourceWishes":[{"scopeWishes":[{"wishes":[{"wisher":"Ada","gifts":{"gifts":[{}]}}]}]}]}"#;
    let reply = peer.post("/v1/wishes", &[("content-type", "application/json")], text.as_bytes()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, r#"{"partialSuccess":{"rejectedWishes":"1","errorMessage":"too dear"}}"#);
    assert_eq!(sink.take(), [(WISHES, BODY.into(), 1)]);
}
