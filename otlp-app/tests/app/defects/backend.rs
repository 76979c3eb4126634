//! A destination over HTTP/1.1 that answers as a test tells it, a thread for each connection.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use otlp_protocol::{Signal, ValidateLimits, validate};
use parking_lot::Mutex;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A listening destination; it lives as long as the test process.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    /// Each with whether its answer was 200.
    requests: Arc<Mutex<Vec<(Request, bool)>>>,
}

/// A request that arrived whole.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) body: Vec<u8>,
    /// How many items it has; 0 if it is not protobuf.
    pub(crate) items: u64,
    /// How many requests the backend got before.
    pub(crate) number: usize,
}

/// What the backend does about a request.
pub(crate) enum Reply {
    /// A status, more header lines each with its end, and a body.
    Answer(u16, &'static str, Vec<u8>),
    /// Closes the connection after that time.
    CloseAfter(Duration),
    /// Nothing, for ever.
    Silence,
}

type Answerer = dyn Fn(&Request) -> Reply + Send + Sync;

// === impl Backend ===

impl Backend {
    /// Listens on a free port.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::<Mutex<Vec<(Request, bool)>>>::default();
        let (answer, seen) = (Arc::new(answer), requests.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, seen) = (answer.clone(), seen.clone());
                thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        Self { address, requests }
    }

    /// One that accepts everything.
    pub(crate) fn accepting() -> Self {
        Self::start(|_| Reply::ok())
    }

    /// What has arrived so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().iter().map(|(request, _)| request.clone()).collect()
    }

    /// How many requests have arrived so far, and the bytes of their bodies.
    pub(crate) fn received(&self) -> (usize, usize) {
        let requests = self.requests.lock();
        (requests.len(), requests.iter().map(|(request, _)| request.body.len()).sum())
    }

    /// Whether a text is in a request that arrived.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.requests.lock().iter().any(|(request, _)| request.has(text))
    }

    /// Whether a text is in a request that was answered with 200.
    pub(crate) fn has_accepted(&self, text: &str) -> bool {
        self.requests.lock().iter().any(|(request, accepted)| *accepted && request.has(text))
    }

    /// How many items were answered with 200.
    pub(crate) fn accepted_items(&self) -> u64 {
        let requests = self.requests.lock();
        requests.iter().filter(|(_, accepted)| *accepted).map(|(request, _)| request.items).sum()
    }
}

// === impl Request ===

impl Request {
    pub(crate) fn has(&self, text: &str) -> bool {
        self.body.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

// === impl Reply ===

impl Reply {
    pub(crate) fn ok() -> Self {
        Self::Answer(200, PROTOBUF, Vec::new())
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<(Request, bool)>>, answer: &Answerer) {
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    while let Some((path, body)) = read_request(&mut reader) {
        let items = items(&path, &body);
        let reply = {
            let mut seen = seen.lock();
            let request = Request { body, items, number: seen.len() };
            let reply = answer(&request);
            seen.push((request, matches!(reply, Reply::Answer(200, ..))));
            reply
        };
        match reply {
            Reply::Answer(status, headers, body) => {
                let head =
                    format!("HTTP/1.1 {status} status\r\n{headers}content-length: {}\r\n\r\n", body.len());
                if writer.write_all(&[head.as_bytes(), &body].concat()).is_err() {
                    return;
                }
            }
            Reply::CloseAfter(delay) => return thread::sleep(delay),
            Reply::Silence => loop {
                thread::park();
            },
        }
    }
}

fn items(path: &str, body: &[u8]) -> u64 {
    let signal = Signal::ALL.into_iter().find(|signal| path.ends_with(signal.http_path));
    let checked = signal.and_then(|signal| validate(signal, body, &ValidateLimits::default()).ok());
    checked.map_or(0, |checked| checked.count.items)
}

/// Path and body of the next request that has a length.
fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let length =
        lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}

pub(crate) const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
