//! The strategies are interchangeable: the same code against our own servers.

use super::{config, context, fixture};
use crate::harness::Capture;
use otlp_protocol::{Accepted, Batch, Charge, Count, ErrorKind, Retry, Signal};
use otlp_transport::{
    ClientConfig, ClientStrategy as _, Compression, Export as _, ExportError, GrpcClient,
    GrpcTransportStrategy, HttpClient, HttpTransportStrategy, Server, ServerConfig, ServerStrategy,
    TransportContext, TransportStrategy,
};
use std::time::Duration;

const STRATEGIES: [&dyn TransportStrategy; 2] = [&GrpcTransportStrategy, &HttpTransportStrategy];

/// A request of the shared vectors, that many times over.
fn batch(signal: Signal, times: usize) -> Batch {
    let body = fixture(&format!("valid/{}_full.pb", signal.name)).repeat(times);
    Batch::unchecked(signal, body, Count { items: 1, entries: 1 }, false, Charge::none())
}

async fn serve(context: &TransportContext, strategy: &dyn ServerStrategy, capture: &Capture) -> Server {
    strategy.bind(context, ServerConfig::new("127.0.0.1:0"), capture.routes()).await.unwrap()
}

#[tokio::test]
async fn batches_arrive_as_they_were_sent() {
    let context = context();
    for strategy in STRATEGIES {
        let capture = Capture::accepting();
        let server = serve(&context, strategy, &capture).await;
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let mut config = config(server.local_addr());
            config.compression = compression;
            let client = strategy.client(&context, config).unwrap();
            for signal in Signal::ALL {
                for times in [1, 10, 1000] {
                    let case = format!("{} {compression:?} {signal} {times}", strategy.name());
                    let sent = batch(signal, times);
                    let body = sent.body().plain().to_contiguous();
                    assert_eq!(client.export(sent).await.expect(&case), Accepted::FULL, "{case}");
                    let [(arrived_as, arrived, _)] = &capture.take()[..] else {
                        panic!("{case}: not one batch")
                    };
                    assert_eq!(*arrived_as, signal, "{case}");
                    assert!(*arrived == body, "{case}: the bytes differ");
                }
            }
        }
        server.drain(context.clock.now() + Duration::from_secs(5)).await;
    }
}

/// What the far end says is what the near end hears: kind, delay, message and field.
#[tokio::test]
async fn outcomes_survive_the_way_back() {
    let context = context();
    let partial = Accepted { rejected: 3, message: "3 of 9: no café".into() };
    let busy = ExportError::new(ErrorKind::Unavailable, Retry::After(Duration::from_secs(7)), "full: 100 %");
    let backoff = ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "soon");
    let denied = ExportError::new(ErrorKind::PermissionDenied, Retry::Never, "not you");
    for strategy in STRATEGIES {
        for outcome in [Ok(partial.clone()), Err(busy.clone()), Err(backoff.clone()), Err(denied.clone())] {
            let answer = outcome.clone();
            let capture = Capture::answering(move |_| answer.clone());
            let server = serve(&context, strategy, &capture).await;
            let client = strategy.client(&context, config(server.local_addr())).unwrap();
            let heard = client.export(batch(Signal::TRACES, 1)).await;
            match (&outcome, heard) {
                (Ok(said), Ok(heard)) => assert_eq!(*said, heard),
                (Err(said), Err(heard)) => {
                    assert_eq!(heard.kind(), said.kind(), "{heard:?}");
                    assert_eq!(heard.retry().is_retryable(), said.retry().is_retryable(), "{heard:?}");
                    if let Retry::After(delay) = said.retry() {
                        assert_eq!(heard.retry(), Retry::After(delay));
                    }
                    assert!(heard.message().ends_with(said.message()), "{heard:?}");
                }
                (said, heard) => panic!("{}: said {said:?}, heard {heard:?}", strategy.name()),
            }
        }
    }
}

/// A server that drains answers what it has and sends the rest elsewhere: a restart loses and refuses nothing.
#[tokio::test]
async fn a_restart_costs_at_most_retryable_failures() {
    let context = context();
    for strategy in STRATEGIES {
        let capture = Capture::accepting();
        let server = serve(&context, strategy, &capture).await;
        let address = server.local_addr();
        let client = strategy.client(&context, config(&address)).unwrap();
        client.export(batch(Signal::LOGS, 1)).await.unwrap();
        server.drain(context.clock.now() + Duration::from_secs(5)).await;
        let error = client.export(batch(Signal::LOGS, 1)).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error:?}");
        let server =
            strategy.bind(&context, ServerConfig::new(address.to_string()), capture.routes()).await.unwrap();
        client.export(batch(Signal::LOGS, 1)).await.unwrap();
        assert_eq!(capture.take().len(), 2);
        drop(server);
    }
}

/// A request over the server's limit is answered, even as its body is still on the way, and must not be retried.
#[tokio::test]
async fn what_is_too_large_for_the_server_is_not_retried() {
    let context = context();
    for strategy in STRATEGIES {
        let capture = Capture::accepting();
        let mut limited = ServerConfig::new("127.0.0.1:0");
        limited.limits.max_request_bytes = 100_000;
        let server = strategy.bind(&context, limited, capture.routes()).await.unwrap();
        for compression in [Compression::None, Compression::Zstd] {
            let mut config = config(server.local_addr());
            config.compression = compression;
            let client = strategy.client(&context, config).unwrap();
            for times in [1000, 10_000] {
                let error = client.export(batch(Signal::METRICS, times)).await.unwrap_err();
                assert_eq!(
                    error.retry(),
                    Retry::Never,
                    "{} {compression:?} {times}: {error:?}",
                    strategy.name()
                );
            }
        }
        assert!(capture.take().is_empty());
    }
}

/// Debug output goes into logs.
#[tokio::test]
async fn debug_output_of_clients_and_servers_shows_no_secret() {
    let context = context();
    let mut config = ClientConfig::new("http://user:hunter2@127.0.0.1:1/?key=hunter2");
    config.headers.push(("x-key".into(), "hunter2".into()));
    let http = HttpTransportStrategy.client(&context, config.clone()).unwrap();
    config.endpoint = "http://user:hunter2@127.0.0.1:1".into();
    let grpc = GrpcTransportStrategy.client(&context, config.clone()).unwrap();
    let clients = (GrpcClient::new(&context, &config).unwrap(), HttpClient::new(&context, &config).unwrap());
    let capture = Capture::accepting();
    let server = serve(&context, &GrpcTransportStrategy, &capture).await;
    let shown = format!("{http:?} {grpc:?} {clients:?} {context:?} {server:?}");
    assert!(shown.contains("http://127.0.0.1:1") && shown.contains("local_addr"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
