//! Layers of tower: clients write the current trace context into requests, servers read the sender's.

use super::{Baggage, Propagators};
use crate::client::TraceContext;
use crate::client::current::{attach, current};
use http::Request;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Writes the trace context into the headers of the requests that a client sends.
///
/// The context is a [`TraceContext`] among the request's extensions, or else the current one of the thread that calls the service.
/// Requests without a context are sent as they are. [`Baggage`] is written if it is among the extensions.
#[derive(Clone, Debug, Default)]
pub struct InjectLayer {
    propagators: Arc<Propagators>,
}

/// The service of an [`InjectLayer`].
#[derive(Clone, Debug)]
pub struct Inject<S> {
    inner: S,
    propagators: Arc<Propagators>,
}

/// Reads the trace context and the baggage of the requests that a server receives.
///
/// The request's extensions get an [`Extracted`]. The sender's context is current while the inner service is called, and while its
/// future is polled: spans that begin there are its children.
#[derive(Clone, Debug, Default)]
pub struct ExtractLayer {
    propagators: Arc<Propagators>,
}

/// The service of an [`ExtractLayer`].
#[derive(Clone, Debug)]
pub struct Extract<S> {
    inner: S,
    propagators: Arc<Propagators>,
}

/// The future of an [`Extract`].
#[derive(Debug)]
pub struct ExtractFuture<F> {
    inner: Pin<Box<F>>,
    context: Option<TraceContext>,
}

/// An extension of received requests: what their headers tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extracted {
    /// The sender's span.
    pub context: Option<TraceContext>,
    /// The sender's baggage.
    pub baggage: Baggage,
}

// === impl InjectLayer ===

impl InjectLayer {
    /// Makes a layer that writes these formats.
    pub fn new(propagators: Propagators) -> Self {
        Self { propagators: Arc::new(propagators) }
    }
}

impl<S> Layer<S> for InjectLayer {
    type Service = Inject<S>;

    fn layer(&self, inner: S) -> Inject<S> {
        Inject { inner, propagators: self.propagators.clone() }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Inject<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let extensions = request.extensions_mut();
        let (context, baggage) = (extensions.remove::<TraceContext>(), extensions.remove::<Baggage>());
        if let Some(context) = context.or_else(current) {
            self.propagators.inject(&context, request.headers_mut());
        }
        if let Some(baggage) = baggage {
            self.propagators.inject_baggage(&baggage, request.headers_mut());
        }
        self.inner.call(request)
    }
}

// === impl ExtractLayer ===

impl ExtractLayer {
    /// Makes a layer that reads these formats.
    pub fn new(propagators: Propagators) -> Self {
        Self { propagators: Arc::new(propagators) }
    }
}

impl<S> Layer<S> for ExtractLayer {
    type Service = Extract<S>;

    fn layer(&self, inner: S) -> Extract<S> {
        Extract { inner, propagators: self.propagators.clone() }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Extract<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = ExtractFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> ExtractFuture<S::Future> {
        let context = self.propagators.extract(request.headers());
        let baggage = self.propagators.extract_baggage(request.headers());
        request.extensions_mut().insert(Extracted { context: context.clone(), baggage });
        let current = context.clone().map(attach);
        let inner = Box::pin(self.inner.call(request));
        drop(current);
        ExtractFuture { inner, context }
    }
}

// === impl ExtractFuture ===

impl<F: Future> Future for ExtractFuture<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let _current = self.context.clone().map(attach);
        self.inner.as_mut().poll(task)
    }
}
