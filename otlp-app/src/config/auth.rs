//! Who asks for credentials, who gives them, and which extension says how: `auth.authenticator`.

use super::component::Component;
use super::problem::{Problem, Problems};
use super::source::Span;
use otlp_service::Needs;
use otlp_transport::{Authenticate, ConfigError, Credentials, TransportContext};
use serde::Deserialize;
use std::sync::Arc;

/// Settings of `auth` of a receiver's protocol or an exporter.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Auth {
    /// Id of the extension that knows how; it must be listed in `service.extensions`, too.
    authenticator: String,
}

/// An extension that is named, and where.
#[derive(Clone, Debug)]
pub(crate) struct AuthRef {
    /// Its id.
    pub(crate) id: String,
    /// The place of the name.
    pub(crate) span: Span,
}

/// An extension that proves, or lets others prove, who they are.
pub(crate) struct AuthPlan {
    /// For its place in errors.
    pub(crate) component: Component,
    /// Makes it for receivers, if it can be asked by them.
    pub(crate) server: Option<MakeServer>,
    /// Makes it for exporters, if it can be used by them.
    pub(crate) client: Option<MakeClient>,
    /// Another one whose credentials are added after its own.
    pub(crate) then: Option<AuthRef>,
    /// What it needs to know of where a batch came from.
    pub(crate) needs: Needs,
}

/// Makes what receivers ask.
pub(crate) type MakeServer =
    Box<dyn Fn(&TransportContext) -> Result<Arc<dyn Authenticate>, ConfigError> + Send>;

/// Makes what exporters add, before what others add.
pub(crate) type MakeClient = Box<
    dyn Fn(&TransportContext, Option<Arc<dyn Credentials>>) -> Result<Arc<dyn Credentials>, ConfigError>
        + Send,
>;

/// The extensions that are in use.
#[derive(Default)]
pub(crate) struct AuthPlans {
    /// Those that authenticate, by id.
    pub(crate) plans: Vec<(String, AuthPlan)>,
    /// Ids of those that do not.
    pub(crate) others: Vec<String>,
}

/// An extension of the file: its id, and whether `service.extensions` lists it.
pub(crate) type Listed<'a> = (&'a str, bool);

// === impl Auth ===

impl Auth {
    /// The extension that is named below the dotted path `at` of `component`.
    pub(crate) fn named(self, component: &Component, at: &str, problems: &mut Problems) -> Option<AuthRef> {
        if self.authenticator.is_empty() {
            problems.push(component.problem(at, "`authenticator` is missing: the id of an extension"));
            return None;
        }
        let span = component.settings.span_of(&format!("{at}.authenticator"));
        Some(AuthRef { id: self.authenticator, span })
    }
}

// === impl AuthPlan ===

impl AuthPlan {
    /// An extension on its own, which needs to know nothing.
    pub(crate) fn new(component: &Component, server: Option<MakeServer>, client: Option<MakeClient>) -> Self {
        Self { component: component.clone(), server, client, then: None, needs: Needs::default() }
    }
}

// === impl AuthPlans ===

impl AuthPlans {
    /// Checks that a receiver can ask an extension.
    pub(crate) fn check_server(&self, asked: &AuthRef, defined: &[Listed<'_>], problems: &mut Problems) {
        if let Some(plan) = self.find(asked, defined, problems)
            && plan.server.is_none()
        {
            let message = format!("{} does not authenticate senders", asked.id);
            problems.push(Problem::at(asked.span, message).help("with these settings it is for exporters"));
        }
    }

    /// Checks that an exporter can use an extension; returns what that one must know.
    pub(crate) fn check_client(
        &self,
        used: &AuthRef,
        defined: &[Listed<'_>],
        problems: &mut Problems,
    ) -> Needs {
        let mut needs = Needs::default();
        let mut seen: Vec<&str> = Vec::new();
        let mut next = Some(used);
        while let Some(used) = next {
            let Some(plan) = self.find(used, defined, problems) else { break };
            if plan.client.is_none() {
                let message = format!("{} has no credentials to send", used.id);
                problems
                    .push(Problem::at(used.span, message).help("with these settings it is for receivers"));
                break;
            }
            if seen.contains(&used.id.as_str()) {
                problems.push(Problem::at(
                    used.span,
                    format!("{} refers to itself by `additional_auth`", used.id),
                ));
                break;
            }
            seen.push(&used.id);
            needs.headers.extend_from_slice(&plan.needs.headers);
            needs.identity |= plan.needs.identity;
            next = plan.then.as_ref();
        }
        needs
    }

    /// The plan of an extension; `None` if there is something wrong, which is reported.
    fn find(&self, named: &AuthRef, defined: &[Listed<'_>], problems: &mut Problems) -> Option<&AuthPlan> {
        let AuthRef { id, span } = named;
        if let Some((_, plan)) = self.plans.iter().find(|(known, _)| known == id) {
            return Some(plan);
        }
        match defined.iter().find(|(known, _)| known == id) {
            None => {
                let known: Vec<_> = defined.iter().map(|(id, _)| *id).collect();
                let message = format!("the extension `{}` is not defined", id.escape_debug());
                let problem = Problem::at(*span, message).choice(id, "defined", &known);
                problems
                    .push(problem.help("define it under `extensions`, and list it in service.extensions"));
            }
            Some((_, false)) => {
                let problem = Problem::at(*span, format!("{id} is defined but not in use"));
                problems.push(problem.help("list it in service.extensions"));
            }
            Some(_) if self.others.contains(id) => {
                problems.push(Problem::at(*span, format!("{id} is not an authenticator")));
            }
            // What is wrong with its settings is reported already.
            Some(_) => {}
        }
        None
    }
}
