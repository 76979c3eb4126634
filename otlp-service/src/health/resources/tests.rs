use super::*;

#[test]
fn more_than_the_share_is_degraded() {
    assert!(!is_over(90, 100, 90));
    assert!(is_over(91, 100, 90));
    assert!(!is_over(0, 0, 90), "a queue without room holds nothing");
    assert!(is_over(u64::MAX, u64::MAX, 99));
}

#[test]
fn a_used_up_budget_is_degraded() {
    let budget = ByteBudget::new(100 << 20);
    let check = MemoryCheck { budget: budget.clone(), percent: 90 };
    let charge = budget.try_charge(90 << 20);
    assert_eq!(check.check(), Health::Healthy);
    let more = budget.try_charge(1 << 20);
    let expected =
        "91 of the 100 MiB of the memory budget are used: from the whole budget on, requests are refused";
    assert_eq!(check.check(), Health::Degraded(expected.into()));
    drop((charge, more));
    assert_eq!(check.check(), Health::Healthy);
}

#[cfg(target_os = "linux")]
#[test]
fn open_descriptors_are_compared_with_the_limit() {
    let clock: Arc<dyn Clock> = Arc::new(otlp_transport::TokioClock);
    let check = DescriptorsCheck::new(0, clock.clone());
    let reason = check.check();
    let reason = reason.reason().unwrap_or_default();
    assert!(reason.ends_with(" file descriptors are open: raise the limit of open files"), "{reason}");
    assert_eq!(DescriptorsCheck::new(100, clock.clone()).check(), Health::Healthy);
    // Within a second the last numbers count.
    for (at, is_healthy) in [(clock.now(), true), (clock.now() - DESCRIPTORS_INTERVAL, false)] {
        *check.known.lock() = Some((at, None));
        assert_eq!(check.check() == Health::Healthy, is_healthy);
    }
}

#[test]
fn times_are_told_in_hours_then_in_days() {
    for (hours, expected) in [(0, "0 h"), (47, "47 h"), (48, "2 days"), (24 * 14 + 1, "14 days")] {
        assert_eq!(days(Duration::from_secs(hours * 3600 + 59)), expected);
    }
}
