//! OTLP/JSON in: what is handed on, what is answered, and what it may cost.

use crate::harness::engines::{Engine, Port};
use crate::harness::{Capture, context, fixture};
use otlp_protocol::{Accepted, ErrorKind, Retry, RpcStatus, Signal};
use otlp_transport::{ExportError, ServerConfig, TransportContext};
use std::sync::atomic::Ordering;
use std::time::Duration;

const JSON: (&str, &str) = ("content-type", "application/json");

on_each_engine!(
    json_comes_out_as_protobuf,
    answers_are_json_too,
    refusals_are_json_and_name_the_field,
    unknown_keys_are_counted,
    a_text_that_grows_is_held_to_limit_and_budget,
    hostile_texts_cost_no_more_than_their_budget,
    text_that_is_not_utf8_is_put_right,
);

/// A request of logs with that in place of a body's value.
fn log(value: &str) -> String {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{value}}}]}}]}}]}}"#)
}

async fn json_comes_out_as_protobuf(engine: Engine) {
    let capture = Capture::accepting();
    let server = engine.serve(Port::Http, &capture).await;
    let mut peer = server.http1().await;
    for signal in Signal::ALL {
        let text = fixture(&format!("valid/{}_min.json", signal.name));
        let reply = peer.post(signal.http_path, &[JSON], &text).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"), "{reply:?}");
        assert_eq!(reply.body, "{}");
        let body = fixture(&format!("valid/{}_min.pb", signal.name));
        let taken: Vec<_> = capture.take().into_iter().map(|(signal, body, _)| (signal, body)).collect();
        assert_eq!(taken, [(signal, body)]);
    }
}

async fn answers_are_json_too(engine: Engine) {
    let partial = Accepted { rejected: 3, message: "too old".into() };
    let denied = ExportError::new(ErrorKind::PermissionDenied, Retry::Never, "not you");
    let busy = ExportError::new(ErrorKind::Unavailable, Retry::After(Duration::from_secs(2)), "later");
    for (outcome, status, retry_after, body) in [
        (Ok(partial), 200, "", r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too old"}}"#),
        (Err(denied), 403, "", r#"{"code":7,"message":"not you"}"#),
        (
            Err(busy),
            503,
            "2",
            r#"{"code":14,"message":"later","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}"#,
        ),
    ] {
        let server = engine.serve(Port::Http, &Capture::answering(move |_| outcome.clone())).await;
        let mut peer = server.http1().await;
        let reply = peer.post("/v1/logs", &[JSON], log("{}").as_bytes()).await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, retry_after));
        assert_eq!((reply.header("content-type"), &reply.body[..]), ("application/json", body.as_bytes()));
    }
}

