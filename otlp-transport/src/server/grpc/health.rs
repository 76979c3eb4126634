//! The health service, `grpc.health.v1.Health`: the whole server under the empty name, and each signal's service.

use super::ReplyBody;
use crate::Routes;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tonic::codegen::Service;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

pub(super) struct Health {
    reporter: HealthReporter,
    server: HealthServer<HealthService>,
}

impl Health {
    pub(super) async fn new(routes: &Routes) -> Self {
        let reporter = HealthReporter::new();
        for name in service_names(routes) {
            reporter.set_service_status(name, ServingStatus::Serving).await;
        }
        let server = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
        Self { reporter, server }
    }

    /// Answers a request whose body is complete.
    pub(super) fn respond(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Response<ReplyBody>> + Send + use<> {
        let response = self.server.clone().call(request.map(Full::new));
        async move {
            let Ok(response) = response.await;
            response.map(ReplyBody::Tonic)
        }
    }

    /// Every service is said not to be serving.
    pub(super) async fn left(&self, routes: &Routes) {
        for name in service_names(routes) {
            self.reporter.set_service_status(name, ServingStatus::NotServing).await;
        }
    }

    /// Watchers are told, and their streams end: they would keep connections open otherwise.
    pub(super) async fn drained(&self, routes: &Routes) {
        let mut reporter = self.reporter.clone();
        for name in service_names(routes) {
            reporter.set_service_status(name, ServingStatus::NotServing).await;
            reporter.clear_service_status(name).await;
        }
    }
}

/// The empty name, and what is in each signal's path before the method.
fn service_names(routes: &Routes) -> impl Iterator<Item = &'static str> {
    let of_signal =
        |path: &'static str| path.trim_start_matches('/').rsplit_once('/').map(|(service, _)| service);
    std::iter::once("").chain(routes.iter().filter_map(move |route| of_signal(route.signal.grpc_path)))
}

pub(super) const PATH: &str = "/grpc.health.v1.Health/";
