use super::accept::{Weights, weights};
use super::*;
use crate::telemetry::{Histogram, MetricKind, Registry};

#[test]
fn open_metrics_has_suffixes_units_and_an_end() {
    let registry = Registry::new();
    let sent = registry.counter("sent_spans", "Spans \"sent\".", &[("exporter", "a\"b")]);
    sent.add(3);
    let cpu = registry.counter("cpu_seconds", "CPU time.", &[]);
    cpu.add(2);
    let _info = registry.observe(MetricKind::Gauge, "target_info", "Names.", &[("job", "x")], || 1.0);
    let sizes = registry.histogram("size", "Items.", &[], Histogram::new(&[10]));
    sizes.record(7);
    let expect = "\
# HELP cpu_seconds CPU time.
# TYPE cpu_seconds counter
# UNIT cpu_seconds seconds
cpu_seconds_total 2
# HELP sent_spans Spans \\\"sent\\\".
# TYPE sent_spans counter
sent_spans_total{exporter=\"a\\\"b\"} 3
# HELP size Items.
# TYPE size histogram
size_bucket{le=\"10.0\"} 1
size_bucket{le=\"+Inf\"} 1
size_sum 7
size_count 1
# HELP target Names.
# TYPE target info
target_info{job=\"x\"} 1
# EOF
";
    assert_eq!(registry.snapshot().to_text(MetricsFormat::OpenMetrics), expect);
    let page = registry.snapshot().to_text(MetricsFormat::Prometheus { type_suffix: true });
    for line in [
        "# TYPE sent_spans_total counter\n",
        "sent_spans_total{exporter=\"a\\\"b\"} 3\n",
        "target_info{job=\"x\"} 1\n",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}

/// Names of counters depend on the configuration alone, unless the request accepts nothing but OpenMetrics.
#[test]
fn the_request_chooses_the_format() {
    let prometheus_2 = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let plain = |type_suffix| MetricsFormat::Prometheus { type_suffix };
    let cases = [
        (prometheus_2, plain(false), MetricsFormat::OpenMetrics),
        (prometheus_3, plain(false), MetricsFormat::OpenMetrics),
        ("application/openmetrics-text", MetricsFormat::OpenMetrics, MetricsFormat::OpenMetrics),
        (
            "Application/OpenMetrics-Text; version=\"1.0.0\"",
            MetricsFormat::OpenMetrics,
            MetricsFormat::OpenMetrics,
        ),
        ("application/openmetrics-text;version=0.0.1", plain(false), plain(true)),
        ("application/openmetrics-text;q=0.2,text/plain", plain(false), plain(true)),
        ("application/openmetrics-text;q=0,text/plain", plain(false), plain(true)),
        ("", plain(false), plain(true)),
        ("*/*", plain(false), plain(true)),
        ("image/png;;=,;q", plain(false), plain(true)),
    ];
    for (accept, without, with) in cases {
        assert_eq!(MetricsFormat::for_accept(accept, false), without, "{accept}");
        assert_eq!(MetricsFormat::for_accept(accept, true), with, "{accept}");
    }
    assert_eq!(weights("text/plain;q=NaN"), Weights::default());
    assert_eq!(weights("text/*;q=0.25").plain, 250);
}
