//! Classes in queues on disk: what is delivered first, and what is dropped last.

use super::*;
use otlp_protocol::{Body, Charge, SeverityNumber, encode};
use otlp_service::{DropReason, QueueClass, QueueClasses, Share};

/// A request of log records, each with its name and its severity.
fn records(records: &[(&str, SeverityNumber)]) -> Batch {
    let body = Body::write::<encode::LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                for (name, severity) in records {
                    scope.log_record(|record| {
                        record.severity_number(*severity).event_name(&format!("<{name}>"));
                    });
                }
            });
        });
    });
    Batch::new(body, Charge::none())
}

fn errors(name: &str) -> Batch {
    records(&[(name, SeverityNumber::Error)])
}

/// Errors, and the rest with this share.
fn classes(rest: Option<f64>) -> QueueClasses {
    let mut of_rest = QueueClass::new(QueueClass::REST, [""; 0]);
    of_rest.max_share = rest.and_then(Share::new);
    let errors = QueueClass::new("errors", ["log.severity_number >= SEVERITY_NUMBER_ERROR"]);
    QueueClasses::new(vec![errors, of_rest]).unwrap()
}

fn by_class(config: &mut QueueConfig) {
    config.num_consumers = 1;
    config.storage.as_mut().unwrap().classes = Some(classes(None));
}

fn small(config: &mut QueueConfig, on_full: OnFull, rest: Option<f64>) {
    by_class(config);
    config.on_full = on_full;
    let storage = config.storage.as_mut().unwrap();
    (storage.max_bytes, storage.classes) = (Some(8192), Some(classes(rest)));
}

impl OnDisk {
    async fn send(&self, batch: Batch) -> ExportResult {
        self.gateway.inlet("logs").unwrap().export(batch).await
    }

    /// The names of all records that arrived, in order.
    fn all(&self) -> Vec<String> {
        let bodies = self.sink.bodies();
        let texts = bodies.iter().map(|body| String::from_utf8_lossy(body).into_owned());
        let names = texts.flat_map(|text| {
            let names = text.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
            names.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
        });
        names.collect()
    }

