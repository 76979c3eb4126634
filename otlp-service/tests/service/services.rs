//! Services by name: the registry, the state of endpoints, and 100,000 calls while endpoints come, go, slow down and die.

mod churn;
mod sim;

use crate::harness::clock;
use otlp_protocol::{Batch, Charge, Count, ErrorKind, Retry, Signal};
use otlp_service::{
    Affects, Health, HealthChecker, Ledger, MicroserviceArchitecture, Registry, ServiceError, ServiceLimits,
    ServicePolicy, ServiceStatus,
};
use otlp_transport::{EndpointState, FileConfig, FileResolver, ResolvedEndpoint, Resolver};
use sim::{Behaviour, World};
use std::sync::Arc;
use std::time::Duration;

/// A call of `items` items that carries a number.
fn call(number: u64, items: u64) -> Batch {
    let count = Count { items, entries: items };
    Batch::unchecked(Signal::TRACES, number.to_be_bytes().to_vec(), count, true, Charge::none())
}

/// A registry of services in a simulated network.
struct Rig {
    world: World,
    ledger: Ledger,
    registry: Registry,
    services: MicroserviceArchitecture,
}

impl Rig {
    fn new() -> Self {
        Self::with_limits(ServiceLimits::default())
    }

    fn with_limits(limits: ServiceLimits) -> Self {
        let (world, ledger, registry) = (World::default(), Ledger::new(), Registry::new());
        let services = MicroserviceArchitecture::with_limits(world.context(), &ledger, &registry, limits);
        Self { world, ledger, registry, services }
    }

    fn policy(&self) -> ServicePolicy {
        let mut policy = ServicePolicy::default();
        policy.strategy = Arc::new(self.world.clone());
        policy
    }

    fn status(&self, name: &str) -> ServiceStatus {
        self.services.services().into_iter().find(|service| service.name == name).unwrap()
    }

    /// Sum of a metric.
    fn metric(&self, name: &str, label: &str) -> f64 {
        let text = self.registry.snapshot().to_string();
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[tokio::test(start_paused = true)]
async fn names_are_registered_called_and_deregistered() {
    let rig = Rig::new();
    rig.world.set("a:1", Behaviour::Takes(ms(5)));
    let error = rig.services.call_service("cart", call(0, 1)).await.unwrap_err();
    assert_eq!(error.message(), "unknown service `cart`; no service is registered");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unimplemented, Retry::Never));

    for name in ["cart", "stock"] {
        rig.services.register_service(name, ["a:1"], rig.policy()).unwrap();
    }
    rig.services.call_service("cart", call(1, 3)).await.unwrap();
    assert_eq!(rig.world.arrivals(1), 1);
    let error = rig.services.call_service("crat", call(2, 1)).await.unwrap_err();
    assert_eq!(error.message(), "unknown service `crat`; registered: cart, stock");
    assert_eq!(rig.metric("otlp_service_unknown_calls", ""), 2.0);

    let error = rig.services.register_service("cart", ["a:1"], rig.policy()).unwrap_err();
    assert!(matches!(error, ServiceError::AlreadyRegistered { .. }), "{error}");
    for name in ["", &"x".repeat(257)] {
        let error = rig.services.register_service(name, ["a:1"], rig.policy()).unwrap_err();
        assert!(matches!(error, ServiceError::InvalidName { .. }), "{error}");
    }
    let error = rig.services.register_service("mail", ["no endpoint"], rig.policy()).unwrap_err();
    assert!(error.to_string().starts_with("the service `mail` has an invalid setting: endpoint"), "{error}");
    let mut policy = rig.policy();
    policy.max_calls = 0;
    assert!(matches!(
        rig.services.register_service("mail", ["a:1"], policy),
        Err(ServiceError::Config { .. })
    ));

    let line = rig.ledger.snapshot().line("services", "cart").cloned().unwrap();
    assert_eq!(line.to_string(), "services -> cart: accepted 3, sent 3");
    rig.services.deregister_service("cart").unwrap();
    assert!(matches!(rig.services.deregister_service("cart"), Err(ServiceError::Unknown { .. })));
    assert_eq!(
        rig.services.services().iter().map(|service| service.name.as_str()).collect::<Vec<_>>(),
        ["stock"]
    );
    // The counts of the removed service stay in the ledger; its metrics go.
    let removed = rig.ledger.snapshot().line("(removed)", "(removed)").cloned().unwrap();
    assert_eq!((removed.accepted, removed.sent), (3, 3));
    assert_eq!(rig.metric("otlp_service_calls", "service=\"cart\""), 0.0);
    tokio::time::sleep(ms(1)).await;
    assert_eq!(rig.world.open_clients(), 1, "that of `stock`");
}

#[tokio::test(start_paused = true)]
async fn services_and_calls_under_way_are_bounded() {
    let mut limits = ServiceLimits::default();
    limits.max_services = 1;
    let rig = Rig::with_limits(limits);
    rig.world.set("a:1", Behaviour::Takes(ms(50)));
    let mut policy = rig.policy();
    policy.max_calls = 2;
    rig.services.register_service("cart", ["a:1"], policy).unwrap();
    let error = rig.services.register_service("stock", ["a:1"], rig.policy()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 services are registered, which is the limit (ServiceLimits::max_services)"
    );
    assert_eq!(rig.metric("otlp_service_refused_registrations", ""), 1.0);

    let calls: Vec<_> = (0..2)
        .map(|number| {
            let services = rig.services.clone();
            tokio::spawn(async move { services.call_service("cart", call(number, 1)).await })
        })
        .collect();
    tokio::time::sleep(ms(10)).await;
    assert_eq!(rig.metric("otlp_service_calls_in_flight", "service=\"cart\""), 2.0);
    let error = rig.services.call_service("cart", call(2, 1)).await.unwrap_err();
    assert!(
        error.retry().is_retryable() && error.message().contains("2 calls of the service `cart`"),
        "{error}"
    );
    for call in calls {
        call.await.unwrap().unwrap();
    }
    rig.services.call_service("cart", call(3, 1)).await.unwrap();
    let status = rig.status("cart");
    assert_eq!((status.succeeded_calls, status.refused_calls, status.calls_in_flight), (3, 1, 0));
    assert_eq!((status.items.sent, status.items.refused), (3, 1));
}

