//! An exporter's test: what it sends arrives in a sink in memory.

use otlp_protocol::encode::LogRecords;
use otlp_protocol::{Accepted, Batch, Body, Charge, Signal};
use otlp_transport::testing::Sink;
use otlp_transport::{Attempt, ClientConfig, ClientStrategy, GrpcTransportStrategy, TransportContext};
use std::time::Duration;

#[tokio::test]
async fn a_record_arrives_and_the_answer_comes_back() {
    let sink = Sink::start().await.unwrap();
    let partial = Accepted { rejected: 1, message: "too old".to_owned() };
    sink.answer(Ok(partial.clone()));
    let config = ClientConfig::new(sink.endpoint());
    let client = GrpcTransportStrategy.client(&TransportContext::tcp(1 << 20), config).unwrap();
    assert_eq!(client.attempt(&one_record()).await.unwrap(), partial);
    let received = sink.wait_for(Signal::LOGS, 1, Duration::from_secs(5)).await.unwrap();
    assert_eq!(received[0].items(), 1);
}

fn one_record() -> Batch {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.body("checked out");
                });
            });
        });
    });
    Batch::new(body, Charge::none())
}
