use super::*;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{ByteBudget, Count, Signal};
use otlp_transport::TokioClock;

/// A request of that many log records with a text of that length, of one resource.
fn logs(budget: &ByteBudget, items: u64, text: usize) -> Batch {
    let (mut record, mut scope, mut resource, mut body) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    put_len_delimited(&mut record, 3, &vec![b'x'; text]);
    for _ in 0..items {
        put_len_delimited(&mut scope, 2, &record);
    }
    put_len_delimited(&mut resource, 2, &scope);
    put_len_delimited(&mut body, 1, &resource);
    let charge = budget.try_charge(body.len() as u64).unwrap();
    Batch::new(Signal::LOGS, body, Count { items, entries: items }, true, charge)
}

fn items(max: u64) -> SplitLimits {
    SplitLimits { max_items: Some(max), max_bytes: None }
}

#[tokio::test(start_paused = true)]
async fn parts_are_cut_as_they_are_taken() {
    let budget = ByteBudget::new(64 << 20);
    let mut parts = Parts::new(logs(&budget, 10_007, 0), items(1));
    let mut taken = 0;
    while let Some(part) = parts.next(&TokioClock).await {
        assert_eq!(part.items(), 1);
        taken += 1;
        // Never more than a cut's worth on each level.
        assert!(parts.rest.len() <= 64, "{}", parts.rest.len());
        assert_eq!(parts.is_empty(), taken == 10_007);
    }
    assert_eq!((taken, budget.used()), (10_007, 0));
}

#[tokio::test(start_paused = true)]
async fn parts_are_full_however_many_there_are() {
    let budget = ByteBudget::new(64 << 20);
    for (total, max) in [(10, 3), (160, 10), (1000, 7), (4096, 10)] {
        let mut parts = Parts::new(logs(&budget, total, 10), items(max));
        let mut sizes = Vec::new();
        while let Some(part) = parts.next(&TokioClock).await {
            sizes.push(part.items());
        }
        let last = sizes.pop().unwrap();
        assert!(sizes.iter().all(|&size| size == max), "{sizes:?}");
        assert_eq!(sizes.len() as u64 * max + last, total);
    }
    // What cannot be cut is one part, whatever the limit.
    let limits = SplitLimits { max_items: None, max_bytes: Some(10) };
    let mut parts = Parts::new(logs(&budget, 1, 5000), limits);
    assert_eq!(parts.next(&TokioClock).await.map(|part| part.items()), Some(1));
    assert!(parts.is_empty() && parts.next(&TokioClock).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_part_is_charged_for_what_is_its_own() {
    let budget = ByteBudget::new(64 << 20);
    // Short records are copied, long ones stay where they are.
    for (text, own) in [(10, 95..130), (5000, 0..10)] {
        let batch = logs(&budget, 100, text);
        let whole = batch.len() as u64;
        let parts = cut_aside(batch, items(10)).await;
        assert_eq!(parts.len(), 10);
        let percent = (budget.used() - whole) * 100 / whole;
        assert!(own.contains(&percent), "{percent} % of {whole}");
        drop(parts);
        assert_eq!(budget.used(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_no_room_goes_on_after_a_while() {
    let budget = ByteBudget::new(1000);
    let batch = logs(&budget, 60, 10);
    assert!(batch.len() > 500);
    let begin = TokioClock.now();
    let mut parts = Parts::new(batch, items(30));
    assert_eq!(parts.next(&TokioClock).await.map(|part| part.items()), Some(30));
    let waited = TokioClock.now() - begin;
    assert!((Duration::from_millis(900)..Duration::from_millis(1200)).contains(&waited), "{waited:?}");
}
