use super::*;
use otlp_protocol::encode::LogRecords;
use otlp_protocol::view::RequestView;
use otlp_protocol::{Accepted, Batch, ErrorKind, Retry};
use otlp_transport::{ExportError, TokioClock};

struct Line(u64);

impl OwnEntry for Line {
    type Entries = LogRecords;

    fn write(&self, scope: &mut ScopeGroupWriter<'_, LogRecords>) {
        scope.log_record(|record| {
            record.body(self.0);
        });
    }
}

/// Sizes of the requests that came, with the time since the start in milliseconds.
type Came = Arc<Mutex<Vec<(u64, u128)>>>;

fn destination(came: &Came) -> BoxExport {
    let (came, start) = (came.clone(), TokioClock.now());
    BoxExport::from_fn(move |batch: Batch| {
        let after = (TokioClock.now() - start).as_millis();
        came.lock().push((batch.items(), after));
        async { Ok(Accepted::FULL) }
    })
}

fn config(size: usize, batch: usize, delay: u64) -> OwnQueueConfig {
    OwnQueueConfig {
        max_queue_size: size,
        max_export_batch_size: batch,
        schedule_delay: Duration::from_millis(delay),
    }
}

fn lost(registry: &Registry, reason: &str) -> Option<f64> {
    registry.snapshot().get("otlp_own_telemetry_lost_items", &[("otel_signal", "logs"), ("reason", reason)])
}

fn sent(registry: &Registry) -> Option<f64> {
    registry.snapshot().get("otlp_own_telemetry_sent_items", &[("otel_signal", "logs")])
}

#[tokio::test(start_paused = true)]
async fn full_requests_go_at_once_and_the_rest_after_the_delay() {
    let (registry, came) = (Registry::new(), Came::default());
    let queue = OwnQueue::new(config(100, 10, 500), &registry);
    let sender = queue.start(Arc::default(), destination(&came), Arc::new(TokioClock));
    (0..25).for_each(|line| queue.push(Line(line)));
    tokio::time::sleep(Duration::from_millis(2000)).await;
    assert_eq!(*came.lock(), [(10, 0), (10, 0), (5, 500)]);
    queue.push(Line(1));
    sender.drain().await;
    assert_eq!(came.lock().last(), Some(&(1, 2000)), "a drain does not wait for the delay");
    queue.push(Line(2));
    assert_eq!((sent(&registry), lost(&registry, "shutdown")), (Some(26.0), Some(1.0)));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sent_is_counted_by_reason() {
    let registry = Registry::new();
    let queue = OwnQueue::new(config(8, 4, 0), &registry);
    (0..10).for_each(|line| queue.push(Line(line)));
    assert_eq!(lost(&registry, "queue_full"), Some(2.0));
    let refusing = BoxExport::from_fn(|_| async {
        Err(ExportError::new(ErrorKind::PermissionDenied, Retry::Never, "no"))
    });
    let sender = queue.start(Arc::default(), refusing, Arc::new(TokioClock));
    sender.drain().await;
    assert_eq!((sent(&registry), lost(&registry, "send_failed")), (Some(0.0), Some(8.0)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_destination_costs_one_request() {
    let registry = Registry::new();
    let queue = OwnQueue::new(config(8, 1, 0), &registry);
    let panicking = BoxExport::from_fn(|batch: Batch| async move {
        assert!(batch.items() != 1, "a fault of the destination");
        Ok(Accepted::FULL)
    });
    let sender = queue.start(Arc::default(), panicking, Arc::new(TokioClock));
    (0..3).for_each(|line| queue.push(Line(line)));
    sender.drain().await;
    assert_eq!((lost(&registry, "send_failed"), lost(&registry, "shutdown")), (Some(3.0), Some(0.0)));
}

#[tokio::test(start_paused = true)]
async fn a_queue_smaller_than_a_request_is_sent_when_it_is_full() {
    let (registry, came) = (Registry::new(), Came::default());
    let longest = OwnQueueConfig { schedule_delay: Duration::MAX, ..config(4, 512, 0) };
    let queue = OwnQueue::new(longest, &registry);
    let sender = queue.start(Arc::default(), destination(&came), Arc::new(TokioClock));
    for _ in 0..3 {
        (0..4).for_each(|line| queue.push(Line(line)));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((came.lock().len(), lost(&registry, "queue_full")), (3, Some(0.0)));
    queue.push(Line(1));
    tokio::time::sleep(Duration::from_secs(1)).await;
    sender.drain().await;
    assert_eq!(sent(&registry), Some(13.0));
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_off_is_counted_too() {
    let registry = Registry::new();
    let queue = OwnQueue::new(config(8, 4, 0), &registry);
    let hanging = BoxExport::from_fn(|_| std::future::pending());
    let sender = queue.start(Arc::default(), hanging, Arc::new(TokioClock));
    (0..8).for_each(|line| queue.push(Line(line)));
    let drained = tokio::time::timeout(Duration::from_secs(5), sender.drain()).await;
    assert!(drained.is_err());
    drop(sender);
    tokio::task::yield_now().await;
    assert_eq!(lost(&registry, "shutdown"), Some(8.0), "four on their way, four in the queue");
}

#[tokio::test(start_paused = true)]
async fn requests_have_the_resource_and_the_scope() {
    let queue = OwnQueue::new(OwnQueueConfig::default(), &Registry::new());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let keep = BoxExport::from_fn(move |batch: Batch| {
        kept.lock().push(batch.body().plain().to_contiguous());
        async { Ok(Accepted::FULL) }
    });
    let resource = [("service.name".to_owned(), AttributeValue::string("otlp"))];
    let sender = queue.start(resource.into(), keep, Arc::new(TokioClock));
    queue.push(Line(7));
    sender.drain().await;
    let bodies = seen.lock();
    let view = RequestView::new(LogRecords::SIGNAL, &bodies[0]);
    let group = view.resources().next().expect("a resource");
    let name = group.resource().attributes().iter().find(|attribute| attribute.key() == "service.name");
    assert_eq!(name.map(|name| format!("{:?}", name.value())), Some("\"otlp\"".into()));
}
