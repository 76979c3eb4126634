//! Calls between the services of the shop: what spans, log records, exemplars and samples tell of.

use super::random::Random;
use super::shop::{Failure, Operation, ROOTS, SERVICES, Work};

/// One span's worth of work.
pub(super) struct Call {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    /// Index of the service that the span is of.
    pub(super) service: usize,
    pub(super) side: Side,
    pub(super) operation: &'static Operation,
    /// Nanoseconds from the start of the call to the present.
    pub(super) start_ago: u64,
    /// Nanoseconds from the end of the call to the present.
    pub(super) end_ago: u64,
    pub(super) failure: Option<&'static Failure>,
    /// True if the failure happened in this call, and not in one that this call made.
    pub(super) is_origin: bool,
    /// A number that tells customers, orders and products apart.
    pub(super) subject: u64,
}

/// Side of a call that a span is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The caller, which waits for another process.
    Client,
    /// Work inside a service.
    Internal,
    /// The service that answers.
    Server,
}

/// Maker of the calls of one moment.
struct Maker {
    random: Random,
    calls: Vec<Call>,
    trace_id: [u8; 16],
    subject: u64,
    /// Nanoseconds from the present back to the start of the trace.
    began_ago: u64,
}

/// Outcome of an operation: nanoseconds since the start of the trace, and the failure.
type Outcome = (u64, Option<&'static Failure>);

/// Makes exactly `spans` calls, in whole traces.
pub(super) fn make(seed: u64, number: u64, spans: usize) -> Vec<Call> {
    let random = Random::new(&[seed, number, 0]);
    let calls = Vec::with_capacity(spans);
    let mut maker = Maker { random, calls, trace_id: [0; 16], subject: 0, began_ago: 0 };
    while maker.calls.len() < spans {
        let room = spans - maker.calls.len();
        let root = maker.root(room);
        maker.trace(root);
    }
    maker.calls
}

// === impl Call ===

impl Call {
    /// Returns the status code of a request over HTTP.
    pub(super) fn status(&self) -> i64 {
        match (self.failure, self.is_origin) {
            (None, _) => 200,
            (Some(_), true) => 402,
            (Some(_), false) => 500,
        }
    }

    /// Returns the duration, in nanoseconds.
    pub(super) fn duration(&self) -> u64 {
        self.start_ago - self.end_ago
    }

    /// Writes the name of the span into `out`.
    pub(super) fn name<'a>(&self, out: &'a mut String) -> &'a str {
        out.clear();
        let words = match &self.operation.work {
            Work::Http { method, route } => [*method, " ", route],
            Work::Query { verb, collection, .. } => [*verb, " ", collection],
            Work::Internal(name) => [*name, "", ""],
        };
        out.extend(words);
        out
    }

    /// Returns the name of the service that is called.
    pub(super) fn callee(&self) -> &'static str {
        SERVICES.get(self.operation.service).map_or("", |service| service.name)
    }
}

// === impl Maker ===

impl Maker {
    /// Chooses an operation of at most `room` spans. Operations that come first are twice as frequent as the next.
    fn root(&mut self, room: usize) -> &'static Operation {
        let fits = |root: &&'static Operation| root.spans(true) <= room;
        let mut chosen = &ROOTS[ROOTS.len() - 1];
        for root in ROOTS.iter().filter(fits) {
            chosen = root;
            if self.random.one_in(2) {
                break;
            }
        }
        chosen
    }

    fn trace(&mut self, root: &'static Operation) {
        self.trace_id = self.random.trace_id();
        self.subject = self.random.below(10_000);
        let first = self.calls.len();
        let (end, _) = self.run(root, None, root.service, 0);
        // Traces ended at different times during the last second.
        self.began_ago = end + self.random.below(1_000_000_000);
        let began_ago = self.began_ago;
        for call in self.calls.iter_mut().skip(first) {
            (call.start_ago, call.end_ago) = (began_ago - call.start_ago, began_ago - call.end_ago);
        }
    }

    /// Makes the calls of an operation that `caller` starts at `start`, in nanoseconds since the start of the trace.
    fn run(
        &mut self,
        operation: &'static Operation,
        parent: Option<[u8; 8]>,
        caller: usize,
        start: u64,
    ) -> Outcome {
        let side = match operation.work {
            Work::Http { .. } if parent.is_some() => return self.request(operation, parent, caller, start),
            Work::Http { .. } => Side::Server,
            Work::Query { .. } => Side::Client,
            Work::Internal(_) => Side::Internal,
        };
        self.work(operation, parent, side, start)
    }

    /// Makes the span of a caller, around those of the service that answers.
    fn request(
        &mut self,
        operation: &'static Operation,
        parent: Option<[u8; 8]>,
        caller: usize,
        start: u64,
    ) -> Outcome {
        let at = self.push(operation, parent, caller, Side::Client, start);
        let span_id = self.calls.get(at).map(|call| call.span_id);
        let way = 50_000 + self.random.below(200_000);
        let (end, failure) = self.work(operation, span_id, Side::Server, start + way);
        self.end(at, end + way, failure, false);
        (end + way, failure)
    }

    /// Makes the span of work, and the calls that the work makes.
    fn work(
        &mut self,
        operation: &'static Operation,
        parent: Option<[u8; 8]>,
        side: Side,
        start: u64,
    ) -> Outcome {
        let at = self.push(operation, parent, operation.service, side, start);
        let span_id = self.calls.get(at).map(|call| call.span_id);
        let own = operation.micros * 1_000;
        let mut end = start + own + self.random.below(own * 2);
        // Now and then something takes far longer.
        if self.random.one_in(100) {
            end += own * 20;
        }
        let mut failure = None;
        for call in operation.calls {
            let (called, failed) = self.run(call, span_id, operation.service, end);
            end = called + 20_000;
            failure = failure.or(failed);
        }
        let own_failure = operation.failure.filter(|(_, one_in)| self.random.one_in(*one_in));
        let own_failure = own_failure.map(|(failure, _)| failure).filter(|_| failure.is_none());
        self.end(at, end, failure.or(own_failure), own_failure.is_some());
        (end, failure.or(own_failure))
    }

    fn push(
        &mut self,
        operation: &'static Operation,
        parent: Option<[u8; 8]>,
        service: usize,
        side: Side,
        start: u64,
    ) -> usize {
        self.calls.push(Call {
            trace_id: self.trace_id,
            span_id: self.random.span_id(),
            parent,
            service,
            side,
            operation,
            // Since the start of the trace, until the length of the trace is known.
            start_ago: start,
            end_ago: start,
            failure: None,
            is_origin: false,
            subject: self.subject,
        });
        self.calls.len() - 1
    }

    fn end(&mut self, at: usize, end: u64, failure: Option<&'static Failure>, is_origin: bool) {
        if let Some(call) = self.calls.get_mut(at) {
            (call.end_ago, call.failure, call.is_origin) = (end, failure, is_origin);
        }
    }
}
