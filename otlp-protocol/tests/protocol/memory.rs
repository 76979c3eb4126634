//! Memory is bounded and comes back: the byte budget and the pools.

use otlp_protocol::{BudgetExhausted, BufferPool, ByteBudget, Charge, ObjectPool};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

// === ByteBudget ===

#[test]
fn charges_in_parallel_stay_within_the_limit_and_all_come_back() {
    const LIMIT: u64 = 1_000;
    let budget = ByteBudget::new(LIMIT);
    let held = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..4u64 {
            let (budget, held) = (&budget, &held);
            scope.spawn(move || {
                for round in 0..5_000u64 {
                    let size = (round * 37 + thread * 101) % 500;
                    let Ok(mut charge) = budget.try_charge(size) else { continue };
                    let grown = charge.try_grow(size / 3).is_ok();
                    if let Ok(other) = budget.try_charge(7) {
                        assert!(charge.merge(other).is_none());
                    }
                    assert!(charge.bytes() >= size + if grown { size / 3 } else { 0 });

                    let bytes = charge.bytes();
                    assert!(held.fetch_add(bytes, Ordering::SeqCst) + bytes <= LIMIT);
                    assert!(budget.used() <= LIMIT);
                    thread::yield_now();
                    held.fetch_sub(bytes, Ordering::SeqCst);
                    charge.shrink_to(size / 2);
                    assert_eq!(charge.bytes(), bytes.min(size / 2));
                }
            });
        }
    });
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_refused_charge_changes_nothing_but_the_counter() {
    let budget = ByteBudget::new(100);
    let mut charge = budget.try_charge(60).unwrap();
    for more in [41, u64::MAX - 60, u64::MAX] {
        let needed = more.saturating_add(60);
        assert_eq!(charge.try_grow(more), Err(BudgetExhausted { limit: 100, needed }));
        assert_eq!(budget.try_charge(more).unwrap_err(), BudgetExhausted { limit: 100, needed: more });
    }
    assert_eq!((charge.bytes(), budget.used(), budget.refusals()), (60, 60, 6));
    charge.try_grow(40).unwrap();
    assert_eq!((budget.used(), budget.limit()), (100, 100));
    assert!(budget.try_charge(0).is_ok());
    charge.shrink_to(200);
    assert_eq!(charge.bytes(), 100);
    drop(charge);
    assert_eq!((budget.used(), budget.refusals()), (0, 6));
}

#[test]
fn what_is_over_the_whole_budget_never_fits() {
    let budget = ByteBudget::new(100);
    let mut charge = budget.try_charge(60).unwrap();
    let _other = budget.try_charge(30).unwrap();
    for (more, held_beside, never) in [(40, 0, false), (41, 0, true), (30, 10, false), (30, 11, true)] {
        let refused = charge.try_grow(more).unwrap_err().beside(held_beside);
        assert_eq!(refused.never_fits(), never, "{more} more, {held_beside} beside");
    }
}

#[test]
fn a_budget_outlives_its_handle_in_its_charges() {
    let budget = ByteBudget::new(10);
    let other_handle = budget.clone();
    let charge = budget.try_charge(10).unwrap();
    drop(budget);
    assert_eq!(other_handle.used(), 10);
    drop(charge);
    assert_eq!(other_handle.used(), 0);
}

#[test]
fn charges_merge_within_a_budget_only() {
    let (ours, theirs) = (ByteBudget::new(100), ByteBudget::new(100));
    let mut charge = ours.try_charge(10).unwrap();
    assert!(charge.merge(ours.clone().try_charge(5).unwrap()).is_none());
    assert_eq!((charge.bytes(), ours.used()), (15, 15));

    let back = charge.merge(theirs.try_charge(20).unwrap()).expect("another budget's charge");
    assert_eq!((charge.bytes(), back.bytes(), ours.used(), theirs.used()), (15, 20, 15, 20));

    assert!(charge.merge(uncharged(7)).is_none());
    assert_eq!((charge.bytes(), ours.used()), (15, 15));

    let back = {
        let mut uncharged = uncharged(7);
        uncharged.merge(back).expect("bytes on no budget do not become charged")
    };
    assert_eq!(theirs.used(), 20);

    let mut none = Charge::none();
    assert!(none.merge(back).is_none());
    assert_eq!((none.bytes(), theirs.used()), (20, 20));

    drop((charge, none));
    assert_eq!((ours.used(), theirs.used()), (0, 0));
}

#[test]
fn charges_on_no_budget_add_up_without_bound() {
    let mut charge = uncharged(5);
    assert!(charge.merge(uncharged(7)).is_none());
    assert_eq!(charge.bytes(), 12);
    charge.try_grow(u64::MAX).unwrap();
    assert_eq!(charge.bytes(), u64::MAX);
    assert!(charge.merge(uncharged(1)).is_none());
    charge.shrink_to(3);
    assert_eq!(charge.bytes(), 3);
}

