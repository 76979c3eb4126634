//! Authentication: receivers and exporters name an extension by `auth.authenticator`.

use super::component::Component;
use super::problem::{Problem, Problems};
use super::source::Span;
use otlp_service::{AuthPart, DiskConfig, Needs, SettingsError};
use serde::Deserialize;

/// Settings of `auth` of a receiver's protocol or an exporter.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Auth {
    /// Id of the extension that authenticates. `service.extensions` must list the extension, too.
    authenticator: String,
}

/// Reference to an extension.
#[derive(Clone, Debug)]
pub(crate) struct ExtensionRef {
    /// Id of the extension.
    pub(crate) id: String,
    /// Place of the reference.
    pub(crate) span: Span,
}

/// An extension that authenticates senders, or that has credentials to send.
pub(crate) struct AuthPlan {
    /// The component, for places in errors.
    pub(crate) component: Component,
    /// The extension, as made by its factory.
    pub(crate) part: AuthPart,
    /// Extension whose credentials are added after those of this extension.
    pub(crate) then: Option<ExtensionRef>,
}

/// The extensions that `service.extensions` lists.
#[derive(Default)]
pub(crate) struct AuthPlans {
    /// Extensions that authenticate, by id.
    pub(crate) plans: Vec<(String, AuthPlan)>,
    /// Extensions that have a directory for queues, by id.
    pub(crate) storages: Vec<(String, DiskConfig)>,
    /// Ids of the other extensions.
    pub(crate) others: Vec<String>,
}

/// An extension of the file: its id, and true if `service.extensions` lists the extension.
pub(crate) type Listed<'a> = (&'a str, bool);

// === impl Auth ===

impl Auth {
    /// Returns the reference below the dotted path `at`.
    pub(crate) fn named(self, at: &str) -> Result<otlp_service::ExtensionRef, SettingsError> {
        if self.authenticator.is_empty() {
            return Err(SettingsError::at(at, "`authenticator` is required: the id of an extension"));
        }
        Ok(otlp_service::ExtensionRef { id: self.authenticator, path: format!("{at}.authenticator") })
    }
}

// === impl ExtensionRef ===

impl ExtensionRef {
    /// Adds the place of the reference in the settings of `component`.
    pub(crate) fn of(named: otlp_service::ExtensionRef, component: &Component) -> Self {
        Self { span: component.settings.span_of(&named.path), id: named.id }
    }
}

// === impl AuthPlan ===

impl AuthPlan {
    /// Makes the plan of the part that the factory of `component` made.
    pub(crate) fn of(mut part: AuthPart, component: &Component) -> Self {
        let then = part.then.take().map(|then| ExtensionRef::of(then, component));
        Self { component: component.clone(), part, then }
    }
}

// === impl AuthPlans ===

impl AuthPlans {
    /// Checks that the extension which a receiver names authenticates senders.
    pub(crate) fn check_server(&self, asked: &ExtensionRef, defined: &[Listed<'_>], problems: &mut Problems) {
        if let Some(plan) = self.find(asked, defined, problems)
            && plan.part.server.is_none()
        {
            let message = format!("{} does not authenticate senders", asked.id);
            problems.push(
                Problem::at(asked.span, message).help("with these settings the extension is for exporters"),
            );
        }
    }

    /// Checks that the extension which an exporter names has credentials. Returns the needs of the extension and of those it
    /// refers to.
    pub(crate) fn check_client(
        &self,
        used: &ExtensionRef,
        defined: &[Listed<'_>],
        problems: &mut Problems,
    ) -> Needs {
        let mut needs = Needs::default();
        let mut seen: Vec<&str> = Vec::new();
        let mut next = Some(used);
        while let Some(used) = next {
            let Some(plan) = self.find(used, defined, problems) else { break };
            if plan.part.client.is_none() {
                let message = format!("{} has no credentials to send", used.id);
                problems.push(
                    Problem::at(used.span, message)
                        .help("with these settings the extension is for receivers"),
                );
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
            needs.add(&plan.part.needs);
            next = plan.then.as_ref();
        }
        needs
    }

    /// Returns the directory of the extension that an exporter names for its queues.
    pub(crate) fn storage(
        &self,
        named: &ExtensionRef,
        defined: &[Listed<'_>],
        problems: &mut Problems,
    ) -> Option<&DiskConfig> {
        if let Some((_, config)) = self.storages.iter().find(|(known, _)| *known == named.id) {
            return Some(config);
        }
        let is_another =
            self.plans.iter().any(|(known, _)| *known == named.id) || self.others.contains(&named.id);
        if is_another {
            let problem = Problem::at(named.span, format!("the extension {} has no storage", named.id));
            problems.push(problem.help("name a `file_storage` extension"));
        } else {
            self.find(named, defined, problems);
        }
        None
    }

    /// Returns the ids of an extension and of those it refers to. The references were checked, so that they form no circle.
    pub(crate) fn ids<'a>(&'a self, named: &'a ExtensionRef) -> Vec<&'a str> {
        let mut ids = Vec::new();
        let mut next = Some(named);
        while let Some(named) = next.filter(|named| !ids.contains(&named.id.as_str())) {
            ids.push(named.id.as_str());
            let found = self.plans.iter().find(|(id, _)| *id == named.id);
            next = found.and_then(|(_, plan)| plan.then.as_ref());
        }
        ids
    }

    /// Returns the plan of an extension. Reports a reference that leads to none, and returns `None`.
    fn find(
        &self,
        named: &ExtensionRef,
        defined: &[Listed<'_>],
        problems: &mut Problems,
    ) -> Option<&AuthPlan> {
        let ExtensionRef { id, span } = named;
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
            Some(_) if self.others.contains(id) || self.storages.iter().any(|(known, _)| known == id) => {
                problems.push(Problem::at(*span, format!("the extension {id} does not authenticate")));
            }
            // Errors in its settings are reported already.
            Some(_) => {}
        }
        None
    }
}
