//! One port for gRPC and HTTP, and Unix sockets for each.

use crate::harness::engines::{Engine, Port};
use crate::harness::{Capture, SocketPath, context, fixture, framed, serve_config};
use otlp_protocol::{Accepted, Batch, Charge, Count, Signal};
use otlp_transport::{
    ClientConfig, Export as _, GrpcTransportStrategy, HttpTransportStrategy, MultiplexTransportStrategy,
    ServerConfig, ServerStrategy, TransportStrategy,
};

on_each_engine!(the_content_type_tells_what_it_is);

async fn the_content_type_tells_what_it_is(engine: Engine) {
    let server = engine.serve(Port::Both, &Capture::accepting()).await;
    let (logs, grpc) = ("/v1/logs", Signal::LOGS.grpc_path);
    let peer = server.http2().await;
    for (method, path, content_type, status, grpc_status, answered) in [
        ("POST", grpc, "application/grpc", 200, "0", "application/grpc"),
        ("POST", grpc, "Application/GRPC+proto", 200, "0", "application/grpc"),
        ("POST", logs, "application/grpc", 200, "12", "application/grpc"),
        ("POST", "/grpc.health.v1.Health/Check", "application/grpc", 200, "0", "application/grpc"),
        // gRPC, but not in protobuf.
        ("POST", grpc, "application/grpc+json", 415, "", "text/plain"),
        ("POST", logs, "application/x-protobuf", 400, "", "application/x-protobuf"),
        ("POST", logs, "application/json", 400, "", "application/json"),
        ("POST", logs, "text/plain", 415, "", "application/x-protobuf"),
        ("POST", grpc, "application/x-protobuf", 404, "", "application/x-protobuf"),
        ("GET", logs, "", 405, "", "application/x-protobuf"),
    ] {
        let headers = [("content-type", content_type)];
        let headers = if content_type.is_empty() { &[][..] } else { &headers };
        // An empty message of gRPC, and neither protobuf nor JSON.
        let reply = peer.try_request(method, path, headers, vec![framed(false, b"")]).await.unwrap();
        let told = (reply.status, reply.header("grpc-status"), reply.header("content-type"));
        assert_eq!(told, (status, grpc_status, answered), "{method} {path} {content_type}: {reply:?}");
    }
    let mut old = server.http1().await;
    let json = [("content-type", "application/json")];
    assert_eq!(old.post(logs, &json, b"{}").await.status, 200);
    assert_eq!(old.post(grpc, &[("content-type", "application/grpc")], b"").await.status, 404);
}

#[tokio::test]
async fn clients_of_both_kinds_reach_one_port_and_unix_sockets() {
    let path = SocketPath::new("clients");
    let strategies: [&dyn ServerStrategy; 3] =
        [&GrpcTransportStrategy, &HttpTransportStrategy, &MultiplexTransportStrategy];
    let clients: [&dyn TransportStrategy; 2] = [&GrpcTransportStrategy, &HttpTransportStrategy];
    let logs = fixture("valid/logs_min.pb");
    for server_strategy in strategies {
        for endpoint in ["127.0.0.1:0", &path.address()] {
            let (capture, context) = (Capture::accepting(), context());
            let config = ServerConfig::new(endpoint);
            let server = serve_config(server_strategy, &capture, &context, config).await;
            let address = match server.local_addr().tcp() {
                Some(address) => format!("http://{address}"),
                None => path.address(),
            };
            for strategy in clients {
                if !server_strategy.name().split('+').any(|spoken| spoken == strategy.name()) {
                    continue;
                }
                let mut config = ClientConfig::new(&address);
                config.tls.insecure = true;
                let client = strategy.client(&context, config).unwrap();
                let count = Count { items: 1, entries: 1 };
                let batch = Batch::unchecked(Signal::LOGS, logs.clone(), count, true, Charge::none());
                assert_eq!(client.export(batch).await.unwrap(), Accepted::FULL, "{address}");
                assert_eq!(capture.take().len(), 1, "{} at {address}", strategy.name());
            }
        }
    }
}
