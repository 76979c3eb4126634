//! Endpoints that come, go, fail and ask for time.

use super::request;
use super::sim::{Behaviour, World};
use futures_util::future::join_all;
use otlp_protocol::{ErrorKind, Retry};
use otlp_transport::{
    BalanceConfig, BalancePolicy, BalancedClient, ClientConfig, EndpointState, Export as _, FixedResolver,
    NetFuture, ResolvedEndpoint, Resolver,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const A: &str = "10.0.0.1:4317";
const B: &str = "10.0.0.2:4317";
const C: &str = "10.0.0.3:4317";

fn world(behaviours: [Behaviour; 3]) -> World {
    let world = World::default();
    for (address, behaviour) in [A, B, C].into_iter().zip(behaviours) {
        world.set(address, behaviour);
    }
    world
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn endpoints(client: &BalancedClient) -> Vec<String> {
    client.stats().endpoints().iter().map(|stats| stats.endpoint.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_outlives_its_endpoint() {
    let world = world([Behaviour::Takes(ms(20_000)), Behaviour::Takes(ms(1)), Behaviour::Takes(ms(1))]);
    world.resolve_to(Some(&[A]));
    let client = world.client_by_dns(BalanceConfig::default());
    let sender = client.clone();
    let in_flight = tokio::spawn(async move { sender.export(request(1)).await });
    tokio::time::sleep(ms(100)).await;
    world.resolve_to(Some(&[B]));
    tokio::time::sleep(ms(6_000)).await;
    assert_eq!(endpoints(&client), [B]);
    client.export(request(2)).await.unwrap();
    assert_eq!(world.arrived_at(B), [2]);
    in_flight.await.unwrap().unwrap();
    assert_eq!(world.arrived_at(A), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_without_an_answer_changes_nothing() {
    let world = world([Behaviour::Takes(ms(1)); 3]);
    let client = world.client_by_dns(BalanceConfig::default());
    let error = client.export(request(0)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
    assert!(error.message().contains("dns"), "{error}");
    for (addresses, expected) in
        [(Some(&[B, A][..]), &[A, B][..]), (None, &[A, B]), (Some(&[]), &[A, B]), (Some(&[C, C]), &[C])]
    {
        world.resolve_to(addresses);
        tokio::time::sleep(ms(5_500)).await;
        assert_eq!(endpoints(&client), expected, "{addresses:?}");
        client.export(request(1)).await.unwrap();
    }
    let stats = client.stats();
    let counts = [&stats.resolutions, &stats.failed_resolutions, &stats.updates];
    assert_eq!(counts.map(|count| count.load(Ordering::Relaxed)), [3, 2, 2]);
}

/// Fails at once at each call, 10,000 times.
struct Failing(u64);

impl Resolver for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn next(&mut self) -> NetFuture<'_, Vec<ResolvedEndpoint>> {
        Box::pin(async move {
            self.0 += 1;
            match self.0 {
                ..=10_000 => Err(std::io::ErrorKind::ConnectionRefused.into()),
                _ => std::future::pending().await,
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_fails_at_once_is_not_asked_all_the_time() {
    let world = world([Behaviour::Takes(ms(1)); 3]);
    let client = world.client(BalanceConfig::default(), Box::new(Failing(0)));
    tokio::time::sleep(ms(1_050)).await;
    assert_eq!(client.stats().failed_resolutions.load(Ordering::Relaxed), 11);
}

#[tokio::test(start_paused = true)]
async fn the_search_ends_with_the_last_client() {
    let world = world([Behaviour::Takes(ms(1)); 3]);
    world.resolve_to(Some(&[A]));
    let client = world.client_by_dns(BalanceConfig::default());
    let stats = client.stats().clone();
    let second = client.clone();
    drop(client);
    tokio::time::sleep(ms(5_100)).await;
    assert_eq!(stats.resolutions.load(Ordering::Relaxed), 2);
    drop(second);
    tokio::time::sleep(ms(60_000)).await;
    assert_eq!(stats.resolutions.load(Ordering::Relaxed), 2);
    assert_eq!(Arc::strong_count(&stats), 1, "nobody else is left");
}

#[tokio::test(start_paused = true)]
async fn endpoints_are_bounded() {
    let world = world([Behaviour::Takes(ms(1)); 3]);
    world.resolve_to(Some(&[A, B, C]));
    let mut config = BalanceConfig::default();
    config.limits.max_endpoints = 2;
    let client = world.client_by_dns(config);
    client.export(request(1)).await.unwrap();
    assert_eq!(endpoints(&client), [A, B]);
    assert_eq!(client.stats().left_out_endpoints.load(Ordering::Relaxed), 1);
}

/// Scenario: a name with thousands of addresses, some of which change with every answer. Guarantee: only so many clients
/// are made, each once for as long as it stays, and they are gone with their endpoints.
#[tokio::test(start_paused = true)]
async fn thousands_of_addresses_cost_no_more_than_are_kept() {
    let world = World::default();
    let mut config = BalanceConfig::default();
    config.limits.max_endpoints = 16;
    let of_round =
        |round: usize| (0..2000).map(move |n| format!("10.{}.{}.{}:4317", round / 10, n / 200, n % 200 + 1));
    let resolve = |round| {
        let addresses: Vec<_> = of_round(round).collect();
        world.resolve_to(Some(&addresses.iter().map(String::as_str).collect::<Vec<_>>()));
    };
    resolve(0);
    let client = world.client_by_dns(config);
    let checked = world.clients();
    for round in 0..100 {
        resolve(round);
        tokio::time::sleep(ms(5_000)).await;
    }
    assert_eq!((client.stats().endpoints().len(), world.open_clients()), (16, 16));
    // Ten lists of addresses, one after the other.
    assert_eq!(world.clients() - checked, 160);
    assert_eq!(client.stats().updates.load(Ordering::Relaxed), 10);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_cannot_be_is_a_setting_that_cannot_work() {
    let world = World::default();
    let resolver = FixedResolver::new(vec![ResolvedEndpoint::new("not an endpoint")]);
    let (context, template) = (world.context(), ClientConfig::new(""));
    let made = BalancedClient::new(
        &context,
        Arc::new(world),
        template,
        BalanceConfig::default(),
        Box::new(resolver),
    );
    assert_eq!(made.err().map(|error| error.key), Some("endpoint"));
}

/// Scenario: what the endpoints of a round robin do with one request. Guarantee: another endpoint takes what one did
/// not, twice at most, and final answers are final.
#[tokio::test(start_paused = true)]
async fn what_one_does_not_take_another_does() {
    use Behaviour::{Busy, Dead, Refuses, Silent, Takes};
    let (well, wait) = (Takes(ms(1)), ms(3_000));
    for (behaviours, expected, failovers) in [
        ([well, Dead, Dead], Ok(()), 0),
        ([Dead, Dead, well], Ok(()), 1),
        ([Dead, well, Busy(wait)], Ok(()), 2),
        ([Dead, Dead, Dead], Err((ErrorKind::Unavailable, Retry::Backoff)), 2),
        ([Refuses, well, well], Err((ErrorKind::InvalidData, Retry::Never)), 0),
        ([Busy(wait), well, Refuses], Err((ErrorKind::InvalidData, Retry::Never)), 1),
        // Its silence took all of the time there was.
        ([Silent, well, well], Err((ErrorKind::Timeout, Retry::Backoff)), 0),
    ] {
        let world = world(behaviours);
        let client = world.client_of(BalanceConfig::default(), &[(A, 1), (B, 1), (C, 1)]);
        let result = client.export(request(1)).await;
        let result = result.map(drop).map_err(|error| (error.kind(), error.retry()));
        assert_eq!(result, expected, "{behaviours:?}");
        assert_eq!(client.stats().failovers.load(Ordering::Relaxed), failovers, "{behaviours:?}");
    }
    let world = world([Dead; 3]);
    let mut config = BalanceConfig::default();
    config.limits.max_failovers = 1;
    let client = world.client_of(config, &[(A, 1), (B, 1), (C, 1)]);
    assert!(client.export(request(1)).await.is_err());
    assert_eq!([A, B, C].map(|address| world.attempts_at(address)), [1, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn when_all_ask_for_time_nobody_is_asked() {
    let world = world([Behaviour::Busy(ms(4_000)), Behaviour::Busy(ms(2_000)), Behaviour::Dead]);
    let client = world.client_of(BalanceConfig::default(), &[(A, 1), (B, 1)]);
    assert!(client.export(request(1)).await.is_err());
    tokio::time::sleep(ms(500)).await;
    let error = client.export(request(1)).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(ms(1_500)), "{error:?}");
    assert_eq!([A, B].map(|address| world.attempts_at(address)), [1, 1]);
    assert_eq!(client.stats().throttled_requests.load(Ordering::Relaxed), 1);
    world.set(B, Behaviour::Takes(ms(1)));
    tokio::time::sleep(ms(1_500)).await;
    client.export(request(1)).await.unwrap();
}

/// Scenario: as many endpoints as are tried ask for an hour, the others are well. Guarantee: the batch is retried after the
/// usual time, and then goes to the others.
#[tokio::test(start_paused = true)]
async fn some_endpoints_that_ask_for_time_do_not_silence_the_others() {
    use Behaviour::{Busy, Dead, Takes};
    let hour = ms(3_600_000);
    let world = World::default();
    let names = ["a:1", "b:1", "c:1", "d:1", "e:1", "f:1"];
    for (index, name) in names.into_iter().enumerate() {
        world.set(name, if index < 3 { Busy(hour) } else { Takes(ms(1)) });
    }
    let client = world.client_of(BalanceConfig::default(), &names.map(|name| (name, 1)));
    let mut delivered = 0;
    for number in 0..8 {
        match client.export(request(number)).await {
            Ok(_) => delivered += 1,
            Err(error) => assert_eq!(error.retry(), Retry::Backoff, "{error:?}"),
        }
    }
    assert!(delivered >= 7, "{delivered}");
    assert_eq!(["a:1", "b:1", "c:1"].map(|name| world.attempts_at(name)), [1; 3]);
    // What is dead may come back before the hour is over; what is gone may be replaced.
    for (behaviours, expected) in [
        ([Busy(hour), Dead, Busy(hour)], Retry::Backoff),
        ([Dead, Busy(hour), Dead], Retry::Backoff),
        ([Busy(hour), Busy(ms(7_000)), Busy(hour)], Retry::After(ms(7_000))),
    ] {
        let world = self::world(behaviours);
        let client = world.client_of(BalanceConfig::default(), &[(A, 1), (B, 1), (C, 1)]);
        let error = client.export(request(1)).await.unwrap_err();
        assert_eq!(error.retry(), expected, "{behaviours:?}: {error:?}");
    }
}

/// Scenario: an endpoint swallows requests, as behind a firewall that drops packets, and senders give less time than an
/// attempt may take. Guarantee: the endpoint is left out after five of them; senders in a hurry leave out nobody.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_never_answers_is_left_out_whatever_time_senders_give() {
    for (time, attempts) in [(None, 5..=7), (Some(ms(1_500)), 5..=7), (Some(ms(200)), 30..=40)] {
        let world = world([Behaviour::Silent, Behaviour::Takes(ms(1)), Behaviour::Takes(ms(1))]);
        let client = world.client_of(BalanceConfig::default(), &[(A, 1), (B, 1), (C, 1)]);
        let clock = world.context().clock;
        for number in 0..100 {
            let mut batch = request(number);
            batch.deadline = time.map(|time| clock.now() + time);
            let result = client.export(batch).await;
            assert!(result.is_ok() || result.is_err_and(|error| error.kind() == ErrorKind::Timeout));
        }
        assert!(attempts.contains(&world.attempts_at(A)), "{time:?}: {}", world.attempts_at(A));
    }
}

/// Scenario: an endpoint dies and comes back. Guarantee: it is left alone meanwhile, but for single requests that find
/// out; then it gets its share again.
#[tokio::test(start_paused = true)]
async fn the_dead_are_left_alone_and_found_when_they_return() {
    for policy in [BalancePolicy::RoundRobin, BalancePolicy::LeastConnections, BalancePolicy::ConsistentHash]
    {
        let world = world([Behaviour::Dead, Behaviour::Takes(ms(1)), Behaviour::Takes(ms(1))]);
        let mut config = BalanceConfig::default();
        config.policy = policy;
        config.routing = otlp_transport::RoutingKey::Metadata(super::KEY.into());
        let client = world.client_of(config, &[(A, 1), (B, 1), (C, 1)]);
        for number in 0..3_000 {
            client.export(request(number)).await.unwrap();
            tokio::time::sleep(ms(10)).await;
        }
        // Five failures, then one after 5, 15 and 35 seconds.
        let attempts = world.attempts_at(A);
        assert!((5..=8).contains(&attempts), "{policy:?}: {attempts} attempts in half a minute");
        world.set(A, Behaviour::Takes(ms(1)));
        tokio::time::sleep(ms(60_000)).await;
        for number in 0..300 {
            client.export(request(number)).await.unwrap();
        }
        let share = world.arrived_at(A).len();
        assert!((60..=140).contains(&share), "{policy:?}: {share} of 300");
    }
}

/// A request that is given up frees its place, and does not keep an endpoint from being tried.
#[tokio::test(start_paused = true)]
async fn a_request_given_up_leaves_nothing_behind() {
    let world = world([Behaviour::Silent, Behaviour::Dead, Behaviour::Dead]);
    let client = world.client_of(BalanceConfig::default(), &[(A, 1)]);
    for number in 0..20 {
        assert!(tokio::time::timeout(ms(100), client.export(request(number))).await.is_err());
    }
    let stats = client.stats().endpoints();
    assert_eq!(stats[0].in_flight.load(Ordering::Relaxed), 0);
    assert_eq!(stats[0].failed.load(Ordering::Relaxed), 0);
}

/// Scenario: an endpoint fails, another asks for a delay, a third works. Guarantee: the state of each is shown, and the ejection
/// passes.
#[tokio::test(start_paused = true)]
async fn the_state_of_each_endpoint_is_shown() {
    let world = world([Behaviour::Dead, Behaviour::Busy(ms(40_000)), Behaviour::Takes(ms(1))]);
    let client = world.client_of(BalanceConfig::default(), &[(A, 1), (B, 1), (C, 3)]);
    let states = || client.endpoints().iter().map(|status| status.state).collect::<Vec<_>>();
    assert_eq!(states(), [EndpointState::InUse; 3]);
    for number in 0..20 {
        client.export(request(number)).await.unwrap();
    }
    let [EndpointState::Ejected(left), EndpointState::Throttled(delay), EndpointState::InUse] = states()[..]
    else {
        panic!("{:?}", states())
    };
    assert!(left > ms(4_900) && left <= ms(5_000) && delay > ms(39_000), "{left:?} {delay:?}");
    let endpoints = client.endpoints();
    assert_eq!(endpoints.iter().map(|status| status.weight).collect::<Vec<_>>(), [1, 1, 3]);
    assert_eq!(endpoints[0].stats.ejections.load(Ordering::Relaxed), 1);
    tokio::time::sleep(ms(6_000)).await;
    assert_eq!(states()[0], EndpointState::Ejected(Duration::ZERO), "the next request probes it");
    world.set(A, Behaviour::Takes(ms(1_000)));
    let sender = client.clone();
    let probe =
        tokio::spawn(async move { join_all((0..2).map(|number| sender.export(request(number)))).await });
    tokio::time::sleep(ms(500)).await;
    assert_eq!(states()[0], EndpointState::Probing);
    assert!(probe.await.unwrap().iter().all(Result::is_ok));
    assert_eq!(states()[0], EndpointState::InUse);
}