async fn refusals_are_json_and_name_the_field(engine: Engine) {
    let server = engine.serve(Port::Http, &Capture::accepting()).await;
    for (path, encoding, body, status, message) in [
        ("/v1/logs", "identity", log(r#"{"intValue":1.5}"#), 400, "logRecords[0].body.intValue"),
        ("/v1/logs", "identity", "{".into(), 400, "unexpected end of the text"),
        ("/v1/log", "identity", "{}".into(), 404, "/v1/log is not served"),
        ("/v1/logs", "rot13", "{}".into(), 415, "rot13"),
    ] {
        let mut peer = server.http1().await;
        let reply = peer.post(path, &[JSON, ("content-encoding", encoding)], body.as_bytes()).await;
        assert_eq!((reply.status, reply.header("content-type")), (status, "application/json"), "{reply:?}");
        let told = RpcStatus::decode_json(&reply.body).unwrap();
        assert!(told.message.contains(message), "{told:?}");
        if path == "/v1/logs" && status == 400 && body.len() > 1 {
            assert!(told.violations[0].field.ends_with("body.intValue"), "{told:?}");
        }
    }
}

async fn unknown_keys_are_counted(engine: Engine) {
    let capture = Capture::accepting();
    let server = engine.serve(Port::Http, &capture).await;
    let mut peer = server.http1().await;
    let text = br#"{"resourceLogs":[{"scope_logs":[],"scopeLogs":[{"logRecords":[{"x":1}]}]}],"y":{}}"#;
    assert_eq!(peer.post("/v1/logs", &[JSON], text).await.status, 200);
    assert_eq!(capture.take().len(), 1);
    assert_eq!(server.stats().unknown_json_keys.load(Ordering::Relaxed), 3);
}

/// Two characters can make eight bytes, so the protobuf of a small text may be over the limit, or the budget.
async fn a_text_that_grows_is_held_to_limit_and_budget(engine: Engine) {
    let counts = "1,".repeat(20_000);
    let text = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":[{{"bucketCounts":[{}1]}}]}}}}]}}]}}]}}"#,
        counts
    );
    for (max_request_bytes, budget, status) in
        [(1 << 20, 1 << 20, 200), (100_000, 1 << 20, 413), (1 << 20, 100_000, 413), (1 << 20, 30_000, 413)]
    {
        let context = TransportContext::tcp(budget);
        let capture = Capture::accepting();
        let server = engine
            .serve_with(Port::Http, &capture, &context, |limits| {
                limits.max_request_bytes = max_request_bytes;
            })
            .await;
        let mut peer = server.http1().await;
        let reply = peer.post("/v1/metrics", &[JSON], text.as_bytes()).await;
        assert_eq!(reply.status, status, "{max_request_bytes} {budget}: {reply:?}");
        if max_request_bytes == 100_000 {
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            assert!(text.contains("is over the request limit of 100000 bytes"), "{text}");
        }
        assert_eq!(context.budget.used(), 0);
        assert_eq!(capture.taken(), usize::from(status == 200));
    }
}

async fn hostile_texts_cost_no_more_than_their_budget(engine: Engine) {
    let context = TransportContext::tcp(160 << 20);
    let server = engine
        .serve_config(Port::Http, &Capture::accepting(), &context, ServerConfig::new("127.0.0.1:0"))
        .await;
    let deep = |open: &str, close: &str| log(&(open.repeat(100_000) + "{}" + &close.repeat(100_000)));
    let number = log(&format!(r#"{{"intValue":{}}}"#, "9".repeat(8 << 20)));
    let long = (60 << 20) - log("").len();
    for (text, status) in [
        (deep(r#"{"arrayValue":{"values":["#, "]}}"), 400),
        (
            log("{}").replace("body", "unknown").replace("{}", &("[".repeat(200_000) + &"]".repeat(200_000))),
            400,
        ),
        (number, 400),
        (log(&format!(r#"{{"stringValue":"{}"}}"#, "x".repeat(long - 32))), 200),
        // An escape is six characters for one.
        (log(&format!(r#"{{"stringValue":"{}"}}"#, r"\u0041".repeat(1 << 20))), 200),
        (log("{}").replace("{}", &format!(r#"{{"{}":1}}"#, "k".repeat(16 << 20))), 200),
        (format!("{}{}", " ".repeat(32 << 20), log("{}")), 200),
        (format!(r#"{{"resourceLogs":[{}{{}}]}}"#, "{},".repeat(4 << 20)), 200),
        ("[".repeat(1 << 20), 400),
    ] {
        let mut peer = server.http1().await;
        let reply = peer.post("/v1/logs", &[JSON], text.as_bytes()).await;
        assert_eq!(reply.status, status, "{:.60}: {reply:?}", text);
        assert_eq!(context.budget.used(), 0, "{:.60}", text);
    }
}

async fn text_that_is_not_utf8_is_put_right(engine: Engine) {
    let capture = Capture::accepting();
    let context = context();
    let server = engine.serve_config(Port::Http, &capture, &context, ServerConfig::new("127.0.0.1:0")).await;
    let mut peer = server.http1().await;
    let text = [log(r#"{"stringValue":"a"#).split("}]").next().unwrap().as_bytes(), b"\xff b\xc3"].concat();
    let text = [&text[..], br#""}}]}]}]}"#].concat();
    let reply = peer.post("/v1/logs", &[JSON], &text).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let [(_, body, _)] = &capture.take()[..] else { panic!("not one batch") };
    assert!(body.windows(9).any(|window| window == "a\u{fffd} b\u{fffd}".as_bytes()), "{body:?}");
    let stats = server.stats();
    assert_eq!(stats.repaired_requests.load(Ordering::Relaxed), 1);
    assert_eq!(stats.repaired_strings.load(Ordering::Relaxed), 2);
    assert_eq!(context.budget.used(), 0);
}
