//! Metrics, log lines and health of queues on disk.

use super::*;
use otlp_service::Health;
use parking_lot::Mutex;
use std::io;
use tracing::subscriber::DefaultGuard;

const PLACE: &str = "/data/out/logs";

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Collects the lines of this thread from info on, until the guard is dropped.
    fn collect() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    /// The lines with this text.
    fn with(&self, text: &str) -> Vec<String> {
        let all = String::from_utf8(self.0.lock().clone()).unwrap();
        all.lines().filter(|line| line.contains(text)).map(|line| line.trim().to_owned()).collect()
    }
}

impl OnDisk {
    pub(super) fn metric(&self, name: &str) -> f64 {
        let labels = [("exporter", "out"), ("data_type", "logs")];
        self.gateway.metrics().get(&format!("otlp_queue_{name}"), &labels).unwrap()
    }

    fn health(&self) -> Health {
        let checks = self.gateway.health().report().checks;
        checks.into_iter().find(|check| check.name == "storage/out/logs").unwrap().health
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_tell_what_is_in_the_files() {
    let sink = Sink::always(Step::Hang);
    let queue = OnDisk::with(FaultyDisk::new(1), &sink, |config| {
        config.num_consumers = 1;
        config.storage.as_mut().unwrap().max_bytes = Some(1 << 20);
    })
    .await;
    assert_eq!(queue.metric("oldest_age_seconds"), 0.0);
    for name in ["a", "b", "c"] {
        queue.export(name).await.unwrap();
    }
    let files = queue.disk.list(Path::new(PLACE)).unwrap();
    let segments: u64 = files.iter().filter(|(file, _)| file.ends_with(".log")).map(|(_, len)| len).sum();
    assert_eq!(queue.metric("bytes"), segments as f64, "{files:?}");
    assert_eq!((queue.metric("limit_bytes"), queue.metric("segments")), ((1 << 20) as f64, 1.0));
    // The first one is being sent.
    queue.settle().await;
    assert_eq!((queue.metric("records"), queue.metric("items")), (2.0, 2.0));
    // The wall clock is real.
    std::thread::sleep(Duration::from_millis(20));
    let age = queue.metric("oldest_age_seconds");
    assert!((0.02..10.0).contains(&age), "{age}");
    let groups = queue.metric("appended_groups");
    assert!((1.0..=3.0).contains(&groups), "{groups}");
    let metrics = queue.gateway.metrics();
    let sync =
        metrics.families.iter().find(|family| family.name == "otlp_queue_sync_duration_seconds").unwrap();
    assert!(sync.samples.iter().any(|sample| sample.value == groups), "{sync:?}");
}

#[tokio::test(start_paused = true)]
async fn two_queues_of_one_store_are_shown_once() {
    let sink = Sink::always(Step::Hang);
    let queue = OnDisk::with(FaultyDisk::new(2), &sink, |config| config.num_consumers = 1).await;
    for name in ["a", "b", "c"] {
        queue.export(name).await.unwrap();
    }
    let OnDisk { mut gateway, disk, sink } = queue;
    let changed = spec(&sink, |config| config.num_consumers = 2);
    gateway.reload(changed).await.unwrap();
    let queue = OnDisk { gateway, disk, sink };
    let segments = queue.metric("segments");
    assert_eq!((segments, queue.metric("appended_groups") <= 3.0), (1.0, true));
    assert_eq!(queue.health(), Health::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_is_counted_logged_and_unhealthy_until_it_works() {
    let (lines, _guard) = Lines::collect();
    let queue = OnDisk::start(FaultyDisk::new(3), &Sink::always(UNAVAILABLE)).await;
    queue.export("a").await.unwrap();
    assert_eq!(queue.health(), Health::Healthy);
    queue.disk.fail_at_random(DiskOperation::Sync, 1.0);
    for _ in 0..3 {
        queue.export("b").await.unwrap_err();
    }
    assert_eq!((queue.metric("failed_syncs"), queue.metric("failed_appends")), (6.0, 3.0));
    let Health::Unhealthy(reason) = queue.health() else { panic!("{:?}", queue.health()) };
    assert!(
        reason.starts_with("batches cannot be stored: the queue's files cannot be written: "),
        "{reason}"
    );
    // The gateway is ready all the same: its other exporters may work.
    assert_eq!(queue.gateway.health().report().http_status(), 200);
    let told = lines.with("the sending queue cannot store requests");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("directory=/data/out/logs") && told[0].contains("items=1 batches=1"),
        "{told:?}"
    );
    queue.disk.clear_faults();
    queue.disk.fail_at_random(DiskOperation::Sync, 0.0);
    queue.export("c").await.unwrap();
    assert_eq!(queue.health(), Health::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_nearly_full_is_unhealthy_until_it_has_room_again() {
    let disk = FaultyDisk::new(4);
    disk.set_capacity(1 << 20);
    let queue = OnDisk::with(disk, &Sink::always(UNAVAILABLE), |config| {
        config.storage.as_mut().unwrap().max_bytes = Some(512 << 10);
    })
    .await;
    queue.export("a").await.unwrap();
    queue.disk.set_capacity(32 << 10);
    // Also without a request.
    queue.settle().await;
    let Health::Unhealthy(reason) = queue.health() else { panic!("{:?}", queue.health()) };
    assert!(reason.contains("the disk is nearly full"), "{reason}");
    queue.export("b").await.unwrap_err();
    assert_eq!(queue.metric("failed_appends"), 1.0);
    queue.disk.set_capacity(1 << 20);
    queue.settle().await;
    assert_eq!(queue.health(), Health::Healthy);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_is_logged_with_its_items() {
    let (lines, _guard) = Lines::collect();
    let sink = Sink::always(Step::Hang);
    let queue = OnDisk::with(FaultyDisk::new(5), &sink, |config| {
        config.num_consumers = 1;
        config.on_full = OnFull::DropOldest;
        let storage = config.storage.as_mut().unwrap();
        (storage.max_bytes, storage.max_age) = (Some(4096), Some(Duration::ZERO));
    })
    .await;
    for number in 0..100 {
        queue.export(&number.to_string()).await.unwrap();
    }
    assert_eq!(lines.with("the oldest segments of a full sending queue were dropped").len(), 1);
    std::thread::sleep(Duration::from_millis(5));
    queue.settle().await;
    let expired = lines.with("segments of the sending queue were older than max_age, and were dropped");
    assert_eq!(expired.len(), 1, "{expired:?}");
    assert!(expired[0].contains("items="), "{expired:?}");
}

#[tokio::test(start_paused = true)]
async fn a_start_tells_what_was_found() {
    let (lines, _guard) = Lines::collect();
    let queue = OnDisk::start(FaultyDisk::new(6), &Sink::always(UNAVAILABLE)).await;
    for name in ["a", "b", "c"] {
        queue.export(name).await.unwrap();
    }
    assert_eq!(lines.with("sending queue"), Vec::<String>::new());
    let disk = queue.stop().await;
    disk.sync_all();
    let files = disk.list(Path::new(PLACE)).unwrap();
    let segment = files.iter().find(|(file, _)| file.ends_with(".log")).unwrap().0.clone();
    // In the body of the second record.
    let bytes = disk.contents(Path::new(PLACE).join(&segment)).unwrap();
    let at = bytes.windows(3).position(|three| three == b"<b>").unwrap();
    disk.corrupt(Path::new(PLACE).join(&segment), at as u64).unwrap();
    disk.corrupt(Path::new(PLACE).join("exporter.cursor"), 5).unwrap();
    let again = OnDisk::start(disk, &Sink::default()).await;
    let found = lines.with("batches of an earlier run are in the sending queue");
    assert!(found.len() == 1 && found[0].starts_with("INFO"), "{found:?}");
    assert_eq!(lines.with("the cursor of the sending queue was damaged").len(), 1);
    again.settle().await;
    assert_eq!(again.arrived(), ["a", "c"]);
    assert_eq!(again.metric("damaged_records"), 1.0);
    assert!(again.metric("damaged_bytes") > 64.0);
    let skipped = lines.with("damaged records in the files of the sending queue were skipped");
    assert!(skipped.len() == 1 && skipped[0].contains("records=1 "), "{skipped:?}");
}
