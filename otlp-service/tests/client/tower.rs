//! Layers of tower around plain services.

use http::Request;
use otlp_service::client::{
    Baggage, Extract, ExtractLayer, Extracted, InjectLayer, Propagator, Propagators, TraceContext, attach,
    current,
};
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tower_layer::Layer;
use tower_service::Service;

/// Answers with the request.
struct Echo;

impl Service<Request<()>> for Echo {
    type Response = Request<()>;
    type Error = Infallible;
    type Future = Ready<Result<Request<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        ready(Ok(request))
    }
}

/// Answers at the second poll, with the contexts that were current at the call and at each poll.
struct Currents;

struct CurrentsFuture(Vec<Option<TraceContext>>);

impl Service<Request<()>> for Currents {
    type Response = Vec<Option<TraceContext>>;
    type Error = Infallible;
    type Future = CurrentsFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> CurrentsFuture {
        CurrentsFuture(vec![current()])
    }
}

impl Future for CurrentsFuture {
    type Output = Result<Vec<Option<TraceContext>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.push(current());
        if self.0.len() < 3 { Poll::Pending } else { Poll::Ready(Ok(std::mem::take(&mut self.0))) }
    }
}

fn context(id: u8) -> TraceContext {
    TraceContext::new([id; 16], [id; 8], 1)
}

fn received(mut context: TraceContext) -> TraceContext {
    context.is_remote = true;
    context
}

fn call<S: Service<Request<()>>>(service: &mut S, request: Request<()>) -> S::Response
where
    S::Error: std::fmt::Debug,
{
    let mut task = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut task).is_ready());
    let mut future = pin!(service.call(request));
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut task) {
            return answer.unwrap();
        }
        assert_eq!(current(), None, "nothing is current between polls");
    }
}

#[test]
fn clients_send_the_current_context_or_that_of_the_request() {
    let mut client = InjectLayer::default().layer(Echo);
    let sent = call(&mut client, Request::new(()));
    assert!(sent.headers().is_empty());

    let guard = attach(context(1));
    let future = client.call(Request::new(()));
    drop(guard);
    let sent = future.into_inner().unwrap();
    assert_eq!(sent.headers()["traceparent"], context(1).to_traceparent().as_str());

    let mut request = Request::new(());
    let mut baggage = Baggage::new();
    baggage.insert("tenant", "a").unwrap();
    request.extensions_mut().insert(context(2));
    request.extensions_mut().insert(baggage);
    let sent = call(&mut client, request);
    assert_eq!(sent.headers()["traceparent"], context(2).to_traceparent().as_str());
    assert_eq!(
        (&sent.headers()["baggage"], sent.extensions().len()),
        (&http::HeaderValue::from_static("tenant=a"), 0)
    );
}

#[test]
fn servers_read_what_clients_send() {
    for format in [Propagator::TraceContext, Propagator::B3, Propagator::Jaeger] {
        let propagators = Propagators::new([format, Propagator::Baggage]);
        let server = ExtractLayer::new(propagators.clone()).layer(Echo);
        let mut request = Request::new(());
        request.extensions_mut().insert(context(3));
        let answer = call(&mut InjectLayer::new(propagators).layer(server), request);
        let extracted = answer.extensions().get::<Extracted>().unwrap();
        let expect = received(context(3));
        assert_eq!((extracted.context.as_ref(), extracted.baggage.len()), (Some(&expect), 0));
    }
}

#[test]
fn the_senders_context_is_current_at_the_call_and_at_each_poll() {
    let mut server: Extract<Currents> = ExtractLayer::default().layer(Currents);
    assert_eq!(call(&mut server, Request::new(())), [None, None, None]);
    let mut request = Request::new(());
    Propagators::default().inject(&context(4), request.headers_mut());
    let expect = received(context(4));
    assert_eq!(call(&mut server, request), vec![Some(expect); 3]);
    assert_eq!(current(), None);
}
