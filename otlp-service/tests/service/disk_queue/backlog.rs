//! The order of what has waited in queues on disk, and its limits.

use super::*;
use otlp_service::{BacklogOrder, Share};
use std::num::NonZeroU64;

impl OnDisk {
    /// A gateway whose destination has been away for a while, with these batches.
    async fn after_an_outage(batches: u64, change: impl Fn(&mut QueueConfig)) -> Self {
        let sink = Sink::always(UNAVAILABLE);
        let queue = Self::with(FaultyDisk::new(1), &sink, &change).await;
        for number in 0..batches {
            queue.export(&number.to_string()).await.unwrap();
        }
        let disk = queue.stop().await;
        Self::with(disk, &Sink::always(Step::Slow(Duration::from_millis(10))), change).await
    }

    /// The place of a batch among those that arrived.
    fn place(&self, name: &str) -> usize {
        self.arrived().iter().position(|arrived| arrived == name).unwrap()
    }
}

fn limits(config: &mut QueueConfig, rate: Option<u64>, share: Option<f64>) {
    let backlog = &mut config.storage.as_mut().unwrap().backlog;
    backlog.max_bytes_per_second = rate.and_then(NonZeroU64::new);
    backlog.max_share = share.and_then(Share::new);
}

#[tokio::test(start_paused = true)]
async fn newest_first_delivers_what_comes_in_and_then_the_newest_segment() {
    let queue = OnDisk::after_an_outage(100, |config| {
        config.num_consumers = 1;
        let storage = config.storage.as_mut().unwrap();
        storage.backlog.order = BacklogOrder::NewestFirst;
        // Several segments.
        storage.max_bytes = Some(20_000);
    })
    .await;
    queue.export("new").await.unwrap();
    queue.settle().await;
    let arrived = queue.arrived();
    assert_eq!(arrived.len(), 101);
    // What was read before the export was answered may be on its way.
    assert!(queue.place("new") <= 2, "{arrived:?}");
    let old: Vec<u64> = arrived.iter().filter_map(|name| name.parse().ok()).collect();
    let falls = old.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!((2..12).contains(&falls) && old[0] > 70 && old.contains(&0), "{old:?}");
    assert!(queue.place("0") > 70, "{old:?}");
}

#[tokio::test(start_paused = true)]
async fn the_default_is_oldest_first() {
    let queue = OnDisk::after_an_outage(20, |config| config.num_consumers = 1).await;
    queue.export("new").await.unwrap();
    queue.settle().await;
    let all: Vec<_> = (0..20).map(|number| number.to_string()).chain(["new".into()]).collect();
    assert_eq!(queue.arrived(), all);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limits_what_has_waited_and_not_what_comes_in() {
    let len = named("10").len() as u64;
    let queue = OnDisk::after_an_outage(60, |config| limits(config, Some(len), None)).await;
    for number in 0..30 {
        let sent = TokioClock.now();
        let name = format!("new {number}");
        queue.export(&name).await.unwrap();
        while !queue.arrived().contains(&name) {
            TokioClock.sleep(Duration::from_millis(5)).await;
        }
        let took = TokioClock.now() - sent;
        assert!(took < Duration::from_millis(50), "{took:?}");
        TokioClock.sleep(Duration::from_secs(1) - took).await;
    }
    let old = queue.arrived().iter().filter(|name| name.parse::<u64>().is_ok()).count();
    assert!((29..=32).contains(&old), "a batch a second: {old}");
    assert!(queue.metric("backlog_pauses") > 0.0);
    queue.settle().await;
    assert_eq!(queue.arrived().len(), 90);
    let line = queue.line();
    assert_eq!((line.sent, line.queued, line.in_flight), (90, 0, 0), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_share_leaves_consumers_for_what_comes_in() {
    let queue = OnDisk::after_an_outage(50, |config| {
        config.num_consumers = 4;
        limits(config, None, Some(0.5));
    })
    .await;
    TokioClock.sleep(Duration::from_millis(1)).await;
    let line = queue.line();
    assert_eq!((line.in_flight, line.queued), (2, 48), "{line}");
    queue.export("new").await.unwrap();
    TokioClock.sleep(Duration::from_millis(15)).await;
    assert!(queue.place("new") <= 4, "{:?}", queue.arrived());
    queue.settle().await;
    assert_eq!(queue.arrived().len(), 51);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_in_the_process_what_comes_in_goes_first() {
    let sink = Sink::always(UNAVAILABLE);
    let len = named("10").len() as u64;
    let queue = OnDisk::with(FaultyDisk::new(2), &sink, |config| limits(config, Some(len), None)).await;
    for number in 0..200 {
        queue.export(&number.to_string()).await.unwrap();
        TokioClock.sleep(Duration::from_secs(1)).await;
    }
    sink.recover();
    // The consumers try again half a minute later at most.
    queue.settle().await;
    let before = queue.arrived();
    queue.export("new").await.unwrap();
    TokioClock.sleep(Duration::from_millis(10)).await;
    let arrived = queue.arrived();
    assert!(queue.place("new") <= before.len() + 1 && arrived.len() < 150, "{arrived:?}");
    // At first, what had come in within the last seconds; then the oldest.
    assert!(before.iter().all(|name| !(150..190).contains(&name.parse::<u64>().unwrap())), "{before:?}");
    while queue.line().queued > 0 {
        queue.settle().await;
    }
    assert_eq!(queue.arrived().len(), 201);
}

#[tokio::test(start_paused = true)]
async fn a_reload_changes_the_limits() {
    let slow = |config: &mut QueueConfig| limits(config, Some(1), None);
    let mut queue = OnDisk::after_an_outage(30, slow).await;
    queue.settle().await;
    assert!(queue.arrived().len() < 10, "{:?}", queue.arrived());
    let sink = queue.sink.clone();
    queue.gateway.reload(spec(&sink, |_| {})).await.unwrap();
    queue.settle().await;
    let mut arrived: Vec<u64> = queue.arrived().iter().map(|name| name.parse().unwrap()).collect();
    arrived.sort_unstable();
    assert_eq!(arrived, (0..30).collect::<Vec<_>>());
}
