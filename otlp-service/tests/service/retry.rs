//! Attempts after a failed one, and when they end.

use crate::harness::*;
use otlp_protocol::{ErrorKind, Retry, Signal};
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
        ("final", retry_config(), vec![INVALID], vec![0], false),
        ("final at last", retry_config(), vec![UNAVAILABLE, INVALID], vec![0, 1], false),
        ("partial success", retry_config(), vec![Step::Reject(3, "no")], vec![0], true),
        ("exhausted", retry_config(), vec![exhausted.clone()], vec![0], false),
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
async fn what_is_too_large_is_cut_until_it_fits() {
    let sink = Sink::taking_at_most(3);
    let whole = logs(10);
    let body = whole.body().plain().to_contiguous();
    let accepted = retry(retry_config(), &sink).export(whole).await.unwrap();
    assert_eq!((accepted.rejected, sink.items()), (0, 10));
    assert!(sink.sizes().iter().all(|&items| items <= 3), "{:?}", sink.sizes());
    let parts: Vec<u8> = sink.bodies().concat();
    let joined = otlp_protocol::count(Signal::LOGS, &parts).unwrap();
    assert_eq!(joined, otlp_protocol::count(Signal::LOGS, &body).unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_cut_is_final() {
    // As tonic puts it: with a code that OTLP calls retryable.
    let tonic = "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes";
    let sink = Sink::always(Step::Fail(ErrorKind::Unavailable, Retry::Backoff, tonic));
    let error = retry(retry_config(), &sink).export(logs(1)).await.unwrap_err();
    assert_eq!((sink.attempts(), error.retry()), (1, Retry::Never));

    // However many items there are, a destination that takes nothing is not asked without end.
    let sink = Sink::taking_at_most(0);
    let error = retry(retry_config(), &sink).export(logs(1000)).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
    assert!(sink.attempts() <= 128, "{}", sink.attempts());
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_refused_for_good_counts_as_rejected() {
    let too_large = Step::Fail(ErrorKind::TooLarge, Retry::Never, "too large");
    let sink = Sink::scripted([too_large, Step::Accept, INVALID]);
    let accepted = retry(retry_config(), &sink).export(logs(10)).await.unwrap();
    assert_eq!((accepted.rejected, accepted.message.as_str(), sink.items()), (5, "not to my taste", 5));
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
