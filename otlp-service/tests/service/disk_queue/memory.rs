//! Queues on disk with little memory.

use super::*;

#[tokio::test(start_paused = true)]
async fn senders_that_wait_are_counted_once_also_without_memory() {
    let disk = FaultyDisk::new(21);
    let sink = Sink::default();
    let mut small = context(&disk);
    small.budget = otlp_protocol::ByteBudget::new(256 << 10);
    let slow = Step::Slow(Duration::from_millis(100));
    (0..60).for_each(|_| sink.then(slow.clone()));
    let waiting = |config: &mut QueueConfig| (config.wait_for_result, config.num_consumers) = (true, 1);
    let gateway = Gateway::start(small, spec(&sink, waiting)).await.unwrap();
    let inlet = gateway.inlet("logs").unwrap();
    let padding = "x".repeat(4000);
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..60 {
        let (inlet, batch) = (inlet.clone(), named(&format!("{number} {padding}")));
        senders.spawn(async move { inlet.export(batch).await });
    }
    let queue = OnDisk { gateway, disk, sink };
    for _ in 0..20 {
        TokioClock.sleep(Duration::from_millis(500)).await;
        // Nothing is accepted before the destination has it.
        let line = queue.line();
        assert_eq!((line.accepted, line.queued), (line.sent, 0), "{line}");
    }
    while let Some(answer) = senders.join_next().await {
        answer.unwrap().unwrap();
    }
    assert_eq!(queue.line().sent, 60);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_is_read_with_little_memory() {
    let queue = OnDisk::start(FaultyDisk::new(22), &Sink::always(UNAVAILABLE)).await;
    for number in 0..20 {
        queue.export(&number.to_string()).await.unwrap();
    }
    let disk = queue.stop().await;
    let sink = Sink::default();
    let mut small = context(&disk);
    small.budget = otlp_protocol::ByteBudget::new(100_000);
    let gateway = Gateway::start(small, spec(&sink, |_| {})).await.unwrap();
    let queue = OnDisk { gateway, disk, sink };
    queue.settle().await;
    assert_eq!(queue.arrived().len(), 20);
}
