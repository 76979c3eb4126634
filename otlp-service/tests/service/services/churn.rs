//! Scenario: 100,000 calls by 128 callers to three services, whose endpoints come from a list, from DNS and from a file.
//! Endpoints come, go, slow down, break off connections, ask for delays and die, and one service is deregistered and
//! registered again. Some callers give up.
//!
//! Guarantees: each call that was answered with success arrived once, and once more for each connection that broke off after
//! the delivery; each call that was refused for good did not arrive; the ledger has the callers' totals.

use super::sim::{Behaviour, REFUSED, World};
use super::{Rig, call, ms};
use otlp_protocol::{ErrorKind, Retry};
use otlp_service::ServicePolicy;
use otlp_transport::{Clock as _, DnsConfig, DnsResolver, FileConfig, FileResolver, Resolver, TokioClock};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the callers were told.
#[derive(Default)]
struct Told {
    succeeded: AtomicU64,
    sent_items: AtomicU64,
    /// Items of attempts that failed or were cancelled: the callers kept them.
    kept_items: AtomicU64,
    failed: AtomicU64,
    unknown: AtomicU64,
    cancelled: AtomicU64,
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_calls_while_endpoints_come_and_go() {
    let rig = Rig::new();
    let mut policy = rig.policy();
    policy.retry.max_elapsed_time = Some(Duration::from_secs(2));
    populate(&rig, &policy);
    let start = TokioClock.now();
    let told = Arc::new(Told::default());
    let next = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(caller(rig.services.clone(), next.clone(), told.clone())))
        .collect();
    let churn = {
        let (world, services, policy) = (rig.world.clone(), rig.services.clone(), policy.clone());
        let changes = Arc::new(AtomicU64::new(0));
        let counted = changes.clone();
        let task = tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(5);
            loop {
                tokio::time::sleep(ms(random.u64(20..200))).await;
                change(&world, &mut random);
                if counted.fetch_add(1, Ordering::Relaxed) % 40 == 20 {
                    services.deregister_service("cart").unwrap();
                    tokio::time::sleep(ms(20)).await;
                    services.register_service("cart", CART, policy.clone()).unwrap();
                }
            }
        });
        (task, changes)
    };
    let mut outcomes = HashMap::new();
    for caller in callers {
        outcomes.extend(caller.await.unwrap());
    }
    churn.0.abort();
    assert_eq!(outcomes.len() as u64, CALLS);
    // Deliveries of cancelled calls may be under way.
    tokio::time::sleep(Duration::from_secs(10)).await;

    let (mut doubled, mut lost) = (0, 0);
    for (&number, outcome) in &outcomes {
        let (arrivals, broken) = (rig.world.arrivals(number), rig.world.broken(number));
        match outcome {
            Outcome::Accepted => {
                assert_eq!(arrivals, 1 + broken, "call {number}");
                doubled += u64::from(arrivals > 1);
            }
            Outcome::Refused => assert_eq!(arrivals, 0, "call {number}"),
            Outcome::Cancelled => {
                assert!(arrivals <= 1 + broken, "call {number}");
                lost += u64::from(arrivals == 0);
            }
        }
    }
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let snapshot = rig.ledger.snapshot();
    snapshot.check().unwrap();
    let total = |of: fn(&otlp_service::LedgerLine) -> u64| snapshot.lines.iter().map(of).sum::<u64>();
    println!(
        "{CALLS} calls in {:.0?} simulated, {} changes of the world: {} items sent, {} items kept by callers; {} attempts of \
         callers failed, {} met no service, {} cancelled ({lost} of these did not arrive); {doubled} arrived twice after a \
         broken connection; {} failovers\n{snapshot}",
        TokioClock.now() - start,
        read(&churn.1),
        read(&told.sent_items),
        read(&told.kept_items),
        read(&told.failed),
        read(&told.unknown),
        read(&told.cancelled),
        rig.metric("otlp_client_failovers", ""),
    );
    assert_eq!(total(|line| line.sent), read(&told.sent_items));
    assert_eq!(total(|line| line.accepted), read(&told.sent_items));
    assert_eq!(total(|line| line.refused), read(&told.kept_items));
    assert_eq!(total(|line| line.in_flight + line.queued + line.dropped_items()), 0);
    assert_eq!(rig.metric("otlp_service_unknown_calls", ""), read(&told.unknown) as f64);
    // The counters of the two services that were there all the time, and of the third since it was registered last.
    let calls: u64 = rig.services.services().iter().map(|service| service.succeeded_calls).sum();
    assert!(calls <= read(&told.succeeded) && calls >= read(&told.succeeded) / 2, "{calls}");
    assert!(doubled > 0 && read(&told.cancelled) > 0 && read(&told.unknown) > 0, "each case occurred");
    assert!(rig.services.services().iter().all(|service| service.calls_in_flight == 0));
}

