use super::*;
use std::collections::HashMap;

const POLICIES: [BalancePolicy; 4] = [
    BalancePolicy::RoundRobin,
    BalancePolicy::WeightedRoundRobin,
    BalancePolicy::LeastConnections,
    BalancePolicy::ConsistentHash,
];

/// Candidates `(weight, in_flight)` with ids that have nothing to do with their order.
fn candidates(of: &[(u32, u64)]) -> Vec<Candidate> {
    let candidate = |(index, &(weight, in_flight)): (usize, &(u32, u64))| Candidate {
        id: hash_key(format!("10.0.0.{index}:4317").as_bytes()),
        weight,
        in_flight,
    };
    of.iter().enumerate().map(candidate).collect()
}

fn picks(strategy: &dyn LoadBalancingStrategy, among: &[Candidate], count: usize) -> Vec<usize> {
    (0..count).map(|_| strategy.pick(among, None).unwrap()).collect()
}

/// The candidate that each of many keys goes to.
fn owners(strategy: &dyn LoadBalancingStrategy, among: &[Candidate]) -> Vec<u64> {
    (0..KEYS)
        .map(|key: u64| among[strategy.pick(among, Some(hash_key(&key.to_be_bytes()))).unwrap()].id)
        .collect()
}

#[test]
fn every_policy_picks_somebody_if_there_is_anybody() {
    for policy in POLICIES {
        let strategy = policy.strategy();
        assert_eq!(strategy.pick(&[], Some(1)), None, "{policy:?}");
        for among in [&[(1, 0)][..], &[(0, 0), (0, 0)], &[(u32::MAX, u64::from(u32::MAX)); 3]] {
            for key in [None, Some(0), Some(u64::MAX)] {
                let picked = strategy.pick(&candidates(among), key);
                assert!(picked.is_some_and(|index| index < among.len()), "{policy:?} {among:?}");
            }
        }
    }
}

#[test]
fn turns_are_taken_in_order() {
    for (policy, among, turns) in [
        (BalancePolicy::RoundRobin, &[(1, 0), (9, 9), (1, 0)][..], &[0, 1, 2, 0, 1, 2][..]),
        (BalancePolicy::WeightedRoundRobin, &[(5, 0), (1, 0), (1, 0)], &[0, 0, 1, 0, 2, 0, 0, 0, 0, 1]),
        (BalancePolicy::WeightedRoundRobin, &[(1, 0), (1, 99)], &[0, 1, 0, 1]),
        // The third has the least for its weight; equals take turns by weight.
        (BalancePolicy::LeastConnections, &[(1, 1), (2, 4), (4, 3)], &[2, 2, 2]),
        (BalancePolicy::LeastConnections, &[(1, 0), (2, 0), (9, 1)], &[1, 0, 1, 1, 0, 1]),
    ] {
        let strategy = policy.strategy();
        assert_eq!(picks(&*strategy, &candidates(among), turns.len()), turns, "{policy:?} {among:?}");
    }
}

#[test]
fn credit_outlives_a_request_that_was_taken_elsewhere() {
    let all = candidates(&[(3, 0), (2, 0), (1, 0)]);
    let strategy = WeightedRoundRobinStrategy::default();
    let mut counts = HashMap::new();
    for request in 0..600 {
        let picked = all[strategy.pick(&all, None).unwrap()].id;
        *counts.entry(picked).or_insert(0) += 1;
        if request % 7 == 0 {
            let others: Vec<_> = all.iter().copied().filter(|candidate| candidate.id != picked).collect();
            strategy.pick(&others, None);
        }
    }
    for candidate in &all {
        let share = 100 * i64::from(candidate.weight);
        assert!((counts[&candidate.id] - share).abs() <= 15, "{counts:?}");
    }
}

