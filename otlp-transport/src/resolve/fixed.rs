//! Endpoints that never change.

use super::{ResolvedEndpoint, Resolver};
use crate::NetFuture;

/// A list that stays as it is.
#[derive(Clone, Debug)]
pub struct FixedResolver {
    endpoints: Vec<ResolvedEndpoint>,
}

impl FixedResolver {
    /// These endpoints and no others.
    pub fn new(endpoints: Vec<ResolvedEndpoint>) -> Self {
        Self { endpoints }
    }
}

impl Resolver for FixedResolver {
    fn name(&self) -> &'static str {
        "static"
    }

    fn known(&self) -> Vec<ResolvedEndpoint> {
        self.endpoints.clone()
    }

    fn next(&mut self) -> NetFuture<'_, Vec<ResolvedEndpoint>> {
        Box::pin(std::future::pending())
    }
}
