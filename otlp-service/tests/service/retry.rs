//! Attempts after a failed one, and when they end.

use crate::harness::*;
use otlp_protocol::{ErrorKind, Retry};
use otlp_service::{ExponentialBackoffRetry, RetryConfig};
use otlp_transport::{Export, ExportError};
use std::sync::Arc;
use std::time::Duration;

fn retry(config: RetryConfig, sink: &Sink) -> Arc<ExponentialBackoffRetry<Sink>> {
    Arc::new(ExponentialBackoffRetry::new(config, clock(), sink.clone()).with_seed(7))
}

fn throttled(seconds: u64) -> Step {
    Step::Fail(ErrorKind::Unavailable, Retry::After(Duration::from_secs(seconds)), "busy")
}

/// Runs a script with waits of 1, 2, 4, … seconds and returns when the attempts were made, and the outcome.
async fn attempts(config: RetryConfig, script: Vec<Step>) -> (Vec<u64>, Result<u64, ExportError>) {
    let sink = Sink::scripted(script);
    let started = now();
    let outcome = retry(config, &sink).export(logs(5)).await;
    let times = sink.times().into_iter().map(|at| (at - started).as_secs()).collect();
    (times, outcome.map(|accepted| accepted.rejected))
}

#[tokio::test(start_paused = true)]
async fn what_is_repeated_and_when() {
    let exhausted = Step::Fail(ErrorKind::Exhausted, Retry::Never, "quota");
    let also_exhausted = || {
        let mut config = retry_config();
        config.retry_resource_exhausted = true;
        config
    };
    let table = [
        ("nothing to repeat", retry_config(), vec![], vec![0], true),
        ("backoff", retry_config(), vec![UNAVAILABLE; 4], vec![0, 1, 3, 7, 15], true),
        ("a longer delay wins", retry_config(), vec![throttled(5), UNAVAILABLE], vec![0, 5, 7], true),
        (
            "a longer backoff wins",
            retry_config(),
            vec![UNAVAILABLE, UNAVAILABLE, throttled(1)],
            vec![0, 1, 3, 7],
            true,
        ),
        ("final", retry_config(), vec![DENIED], vec![0], false),
        ("final at last", retry_config(), vec![UNAVAILABLE, DENIED], vec![0, 1], false),
        ("partial success", retry_config(), vec![Step::Reject(3, "no")], vec![0], true),
        (
            "exhausted: perhaps too large, so in parts",
            retry_config(),
            vec![exhausted.clone()],
            vec![0; 3],
            true,
        ),
        ("exhausted, by option", also_exhausted(), vec![exhausted], vec![0, 1], true),
        ("disabled", no_retry(), vec![UNAVAILABLE], vec![0], false),
        ("an hour at most", forever(), vec![throttled(u64::MAX)], vec![0, 3600], true),
    ];
    for (what, config, script, expect, is_ok) in table {
        let (times, outcome) = attempts(config, script).await;
        assert_eq!((times, outcome.is_ok()), (expect, is_ok), "{what}: {outcome:?}");
    }
}

