//! A fixed list of endpoints.

use super::{ResolvedEndpoint, Resolver};
use crate::NetFuture;

/// A list of endpoints that does not change.
#[derive(Clone, Debug)]
pub struct FixedResolver {
    endpoints: Vec<ResolvedEndpoint>,
}

impl FixedResolver {
    /// Makes a resolver of these endpoints.
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
