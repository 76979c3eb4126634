//! Pipelines from many producers to many consumers: limits, order, drain and counts.

use crate::harness::*;
use otlp_protocol::Accepted;
use otlp_service::{
    ProducerConsumerConfig, ProducerConsumerCounts, ProducerConsumerPipeline, ProducerOrder, SendError,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

fn config(max_items: usize, max_bytes: usize, consumers: usize) -> ProducerConsumerConfig {
    let mut config = ProducerConsumerConfig::default();
    (config.max_items, config.max_bytes, config.consumers) = (max_items, max_bytes, consumers);
    config
}

/// A pipeline whose consumers take a second for each text, and the texts in the order in which they were begun.
fn slow(config: ProducerConsumerConfig) -> (ProducerConsumerPipeline<String>, Arc<Mutex<Vec<String>>>) {
    let begun = Arc::new(Mutex::new(Vec::new()));
    let seen = begun.clone();
    let consume = move |text: String| {
        seen.lock().push(text);
        async {
            pass(seconds(1)).await;
            Ok::<_, ()>(())
        }
    };
    (ProducerConsumerPipeline::start(config, consume, clock()), begun)
}

fn totals(counts: ProducerConsumerCounts) -> [u64; 5] {
    let ProducerConsumerCounts { sent, delivered, failed, dropped, queued, .. } = counts;
    assert_eq!(sent, delivered + failed + dropped + queued);
    [sent, delivered, failed, dropped, queued]
}

#[tokio::test(start_paused = true)]
async fn a_producer_waits_while_the_pipeline_is_full_of_items_or_bytes() {
    // (limits, text, how many fit)
    for (max_items, max_bytes, fits) in [(3, 1000, 3), (1000, 25, 2)] {
        let (pipeline, begun) = slow(config(max_items, max_bytes, 1));
        let producer = pipeline.producer();
        for _ in 0..fits {
            producer.try_send("0123456789".to_owned()).unwrap();
        }
        let full = producer.try_send("0123456789".to_owned()).unwrap_err();
        assert_eq!((full.to_string(), full.into_item().len()), ("the pipeline is full".to_owned(), 10));
        let waiting = tokio::spawn(async move { producer.send("the last".to_owned()).await });
        settle().await;
        let counts = pipeline.counts();
        assert_eq!((counts.blocked, counts.refused, totals(counts)), (1, 1, [fits, 0, 0, 0, fits]));
        assert!(!waiting.is_finished());
        // The room of an item is free once its consumer is done.
        pass(Duration::from_millis(1100)).await;
        waiting.await.unwrap().unwrap();
        assert_eq!(totals(pipeline.counts()), [fits + 1, 1, 0, 0, fits]);
        pass(seconds(10)).await;
        assert_eq!(totals(pipeline.counts()), [fits + 1, fits + 1, 0, 0, 0]);
        assert_eq!(begun.lock().last().unwrap(), "the last");
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_over_a_limit_is_refused_and_takes_no_room() {
    let (pipeline, _) = slow(config(1, 5, 1));
    let producer = pipeline.producer();
    let refused = producer.send("123456".to_owned()).await.unwrap_err();
    assert!(refused == SendError::TooLarge("123456".to_owned()), "{refused:?}");
    assert!(producer.try_send("123456".to_owned()).unwrap_err() == SendError::TooLarge("123456".to_owned()));
    producer.send("12345".to_owned()).await.unwrap();
    assert_eq!(pipeline.counts().refused, 2);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_cancelled_sends_nothing_and_keeps_no_room() {
    let (pipeline, begun) = slow(config(2, 1000, 1));
    let producer = pipeline.producer();
    for text in ["a", "b"] {
        producer.send(text.to_owned()).await.unwrap();
    }
    for _ in 0..10 {
        tokio::select! {
            biased;
            _ = producer.send("cancelled".to_owned()) => unreachable!("the pipeline is full"),
            () = pass(Duration::from_millis(10)) => {}
        }
    }
    producer.send("c".to_owned()).await.unwrap();
    let counts = pipeline.drain(now() + seconds(10)).await;
    assert_eq!((totals(counts), counts.blocked), ([3, 3, 0, 0, 0], 11));
    assert_eq!(*begun.lock(), ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn items_of_a_producer_are_consumed_one_after_the_other_if_asked() {
    for (order, at_once) in [(ProducerOrder::Any, 4), (ProducerOrder::PerProducer, 2)] {
        let mut config = config(100, 1000, 8);
        config.order = order;
        let (pipeline, begun) = slow(config);
        for name in ["x", "y"] {
            let producer = pipeline.producer();
            for number in 0..2 {
                // A clone is the same producer.
                producer.clone().send(format!("{name}{number}")).await.unwrap();
            }
        }
        settle().await;
        assert_eq!(begun.lock().len(), at_once, "{order:?}");
        assert_eq!(totals(pipeline.drain(now() + seconds(10)).await), [4, 4, 0, 0, 0]);
        let begun = begun.lock();
        let place = |text: &str| begun.iter().position(|begun| begun == text);
        assert!(place("x0") < place("x1") && place("y0") < place("y1"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_finishes_what_it_can_until_the_deadline_and_counts_the_rest() {
    for order in [ProducerOrder::Any, ProducerOrder::PerProducer] {
        let mut config = config(5, 1000, 1);
        config.order = order;
        let (pipeline, begun) = slow(config);
        let producer = pipeline.producer();
        for number in 0..5 {
            producer.send(number.to_string()).await.unwrap();
        }
        let blocked = producer.clone();
        let waiting = tokio::spawn(async move { blocked.send("late".to_owned()).await });
        settle().await;
        let counts = pipeline.drain(now() + Duration::from_millis(2500)).await;
        // Two were delivered, the third was with the consumer, two waited.
        assert_eq!((totals(counts), counts.refused), ([5, 2, 0, 3, 0], 1));
        assert_eq!(begun.lock().len(), 3);
        assert!(waiting.await.unwrap().unwrap_err() == SendError::Draining("late".to_owned()));
        assert!(
            producer.try_send("later".to_owned()).unwrap_err() == SendError::Draining("later".to_owned())
        );
        assert_eq!(pipeline.counts().refused, 2);
    }
}

/// Scenario: a drain is dropped, and two more run at a time. Guarantee: consumers go on, and no drain drops what another one
/// waits for.
#[tokio::test(start_paused = true)]
async fn drains_that_are_dropped_or_run_at_a_time_lose_nothing() {
    let (pipeline, begun) = slow(config(5, 1000, 1));
    let producer = pipeline.producer();
    for number in 0..5 {
        producer.send(number.to_string()).await.unwrap();
    }
    let dropped = tokio::time::timeout(Duration::from_millis(500), pipeline.drain(now() + seconds(60))).await;
    assert!(dropped.is_err());
    let (first, second) =
        tokio::join!(pipeline.drain(now() + seconds(60)), pipeline.drain(now() + seconds(2)));
    assert_eq!((totals(first), totals(second)), ([5, 5, 0, 0, 0], [5, 2, 0, 0, 3]));
    assert_eq!(begun.lock().len(), 5);
    assert_eq!(totals(pipeline.drain(now()).await), [5, 5, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_consumer_costs_its_item_alone() {
    let consume = |text: String| {
        if text == "bad call" {
            std::panic::resume_unwind(Box::new(()));
        }
        async move {
            if text == "bad future" {
                std::panic::resume_unwind(Box::new(()));
            }
            if text == "failing" { Err("as asked") } else { Ok(text.len()) }
        }
    };
    let pipeline = ProducerConsumerPipeline::start(config(10, 1000, 1), consume, clock());
    let producer = pipeline.producer();
    for text in ["good", "bad call", "bad future", "failing", "good", "good"] {
        producer.send(text.to_owned()).await.unwrap();
    }
    assert_eq!(totals(pipeline.drain(now() + seconds(1)).await), [6, 3, 3, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn batches_are_exported_and_counted_in_items() {
    let sink = Sink::scripted([Step::Accept, Step::Reject(3, "too old"), INVALID, Step::Accept]);
    let pipeline = ProducerConsumerPipeline::exporting(config(100, 10_000, 1), sink.clone(), clock());
    let producer = pipeline.producer();
    for items in [10, 20, 30, 40] {
        producer.send(logs(items)).await.unwrap();
    }
    assert!(
        matches!(producer.send(logs(101)).await, Err(SendError::TooLarge(batch)) if batch.items() == 101)
    );
    let counts = pipeline.drain(now() + seconds(1)).await;
    assert_eq!((totals(counts), counts.refused), ([100, 67, 33, 0, 0], 101));
    assert_eq!(sink.sizes(), [10, 20, 40]);
}

#[tokio::test(start_paused = true)]
async fn limits_of_zero_are_one() {
    let consume = |_: Vec<u8>| async { Ok::<_, ()>(Accepted::FULL) };
    let pipeline = ProducerConsumerPipeline::start(config(0, 0, 0), consume, clock());
    for _ in 0..10 {
        pipeline.producer().send(vec![7]).await.unwrap();
    }
    assert_eq!(totals(pipeline.drain(now() + seconds(1)).await), [10, 10, 0, 0, 0]);
}
