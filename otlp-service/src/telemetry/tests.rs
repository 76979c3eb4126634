use super::process::{cpu_seconds, rss_bytes};
use super::*;

#[test]
fn the_page_is_prometheus_text() {
    let registry = Registry::new();
    let counter = registry.counter("sent", "Items sent.", &[("exporter", "a\"b\\c\nd")]);
    counter.add(3);
    registry.counter("sent", "Items sent.", &[]).add(4);
    registry.observe(MetricKind::Gauge, "fill", "How full it is.", &[], || 0.5);
    let histogram = registry.histogram("size", "Items.", &[("p", "x")], &[10, 20]);
    [1, 10, 11, 21].into_iter().for_each(|value| histogram.record(value));
    let expect = "\
# HELP fill How full it is.
# TYPE fill gauge
fill 0.5
# HELP sent Items sent.
# TYPE sent counter
sent{exporter=\"a\\\"b\\\\c\\nd\"} 3
sent 4
# HELP size Items.
# TYPE size histogram
size_bucket{p=\"x\",le=\"10\"} 2
size_bucket{p=\"x\",le=\"20\"} 3
size_bucket{p=\"x\",le=\"+Inf\"} 4
size_sum{p=\"x\"} 43
size_count{p=\"x\"} 4
";
    assert_eq!(registry.snapshot().to_string(), expect);
    assert_eq!(registry.snapshot().get("size", &[("le", "20")]), Some(3.0));
}

#[test]
fn proc_is_read() {
    assert_eq!(rss_bytes("VmPeak:\t 9 kB\nVmRSS:\t    1234 kB\n"), Some(1234.0 * 1024.0));
    assert_eq!(rss_bytes("VmRSS:\t lots\n"), None);
    // The program's name is `a) b`.
    let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0";
    assert_eq!(cpu_seconds(stat), Some(2.0));
    assert_eq!(cpu_seconds("7 (a) S 1"), None);
    assert_eq!(cpu_seconds(""), None);
}
