//! Exporters: kinds, shared clients, retries within one time limit, and the console's text.

use super::super::bounded::Bounded;
use super::super::console::Console;
use super::super::transport::signals;
use super::*;
use crate::{ExponentialBackoffRetry, RetryConfig};
use otlp_protocol::encode::{Entries as _, LogRecords, Metrics, Spans};
use otlp_protocol::{Accepted, Batch, Body, Charge, ErrorKind, SpanKind, StatusCode};
use otlp_transport::{
    Attempt as _, BoxAttempt, Clock as _, Export as _, ExportError, TokioClock, TransportContext,
};
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A stream whose text can be read after a batch.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Names of the signals that have an exporter.
fn exported(config: &OtlpConfig) -> Vec<&'static str> {
    let plan = config.plan(&TransportContext::tcp(0)).unwrap();
    plan.exporters.iter().map(|(signal, _)| signal.name).collect()
}

#[test]
#[cfg(feature = "http")]
fn signals_have_the_exporters_of_their_kind() {
    assert_eq!(exported(&OtlpConfig::default()), ["traces", "metrics", "logs"]);
    let config = of(&[("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "console")]);
    assert_eq!(exported(&config), ["traces", "logs"]);
    let plan = config.plan(&TransportContext::tcp(0)).unwrap();
    assert!(format!("{plan:?}").contains("Console"), "{plan:?}");
    // What is not used need not work.
    assert_eq!(
        exported(&of(&[("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "x")])),
        [""; 0]
    );
    let config = of(&[("OTEL_METRICS_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "x")]);
    assert_eq!(exported(&config), ["traces", "logs"]);
}

#[test]
fn each_signal_has_its_time_limit() {
    let config = of(&[
        ("OTEL_BSP_EXPORT_TIMEOUT", "1"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "2"),
        ("OTEL_BLRP_EXPORT_TIMEOUT", "3"),
    ]);
    let limits = signals(&config).map(|(signal, _, limit)| (signal.name, limit.as_millis()));
    assert_eq!(limits, [("traces", 1), ("metrics", 2), ("logs", 3)]);
}

fn batch() -> Batch {
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("service.name", "cart");
            });
            group.scope_group(|scope| {
                scope.scope(|scope| {
                    scope.name("shop").version("1");
                });
                scope.span(|span| {
                    span.trace_id(&[1; 16]).span_id(&[2; 8]).parent_span_id(&[3; 8]).name("GET /\u{1b}[31m");
                    span.kind(SpanKind::Server)
                        .start_time_unix_nano(1_500_000_000)
                        .end_time_unix_nano(1_700_000_000);
                    span.attribute("code", 500);
                    span.event(|event| {
                        event.name("retry").time_unix_nano(1_600_000_000);
                    });
                    span.link(|link| {
                        link.trace_id(&[4; 16]).span_id(&[5; 8]);
                    });
                    span.status(|status| {
                        status.code(StatusCode::Error).message("broken");
                    });
                });
            });
        });
    });
    Batch::new(body, Charge::none())
}

#[tokio::test(start_paused = true)]
async fn retries_end_at_the_time_limit() {
    let attempts = Arc::new(AtomicU32::new(0));
    let counter = attempts.clone();
    let attempt = BoxAttempt::from_fn(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Err(ExportError::new(ErrorKind::Unavailable, otlp_protocol::Retry::Backoff, "down")) }
    });
    let clock = Arc::new(TokioClock);
    let bounded = |limit, attempt: BoxAttempt| Bounded {
        inner: ExponentialBackoffRetry::new(RetryConfig::default(), clock.clone(), attempt).with_seed(7),
        limit: Some(limit),
        clock: clock.clone(),
    };
    let start = clock.now();
    let error = bounded(Duration::from_secs(60), attempt).export(batch()).await.unwrap_err();
    let took = clock.now() - start;
    assert!(took <= Duration::from_secs(60), "{took:?}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(attempts.load(Ordering::Relaxed) > 2);

    let silent = BoxAttempt::from_fn(|_| std::future::pending());
    let start = clock.now();
    let error = bounded(Duration::from_secs(10), silent).export(batch()).await.unwrap_err();
    assert_eq!((error.kind(), clock.now() - start), (ErrorKind::Timeout, Duration::from_secs(10)));
    assert_eq!(error.message(), "the export did not end within 10s, retries included (timeout)");
}

#[tokio::test]
async fn the_console_has_a_line_for_each_item() {
    let stream = Shared::default();
    let console = Console::new(stream.clone());
    assert_eq!(console.attempt(&batch()).await.unwrap(), Accepted::FULL);
    let text = |stream: &Shared| String::from_utf8(std::mem::take(&mut *stream.0.lock())).unwrap();
    let expect = "resource {\"service.name\": \"cart\"}\n  \
                  scope \"shop\" \"1\"\n    \
                  span \"GET /\\u{1b}[31m\" Server trace_id=01010101010101010101010101010101 span_id=0202020202020202 \
                  parent_span_id=0303030303030303 start=1.500000000 duration=200ms {\"code\": 500}\n      \
                  status Error \"broken\"\n      \
                  event \"retry\" time=1.600000000 {}\n      \
                  link trace_id=04040404040404040404040404040404 span_id=0505050505050505 {}\n";
    assert_eq!(text(&stream), expect);

    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record
                        .observed_time_unix_nano(2_000_000_001)
                        .severity_number(9)
                        .body("hi")
                        .attribute("a", true);
                });
            });
        });
    });
    console.attempt(&Batch::new(body, Charge::none())).await.unwrap();
    let expect = "resource {}\n  scope \"\" \"\"\n    log time=2.000000001 Info \"\" \"hi\" event_name=\"\" trace_id=- span_id=- \
                  {\"a\": true}\n";
    assert_eq!(text(&stream), expect);

    let body = Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.metric(|metric| {
                    metric.name("hits").unit("1").sum(|sum| {
                        sum.point(|point| {
                            point.time_unix_nano(1).int(3).attribute("k", "v");
                        });
                    })
                });
                scope.metric(|metric| {
                    metric.name("size").histogram(|histogram| {
                        histogram.point(|point| {
                            point.count(3).sum(4.5).bucket_counts([1, 2]).explicit_bounds([1.0]);
                        });
                    })
                });
            });
        });
    });
    console.attempt(&Batch::new(body, Charge::none())).await.unwrap();
    let expect = "resource {}\n  scope \"\" \"\"\n    metric \"hits\" unit=\"1\" time=0.000000001 value=3 {\"k\": \"v\"}\n    \
                  metric \"size\" unit=\"\" time=0.000000000 count=3 sum=Some(4.5) buckets=[1, 2] {}\n";
    assert_eq!(text(&stream), expect);
}

#[test]
fn signals_are_in_the_order_of_their_fields() {
    let order = signals(&OtlpConfig::default()).map(|(signal, ..)| signal.name);
    assert_eq!(order, [Spans::SIGNAL.name, Metrics::SIGNAL.name, LogRecords::SIGNAL.name]);
}
