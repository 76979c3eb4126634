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
    Batch::unchecked(Signal::LOGS, body, Count { items, entries: items }, true, charge)
}

fn items(max: u64) -> SplitLimits {
    SplitLimits { max_items: Some(max), max_bytes: None }
}

/// Takes all parts.
async fn all(batch: Batch, limits: SplitLimits) -> Vec<Batch> {
    let mut parts = Parts::new(batch, limits);
    let mut taken = Vec::new();
    while let Some(part) = parts.next(&TokioClock).await {
        taken.push(part);
    }
    taken
}

#[tokio::test(start_paused = true)]
async fn parts_are_cut_as_they_are_taken() {
    let budget = ByteBudget::new(64 << 20);
    // Of one that is cut here, and one that is cut on another thread.
    for total in [1000, 100_000] {
        let batch = logs(&budget, total, 0);
        let len = batch.len() as u64;
        let mut parts = Parts::new(batch, items(1));
        let mut taken = 0;
        while let Some(part) = parts.next(&TokioClock).await {
            assert_eq!(part.items(), 1);
            taken += 1;
            assert!(parts.ready.len() < MAX_READY_PARTS);
            assert!(budget.used() < len + 100, "{} of {len}", budget.used());
        }
        assert_eq!(taken, total);
        drop(parts);
        assert_eq!(budget.used(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_cut_is_one_part() {
    let budget = ByteBudget::new(64 << 20);
    let limits = SplitLimits { max_items: None, max_bytes: Some(10) };
    let batch = logs(&budget, 1, 5000);
    let len = batch.len();
    let parts = all(batch, limits).await;
    assert_eq!((parts.len(), parts[0].items()), (1, 1));
    // The body, and at most the prefixes around the record.
    assert!((len as u64..len as u64 + 100).contains(&parts[0].charge().bytes()));
}

#[tokio::test(start_paused = true)]
async fn a_part_is_charged_for_what_is_its_own() {
    let budget = ByteBudget::new(64 << 20);
    // Short records are copied and do without the whole; long ones stay where they are, and keep it.
    for (text, own) in [(10, 95..130), (5000, 100..110)] {
        let batch = logs(&budget, 100, text);
        let whole = batch.len() as u64;
        let parts = all(batch, items(10)).await;
        assert_eq!(parts.len(), 10);
        let percent = budget.used() * 100 / whole;
        assert!(own.contains(&percent), "{percent} % of {whole}");
        drop(parts);
        assert_eq!(budget.used(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_no_room_goes_on_after_a_while() {
    let budget = ByteBudget::new(1000);
    let batch = logs(&budget, 60, 10);
    assert!(batch.len() > 700);
    let begin = TokioClock.now();
    let mut parts = Parts::new(batch, items(30));
    assert_eq!(parts.next(&TokioClock).await.map(|part| part.items()), Some(30));
    let waited = TokioClock.now() - begin;
    assert!((Duration::from_millis(900)..Duration::from_millis(1200)).contains(&waited), "{waited:?}");
}