#[test]
fn a_change_of_endpoints_moves_no_more_keys_than_it_must() {
    let strategy = ConsistentHashStrategy::default();
    let ten = candidates(&[(1, 0); 10]);
    let eleven = candidates(&[(1, 0); 11]);
    let heavier: Vec<_> =
        ten.iter().enumerate().map(|(i, c)| Candidate { weight: if i == 0 { 2 } else { 1 }, ..*c }).collect();
    for (name, before, after) in
        [("one joins", &ten, &eleven), ("one leaves", &eleven, &ten), ("one gets heavier", &ten, &heavier)]
    {
        let (old, new) = (owners(&strategy, before), owners(&strategy, after));
        let moved = old.iter().zip(&new).filter(|(old, new)| old != new).count() as f64 / KEYS as f64;
        let n = before.len().min(after.len()) as f64;
        println!("{name}: {:.2} % of the keys move (1/n is {:.2} %)", 100.0 * moved, 100.0 / n);
        assert!(moved > 0.0 && moved <= 1.0 / n + 0.05, "{name}: {moved}");
        // What moves goes to who came, or comes from who left.
        let is_there = |id: &u64, set: &[Candidate]| set.iter().any(|candidate| candidate.id == *id);
        let needless = old.iter().zip(&new).filter(|(old, new)| {
            old != new && is_there(old, after) && is_there(new, before) && before.len() != after.len()
        });
        assert_eq!(needless.count(), 0, "{name}");
    }
}

#[test]
fn keys_are_spread_by_weight() {
    let strategy = ConsistentHashStrategy::default();
    for weights in [&[(1, 0); 10][..], &[(1, 0), (2, 0), (4, 0), (8, 0)], &[(3, 0); 100]] {
        let among = candidates(weights);
        let owners = owners(&strategy, &among);
        let loads = among.iter().map(|candidate| {
            owners.iter().filter(|owner| **owner == candidate.id).count() as f64 / f64::from(candidate.weight)
        });
        let loads: Vec<_> = loads.collect();
        let total: u32 = among.iter().map(|candidate| candidate.weight).sum();
        let mean = KEYS as f64 / f64::from(total);
        let max = loads.iter().copied().fold(0.0, f64::max);
        println!("{} endpoints: max/mean by weight {:.3}", among.len(), max / mean);
        assert!(max / mean <= 1.25, "{weights:?}: {loads:?}");
    }
}

/// Ten keys for everything: without a bound one endpoint would get most of them at some time.
#[test]
fn who_is_at_the_bound_gets_no_more() {
    let strategy = ConsistentHashStrategy::default();
    let mut among = candidates(&[(1, 0); 4]);
    for request in 0..1000_u64 {
        let picked = strategy.pick(&among, Some(7)).unwrap();
        among[picked].in_flight += 1;
        let bound = (ConsistentHashStrategy::LOAD_FACTOR * (request + 1) as f64 / 4.0).ceil() as u64;
        let bound = bound.max(ConsistentHashStrategy::BUSY_REQUESTS);
        assert!(among.iter().all(|candidate| candidate.in_flight <= bound), "{among:?}");
    }
    // Until it is busy, a key stays where it is.
    let among = candidates(&[(1, 15), (1, 0), (1, 0)]);
    let idle = candidates(&[(1, 0), (1, 0), (1, 0)]);
    assert_eq!(owners(&strategy, &among), owners(&strategy, &idle));
}

#[test]
fn hashes_are_the_same_for_ever() {
    // Gateways of several versions must agree.
    for (bytes, hash) in [(&b""[..], HASHES[0]), (b"a", HASHES[1]), (b"0123456789abcdef", HASHES[2])] {
        assert_eq!(hash_key(bytes), hash, "{bytes:?}");
    }
    assert_ne!(hash_key(b"a"), hash_key(b"a\0"));
    assert_ne!(hash_key(b"12345678"), hash_key(b"12345678\0"));
}

const KEYS: u64 = 100_000;
const HASHES: [u64; 3] = [0xe220a8397b1dcdaf, 0x5e025f9ade9eaf3e, 0x3449a2b4e7ea18d2];
