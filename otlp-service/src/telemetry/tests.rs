use super::process::{cpu_seconds, max_descriptors, rss_bytes};
use super::*;
use otlp_transport::{ClientStats, ServerStats};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn the_page_is_prometheus_text() {
    let registry = Registry::new();
    let counter = registry.counter("sent", "Items sent.", &[("exporter", "a\"b\\c\nd")]);
    counter.add(3);
    let other = registry.counter("sent", "Items sent.", &[]);
    other.add(4);
    let _fill = registry.observe(MetricKind::Gauge, "fill", "How full it is.", &[], || 0.5);
    let histogram = registry.histogram("size", "Items.", &[("p", "x")], Histogram::new(&[10, 20]));
    [1, 10, 11, 21].into_iter().for_each(|value| histogram.record(value));
    let seconds = Histogram::in_units(&[500, 1000], 1000);
    let time = registry.histogram("time", "Seconds.", &[], seconds);
    time.record(750);
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
# HELP time Seconds.
# TYPE time histogram
time_bucket{le=\"0.5\"} 0
time_bucket{le=\"1\"} 1
time_bucket{le=\"+Inf\"} 1
time_sum 0.75
time_count 1
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
    let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n";
    assert_eq!(max_descriptors(limits), Some(1024.0));
    assert_eq!(max_descriptors("Max open files  unlimited  unlimited\n"), None);
}

/// Every counter of the transport's is on the page, under a name of its own.
#[test]
fn what_the_transport_counts_is_shown() {
    let (server, client) = (Arc::new(ServerStats::default()), Arc::new(ClientStats::default()));
    let adaptive = client.adaptive.get_or_init(Arc::default).clone();
    let registry = Registry::new();
    let _server = register_server(&registry, "otlp", "grpc", &server);
    let _client = register_client(&registry, "out", &client);
    let refused = "otlp_server_refused_requests";
    let cases: &[(&AtomicU64, &str, &str)] = &[
        (&server.accepted_requests, "otlp_server_accepted_requests", ""),
        (&server.refused_too_large, refused, "too_large"),
        (&server.refused_malformed, refused, "malformed"),
        (&server.refused_unsupported, refused, "unsupported"),
        (&server.refused_memory, refused, "memory"),
        (&server.refused_slow, refused, "slow"),
        (&server.refused_headers, refused, "headers"),
        (&server.refused_loops, refused, "loop"),
        (&server.refused_other, refused, "other"),
        (&server.failed_requests, "otlp_server_failed_requests", ""),
        (&server.open_connections, "otlp_server_open_connections", ""),
        (&server.refused_connections, "otlp_server_refused_connections", ""),
        (&server.evicted_connections, "otlp_server_evicted_connections", ""),
        (&server.timed_out_connections, "otlp_server_timed_out_connections", ""),
        (&server.protocol_errors, "otlp_server_protocol_errors", ""),
        (&server.received_bytes, "otlp_server_received_bytes", ""),
        (&server.accept_errors, "otlp_server_accept_errors", ""),
        (&client.open_connections, "otlp_client_open_connections", ""),
        (&client.connects, "otlp_client_connects", ""),
        (&client.sent_bytes, "otlp_client_sent_bytes", ""),
        (&client.connect_failures, "otlp_client_connect_failures", ""),
        (&client.resent_requests, "otlp_client_resent_requests", ""),
        (&client.refused_requests, "otlp_client_refused_requests", ""),
        (&client.oversized_requests, "otlp_client_oversized_requests", ""),
        (&client.oversized_answers, "otlp_client_oversized_answers", ""),
        (&client.unreadable_answers, "otlp_client_unreadable_answers", ""),
        (&adaptive.switches, "otlp_exporter_adaptive_compression_switches", ""),
        (&adaptive.probes, "otlp_exporter_adaptive_compression_probes", ""),
        (&adaptive.skipped_probes, "otlp_exporter_adaptive_compression_skipped_probes", ""),
        (&adaptive.refused_encodings, "otlp_exporter_adaptive_compression_refused_encodings", ""),
        (&adaptive.plain_bytes, "otlp_exporter_adaptive_compression_plain_bytes", ""),
        (&adaptive.wire_bytes, "otlp_exporter_adaptive_compression_wire_bytes", ""),
    ];
    for (value, (counter, ..)) in (1..).zip(cases) {
        counter.store(value, Ordering::Relaxed);
    }
    let page = registry.snapshot().to_string();
    for (value, (_, name, reason)) in (1..).zip(cases) {
        let labels = match (name.starts_with("otlp_server"), *reason) {
            (false, _) => "exporter=\"out\"".to_owned(),
            (true, "") => "receiver=\"otlp\",transport=\"grpc\"".to_owned(),
            (true, reason) => format!("receiver=\"otlp\",transport=\"grpc\",reason=\"{reason}\""),
        };
        let line = format!("{name}{{{labels}}} {value}");
        assert!(page.lines().any(|known| known == line), "{line} is not in\n{page}");
    }
}
