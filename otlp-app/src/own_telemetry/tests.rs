use super::*;
use otlp_protocol::Accepted;
use otlp_transport::TokioClock;

#[test]
fn the_resource_has_defaults_that_the_file_replaces_or_removes() {
    let sources = OwnSources::new(&TransportContext::tcp(1), LogExport::default());
    let labels = [("service_name", "otlp"), ("service_instance_id", "7f")];
    let kind = otlp_service::MetricKind::Gauge;
    let _shown = sources.registry.observe(kind, "target_info", "Always 1.", &labels, || 1.0);
    let names = |given: &[(&str, Option<&str>)]| {
        let given = given.iter().map(|(key, value)| ((*key).to_owned(), value.map(AttributeValue::string)));
        let resource = sources.resource(&given.collect::<Vec<_>>());
        resource.iter().map(|(key, value)| format!("{key}={:?}", value.view())).collect::<Vec<_>>()
    };
    let defaults = names(&[]);
    assert_eq!(defaults.len(), 3, "{defaults:?}");
    assert_eq!(defaults[0], "service.name=\"otlp\"");
    assert_eq!(defaults[2], "service.instance.id=\"7f\"");
    let given = names(&[
        ("service.name", Some("edge")),
        ("service.version", None),
        ("service.instance.id", Some("")),
        ("host.name", Some("a")),
        ("none", None),
    ]);
    assert_eq!(given, ["service.name=\"edge\"", "service.instance.id=\"\"", "host.name=\"a\""]);
}

#[tokio::test]
async fn the_last_push_of_metrics_waits_for_no_destination_of_logs_that_hangs() {
    let (logs, subscriber) = crate::logging::subscribed();
    let sources = OwnSources::new(&TransportContext::tcp(1), logs);
    let _served = sources.registry.counter("served", "Orders served.", &[]);
    let pushed = Arc::new(tokio::sync::Notify::new());
    let pushing = pushed.clone();
    let export = BoxExport::from_fn(move |_| {
        pushing.notify_one();
        async { Ok(Accepted::FULL) }
    });
    let tasks = OwnTelemetryTasks {
        sources,
        clock: Arc::new(TokioClock),
        resource: Vec::new(),
        readers: vec![(MetricsReaderConfig::default(), other(export))],
        log_processors: vec![(
            OwnQueueConfig::default(),
            other(BoxExport::from_fn(|_| std::future::pending())),
        )],
        spans: None,
        running: Mutex::default(),
    };
    tasks.start().await.unwrap();
    tracing::subscriber::with_default(subscriber, || tracing::info!("a line"));
    tokio::select! {
        () = tasks.stop() => panic!("the line hangs"),
        () = pushed.notified() => {}
    }
}

/// Receivers of the gateway itself are closed when the last requests are sent: neither the timeout of a push nor retries are
/// waited for.
#[tokio::test]
async fn the_gateway_itself_gets_little_time_for_the_last_requests() {
    let (logs, subscriber) = crate::logging::subscribed();
    let sources = OwnSources::new(&TransportContext::tcp(1), logs);
    let _served = sources.registry.counter("served", "Orders served.", &[]);
    let hanging = || Destination { export: BoxExport::from_fn(|_| std::future::pending()), is_own: true };
    let mut config = MetricsReaderConfig::default();
    config.timeout = Duration::from_secs(3600);
    let tasks = OwnTelemetryTasks {
        sources: sources.clone(),
        clock: Arc::new(TokioClock),
        resource: Vec::new(),
        readers: vec![(config, hanging())],
        log_processors: vec![(OwnQueueConfig::default(), hanging())],
        spans: None,
        running: Mutex::default(),
    };
    tasks.start().await.unwrap();
    tracing::subscriber::with_default(subscriber, || tracing::info!("a line"));
    tokio::select! {
        () = tasks.stop() => {}
        () = TokioClock.sleep(Duration::from_secs(60)) => panic!("the last requests are waited for"),
    }
}

#[test]
fn destinations_that_are_the_gateway_itself_are_known() {
    let context = TransportContext::tcp(1);
    let sources = OwnSources::new(&context, LogExport::default());
    let listeners = [Place::of("0.0.0.0:4318").unwrap()];
    let making = Making {
        context: &context,
        sources: &sources,
        listeners: &listeners,
        own: OwnAddresses::of_machine(),
    };
    for (listener, is_own) in [("localhost:4318", true), ("127.0.0.1:4318", true), ("127.0.0.1:4317", false)]
    {
        assert_eq!(making.is_own(&Place::of(listener).unwrap()), is_own, "{listener}");
    }
}

fn other(export: BoxExport) -> Destination {
    Destination { export, is_own: false }
}