/// Scenario: a service is deregistered, and a caller gives up, while calls are under way. Guarantee: calls under way end as if
/// nothing had happened; what the caller gave up counts as refused.
#[tokio::test(start_paused = true)]
async fn calls_under_way_outlive_their_service() {
    let rig = Rig::new();
    rig.world.set("a:1", Behaviour::Dead);
    rig.services.register_service("cart", ["a:1"], rig.policy()).unwrap();
    let services = rig.services.clone();
    let under_way = tokio::spawn(async move { services.call_service("cart", call(1, 2)).await });
    let given_up = tokio::time::timeout(ms(100), rig.services.call_service("cart", call(2, 5))).await;
    assert!(given_up.is_err());
    assert_eq!(rig.status("cart").cancelled_calls, 1);
    rig.services.deregister_service("cart").unwrap();
    tokio::time::sleep(ms(1_000)).await;
    rig.world.set("a:1", Behaviour::Takes(ms(1)));
    under_way.await.unwrap().unwrap();
    let snapshot = rig.ledger.snapshot();
    snapshot.check().unwrap();
    let removed = snapshot.line("(removed)", "(removed)").unwrap();
    assert_eq!((removed.accepted, removed.sent, removed.refused), (2, 2, 5));
    tokio::time::sleep(ms(1)).await;
    assert_eq!(rig.world.open_clients(), 0, "the service is gone with its last call");
}

#[tokio::test(start_paused = true)]
async fn endpoints_and_their_health_are_listed() {
    let rig = Rig::new();
    rig.world.set("a:1", Behaviour::Dead);
    rig.world.set("b:1", Behaviour::Takes(ms(1)));
    rig.services.register_service("cart", ["a:1", "b:1"], rig.policy()).unwrap();
    assert_eq!(rig.status("cart").health(), Health::Healthy);
    for number in 0..20 {
        rig.services.call_service("cart", call(number, 1)).await.unwrap();
    }
    let status = rig.status("cart");
    assert_eq!(status.health(), Health::Degraded("1 of 2 endpoints are left out".into()));
    assert!(matches!(status.endpoints[0].state, EndpointState::Ejected(_)), "{status}");
    let checker = HealthChecker::new();
    let _entries =
        ["cart", "crat"].map(|name| checker.add_with(rig.services.health_check(name), Affects::Report));
    let report = checker.report().to_json();
    for (check, health) in
        [("cart", "1 of 2 endpoints are left out"), ("crat", "the service is not registered")]
    {
        let (_, rest) = report.split_once(&format!(r#""service/{check}""#)).unwrap();
        assert!(rest.split('}').next().unwrap().contains(health), "{report}");
    }
    let text = status.to_string();
    assert!(
        text.starts_with("cart: degraded (1 of 2 endpoints are left out), resolver static, 20 calls"),
        "{text}"
    );
    assert!(
        text.contains("\n  a:1: weight 1, ejected for ") && text.contains("\n  b:1: weight 1, in use"),
        "{text}"
    );

    let none: Vec<ResolvedEndpoint> = Vec::new();
    rig.services.register_service("empty", none, rig.policy()).unwrap();
    assert!(matches!(rig.status("empty").health(), Health::Unhealthy(_)));
}

/// Scenario: the file of a service's endpoints changes, is broken, and is repaired. Guarantee: calls go to the endpoints of
/// the last valid list.
#[tokio::test(start_paused = true)]
async fn a_service_follows_the_file_of_its_endpoints() {
    let rig = Rig::new();
    for address in ["a:1", "b:1", "c:1"] {
        rig.world.set(address, Behaviour::Takes(ms(1)));
    }
    rig.world.write("/cart.json", r#"["a:1"]"#);
    let resolver = FileResolver::new(&rig.world.context(), FileConfig::new("/cart.json")).unwrap();
    let resolver: Box<dyn Resolver> = Box::new(resolver);
    rig.services.register_service("cart", resolver, rig.policy()).unwrap();
    let endpoints = |rig: &Rig| {
        rig.status("cart").endpoints.iter().map(|found| found.endpoint.clone()).collect::<Vec<_>>()
    };
    let mut number = 0;
    for (content, expected) in [
        (r#"["a:1"]"#, &["a:1"][..]),
        (r#"["b:1", {"endpoint": "c:1", "weight": 2}]"#, &["b:1", "c:1"]),
        (r#"["b:1", "#, &["b:1", "c:1"]),
        ("[]", &["b:1", "c:1"]),
        (r#"["c:1"]"#, &["c:1"]),
    ] {
        rig.world.write("/cart.json", content);
        clock().sleep(ms(6_000)).await;
        assert_eq!(endpoints(&rig), expected, "{content}");
        number += 1;
        rig.services.call_service("cart", call(number, 1)).await.unwrap();
    }
    assert_eq!(rig.world.arrived_at("a:1") + rig.world.arrived_at("b:1") + rig.world.arrived_at("c:1"), 5);
    assert_eq!(rig.metric("otelcol_loadbalancer_num_resolutions", "success=\"false\""), 2.0);
}
