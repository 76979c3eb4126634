//! Scenario: ten endpoints, one slow, one dead, one leaving, an eleventh joining, 100,000 requests. Guarantees: nothing
//! is lost, nothing arrives twice, and those that are well throughout get equal shares.

use super::sim::{Behaviour, World};
use super::{KEY, request};
use otlp_transport::{
    BalanceConfig, BalancePolicy, BalancedClient, Clock as _, Export as _, RoutingKey, TokioClock,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const POLICIES: [BalancePolicy; 4] = [
    BalancePolicy::RoundRobin,
    BalancePolicy::WeightedRoundRobin,
    BalancePolicy::LeastConnections,
    BalancePolicy::ConsistentHash,
];

fn config(policy: BalancePolicy) -> BalanceConfig {
    let mut config = BalanceConfig::default();
    config.policy = policy;
    config.routing = RoutingKey::Metadata(KEY.into());
    config
}

/// Sends the requests of those numbers, `at_a_time`, each until it is acknowledged. How many attempts failed.
async fn send_all(client: &BalancedClient, numbers: std::ops::Range<u64>, at_a_time: usize) -> u64 {
    let (next, failures) = (Arc::new(AtomicU64::new(numbers.start)), Arc::new(AtomicU64::new(0)));
    let senders: Vec<_> = (0..at_a_time)
        .map(|_| {
            let (client, next, failures) = (client.clone(), next.clone(), failures.clone());
            let end = numbers.end;
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return;
                    }
                    while let Err(error) = client.export(request(number)).await {
                        assert!(error.retry().is_retryable(), "{error:?}");
                        failures.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    failures.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn ten_endpoints_with_trouble() {
    for policy in POLICIES {
        let world = World::default();
        let address = |index: usize| format!("10.0.0.{index}:4317");
        let all: Vec<_> = (0..11).map(address).collect();
        for (index, address) in all.iter().enumerate() {
            world.set(
                address,
                match index {
                    0 => Behaviour::Takes(Duration::from_millis(500)),
                    1 => Behaviour::Dead,
                    _ => Behaviour::Varies(Duration::from_millis(1), 10),
                },
            );
        }
        let names: Vec<_> = all.iter().map(String::as_str).collect();
        world.resolve_to(Some(&names[..10]));
        let client = world.client_by_dns(config(policy));
        let start = TokioClock.now();
        let mut failures = send_all(&client, 0..REQUESTS / 3, SENDERS).await;
        // The resolver sees it within its interval, while requests go on.
        world.resolve_to(Some(&names));
        failures += send_all(&client, REQUESTS / 3..2 * REQUESTS / 3, SENDERS).await;
        let without_second: Vec<_> = names.iter().copied().filter(|&name| name != names[2]).collect();
        world.resolve_to(Some(&without_second));
        failures += send_all(&client, 2 * REQUESTS / 3..REQUESTS, SENDERS).await;

        assert_eq!(world.arrived(), (REQUESTS as usize, 0), "{policy:?}: all, and none twice");
        let loads: Vec<_> = names[3..10].iter().map(|name| world.arrived_at(name).len()).collect();
        let mean = loads.iter().sum::<usize>() as f64 / loads.len() as f64;
        let ratio = *loads.iter().max().unwrap() as f64 / mean;
        let arrived = |index: usize| world.arrived_at(names[index]).len();
        println!(
            "{policy:?}: max/mean {ratio:.3}; slow {}, dead {} attempts, leaving {}, joining {}, others {loads:?}; \
             {failures} attempts repeated, {} failovers; {:.0?} simulated",
            arrived(0),
            world.attempts_at(names[1]),
            arrived(2),
            arrived(10),
            client.stats().failovers.load(Ordering::Relaxed),
            TokioClock.now() - start,
        );
        assert!(ratio <= 1.25, "{policy:?}: {loads:?}");
        assert_eq!(arrived(1), 0);
        assert!(world.attempts_at(names[1]) < REQUESTS / 100, "the dead one is left alone");
        assert!(arrived(10) > 0 && arrived(2) > 0, "{policy:?}");
        assert_eq!(client.stats().updates.load(Ordering::Relaxed), 3, "{policy:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn shares_follow_weights() {
    let endpoints = [("a:1", 1), ("b:1", 2), ("c:1", 4), ("d:1", 1)];
    for policy in
        [BalancePolicy::WeightedRoundRobin, BalancePolicy::LeastConnections, BalancePolicy::ConsistentHash]
    {
        let world = World::default();
        for (address, _) in endpoints {
            world.set(address, Behaviour::Takes(Duration::from_millis(5)));
        }
        let client = world.client_of(config(policy), &endpoints);
        assert_eq!(send_all(&client, 0..20_000, 16).await, 0);
        let loads = endpoints.map(|(name, weight)| world.arrived_at(name).len() as f64 / f64::from(weight));
        let ratio = loads.iter().copied().fold(0.0, f64::max) / (20_000.0 / 8.0);
        println!("{policy:?}: max/mean by weight {ratio:.3}");
        assert!(ratio <= 1.25, "{policy:?}: {loads:?}");
    }
}

/// While nobody is busy, equal keys meet at one endpoint, in every client.
#[tokio::test(start_paused = true)]
async fn keys_stay_where_they_are() {
    let endpoints = [("a:1", 1), ("b:1", 1), ("c:1", 1)];
    let world = World::default();
    for (address, _) in endpoints {
        world.set(address, Behaviour::Takes(Duration::from_millis(5)));
    }
    let [first, second] = [&endpoints, &[endpoints[2], endpoints[0], endpoints[1]]]
        .map(|order| world.client_of(config(BalancePolicy::ConsistentHash), order));
    send_all(&first, 0..300, 4).await;
    let at = |name: &str| world.arrived_at(name).into_iter().collect::<HashSet<_>>();
    let before = endpoints.map(|(name, _)| at(name));
    send_all(&second, 0..300, 4).await;
    assert_eq!(endpoints.map(|(name, _)| at(name)), before);
    assert_eq!(before.iter().map(HashSet::len).sum::<usize>(), 300);
}

const REQUESTS: u64 = 100_000;
const SENDERS: usize = 64;
