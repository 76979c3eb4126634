//! Exporters: kinds, time limits, and the console's text.

use super::super::console::Console;
#[cfg(feature = "http")]
use super::super::exporters::Exporters;
use super::super::exporters::signals;
use super::*;
#[cfg(feature = "http")]
use otlp_protocol::Signal;
use otlp_protocol::encode::{Entries as _, LogRecords, Metrics, Spans};
use otlp_protocol::{Accepted, Batch, Body, Charge, SpanKind, StatusCode};
use otlp_transport::Attempt as _;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;

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
#[cfg(feature = "http")]
fn exported(config: &OtlpConfig) -> Vec<&'static str> {
    let exporters = config.plan().unwrap().exporters;
    let is_sent = |signal: &Signal| exporters.exporter(*signal).unwrap().is_some();
    Signal::ALL.into_iter().filter(is_sent).map(|signal| signal.name).collect()
}

#[test]
#[cfg(feature = "http")]
fn signals_have_the_exporters_of_their_kind() {
    assert_eq!(exported(&OtlpConfig::default()), ["traces", "metrics", "logs"]);
    let config = of(&[("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "console")]);
    assert_eq!(exported(&config), ["traces", "logs"]);
    let exporters = Exporters::new(&config);
    let kinds = [Spans::SIGNAL, LogRecords::SIGNAL]
        .map(|signal| format!("{:?}", exporters.exporter(signal).unwrap().unwrap()));
    assert!(kinds[0].contains("ExponentialBackoffRetry") && kinds[1].contains("Console"), "{kinds:?}");
    // What is not used need not work.
    assert_eq!(
        exported(&of(&[("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "x")])),
        [""; 0]
    );
    let config = of(&[("OTEL_METRICS_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "x")]);
    assert_eq!(exported(&config), ["traces", "logs"]);
}

#[test]
#[cfg(feature = "http")]
fn each_signal_has_its_time_limit() {
    let millis = |variables: &[(&str, &str)]| {
        let plan = of(variables).plan().unwrap();
        plan.time_limits.map(|limit| limit.as_millis())
    };
    assert_eq!(millis(&[]), [10_000; 3]);
    let exports = [
        ("OTEL_BSP_EXPORT_TIMEOUT", "1"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "2"),
        ("OTEL_BLRP_EXPORT_TIMEOUT", "3"),
    ];
    assert_eq!(millis(&exports), [1, 3, 2]);
    let one = [("OTEL_EXPORTER_OTLP_TIMEOUT", "20000"), ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "50")];
    assert_eq!(millis(&one), [20_000, 50, 20_000]);
    assert_eq!(millis(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "0")]), [30_000; 3]);
    assert_eq!(millis(&[("OTEL_BSP_EXPORT_TIMEOUT", "0")]), [10_000; 3]);
    let none = [("OTEL_EXPORTER_OTLP_TIMEOUT", "0"), ("OTEL_BSP_EXPORT_TIMEOUT", "0")];
    assert_eq!(millis(&none), [86_400_000, 30_000, 30_000]);
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
    let order = signals(&OtlpConfig::default()).map(|(signal, _)| signal.name);
    assert_eq!(order, [Spans::SIGNAL.name, Metrics::SIGNAL.name, LogRecords::SIGNAL.name]);
}
