use crate::harness::context;
use otlp_protocol::{Accepted, Batch, Charge, ErrorKind, Retry, Signal, ValidateLimits};
use otlp_transport::testing::Sink;
use otlp_transport::{
    BearerAuth, BearerConfig, BoxAttempt, ClientConfig, Export, ExportError, GrpcClient, HttpClient,
    ServerConfig,
};
use std::sync::Arc;
use std::time::Duration;

/// One log record, without an attribute; the same bytes are one span.
fn batch(signal: Signal) -> Batch {
    let body = b"\x0a\x04\x12\x02\x12\x00".to_vec();
    Batch::checked(signal, body, &ValidateLimits::default(), Charge::none()).unwrap()
}

fn clients(endpoint: &str) -> [BoxAttempt; 2] {
    let config = ClientConfig::new(endpoint);
    [
        BoxAttempt::new(GrpcClient::new(&context(), &config).unwrap()),
        BoxAttempt::new(HttpClient::new(&context(), &config).unwrap()),
    ]
}

#[tokio::test]
async fn a_sink_keeps_what_comes_over_either_protocol() {
    let sink = Sink::start().await.unwrap();
    assert!(sink.endpoint().starts_with("http://127.0.0.1:"));
    for client in clients(&sink.endpoint()) {
        assert_eq!(client.export(batch(Signal::LOGS)).await.unwrap(), Accepted::FULL);
    }
    let taken = sink.wait_for(Signal::LOGS, 2, Duration::from_secs(5)).await.unwrap();
    assert_eq!(taken.iter().map(Batch::items).collect::<Vec<_>>(), [1, 1]);
    assert!(taken.iter().all(|batch| batch.charge().bytes() == 0), "no budget is pinned");
    assert_eq!(sink.received().len(), 2);
}

#[tokio::test]
async fn answers_are_given_in_turn_and_errors_keep_nothing() {
    let sink = Sink::start().await.unwrap();
    let partial = Accepted { rejected: 1, message: "too old".into() };
    sink.answer(Err(ExportError::new(ErrorKind::InvalidData, Retry::Never, "no")));
    sink.answer(Ok(partial.clone()));
    let [client, _] = clients(&sink.endpoint());
    let error = client.export(batch(Signal::LOGS)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::InvalidData, Retry::Never));
    assert_eq!(client.export(batch(Signal::LOGS)).await.unwrap(), partial);
    assert_eq!(client.export(batch(Signal::LOGS)).await.unwrap(), Accepted::FULL);
    assert_eq!(sink.received().len(), 2);
}

#[tokio::test]
async fn waiting_ends_when_the_items_come_or_tells_what_came_instead() {
    let sink = Sink::start().await.unwrap();
    let [grpc, http] = clients(&sink.endpoint());
    let later = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        http.export(batch(Signal::LOGS)).await.unwrap();
    };
    let (taken, ()) = tokio::join!(sink.wait_for(Signal::LOGS, 1, Duration::from_secs(5)), later);
    assert_eq!(taken.unwrap().len(), 1);
    sink.answer(Err(ExportError::refused(ErrorKind::Unavailable, "later")));
    grpc.export(batch(Signal::TRACES)).await.unwrap_err();
    let missing = sink.wait_for(Signal::TRACES, 3, Duration::from_millis(10)).await.unwrap_err();
    assert_eq!(missing.received, [(Signal::LOGS, 1)]);
    let expected =
        "expected 3 spans within 10ms, received 0; received 1 log_records; answered 1 requests with an error";
    assert_eq!(missing.to_string(), expected);
}

#[tokio::test]
async fn settings_of_the_server_hold() {
    let mut config = ServerConfig::new("127.0.0.1:0");
    let bearer = BearerConfig::new(["s3cret"]);
    config.auth = Some(Arc::new(BearerAuth::new(&context(), &bearer).unwrap()));
    let sink = Sink::start_with(config).await.unwrap();
    let [client, _] = clients(&sink.endpoint());
    assert_eq!(client.export(batch(Signal::LOGS)).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    let missing = sink.wait_for(Signal::LOGS, 1, Duration::ZERO).await.unwrap_err().to_string();
    assert!(missing.ends_with("refused 1 requests as unfit: see the log"), "{missing}");
    let again = Sink::start_with(ServerConfig::new(sink.endpoint().trim_start_matches("http://"))).await;
    let error = again.unwrap_err().to_string();
    assert!(error.starts_with("endpoint \"127.0.0.1:") && error.contains("cannot listen: "), "{error}");
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn a_sink_may_speak_tls() {
    let authority = crate::certificates::Authority::new();
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.tls = Some(authority.server().server_config());
    let sink = Sink::start_with(config).await.unwrap();
    let mut config = ClientConfig::new(sink.endpoint());
    config.tls.ca_pem = Some(authority.pem());
    config.tls.server_name_override = Some("localhost".into());
    let client = GrpcClient::new(&context(), &config).unwrap();
    assert!(sink.endpoint().starts_with("https://"));
    assert_eq!(client.export(batch(Signal::LOGS)).await.unwrap(), Accepted::FULL);
}
