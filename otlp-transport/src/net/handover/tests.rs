use super::Sockets;
use crate::{BoxIo, Listener, Net, TcpNet};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

fn sockets() -> Sockets {
    Sockets::new(Arc::new(TcpNet))
}

fn address(listener: &dyn Listener) -> String {
    listener.local_addr().unwrap().to_string()
}

async fn accepts(listener: &dyn Listener) -> bool {
    timeout(Duration::from_millis(200), listener.accept()).await.is_ok()
}

/// Accepts on one of two listeners, and says on which.
async fn first(listeners: [&dyn Listener; 2]) -> (usize, BoxIo) {
    tokio::select! {
        accepted = listeners[0].accept() => (0, accepted.unwrap().0),
        accepted = listeners[1].accept() => (1, accepted.unwrap().0),
    }
}

#[tokio::test]
async fn a_socket_goes_to_the_next_listener_with_its_backlog() {
    let sockets = sockets();
    let old_handover = sockets.handover();
    let old = old_handover.net("a").bind("127.0.0.1:0").await.unwrap();
    let to = address(&*old);
    // A new listener waits for its activation; until then the connection is in the backlog.
    let mut early = TcpNet.connect(&to).await.unwrap();
    assert!(!accepts(&*old).await);
    old_handover.activate();
    early.write_all(b"x").await.unwrap();
    let (mut accepted, _) = old.accept().await.unwrap();
    assert_eq!(accepted.read_u8().await.unwrap(), b'x');

    let new_handover = sockets.handover();
    let new = new_handover.net("a").bind("127.0.0.1:0").await.unwrap();
    assert_eq!(address(&*new), to);
    let _one = TcpNet.connect(&to).await.unwrap();
    assert_eq!(first([&*old, &*new]).await.0, 0);
    let _waiting = TcpNet.connect(&to).await.unwrap();
    new_handover.activate();
    assert_eq!(first([&*old, &*new]).await.0, 1);
    assert!(!accepts(&*old).await);
    // The socket is there as long as any of its listeners.
    drop(old);
    let _two = TcpNet.connect(&to).await.unwrap();
    assert!(accepts(&*new).await);
    drop(new);
    assert!(TcpNet.connect(&to).await.is_err());
}

#[tokio::test]
async fn a_handover_that_is_given_up_changes_nothing() {
    let sockets = sockets();
    let handover = sockets.handover();
    let old = handover.net("a").bind("127.0.0.1:0").await.unwrap();
    handover.activate();
    let to = address(&*old);
    let given_up = sockets.handover();
    drop(given_up.net("b").bind(&to).await);
    drop(given_up.net("a").bind("127.0.0.1:0").await.unwrap());
    drop(given_up);
    let _client = TcpNet.connect(&to).await.unwrap();
    assert!(accepts(&*old).await);
}

#[tokio::test]
async fn two_listeners_of_one_configuration_share_no_socket() {
    let sockets = sockets();
    let handover = sockets.handover();
    let (one, other) = (handover.net("one"), handover.net("other"));
    let first = one.bind("127.0.0.1:0").await.unwrap();
    let second = one.bind("127.0.0.1:0").await.unwrap();
    let third = other.bind("127.0.0.1:0").await.unwrap();
    assert!(address(&*first) != address(&*second) && address(&*second) != address(&*third));
    let to = address(&*first);
    let error = other.bind(&to).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    // The same if the other one goes on from an earlier configuration.
    handover.activate();
    let next = sockets.handover();
    next.keep("one");
    assert!(next.net("other").bind(&to).await.is_err());
    drop(sockets.handover().net("other").bind(&to).await.unwrap());
    // Given back, it is free for others.
    drop(first);
    drop(other.bind(&to).await.unwrap());
}

#[tokio::test]
async fn another_spelling_is_the_same_socket_and_another_host_is_told_of() {
    let sockets = sockets();
    let handover = sockets.handover();
    let any = handover.net("a").bind(":0").await.unwrap();
    handover.activate();
    let port = any.local_addr().unwrap().tcp().unwrap().port();
    let next = sockets.handover();
    let error = next.net("a").bind(&format!("127.0.0.1:{port}")).await.err();
    if let Some(error) = error {
        let text = error.to_string();
        assert!(
            error.kind() == ErrorKind::AddrInUse && text.contains("a reload cannot move a port"),
            "{text}"
        );
    }
    let same = next.net("a").bind(&format!("0.0.0.0:{port}")).await.unwrap();
    assert_eq!(address(&*same), address(&*any));
}
