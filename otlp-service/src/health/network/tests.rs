use super::*;
use otlp_protocol::{Accepted, Retry};
use otlp_transport::{BoxIo, ExportError, Listener, NetFuture, TokioClock};
use std::io;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// A network whose peers are there, gone, or silent.
#[derive(Debug, Default)]
struct FakeNet {
    is_gone: AtomicBool,
    is_silent: AtomicBool,
    connections: AtomicU32,
}

impl Net for FakeNet {
    fn bind<'a>(&'a self, _: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn connect<'a>(&'a self, _: &'a str) -> NetFuture<'a, BoxIo> {
        Box::pin(async {
            self.connections.fetch_add(1, Ordering::Relaxed);
            if self.is_silent.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            match self.is_gone.load(Ordering::Relaxed) {
                true => Err(io::Error::other("refused")),
                false => Ok(Box::new(tokio::io::duplex(1).0) as BoxIo),
            }
        })
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_connection_tells_of_a_dependency() {
    let net = Arc::new(FakeNet::default());
    let check = NetworkHealthCheck::new("registry", net.clone(), "registry:8081");
    assert_eq!(check.probe().await, Health::Healthy);
    net.is_gone.store(true, Ordering::Relaxed);
    let expected = Health::Unhealthy("cannot connect to registry:8081: refused".into());
    assert_eq!(check.probe().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_destination_without_attempts_is_connected_to() {
    let (net, clock) = (Arc::new(FakeNet::default()), Arc::new(TokioClock));
    let reachability: Arc<Reachability> = Arc::default();
    let check = NetworkHealthCheck::of_attempts("exporter/a".into(), "a:4317".into(), reachability.clone());
    let mut config = HealthCheckConfig::default();
    (config.period, config.timeout) = (seconds(30), seconds(5));
    let task = tokio::spawn(check.connect_when_idle(net.clone(), &config, clock.clone()));
    let connections = || net.connections.load(Ordering::Relaxed);

    // An attempt in each period: no connection.
    clock.sleep(seconds(1)).await;
    let refused = || Err(ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "overloaded"));
    reachability.note(&refused());
    assert_eq!(check.check(), Health::Degraded("overloaded".into()));
    clock.sleep(seconds(30)).await;
    reachability.note(&Ok(Accepted::FULL));
    clock.sleep(seconds(29)).await;
    assert_eq!((check.check(), connections()), (Health::Healthy, 0));

    // None since: the connection tells.
    net.is_gone.store(true, Ordering::Relaxed);
    clock.sleep(seconds(31)).await;
    clock.sleep(seconds(30)).await;
    assert_eq!(check.check(), Health::Degraded("cannot connect to a:4317: refused".into()));
    net.is_gone.store(false, Ordering::Relaxed);
    net.is_silent.store(true, Ordering::Relaxed);
    clock.sleep(seconds(35)).await;
    assert_eq!(check.check(), Health::Degraded("cannot connect to a:4317 within 5s".into()));
    net.is_silent.store(false, Ordering::Relaxed);
    clock.sleep(seconds(35)).await;
    assert_eq!(check.check(), Health::Healthy);
    assert!(connections() >= 3);
    task.abort();
}
