//! Browsers: what they are told before they send, and after.

use crate::harness::engines::{Engine, Port, Served};
use crate::harness::{Capture, Reply, context};
use otlp_transport::{CorsConfig, ServerConfig};

const PAGE: (&str, &str) = ("origin", "https://page.example");
const STRANGER: (&str, &str) = ("origin", "https://stranger.example");
const ASKS: (&str, &str) = ("access-control-request-method", "POST");
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

on_each_engine!(a_browser_is_told_whose_page_may_send, without_settings_nobody_is_told_anything);

async fn served(engine: Engine, port: Port) -> Served {
    let mut cors = CorsConfig::default();
    cors.allowed_origins = vec![PAGE.1.into()];
    cors.exposed_headers = vec!["retry-after".into()];
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.cors = Some(cors);
    engine.serve_config(port, &Capture::accepting(), &context(), config).await
}

async fn request(server: &Served, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    server.http2().await.try_request(method, path, headers, vec![]).await.unwrap()
}

async fn a_browser_is_told_whose_page_may_send(engine: Engine) {
    for port in [Port::Http, Port::Both] {
        let server = served(engine, port).await;
        for (method, path, headers, status, allowed) in [
            ("OPTIONS", "/v1/logs", &[PAGE, ASKS][..], 204, true),
            ("OPTIONS", "/v1/logs", &[STRANGER, ASKS], 204, false),
            // A browser does not say who it is yet, so it is not told which paths there are.
            ("OPTIONS", "/v1/log", &[PAGE, ASKS], 204, true),
            ("OPTIONS", "/v1/log", &[STRANGER, ASKS], 204, false),
            // None of these is a preflight.
            ("OPTIONS", "/v1/logs", &[PAGE], 405, true),
            ("OPTIONS", "/v1/logs", &[ASKS], 405, false),
            ("POST", "/v1/logs", &[PAGE, PROTOBUF], 200, true),
            ("POST", "/v1/logs", &[STRANGER, PROTOBUF], 200, false),
            ("POST", "/v1/logs", &[PROTOBUF], 200, false),
            // A page must be able to read why it failed.
            ("POST", "/v1/logs", &[PAGE], 415, true),
            ("GET", "/v1/logs", &[PAGE], 405, true),
        ] {
            let reply = request(&server, method, path, headers).await;
            let case = format!("{method} {path} {headers:?}: {reply:?}");
            assert_eq!(reply.status, status, "{case}");
            let (origin, credentials) = if allowed { (PAGE.1, "true") } else { ("", "") };
            assert_eq!(reply.header("access-control-allow-origin"), origin, "{case}");
            assert_eq!(reply.header("access-control-allow-credentials"), credentials, "{case}");
            assert!(reply.header("vary").contains("Origin"), "{case}");
            let is_exposed = allowed && status != 204;
            assert_eq!(!reply.header("access-control-expose-headers").is_empty(), is_exposed, "{case}");
            assert_eq!(!reply.header("access-control-allow-methods").is_empty(), allowed && status == 204);
        }
    }
}

async fn without_settings_nobody_is_told_anything(engine: Engine) {
    let server = engine.serve(Port::Http, &Capture::accepting()).await;
    for (method, status) in [("OPTIONS", 405), ("POST", 200)] {
        let reply = request(&server, method, "/v1/logs", &[PAGE, ASKS, PROTOBUF]).await;
        assert_eq!(reply.status, status);
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{reply:?}");
    }
}