#[test]
fn shared_bytes_come_back_with_the_last_holder() {
    let budget = ByteBudget::new(100);
    let mut first = budget.try_charge(60).unwrap();
    let mut second = first.share();
    assert_eq!((first.bytes(), second.bytes(), budget.used()), (60, 60, 60));

    second.try_grow(10).unwrap();
    assert!(first.try_grow(31).is_err(), "a holder's growth is charged too");
    assert_eq!((first.bytes(), second.bytes(), budget.used()), (60, 70, 70));
    second.shrink_to(0);
    assert_eq!((second.bytes(), budget.used()), (60, 60));

    drop(first);
    assert_eq!(budget.used(), 60);
    drop(second);
    assert_eq!(budget.used(), 0);
}

#[test]
fn sharing_without_end_neither_nests_nor_grows() {
    let budget = ByteBudget::new(100);
    let mut charge = budget.try_charge(60).unwrap();
    for _ in 0..200_000 {
        let other = charge.share();
        assert_eq!(other.bytes(), 60);
        charge = other;
    }
    assert_eq!((charge.bytes(), budget.used()), (60, 60));
    drop(charge);
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_refused_merge_leaves_shared_bytes_with_their_holder() {
    let (ours, theirs) = (ByteBudget::new(100), ByteBudget::new(100));
    let mut charge = ours.try_charge(10).unwrap();
    let mut shared = theirs.try_charge(20).unwrap();
    drop(shared.share());
    let back = charge.merge(shared).expect("another budget's charge");
    assert_eq!((charge.bytes(), back.bytes()), (10, 20));
    drop(charge);
    assert_eq!((ours.used(), theirs.used()), (0, 20));

    let mut merged = theirs.try_charge(5).unwrap();
    assert!(merged.merge(back).is_none());
    assert_eq!((merged.bytes(), theirs.used()), (25, 25));
    drop(merged);
    assert_eq!(theirs.used(), 0);
}

fn uncharged(bytes: u64) -> Charge {
    let mut charge = Charge::none();
    charge.try_grow(bytes).unwrap();
    charge
}

// === ObjectPool ===

#[test]
fn a_pool_keeps_no_more_than_its_bound() {
    for (max_idle, kept) in [(0, 1), (1, 1), (2, 2), (8, 5)] {
        let pool = ObjectPool::new(max_idle, Vec::<u8>::new, Vec::clear);
        let objects: Vec<_> = (0..5).map(|_| pool.take()).collect();
        assert_eq!(pool.idle(), 0);
        drop(objects);
        assert_eq!(pool.idle(), kept, "max_idle {max_idle}");
    }
}

#[test]
fn an_object_comes_back_reset_and_is_lent_again() {
    let pool = ObjectPool::new(1, Vec::<u8>::new, Vec::clear);
    let mut object = pool.take();
    object.extend_from_slice(&[1; 64]);
    let address = object.as_ptr();
    let clone = pool.clone();
    drop(object);
    let again = clone.take();
    assert!(again.is_empty());
    assert_eq!(again.as_ptr(), address);
    assert_eq!(pool.idle(), 0);
}

#[test]
fn a_pool_shared_by_threads_stays_bounded() {
    let pool = ObjectPool::new(2, || 0u64, |number| *number = 0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    let mut number = pool.take();
                    assert_eq!(*number, 0, "lent to two at once, or not reset");
                    *number += 1;
                    thread::yield_now();
                    assert_eq!(*number, 1);
                    assert!(pool.idle() <= 2);
                }
            });
        }
    });
    assert!((1..=2).contains(&pool.idle()));
}

// === BufferPool ===

#[test]
fn a_frozen_buffer_comes_back_with_its_last_slice() {
    let pool = BufferPool::new(1);
    let mut buffer = pool.take(4_096);
    buffer.extend_from_slice(&b"abcdef".repeat(500));
    let address = buffer.as_ptr();
    let bytes = BufferPool::freeze(buffer);
    assert_eq!((bytes.as_ptr(), &bytes[..6]), (address, &b"abcdef"[..]));

    let (clone, slice) = (bytes.clone(), bytes.slice(2..4));
    drop((bytes, clone));
    let meanwhile = pool.take(0);
    assert_eq!(meanwhile.capacity(), 0, "lent while a slice lives");
    assert_eq!(slice, "cd");
    thread::scope(|scope| scope.spawn(move || drop(slice)).join()).unwrap();

    let again = pool.take(0);
    assert_eq!((again.as_ptr(), again.len()), (address, 0));
    assert!(again.capacity() >= 4_096);
}

#[test]
fn oversized_buffers_are_freed() {
    const MIB: usize = 1 << 20;
    for (capacity, kept) in [(MIB, true), (MIB + 1, false), (64 * MIB, false)] {
        let pool = BufferPool::new(1);
        drop(BufferPool::freeze(pool.take(capacity)));
        assert_eq!(pool.take(0).capacity(), if kept { capacity } else { 0 });
    }
}
