//! A destination over HTTP/1.1 that answers as a test tells it, a thread for each connection.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use parking_lot::Mutex;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A listening destination; it lives as long as the test process.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request that arrived whole.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) body: Vec<u8>,
}

/// What the backend does about a request.
pub(crate) enum Reply {
    /// A status, more header lines each with its end, and a body.
    Answer(u16, &'static str, Vec<u8>),
    /// Closes the connection after that time.
    CloseAfter(Duration),
}

type Answerer = dyn Fn(&Request) -> Reply + Send + Sync;

// === impl Backend ===

impl Backend {
    /// Listens on a free port.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::<Mutex<Vec<Request>>>::default();
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

    /// Whether a text is in a request that arrived.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.requests.lock().iter().any(|request| request.has(text))
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

fn serve(stream: TcpStream, seen: &Mutex<Vec<Request>>, answer: &Answerer) {
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    while let Some(body) = read_request(&mut reader) {
        let request = Request { body };
        let reply = answer(&request);
        seen.lock().push(request);
        match reply {
            Reply::Answer(status, headers, body) => {
                let head =
                    format!("HTTP/1.1 {status} status\r\n{headers}content-length: {}\r\n\r\n", body.len());
                if writer.write_all(&[head.as_bytes(), &body].concat()).is_err() {
                    return;
                }
            }
            Reply::CloseAfter(delay) => return thread::sleep(delay),
        }
    }
}

/// The body of the next request that has a length.
fn read_request(reader: &mut impl BufRead) -> Option<Vec<u8>> {
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
    let length =
        lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

pub(crate) const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";