fn forever() -> RetryConfig {
    let mut config = retry_config();
    config.max_elapsed_time = Some(Duration::ZERO);
    config
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_after_max_elapsed_time() {
    let sink = Sink::always(UNAVAILABLE);
    let started = now();
    let error = retry(retry_config(), &sink).export(logs(5)).await.unwrap_err();
    let times: Vec<_> = sink.times().into_iter().map(|at| (at - started).as_secs()).collect();
    // max_interval is 30 s: the next one would be at 61 s.
    assert_eq!(times, [0, 1, 3, 7, 15, 31]);
    assert_eq!(error.message(), "gave up after 6 attempts, the last of which failed: out of order");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_it_goes_on() {
    let sink = Sink::scripted(vec![UNAVAILABLE; 1000]);
    retry(forever(), &sink).export(logs(5)).await.unwrap();
    assert_eq!(sink.attempts(), 1001);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_after_the_deadline() {
    let sink = Sink::always(UNAVAILABLE);
    let retry = retry(retry_config(), &sink);
    let started = now();
    let mut batch = logs(5);
    batch.deadline = Some(started + seconds(5));
    let error = retry.export(batch).await.unwrap_err();
    assert_eq!((sink.attempts(), now() - started), (3, seconds(3)));
    assert!(error.retry().is_retryable());

    let mut late = logs(5);
    late.deadline = Some(started);
    let error = retry.export(late).await.unwrap_err();
    assert_eq!((sink.attempts(), error.kind()), (3, ErrorKind::Timeout));
}

#[tokio::test(start_paused = true)]
async fn a_delay_holds_for_all_batches_of_the_destination() {
    let sink = Sink::scripted([throttled(20)]);
    let retry = retry(retry_config(), &sink);
    let started = now();
    let first = send(&retry, logs(1));
    settle().await;
    let second = send(&retry, logs(2));
    let mut urgent = logs(3);
    urgent.deadline = Some(started + seconds(10));
    let error = retry.export(urgent).await.unwrap_err();
    assert_eq!((error.retry(), now()), (Retry::After(seconds(20)), started));
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    let times = sink.times();
    assert_eq!(times.len(), 3);
    assert!(times[1..].iter().all(|&at| at >= started + seconds(20) && at <= started + seconds(22)));
    // They are spread, so that a throttled destination is not hit by all at once.
    assert_ne!(times[1], times[2]);
}

#[tokio::test(start_paused = true)]
async fn waits_are_spread_by_the_randomization_factor() {
    let mut config = retry_config();
    config.randomization_factor = 0.5;
    let mut waits = Vec::new();
    for seed in 0..100 {
        let sink = Sink::scripted([UNAVAILABLE]);
        let started = now();
        let retry = ExponentialBackoffRetry::new(config.clone(), clock(), sink.clone()).with_seed(seed);
        retry.export(logs(1)).await.unwrap();
        waits.push(now() - started);
    }
    let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
    assert!(
        (500..600).contains(&least.as_millis()) && (1400..1502).contains(&most.as_millis()),
        "{least:?} {most:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_first_wait_ends_with_max_elapsed_time() {
    let sink = Sink::scripted([throttled(3600)]);
    let retry = retry(retry_config(), &sink);
    // Its own delay is longer than it may wait: it gives up at once.
    let error = retry.export(logs(1)).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(seconds(3600)));
    let started = now();
    let error = retry.export(logs(2)).await.unwrap_err();
    assert!(matches!(error.retry(), Retry::After(rest) if rest <= seconds(3540)), "{error:?}");
    assert!((seconds(60)..seconds(61)).contains(&(now() - started)));
    assert_eq!(sink.attempts(), 1);
    pass(seconds(3600)).await;
    retry.export(logs(3)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_is_told_of_a_long_delay_at_once() {
    let sink = Sink::scripted([throttled(3600), throttled(4)]);
    let retry = ExponentialBackoffRetry::new(retry_config(), clock(), sink.clone());
    let retry = Arc::new(retry.with_seed(7).with_max_first_wait(seconds(5)));
    retry.export(logs(1)).await.unwrap_err();
    pass(seconds(10)).await;
    let started = now();
    let error = retry.export(logs(2)).await.unwrap_err();
    assert!(matches!(error.retry(), Retry::After(rest) if rest > seconds(3580) && rest <= seconds(3590)));
    assert_eq!(
        error.message(),
        "not sent: the destination throttles requests for another 3590 s (Retry-After or RetryInfo)"
    );
    assert_eq!((now(), sink.attempts()), (started, 1));
    // A short one is waited for.
    pass(seconds(3590)).await;
    let first = send(&retry, logs(3));
    settle().await;
    retry.export(logs(4)).await.unwrap();
    first.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_retries_nothing_waits() {
    let sink = Sink::scripted([throttled(3600)]);
    let retry = retry(no_retry(), &sink);
    let started = now();
    assert_eq!(retry.export(logs(1)).await.unwrap_err().retry(), Retry::After(seconds(3600)));
    retry.export(logs(2)).await.unwrap();
    assert_eq!((now(), sink.sizes()), (started, vec![2]));
}

/// R12: after an outage, those who waited do not come all at once.
#[tokio::test(start_paused = true)]
async fn an_outage_is_not_followed_by_a_storm() {
    let outage = seconds(60);
    let sink = Sink::always(UNAVAILABLE);
    let retry = retry(RetryConfig::default(), &sink);
    let clients: Vec<_> = (0..200).map(|_| send(&retry, logs(1))).collect();
    let started = now();
    pass(outage).await;
    sink.recover();
    for client in clients {
        client.await.unwrap().unwrap();
    }
    let back = started + outage;
    let busiest = (0..60)
        .map(|second| {
            let from = back + seconds(second);
            sink.times().iter().filter(|&&at| at >= from && at < from + seconds(1)).count()
        })
        .max()
        .unwrap();
    // 200 clients over waits of up to 45 s: 200 / 30 a second if they were spread evenly.
    assert!(busiest <= 20, "{busiest} attempts in one second");
}
