//! The two ports of a gateway, and what was sent there.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

use crate::peers::{Encoding, Peer, Verdict};
use crate::process::Otlp;
use crate::sink::{Tally, one_item};
use bytes::Bytes;
use otlp_protocol::Signal;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The ways into a gateway. Cloning shares what is known of them.
#[derive(Clone)]
pub(crate) struct Door {
    addresses: [SocketAddr; 2],
    next_id: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    sent: Arc<Mutex<Sent>>,
}

/// What became of what was sent, as far as its senders know. What was refused is in neither.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) accepted: Tally,
    pub(crate) unanswered: Tally,
}

impl Door {
    pub(crate) fn of(otlp: &Otlp) -> Self {
        Self {
            addresses: [otlp.address("otlp/http"), otlp.address("otlp/grpc")],
            next_id: Arc::default(),
            stop: Arc::default(),
            sent: Arc::default(),
        }
    }

    pub(crate) fn sent<T>(&self, read: impl FnOnce(&mut Sent) -> T) -> T {
        read(&mut self.sent.lock())
    }

    pub(crate) async fn connect(&self, is_grpc: bool) -> Peer {
        Peer::connect(is_grpc, self.addresses[usize::from(is_grpc)]).await.expect("it accepts connections")
    }

    pub(crate) async fn open(&self, is_grpc: bool) -> TcpStream {
        TcpStream::connect(self.addresses[usize::from(is_grpc)]).await.expect("it accepts connections")
    }

    /// A request that is not like any other.
    pub(crate) fn next(&self, bytes: usize) -> (Signal, Bytes) {
        one_item(self.next_id.fetch_add(1, Ordering::Relaxed), bytes)
    }

    /// Sends a body, again while there is no memory for it.
    pub(crate) async fn send(
        &self,
        is_grpc: bool,
        signal: Signal,
        encoding: Encoding<'_>,
        body: &Bytes,
    ) -> Verdict {
        loop {
            // A body that was refused before it was read may have cost the connection.
            let answer = self.connect(is_grpc).await.send(signal, encoding, body).await;
            match answer.expect("an answer").verdict {
                Verdict::Busy => tokio::time::sleep(Duration::from_millis(50)).await,
                verdict => return verdict,
            }
        }
    }

    /// Sends a request that must be accepted.
    pub(crate) async fn send_next(&self, is_grpc: bool) {
        let (signal, body) = self.next(100);
        assert_eq!(self.send(is_grpc, signal, None, &body).await, Verdict::Accepted);
        self.sent(|sent| sent.accepted.add(signal, &body));
    }

    /// Sound requests over two connections of each kind, until they are told to stop or nobody accepts connections.
    pub(crate) fn traffic(&self) -> JoinSet<()> {
        [true, false, true, false].into_iter().map(|is_grpc| self.clone().keep_sending(is_grpc)).collect()
    }

    /// Ends all traffic.
    pub(crate) async fn stop(&self, traffic: JoinSet<()>) {
        self.stop.store(true, Ordering::Relaxed);
        traffic.join_all().await;
    }

    /// Waits until so many more requests are accepted.
    pub(crate) async fn accepted_more(&self, requests: u64) {
        let start = self.sent(|sent| sent.accepted.items);
        while self.sent(|sent| sent.accepted.items) < start + requests {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn keep_sending(self, is_grpc: bool) {
        while let Some(mut peer) = Peer::connect(is_grpc, self.addresses[usize::from(is_grpc)]).await {
            while !self.stop.load(Ordering::Relaxed) {
                let (signal, body) = self.next(200);
                if !self.insist(&mut peer, signal, &body).await {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Sends a request until it is accepted; false if the connection ends first.
    async fn insist(&self, peer: &mut Peer, signal: Signal, body: &Bytes) -> bool {
        loop {
            match peer.send(signal, None, body).await {
                None => {
                    self.sent(|sent| sent.unanswered.add(signal, body));
                    return false;
                }
                Some(answer) => match answer.verdict {
                    Verdict::Accepted => {
                        self.sent(|sent| sent.accepted.add(signal, body));
                        return true;
                    }
                    Verdict::Busy => tokio::time::sleep(Duration::from_millis(20)).await,
                    _ => panic!("a sound request is answered with {answer:?}"),
                },
            }
        }
    }
}
