use super::*;
use otlp_transport::TokioClock;
use std::collections::HashMap;

struct Vars(HashMap<&'static str, String>);

impl Lookup for Vars {
    fn env(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn file(&self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A socket of an abstract name, and that name.
fn listen(name: &str) -> (UnixDatagram, String) {
    let name = format!("otlp-{name}-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    (socket, format!("@{name}"))
}

fn manager(vars: impl IntoIterator<Item = (&'static str, String)>) -> Arc<ServiceManager> {
    Arc::new(ServiceManager::from_env(&Vars(vars.into_iter().collect())))
}

fn told(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 200];
    let len = socket.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..len]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_service_manager_is_told() {
    let (socket, name) = listen("manager");
    let manager = manager([("NOTIFY_SOCKET", name), ("WATCHDOG_USEC", "2000".into())]);
    manager.ready("listens");
    assert_eq!(told(&socket), "READY=1\nSTATUS=listens");
    manager.reloading();
    let reloading = told(&socket);
    let micros =
        reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").and_then(|rest| rest.split('\n').next());
    assert!(micros.is_some_and(|micros| micros.parse::<u64>().is_ok()), "{reloading}");
    manager.keep_alive(Arc::new(TokioClock));
    for _ in 0..3 {
        assert_eq!(told(&socket), "WATCHDOG=1");
    }
}

#[tokio::test]
async fn without_one_nothing_happens() {
    let (_socket, name) = listen("nobody");
    for vars in [
        vec![],
        vec![("NOTIFY_SOCKET", String::new())],
        vec![("NOTIFY_SOCKET", format!("/{}", "x".repeat(200)))],
    ] {
        let manager = manager(vars);
        manager.ready("listens");
        manager.keep_alive(Arc::new(TokioClock));
    }
    // Nobody listens there.
    manager([("NOTIFY_SOCKET", "@otlp-that-is-not-there".into())]).ready("listens");
    // The watchdog is of another process.
    let vars = [("NOTIFY_SOCKET", name), ("WATCHDOG_USEC", "1000".into()), ("WATCHDOG_PID", "1".into())];
    manager(vars).keep_alive(Arc::new(TokioClock));
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}
