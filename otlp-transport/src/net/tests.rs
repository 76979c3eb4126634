use super::{Address, Net as _, TcpNet};
use std::io::ErrorKind;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A directory of this test, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        // Paths of Unix sockets are short: 108 bytes at most.
        let path = std::env::temp_dir().join(format!("otlp-net-{name}-{}", std::process::id()));
        // If it cannot be made, the tests say so.
        let _ = std::fs::create_dir_all(&path);
        Self(path)
    }

    fn address(&self) -> String {
        format!("unix://{}", self.0.join("socket").display())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn bytes_go_through_a_unix_socket_which_is_removed_at_the_end() {
    let directory = Directory::new("through");
    let address = directory.address();
    let listener = TcpNet.bind(&address).await.unwrap();
    assert_eq!(listener.local_addr().unwrap().to_string(), address);
    let (accepted, connected) = tokio::join!(listener.accept(), TcpNet.connect(&address));
    let ((mut server, peer), mut client) = (accepted.unwrap(), connected.unwrap());
    assert_eq!((peer.to_string(), peer.ip()), (address.clone(), None));
    client.write_all(b"x").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'x');
    drop(listener);
    assert!(!directory.0.join("socket").exists());
    assert!(TcpNet.connect(&address).await.is_err());
}

/// As in Go, and so in the Collector.
#[tokio::test]
async fn all_addresses_are_those_of_both_families() {
    for address in [":0", "0.0.0.0:0", "[::]:0"] {
        let listener = TcpNet.bind(address).await.unwrap();
        let bound = listener.local_addr().unwrap().tcp().unwrap();
        let mut hosts = vec!["127.0.0.1"];
        // Without IPv6 in the system, IPv4 alone is listened on.
        if bound.is_ipv6() && TcpNet.bind("[::1]:0").await.is_ok() {
            hosts.push("[::1]");
        }
        for host in hosts {
            let connect = TcpNet.connect(&format!("{host}:{}", bound.port())).await;
            assert!(connect.is_ok(), "{host} at {address}");
            let (_, peer) = listener.accept().await.unwrap();
            let expected = host.trim_matches(['[', ']']).parse().unwrap();
            assert_eq!(peer.ip(), Some(expected), "not an IPv4 address in IPv6's clothes");
        }
    }
    let localhost = TcpNet.bind("localhost:0").await.unwrap().local_addr().unwrap();
    assert_eq!(localhost.to_string().split(':').next(), Some("127.0.0.1"));
}

#[tokio::test]
async fn a_family_may_be_asked_for() {
    for (address, ip) in [("tcp4://0.0.0.0:0", "0.0.0.0"), ("tcp4://localhost:0", "127.0.0.1")] {
        let bound = TcpNet.bind(address).await.unwrap().local_addr().unwrap();
        assert_eq!(bound.tcp().unwrap().ip().to_string(), ip, "{address}");
    }
    assert!(TcpNet.bind("tcp4://[::1]:0").await.is_err() && TcpNet.bind("tcp6://127.0.0.1:0").await.is_err());
    // Not everywhere is there IPv6.
    if let Ok(listener) = TcpNet.bind("tcp6://[::]:0").await {
        let port = listener.local_addr().unwrap().tcp().unwrap().port();
        assert!(TcpNet.connect(&format!("127.0.0.1:{port}")).await.is_err(), "IPv6 alone");
        assert!(TcpNet.connect(&format!("[::1]:{port}")).await.is_ok());
    }
}

#[tokio::test]
async fn only_an_abandoned_socket_is_replaced() {
    let directory = Directory::new("abandoned");
    let (address, path) = (directory.address(), directory.0.join("socket"));

    std::fs::write(&path, "precious").unwrap();
    let error = TcpNet.bind(&address).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    std::fs::remove_file(&path).unwrap();

    // As a killed process leaves it.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listener = TcpNet.bind(&address).await.unwrap();
    let error = TcpNet.bind(&address).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");

    // What somebody else has put in its place stays.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    drop(listener);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn paths_of_unix_sockets() {
    for (address, path) in [
        ("unix:///run/otlp.sock", Some("/run/otlp.sock")),
        ("unix:/run/otlp.sock", Some("/run/otlp.sock")),
        ("unix:otlp.sock", Some("otlp.sock")),
        ("localhost:4317", None),
    ] {
        assert_eq!(Address::unix_path(address), path, "{address}");
    }
}

#[tokio::test]
async fn a_link_is_not_followed_and_a_long_path_is_told_its_length() {
    let directory = Directory::new("link");
    let (address, path) = (directory.address(), directory.0.join("socket"));
    let target = directory.0.join("target");
    // A link to an abandoned socket, which would otherwise be replaced.
    drop(std::os::unix::net::UnixListener::bind(&target).unwrap());
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let error = TcpNet.bind(&address).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    assert!(target.exists());

    let long = format!("unix://{}", directory.0.join("x".repeat(200)).display());
    let error = TcpNet.bind(&long).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains(&format!("{} bytes", long.len() - "unix://".len())), "{error}");
}