    fn of_class(&self, name: &str, class: &str, reason: Option<&str>) -> f64 {
        let mut labels = vec![("exporter", "out"), ("data_type", "logs"), ("class", class)];
        labels.extend(reason.map(|reason| ("reason", reason)));
        self.gateway.metrics().get(&format!("otlp_queue_{name}"), &labels).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn the_highest_class_goes_first_and_a_batch_is_divided() {
    use SeverityNumber::{Error, Info};
    let sink = Sink::always(UNAVAILABLE);
    let queue = OnDisk::with(FaultyDisk::new(1), &sink, by_class).await;
    queue.send(records(&[("first", Info)])).await.unwrap();
    for number in 0..5 {
        let names = [format!("info {number}"), format!("error {number}"), format!("debug {number}")];
        let severities = [Info, Error, Info];
        let all: Vec<_> = names.iter().map(String::as_str).zip(severities).collect();
        queue.send(records(&all)).await.unwrap();
    }
    assert_eq!((queue.of_class("items", "errors", None), queue.of_class("items", "rest", None)), (5.0, 10.0));
    sink.recover();
    queue.settle().await;
    let all = queue.all();
    assert_eq!(all[0], "first");
    assert!(all[1..6].iter().all(|name| name.starts_with("error")), "{all:?}");
    assert_eq!(all[6..9], ["info 0", "debug 0", "info 1"]);
    let line = queue.line();
    assert_eq!((line.accepted, line.sent, line.queued), (16, 16, 0), "{line}");
    // Nothing is left in the files.
    let again = OnDisk::with(queue.stop().await, &Sink::default(), by_class).await;
    again.settle().await;
    assert_eq!(again.all(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_of_all_classes_survives_a_power_cut() {
    for crash in [Crash::LoseUnsynced, Crash::Torn, Crash::Any] {
        let queue = OnDisk::with(FaultyDisk::new(2), &Sink::always(UNAVAILABLE), by_class).await;
        for number in 0..20 {
            let (info, error) = (format!("i{number}"), format!("e{number}"));
            queue
                .send(records(&[(&info, SeverityNumber::Info), (&error, SeverityNumber::Error)]))
                .await
                .unwrap();
        }
        let found = queue.disk.crash(crash);
        drop(queue);
        let again = OnDisk::with(found, &Sink::default(), by_class).await;
        again.settle().await;
        assert_eq!((again.all().len(), again.line().sent), (40, 40), "{crash:?}");
        assert!(again.all()[..20].iter().all(|name| name.starts_with('e')), "{crash:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_classes_becomes_the_lowest_class() {
    let queue = OnDisk::start(FaultyDisk::new(3), &Sink::always(UNAVAILABLE)).await;
    queue.send(errors("before")).await.unwrap();
    let again = OnDisk::with(queue.stop().await, &Sink::default(), by_class).await;
    assert_eq!((again.of_class("items", "errors", None), again.of_class("items", "rest", None)), (0.0, 1.0));
    again.settle().await;
    assert_eq!(again.all(), ["before"]);
}

#[tokio::test(start_paused = true)]
async fn a_class_that_leaves_the_settings_is_delivered_last() {
    let queue = OnDisk::with(FaultyDisk::new(4), &Sink::always(UNAVAILABLE), by_class).await;
    for name in ["a", "b"] {
        queue.send(errors(name)).await.unwrap();
    }
    let again =
        OnDisk::with(queue.stop().await, &Sink::always(UNAVAILABLE), |config| config.num_consumers = 1).await;
    queue_up(&again, &["c"]).await;
    assert_eq!(again.of_class("items", "errors", None), 2.0);
    again.sink.recover();
    again.settle().await;
    assert_eq!(again.all(), ["c", "a", "b"]);
    assert_eq!(again.line().queued, 0);
}

async fn queue_up(queue: &OnDisk, names: &[&str]) {
    for name in names {
        queue.send(errors(name)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_share_keeps_room_for_higher_classes() {
    let sink = Sink::always(UNAVAILABLE);
    let queue =
        OnDisk::with(FaultyDisk::new(5), &sink, |config| small(config, OnFull::Refuse, Some(0.5))).await;
    let mut taken = 0;
    let refusal = loop {
        match queue.export("rest").await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(refusal.retry().is_retryable() && refusal.to_string().contains("full"), "{refusal}");
    assert!(queue.of_class("bytes", "rest", None) <= 4096.0);
    queue.send(errors("error")).await.unwrap();
    // Of a batch with a part that has no room, nothing is stored.
    use SeverityNumber::{Error, Info};
    queue.send(records(&[("x", Error), ("y", Info)])).await.unwrap_err();
    assert_eq!(queue.of_class("items", "errors", None), 1.0);
    let line = queue.line();
    assert_eq!(
        (line.accepted, line.refused, line.queued + line.in_flight),
        (taken + 1, 3, taken + 1),
        "{line}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_lowest_class_is_dropped_first() {
    let sink = Sink::always(Step::Hang);
    let queue =
        OnDisk::with(FaultyDisk::new(6), &sink, |config| small(config, OnFull::DropLowest, None)).await;
    for number in 0..100 {
        queue.export(&format!("rest {number}")).await.unwrap();
    }
    let before = queue.of_class("dropped_items", "rest", Some("queue_full"));
    assert!(before > 10.0, "{before}");
    for number in 0..20 {
        queue.send(errors(&format!("error {number}"))).await.unwrap();
    }
    assert_eq!(queue.of_class("items", "errors", None), 20.0);
    assert!(queue.of_class("dropped_items", "rest", Some("queue_full")) > before);
    // Until only files of the higher class are left.
    let mut accepted = 120;
    let refusal = loop {
        queue.send(errors("error")).await.unwrap();
        accepted += 1;
        match queue.export("rest").await {
            Ok(_) => accepted += 1,
            Err(refusal) => break refusal,
        }
    };
    assert!(refusal.retry().is_retryable(), "{refusal}");
    assert_eq!(queue.of_class("items", "rest", None), 0.0);
    // Of a batch the lower part is dropped, and the higher part stored.
    use SeverityNumber::{Error, Info};
    queue.send(records(&[("info", Info), ("last", Error)])).await.unwrap();
    let line = queue.line();
    let dropped: f64 = ["errors", "rest"]
        .map(|class| queue.of_class("dropped_items", class, Some("queue_full")))
        .iter()
        .sum();
    assert_eq!(line.dropped_for(DropReason::QueueFull) as f64, dropped, "{line}");
    assert_eq!((line.accepted, line.refused), (accepted + 2, 1), "{line}");
    assert!(
        queue
            .gateway
            .metrics()
            .get("otlp_queue_bytes", &[("exporter", "out"), ("data_type", "logs"), ("class", "errors")])
            .unwrap()
            <= 8192.0 * 1.3
    );
}

#[tokio::test(start_paused = true)]
async fn the_oldest_of_all_classes_is_dropped_if_the_settings_say_so() {
    let sink = Sink::always(Step::Hang);
    let queue =
        OnDisk::with(FaultyDisk::new(7), &sink, |config| small(config, OnFull::DropOldest, None)).await;
    for number in 0..30 {
        queue.send(errors(&format!("error {number}"))).await.unwrap();
    }
    std::thread::sleep(Duration::from_millis(3));
    for number in 0..100 {
        queue.export(&format!("rest {number}")).await.unwrap();
    }
    assert!(queue.of_class("dropped_items", "errors", Some("queue_full")) >= 20.0);
    assert!(queue.of_class("items", "rest", None) > 10.0);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_cannot_be_stored_fails_the_batch() {
    use SeverityNumber::{Error, Info};
    let queue = OnDisk::with(FaultyDisk::new(8), &Sink::always(UNAVAILABLE), by_class).await;
    queue.send(records(&[("a", Error), ("b", Info)])).await.unwrap();
    let place = Path::new("/data/out/logs@errors");
    for _ in 0..2 {
        queue.disk.fail_next(DiskOperation::Append, place);
    }
    let refusal = queue.send(records(&[("c", Error), ("d", Info)])).await.unwrap_err();
    assert!(refusal.retry().is_retryable(), "{refusal}");
    let line = queue.line();
    // The stored part is delivered, and again when the sender has sent it again.
    assert_eq!((line.accepted, line.refused), (3, 1), "{line}");
    queue.sink.recover();
    queue.settle().await;
    assert_eq!(queue.line().sent, 3);
}

#[tokio::test(start_paused = true)]
async fn a_reload_brings_classes_and_takes_them_away() {
    let mut queue = OnDisk::start(FaultyDisk::new(9), &Sink::always(UNAVAILABLE)).await;
    queue_up(&queue, &["a"]).await;
    let sink = queue.sink.clone();
    queue.gateway.reload(spec(&sink, by_class)).await.unwrap();
    queue_up(&queue, &["b", "c"]).await;
    assert_eq!(queue.of_class("items", "errors", None), 2.0);
    queue.gateway.reload(spec(&sink, |_| {})).await.unwrap();
    queue_up(&queue, &["d"]).await;
    sink.recover();
    queue.settle().await;
    let mut all = queue.all();
    all.sort();
    assert_eq!(all, ["a", "b", "c", "d"]);
    let line = queue.line();
    assert_eq!((line.accepted, line.sent, line.queued), (4, 4, 0), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_class_has_an_age_of_its_own() {
    let queue = OnDisk::with(FaultyDisk::new(10), &Sink::always(Step::Hang), |config| {
        let mut errors = QueueClass::new("errors", ["log.severity_number >= SEVERITY_NUMBER_ERROR"]);
        errors.max_age = Some(Duration::from_secs(3600));
        by_class(config);
        let storage = config.storage.as_mut().unwrap();
        storage.max_age = Some(Duration::ZERO);
        storage.classes = Some(QueueClasses::new(vec![errors]).unwrap());
    })
    .await;
    queue.export("taken").await.unwrap();
    queue.settle().await;
    queue.export("rest").await.unwrap();
    queue.send(errors("error")).await.unwrap();
    // The wall clock is real.
    std::thread::sleep(Duration::from_millis(5));
    queue.settle().await;
    assert_eq!(queue.of_class("dropped_items", "rest", Some("expired")), 1.0);
    assert_eq!(queue.of_class("items", "errors", None), 1.0);
}
