//! Makes the extensions that authenticate: each once, for the first receiver or exporter that names the extension.

use crate::config::auth::{AuthPlan, AuthPlans, ExtensionRef};
use crate::config::component::refused;
use crate::config::problem::Problem;
use otlp_transport::{Authenticate, ConfigError, Credentials, TransportContext};
use std::collections::HashMap;
use std::sync::Arc;

/// Plans of the extensions, and the authenticators and credentials made so far.
pub(crate) struct Authenticators<'a> {
    context: &'a TransportContext,
    plans: AuthPlans,
    servers: HashMap<String, Arc<dyn Authenticate>>,
    clients: HashMap<String, Arc<dyn Credentials>>,
}

impl<'a> Authenticators<'a> {
    pub(crate) fn new(context: &'a TransportContext, plans: AuthPlans) -> Self {
        Self { context, plans, servers: HashMap::new(), clients: HashMap::new() }
    }

    /// Returns the ids of an extension and of those it refers to.
    pub(crate) fn ids<'b>(&'b self, named: &'b ExtensionRef) -> Vec<&'b str> {
        self.plans.ids(named)
    }

    /// Returns the authenticator that a receiver asks.
    pub(crate) fn server(&mut self, named: &ExtensionRef) -> Result<Arc<dyn Authenticate>, Problem> {
        if let Some(made) = self.servers.get(&named.id) {
            return Ok(made.clone());
        }
        let plan = self.plan(named)?;
        let make = plan.part.server.as_ref().ok_or_else(|| unfit(named))?;
        let made = make(self.context).map_err(|error| told(plan, &error))?;
        self.servers.insert(named.id.clone(), made.clone());
        Ok(made)
    }

    /// Returns the credentials that an exporter adds to its requests.
    pub(crate) fn client(&mut self, named: &ExtensionRef) -> Result<Arc<dyn Credentials>, Problem> {
        if let Some(made) = self.clients.get(&named.id) {
            return Ok(made.clone());
        }
        // The configuration was checked: no extension refers to itself.
        let then = self.plan(named)?.then.clone();
        let then = then.map(|then| self.client(&then)).transpose()?;
        let plan = self.plan(named)?;
        let make = plan.part.client.as_ref().ok_or_else(|| unfit(named))?;
        let made = make(self.context, then).map_err(|error| told(plan, &error))?;
        self.clients.insert(named.id.clone(), made.clone());
        Ok(made)
    }

    fn plan(&self, named: &ExtensionRef) -> Result<&AuthPlan, Problem> {
        let found = self.plans.plans.iter().find(|(id, _)| *id == named.id);
        found.map(|(_, plan)| plan).ok_or_else(|| unfit(named))
    }
}

fn told(plan: &AuthPlan, error: &ConfigError) -> Problem {
    plan.component.wrong(&refused("", error))
}

fn unfit(named: &ExtensionRef) -> Problem {
    Problem::at(named.span, format!("the extension {} does not authenticate", named.id))
}
