//! What is kept of a sender.

use crate::harness::{Capture, Http1Peer, Http2Peer, SocketPath, context, fixture, framed, serve_config};
use bytes::Bytes;
use otlp_protocol::{Accepted, Origin, Signal};
use otlp_transport::{MultiplexTransportStrategy, ServerConfig};
use parking_lot::Mutex;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

#[tokio::test]
async fn batches_know_their_sender_as_far_as_it_is_wanted() {
    let path = SocketPath::new("origin");
    let logs = fixture("valid/logs_min.pb");
    let tenant = || vec![(Box::from("x-tenant"), Bytes::from_static(b"a"))];
    let localhost = Some(IpAddr::from(Ipv4Addr::LOCALHOST));
    for (endpoint, names, keeps_peer, headers, peer) in [
        ("127.0.0.1:0", &[][..], false, Vec::new(), None),
        ("127.0.0.1:0", &["x-tenant", "x-other"], false, tenant(), None),
        ("127.0.0.1:0", &[], true, Vec::new(), localhost),
        ("127.0.0.1:0", &["x-tenant"], true, tenant(), localhost),
        (&path.address(), &["x-other"], true, Vec::new(), None),
    ] {
        let seen: Arc<Mutex<Vec<Option<Arc<Origin>>>>> = Arc::default();
        let keep = Arc::clone(&seen);
        let capture = Capture::answering(move |batch| {
            keep.lock().push(batch.origin.clone());
            Ok(Accepted::FULL)
        });
        let mut config = ServerConfig::new(endpoint);
        config.origin.headers = names.iter().map(|&name| name.into()).collect();
        config.origin.peer = keeps_peer;
        let server = serve_config(&MultiplexTransportStrategy, &capture, &context(), config).await;
        let sent = [("content-type", "application/x-protobuf"), ("X-Tenant", "a"), ("x-unwanted", "b")];
        let mut http1 = Http1Peer::connect(server.local_addr()).await;
        assert_eq!(http1.post("/v1/logs", &sent, &logs).await.status, 200);
        let http2 = Http2Peer::connect(server.local_addr()).await;
        let metadata = [("x-tenant", "a"), ("x-unwanted", "b")];
        for _ in 0..2 {
            let reply = http2.call(Signal::LOGS.grpc_path, &metadata, vec![framed(false, &logs)]).await;
            assert_eq!(reply.code(), 0);
        }
        let origin = Origin { headers: headers.clone(), peer, ..Origin::default() };
        let expected = Some(Arc::new(origin)).filter(|origin| **origin != Origin::default());
        let seen = seen.lock();
        assert_eq!(*seen, vec![expected; 3], "{endpoint} {names:?} {keeps_peer}");
        let shared = seen[1].as_ref().zip(seen[2].as_ref()).is_none_or(|(a, b)| Arc::ptr_eq(a, b));
        assert!(shared, "one connection's equal origins are one");
    }
}
