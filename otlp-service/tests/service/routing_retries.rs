//! The connector `routing` sends parts again that their pipelines refused.

use crate::harness::*;
use crate::routing::{items, line, logs, route, send, with_config};
use otlp_protocol::{Batch, Charge, ErrorKind, Retry, Signal};
use otlp_service::{Gateway, RoutingConfig};
use otlp_transport::{Clock, Export, TokioClock};
use std::time::Duration;

/// Routes of the severities 1 and 2 to `a` and `b`, with time to send parts again.
fn retrying(retry_parts_for: Duration) -> RoutingConfig {
    let mut config = RoutingConfig::default();
    config.retry_parts_for = retry_parts_for;
    config.table = vec![
        route("log", "severity_number == 1", &["logs/a"]),
        route("log", "severity_number == 2", &["logs/b"]),
    ];
    config
}

fn unavailable(retry: Retry) -> Step {
    Step::Fail(ErrorKind::Unavailable, retry, "down")
}

fn retries(gateway: &Gateway, condition: &str) -> Option<f64> {
    let labels = [
        ("connector", "routing"),
        ("otel_signal", "logs"),
        ("pipeline", "logs/in"),
        ("context", "log"),
        ("condition", condition),
    ];
    gateway.metrics().get("otlp_connector_routing_retries", &labels)
}

#[tokio::test(start_paused = true)]
async fn a_part_that_failed_is_sent_again_alone() {
    let script = [Retry::Backoff, Retry::After(Duration::from_secs(3)), Retry::Backoff].map(unavailable);
    for (time, arrives) in [(Duration::from_secs(10), true), (Duration::ZERO, false)] {
        let sinks = [Sink::default(), Sink::scripted(script.clone()), Sink::default()];
        let gateway = with_config(Signal::LOGS, &sinks, retrying(time)).await;
        let start = TokioClock.now();
        let result = send(&gateway, logs(&[("t", &[1, 2, 1, 2, 1])]), &[]).await;
        assert_eq!(result.is_ok(), arrives, "{result:?}");
        let line = line(&gateway, Signal::LOGS);
        if arrives {
            assert_eq!((sinks[0].attempts(), sinks[1].attempts(), items(&sinks)), (1, 4, [3, 2, 0]));
            assert_eq!((line.accepted, line.sent, line.refused, line.produced), (5, 5, 0, 0));
            // 100 ms, the delay that was asked for, 400 ms.
            assert_eq!(TokioClock.now() - start, Duration::from_millis(3500));
            assert_eq!(retries(&gateway, "severity_number == 2"), Some(3.0));
            assert_eq!(retries(&gateway, "severity_number == 1"), Some(0.0));
        } else {
            assert_eq!((sinks[0].attempts(), sinks[1].attempts(), items(&sinks)), (1, 1, [3, 0, 0]));
            assert_eq!((line.accepted, line.sent, line.refused), (3, 3, 2));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_failed_is_sent_again_alone() {
    let sinks = [Sink::default(), Sink::scripted([unavailable(Retry::Backoff)]), Sink::default()];
    let mut config = retrying(Duration::from_secs(10));
    config.table = vec![route("log", "true", &["logs/a", "logs/b"])];
    let gateway = with_config(Signal::LOGS, &sinks, config).await;
    send(&gateway, logs(&[("t", &[1, 2])]), &[]).await.unwrap();
    assert_eq!((sinks[0].attempts(), sinks[1].attempts(), items(&sinks)), (1, 2, [2, 2, 0]));
    let line = line(&gateway, Signal::LOGS);
    assert_eq!((line.accepted, line.sent, line.refused, line.produced), (2, 4, 0, 2));
}

#[tokio::test(start_paused = true)]
async fn parts_are_not_sent_again_without_need_or_time() {
    let down = || Sink::always(unavailable(Retry::Backoff));
    let refusing = || Sink::always(Step::Fail(ErrorKind::InvalidData, Retry::Never, "bad"));
    for (time, deadline, first, second, attempts) in [
        // No part arrived: the sender's retry makes no duplicates.
        (10_000, None, down(), down(), 1),
        // The error is final.
        (10_000, None, Sink::default(), refusing(), 1),
        // 100 + 200 + 400 ms.
        (1000, None, Sink::default(), down(), 4),
        (10_000, Some(Duration::from_millis(350)), Sink::default(), down(), 3),
    ] {
        let sinks = [first, second, Sink::default()];
        let gateway = with_config(Signal::LOGS, &sinks, retrying(Duration::from_millis(time))).await;
        let mut batch = Batch::new(logs(&[("t", &[1, 2])]), Charge::none());
        batch.deadline = deadline.map(|time| TokioClock.now() + time);
        gateway.inlet("logs/in").unwrap().export(batch).await.unwrap_err();
        assert_eq!(sinks[1].attempts(), attempts, "{time} {deadline:?}");
        assert_eq!(line(&gateway, Signal::LOGS).refused, 2 - sinks[0].items());
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_the_pause_before_a_part_is_sent_again() {
    let sinks =
        [Sink::default(), Sink::always(unavailable(Retry::After(Duration::from_secs(300)))), Sink::default()];
    let gateway = with_config(Signal::LOGS, &sinks, retrying(Duration::from_secs(3600))).await;
    let inlet = gateway.inlet("logs/in").unwrap();
    let sending =
        tokio::spawn(async move { inlet.export(Batch::new(logs(&[("t", &[1, 2])]), Charge::none())).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(sinks[1].attempts(), 1);
    let start = TokioClock.now();
    gateway.drain(TokioClock.now() + Duration::from_secs(2)).await;
    assert!(sending.await.unwrap().is_err());
    assert!(TokioClock.now() < start + Duration::from_secs(5));
    assert_eq!(sinks[1].attempts(), 1);
}
