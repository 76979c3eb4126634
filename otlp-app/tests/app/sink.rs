//! Where the gateway sends: a server in the test, and a tally of what was sent and what came.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

use crate::door::Door;
use bytes::Bytes;
use otlp_protocol::wire::{Cursor, put_len_delimited};
use otlp_protocol::{Accepted, Batch, Signal, ValidateLimits, validate};
use otlp_transport::{
    BoxExport, Export, ExportResult, GrpcTransportStrategy, Routes, Server, ServerConfig, ServerStrategy,
    TransportContext,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::sync::watch;

/// A destination over gRPC. It takes something in the moment in which it answers.
#[derive(Clone)]
pub(crate) struct Sink {
    arrived: Arc<Mutex<Tally>>,
    is_open: watch::Sender<bool>,
    answers_after: Duration,
    requests: Arc<AtomicU64>,
}

/// How often each piece of telemetry was there: the resources of each request, as they were encoded; or all of a request,
/// if it cannot be joined with others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pieces: HashMap<(&'static str, Bytes), u64>,
    pub(crate) items: u64,
}

/// A port that nobody else is given, whether a sink listens on it or not.
pub(crate) struct Port(TcpSocket);

// === impl Sink ===

impl Sink {
    /// One that answers after that time.
    pub(crate) fn new(answers_after: Duration) -> Self {
        let is_open = watch::Sender::new(true);
        Self { arrived: Arc::default(), is_open, answers_after, requests: Arc::default() }
    }

    /// Stops answering, or goes on with it.
    pub(crate) fn set_open(&self, is_open: bool) {
        self.is_open.send_replace(is_open);
    }

    /// Listens there; port 0 lets the system choose.
    pub(crate) async fn listen(&self, address: SocketAddr) -> Server {
        let routes = Signal::ALL
            .into_iter()
            .fold(Routes::new(), |routes, signal| routes.with(signal, BoxExport::new(self.clone())));
        let config = ServerConfig::new(address.to_string());
        let context = TransportContext::tcp(1 << 30);
        let mut last = None;
        for _ in 0..200 {
            match GrpcTransportStrategy.bind(&context, config.clone(), routes.clone()).await {
                Ok(server) => return server,
                Err(error) => last = Some(error),
            }
            // The one before lets go of its port in its own time.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("cannot listen: {last:?}")
    }

    /// All that was accepted has arrived, once and as it was, and nothing else but perhaps what was not answered. How
    /// many items that are.
    pub(crate) fn check(&self, door: &Door) -> u64 {
        let arrived = self.arrived.lock();
        door.sent(|sent| arrived.check(&sent.accepted, &sent.unanswered));
        arrived.items
    }

    /// Items that have arrived so far.
    pub(crate) fn items(&self) -> u64 {
        self.arrived.lock().items
    }

    /// Requests that have arrived so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Export for Sink {
    async fn export(&self, batch: Batch) -> ExportResult {
        let _ = self.is_open.subscribe().wait_for(|is_open| *is_open).await;
        tokio::time::sleep(self.answers_after).await;
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.arrived.lock().add(batch.signal(), &batch.body().plain().to_contiguous());
        Ok(Accepted::FULL)
    }
}

// === impl Tally ===

impl Tally {
    /// Adds a sound request.
    pub(crate) fn add(&mut self, signal: Signal, body: &Bytes) {
        let checked = validate(signal, body, &ValidateLimits::default()).expect("only sound bodies arrive");
        if checked.count.entries == 0 {
            return;
        }
        self.items += checked.count.items;
        if !checked.mergeable {
            return self.add_piece(signal, body.clone());
        }
        let mut cursor = Cursor::new(body);
        while !cursor.is_at_end() {
            let start = cursor.position();
            cursor.tag().and_then(|_| cursor.len_delimited()).expect("it is mergeable");
            self.add_piece(signal, body.slice(start..cursor.position()));
        }
    }

    fn add_piece(&mut self, signal: Signal, piece: Bytes) {
        *self.pieces.entry((signal.name, piece)).or_default() += 1;
    }

    /// Everything of `sent` must be here just as often, and what is in `perhaps` at most as often.
    pub(crate) fn check(&self, sent: &Self, perhaps: &Self) {
        let mut wrong = Vec::new();
        for key in self.pieces.keys().chain(sent.pieces.keys()) {
            let count = |tally: &Self| tally.pieces.get(key).copied().unwrap_or(0);
            let (arrived, least) = (count(self), count(sent));
            if arrived < least || arrived > least + count(perhaps) {
                let (signal, piece) = key;
                let start = piece.escape_ascii().to_string();
                wrong.push(format!("{signal}: {arrived} times instead of {least}: {start:.100}"));
            }
        }
        if !wrong.is_empty() {
            let sample = wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
            panic!("{} of {} pieces are wrong:\n{sample}", wrong.len(), sent.pieces.len());
        }
    }
}

// === impl Port ===

impl Port {
    pub(crate) fn reserve() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        // Bound but not listening, it does not keep out another that says the same.
        socket.set_reuseaddr(true).expect("set an option");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("bind");
        Self(socket)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }
}

/// A sound request with one item that no other has, of about `bytes`.
pub(crate) fn one_item(id: u64, bytes: usize) -> (Signal, Bytes) {
    let [trace, log] = [Signal::ALL[0], Signal::ALL[2]];
    let name = format!("{id}-{}", "x".repeat(bytes));
    let mut item = Vec::with_capacity(bytes + 100);
    let signal = if id.is_multiple_of(2) {
        put_len_delimited(&mut item, 1, &u128::from(id + 1).to_be_bytes());
        put_len_delimited(&mut item, 2, &(id + 1).to_be_bytes());
        put_len_delimited(&mut item, 5, name.as_bytes());
        trace
    } else {
        put_len_delimited(&mut item, 5, &within(1, name.as_bytes()));
        log
    };
    (signal, within(1, &within(2, &within(2, &item))).into())
}

fn within(field: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 8);
    put_len_delimited(&mut out, field, value);
    out
}