/// The end of a call, for its caller.
enum Outcome {
    Accepted,
    Refused,
    Cancelled,
}

fn populate(rig: &Rig, policy: &ServicePolicy) {
    for address in all() {
        rig.world.set(&address, Behaviour::Takes(ms(10)));
    }
    rig.world.resolve("stock:4317", &STOCK.map(String::from));
    rig.world.write("/mail.json", format!("{MAIL:?}"));
    let context = rig.world.context();
    let mut dns = DnsConfig::new("stock");
    dns.interval = ms(500);
    let mut file = FileConfig::new("/mail.json");
    file.interval = ms(500);
    let by_name: Box<dyn Resolver> = Box::new(DnsResolver::new(&context, dns));
    let by_file: Box<dyn Resolver> = Box::new(FileResolver::new(&context, file).unwrap());
    rig.services.register_service("cart", CART, policy.clone()).unwrap();
    rig.services.register_service("stock", by_name, policy.clone()).unwrap();
    rig.services.register_service("mail", by_file, policy.clone()).unwrap();
}

/// Makes calls until all numbers are used, each until it is accepted, refused for good, or given up.
async fn caller(
    services: otlp_service::MicroserviceArchitecture,
    next: Arc<AtomicU64>,
    told: Arc<Told>,
) -> Vec<(u64, Outcome)> {
    let mut outcomes = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= CALLS {
            return outcomes;
        }
        let (name, items) = (NAMES[number as usize % NAMES.len()], 1 + number % 5);
        let patience = if number % 101 == 7 { ms(12) } else { Duration::from_secs(3600) };
        let outcome = loop {
            let called =
                tokio::time::timeout(patience, services.call_service(name, call(number, items))).await;
            let error = match called {
                Ok(Ok(_)) => {
                    told.succeeded.fetch_add(1, Ordering::Relaxed);
                    told.sent_items.fetch_add(items, Ordering::Relaxed);
                    break Outcome::Accepted;
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    told.cancelled.fetch_add(1, Ordering::Relaxed);
                    told.kept_items.fetch_add(items, Ordering::Relaxed);
                    break Outcome::Cancelled;
                }
            };
            if error.kind() == ErrorKind::Unimplemented {
                told.unknown.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(ms(5)).await;
                continue;
            }
            told.failed.fetch_add(1, Ordering::Relaxed);
            told.kept_items.fetch_add(items, Ordering::Relaxed);
            if error.retry() == Retry::Never {
                assert_eq!((error.kind(), number % REFUSED), (ErrorKind::PermissionDenied, 0), "{error}");
                break Outcome::Refused;
            }
            tokio::time::sleep(ms(20)).await;
        };
        outcomes.push((number, outcome));
    }
}

/// Changes the behaviour of an endpoint, the addresses of the name, or the content of the file.
fn change(world: &World, random: &mut fastrand::Rng) {
    let addresses = all();
    let address = &addresses[random.usize(..addresses.len())];
    match random.u8(0..14) {
        0 => world.set(address, Behaviour::Dead),
        1 => world.set(address, Behaviour::Silent),
        2 => world.set(address, Behaviour::Busy(ms(random.u64(1..3_000)))),
        3 | 4 => world.set(address, Behaviour::BreaksOff(ms(random.u64(1..30)))),
        5 => world.set(address, Behaviour::Takes(ms(random.u64(100..2_000)))),
        6..=9 => world.set(address, Behaviour::Takes(ms(random.u64(1..30)))),
        10 | 11 => {
            let some: Vec<_> = STOCK.iter().filter(|_| random.bool()).map(ToString::to_string).collect();
            world.resolve("stock:4317", &some);
        }
        12 => {
            let some: Vec<_> = MAIL.iter().filter(|_| random.bool()).collect();
            world.write("/mail.json", format!("{some:?}"));
        }
        _ => world.write("/mail.json", "[\"10.0.2.1:4317\", "),
    }
}

fn all() -> Vec<String> {
    [CART, STOCK, MAIL].concat().into_iter().map(String::from).collect()
}

const CALLS: u64 = 100_000;
const CALLERS: usize = 128;
const NAMES: [&str; 3] = ["cart", "stock", "mail"];
const CART: [&str; 4] = ["10.0.0.1:4317", "10.0.0.2:4317", "10.0.0.3:4317", "10.0.0.4:4317"];
const STOCK: [&str; 4] = ["10.0.1.1:4317", "10.0.1.2:4317", "10.0.1.3:4317", "10.0.1.4:4317"];
const MAIL: [&str; 4] = ["10.0.2.1:4317", "10.0.2.2:4317", "10.0.2.3:4317", "10.0.2.4:4317"];
