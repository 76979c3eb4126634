//! Clients made of a configuration, against a server: protocols, compression, TLS, exporters, failures.

use otlp_protocol::view::{AnyValue, MetricData, RequestView};
use otlp_protocol::{Accepted, AggregationTemporality, Batch, ErrorKind, Retry, SeverityNumber, Signal};
use otlp_service::client::{
    ClientStats, ExporterKind, FlushError, LossReason, OtlpClient, OtlpConfig, Protocol, Sampler,
    TraceContext,
};
use otlp_transport::testing::Sink;
use otlp_transport::{ApiKey, ApiKeyAuth, BoxExport, Compression, ExportError, ServerConfig};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(30);

/// Sends a span, a log record and a point, and returns the client's counters.
async fn send(config: OtlpConfig) -> (Result<(), FlushError>, ClientStats) {
    let client = OtlpClient::new(config).unwrap();
    let work = move || {
        let context = client.send_trace("checkout").attribute("items", 3).finish();
        client.send_log(SeverityNumber::Info).body("checked out").context(&context).emit();
        client.counter::<u64>("checkouts").build().add(1, ());
        (client.force_flush(WAIT), client.stats())
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn resource_attribute(batch: &Batch, key: &str) -> Option<String> {
    let bytes = batch.body().to_bytes();
    let resource = RequestView::new(batch.signal(), &bytes).resources().next()?.resource();
    resource.attributes().get(key)?.as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_protocol_and_compression_arrives() {
    let mut compressions = vec![Compression::None];
    compressions.extend(cfg!(feature = "gzip").then_some(Compression::Gzip));
    compressions.extend(cfg!(feature = "zstd").then_some(Compression::Zstd));
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf, Protocol::HttpJson] {
        for compression in &compressions {
            let sink = Sink::start().await.unwrap();
            let config = OtlpConfig::default()
                .with_endpoint(sink.endpoint())
                .with_protocol(protocol)
                .with_compression(*compression)
                .with_service_name("cart")
                .with_resource_attribute("deployment.environment.name", "test");
            let (flushed, stats) = send(config).await;
            assert_eq!(flushed, Ok(()), "{protocol:?} {compression:?}");
            let sent = [&stats.spans, &stats.logs, &stats.points].map(|items| items.sent());
            assert_eq!(sent, [1; 3], "{protocol:?} {compression:?}");
            for signal in [Signal::TRACES, Signal::LOGS, Signal::METRICS] {
                let batches = sink.wait_for(signal, 1, WAIT).await.unwrap();
                assert_eq!(resource_attribute(&batches[0], "service.name").as_deref(), Some("cart"));
                assert_eq!(
                    resource_attribute(&batches[0], "telemetry.sdk.language").as_deref(),
                    Some("rust")
                );
                let environment = resource_attribute(&batches[0], "deployment.environment.name");
                assert_eq!(environment.as_deref(), Some("test"));
            }
            let traces = sink.wait_for(Signal::TRACES, 1, WAIT).await.unwrap();
            let bytes = traces[0].body().to_bytes();
            let span = RequestView::new(Signal::TRACES, &bytes).spans().next().unwrap();
            assert_eq!((span.name(), span.attributes().get("items")), ("checkout", Some(AnyValue::Int(3))));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variables_lead_each_signal_to_its_destination() {
    let mut traces = ServerConfig::new("127.0.0.1:0");
    let keys = [ApiKey { name: "team".into(), key: "a b".into() }];
    traces.auth = Some(Arc::new(ApiKeyAuth::new("api-key", &keys).unwrap()));
    let (traces, logs) = (Sink::start_with(traces).await.unwrap(), Sink::start().await.unwrap());
    let config = OtlpConfig::from_vars(|name| {
        Some(match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => traces.endpoint(),
            "OTEL_EXPORTER_OTLP_PROTOCOL" => "grpc".into(),
            "OTEL_EXPORTER_OTLP_HEADERS" => "api-key=a%20b".into(),
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" => format!("{}/v1/logs", logs.endpoint()),
            "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL" => "http/json".into(),
            "OTEL_SERVICE_NAME" => "cart".into(),
            _ => return None,
        })
    });
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let (flushed, stats) = send(config).await;
    assert_eq!((flushed, stats.spans.sent(), stats.logs.sent()), (Ok(()), 1, 1));
    assert_eq!(stats.points.sent(), 1);
    let mut signals: Vec<_> = traces.received().iter().map(|batch| batch.signal().name).collect();
    signals.sort_unstable();
    signals.dedup();
    assert_eq!(signals, ["metrics", "traces"]);
    assert_eq!(logs.received().iter().map(Batch::signal).collect::<Vec<_>>(), [Signal::LOGS]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_attempts_are_repeated_and_refusals_are_counted() {
    let sink = Sink::start().await.unwrap();
    sink.answer(Err(ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "not yet")));
    let (flushed, stats) = send(OtlpConfig::default().with_endpoint(sink.endpoint())).await;
    assert_eq!((flushed, stats.spans.sent(), stats.logs.sent()), (Ok(()), 1, 1));

    let problems = Arc::new(Mutex::new(Vec::new()));
    let seen = problems.clone();
    for _ in 0..3 {
        sink.answer(Err(ExportError::new(ErrorKind::PermissionDenied, Retry::Never, "no")));
    }
    let config = OtlpConfig::default().with_endpoint(sink.endpoint());
    let config = config.with_error_hook(move |problem| seen.lock().push(problem.reason));
    let (flushed, stats) = send(config).await;
    assert_eq!(flushed, Err(FlushError::Lost(3)));
    let lost = [&stats.spans, &stats.logs, &stats.points].map(|items| items.lost(LossReason::Refused));
    assert_eq!(lost, [1; 3]);
    assert_eq!(*problems.lock(), [LossReason::Refused; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_ends_at_its_time_limit_with_all_retries() {
    let silent = BoxExport::from_fn(|_| std::future::pending());
    let config = OtlpConfig::default().with_exporter(silent).with_timeout(Duration::from_millis(50));
    let (flushed, stats) = send(config.with_error_hook(|_| {})).await;
    assert_eq!(flushed, Err(FlushError::Lost(3)));
    let lost = [&stats.spans, &stats.logs, &stats.points].map(|items| items.lost(LossReason::TimedOut));
    assert_eq!(lost, [1; 3]);
}

#[test]
fn the_newest_items_beyond_the_queue_are_lost_and_counted() {
    let silent = BoxExport::from_fn(|_| std::future::pending());
    let mut config = OtlpConfig::default().with_exporter(silent).with_error_hook(|_| {});
    config.span_batches.max_queue_size = Some(2_000);
    config.shutdown_timeout = Duration::from_millis(10);
    let client = OtlpClient::new(config).unwrap();
    for _ in 0..20_000 {
        client.send_trace("work").finish();
    }
    let lost = client.stats().spans.lost(LossReason::QueueFull);
    assert!((10_000..=18_000).contains(&lost), "{lost}");
}

#[test]
fn signals_without_an_exporter_are_not_recorded() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let seen = kept.clone();
    let exporter = BoxExport::from_fn(move |batch: Batch| {
        seen.lock().push(batch.signal());
        async { Ok(Accepted::FULL) }
    });
    let record = |config: OtlpConfig| {
        let client = OtlpClient::new(config).unwrap();
        let parent = TraceContext::new([1; 16], [2; 8], 1);
        let context = client.send_trace("work").parent(&parent).finish();
        let root = client.send_trace("root").root().finish();
        client.send_log(SeverityNumber::Info).body("text").emit();
        client.gauge::<f64>("load").build().record(0.5, ());
        client.force_flush(WAIT).unwrap();
        let stats = client.stats();
        (context, root, [&stats.spans, &stats.logs, &stats.points].map(|items| items.sent()))
    };
    let mut config = OtlpConfig::default().with_exporter(exporter.clone());
    config.traces.exporter = ExporterKind::None;
    config.metrics.exporter = ExporterKind::None;
    let (context, root, sent) = record(config);
    assert!(context.is_sampled() && root.is_sampled() && context.span_id != [2; 8]);
    assert_eq!((sent, std::mem::take(&mut *kept.lock())), ([0, 1, 0], vec![Signal::LOGS]));

    let mut config = OtlpConfig::default().with_exporter(exporter.clone());
    config.disabled = true;
    let (context, root, sent) = record(config);
    assert_eq!(context, TraceContext::new([1; 16], [2; 8], 1));
    assert_eq!((root.trace_id, root.span_id, root.is_sampled()), ([0; 16], [0; 8], false));
    assert_eq!((sent, kept.lock().len()), ([0; 3], 0));

    let config = OtlpConfig::default().with_exporter(exporter).with_sampler(Sampler::AlwaysOff);
    let (context, _, sent) = record(config);
    assert!(!context.is_sampled());
    assert_eq!(sent, [0, 1, 1]);
}

#[test]
fn settings_that_cannot_work_are_found_before_a_thread_starts() {
    let config = OtlpConfig::default().with_endpoint("collector").with_protocol(Protocol::Grpc);
    let error = OtlpClient::new(config).unwrap_err().to_string();
    assert!(
        error.starts_with("destination.endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) \"collector\": "),
        "{error}"
    );
    let config = OtlpConfig::from_vars(|name| (name == "OTEL_PROPAGATORS").then(|| "b3".into()));
    let client = OtlpClient::new(config).unwrap();
    assert_eq!(client.propagators().formats().len(), 1);
}

#[cfg(feature = "tls")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_the_configuration_are_trusted() {
    use otlp_service::client::Pem;
    use otlp_transport::ServerTlsConfig;

    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.pem();
    let mut server = ServerConfig::new("127.0.0.1:0");
    server.tls = Some(ServerTlsConfig::from_pem(certificate.clone(), made.signing_key.serialize_pem()));
    let sink = Sink::start_with(server).await.unwrap();
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let mut config = OtlpConfig::default().with_endpoint(sink.endpoint()).with_protocol(protocol);
        config.destination.certificate = Some(Pem::Text(certificate.clone().into()));
        let (flushed, stats) = send(config).await;
        assert_eq!((flushed, stats.spans.sent(), stats.logs.sent()), (Ok(()), 1, 1), "{protocol:?}");
    }
    let untrusted = OtlpConfig::default().with_endpoint(sink.endpoint()).with_error_hook(|_| {});
    let (flushed, stats) = send(untrusted).await;
    assert_eq!((flushed, stats.spans.sent()), (Err(FlushError::Lost(3)), 0));
}

#[test]
fn problems_with_instruments_are_reported_and_settings_reach_them() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = bodies.clone();
    let exporter = BoxExport::from_fn(move |batch: Batch| {
        seen.lock().push(batch.body().to_bytes());
        async { Ok(Accepted::FULL) }
    });
    let problems = Arc::new(Mutex::new(Vec::new()));
    let reported = problems.clone();
    let config = OtlpConfig::from_vars(|name| match name {
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE" => Some("delta".into()),
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION" => {
            Some("base2_exponential_bucket_histogram".into())
        }
        _ => None,
    });
    let config = config.with_exporter(exporter).with_metric_hook(move |problem| {
        reported.lock().push(problem.to_string());
    });
    let client = OtlpClient::new(config).unwrap();
    client.histogram::<u64>("size").build().record(3, ());
    client.counter::<u64>("").build().add(1, ());
    client.force_flush(WAIT).unwrap();
    assert!(problems.lock()[0].contains("invalid name"), "{:?}", problems.lock());
    let bodies = bodies.lock();
    let metric = RequestView::new(Signal::METRICS, &bodies[0]).metrics().next().unwrap();
    let MetricData::ExponentialHistogram(histogram) = metric.data() else { panic!("{metric:?}") };
    assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Delta);
}

#[test]
fn the_shortest_and_the_longest_times_work() {
    for time in [Duration::ZERO, Duration::MAX] {
        let exporter = BoxExport::from_fn(|_| async { Ok(Accepted::FULL) });
        let mut config = OtlpConfig::default().with_exporter(exporter).with_timeout(time);
        for batches in [&mut config.span_batches, &mut config.log_batches] {
            (batches.schedule_delay, batches.export_timeout) = (time, time);
        }
        config.metric_settings.export_timeout = time;
        config.metric_settings.interval = time.max(Duration::from_nanos(1));
        config.shutdown_timeout = time;
        let client = OtlpClient::new(config).unwrap();
        client.send_trace("work").finish();
        client.counter::<u64>("done").build().add(1, ());
        client.force_flush(WAIT).unwrap();
        let stats = client.stats();
        assert!(stats.spans.sent() == 1 && stats.points.sent() >= 1, "{time:?} {stats:?}");
    }
}
