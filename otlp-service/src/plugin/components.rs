//! Registration of component types.

use super::decode_error::DecodeError;
use super::deserializer::Settings;
use super::parts::{ConnectorPart, ExporterPart, ExtensionPart, ReceiverPart, StagePart};
use super::process::ProcessStep;
use super::rules::KeyRule;
use super::settings::{BuildContext, SettingsError};
use crate::component::Processor;
use crate::holder::HolderSpec;
use crate::spec::StageSpec;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

/// Kind of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Receives telemetry.
    Receiver,
    /// Changes, filters or holds telemetry.
    Processor,
    /// Sends telemetry to a destination.
    Exporter,
    /// Runs beside the pipelines.
    Extension,
    /// Connects pipelines.
    Connector,
}

/// A component type.
pub struct ComponentType {
    /// Name of the type in files and lists.
    pub name: &'static str,
    /// Other names of the type.
    pub aliases: Vec<&'static str>,
    /// Description of the type, one line.
    pub about: &'static str,
    /// Rules for the Collector's keys that the type does not use.
    pub rules: Vec<&'static [KeyRule]>,
    /// Factory of components.
    pub build: Build,
    /// Index of the type's plugin.
    pub(super) plugin: usize,
}

/// Factory of components, by kind.
pub enum Build {
    /// A receiver.
    Receiver(Decode<ReceiverPart>),
    /// A processor, a batch processor or a holder.
    Processor(Decode<StagePart>),
    /// A connector.
    Connector(Decode<ConnectorPart>),
    /// An exporter.
    Exporter(Decode<ExporterPart>),
    /// An extension.
    Extension(Decode<ExtensionPart>),
}

/// Decodes a component's settings.
pub type Decode<T> = Box<dyn Fn(Settings<'_>) -> Result<BuildFn<T>, DecodeError> + Send + Sync>;

/// Makes a component of its decoded settings.
pub type BuildFn<T> = Box<dyn FnOnce(&BuildContext<'_>) -> Result<T, SettingsError>>;

/// Registers the component types of a plugin.
///
/// Each method takes the type's name, a description of one line, and a factory: a function of the settings and of the
/// [`BuildContext`]. Settings are a struct that derives [`Deserialize`](serde::Deserialize) with `deny_unknown_fields`; the
/// comment of each field gives meaning, unit and default. A factory must not touch the network or files: it also runs when a
/// configuration is only validated.
pub struct Components<'a> {
    plugin: usize,
    types: &'a mut Vec<ComponentType>,
    steps: &'a mut Vec<ProcessStep>,
}

/// A registered component type, for aliases and rules.
#[derive(Debug)]
pub struct Registered<'a>(&'a mut ComponentType);

// === impl Components ===

impl<'a> Components<'a> {
    pub(super) fn new(
        plugin: usize,
        types: &'a mut Vec<ComponentType>,
        steps: &'a mut Vec<ProcessStep>,
    ) -> Self {
        Self { plugin, types, steps }
    }

    /// Registers a receiver.
    pub fn receiver<S, P>(
        &mut self,
        name: &'static str,
        about: &'static str,
        make: impl Fn(S, &BuildContext<'_>) -> Result<P, SettingsError> + Send + Sync + 'static,
    ) -> Registered<'_>
    where
        S: DeserializeOwned + 'static,
        P: Into<ReceiverPart> + 'static,
    {
        self.add(name, about, Build::Receiver(decode(make)))
    }

    /// Registers a processor.
    pub fn processor<S, P>(
        &mut self,
        name: &'static str,
        about: &'static str,
        make: impl Fn(S, &BuildContext<'_>) -> Result<P, SettingsError> + Send + Sync + 'static,
    ) -> Registered<'_>
    where
        S: DeserializeOwned + 'static,
        P: Into<StagePart> + 'static,
    {
        self.add(name, about, Build::Processor(decode(make)))
    }

    /// Registers a step of processing without settings: a processor in configurations, and one of the
    /// [`processors`](super::PluginManager::processors) of programs, where steps run by `order`, the smaller first, and equal
    /// ones in the order of registration.
    pub fn process(
        &mut self,
        name: &'static str,
        about: &'static str,
        order: i32,
        processor: impl Processor,
    ) -> Registered<'_> {
        let processor: Arc<dyn Processor> = Arc::new(processor);
        self.steps.push(ProcessStep { name, order, plugin: self.plugin, processor: processor.clone() });
        self.processor(name, about, move |NoSettings {}, _: &BuildContext<'_>| {
            Ok(StageSpec::Processor(processor.clone()))
        })
    }

    /// Registers a holder: a component among the processors that holds data over time.
    pub fn holder<S>(
        &mut self,
        name: &'static str,
        about: &'static str,
        make: impl Fn(S, &BuildContext<'_>) -> Result<HolderSpec, SettingsError> + Send + Sync + 'static,
    ) -> Registered<'_>
    where
        S: DeserializeOwned + 'static,
    {
        self.processor(name, about, make)
    }

    /// Registers a connector: the end of some pipelines, like an exporter, and the start of others, like a receiver.
    pub fn connector<S, P>(
        &mut self,
        name: &'static str,
        about: &'static str,
        make: impl Fn(S, &BuildContext<'_>) -> Result<P, SettingsError> + Send + Sync + 'static,
    ) -> Registered<'_>
    where
        S: DeserializeOwned + 'static,
        P: Into<ConnectorPart> + 'static,
    {
        self.add(name, about, Build::Connector(decode(make)))
    }

    /// Registers an exporter.
    pub fn exporter<S, P>(
        &mut self,
        name: &'static str,
        about: &'static str,
        make: impl Fn(S, &BuildContext<'_>) -> Result<P, SettingsError> + Send + Sync + 'static,
    ) -> Registered<'_>
    where
        S: DeserializeOwned + 'static,
        P: Into<ExporterPart> + 'static,
    {
        self.add(name, about, Build::Exporter(decode(make)))
    }

    /// Registers an extension.
    pub fn extension<S, P>(
        &mut self,
        name: &'static str,
        about: &'static str,
        make: impl Fn(S, &BuildContext<'_>) -> Result<P, SettingsError> + Send + Sync + 'static,
    ) -> Registered<'_>
    where
        S: DeserializeOwned + 'static,
        P: Into<ExtensionPart> + 'static,
    {
        self.add(name, about, Build::Extension(decode(make)))
    }

    fn add(&mut self, name: &'static str, about: &'static str, build: Build) -> Registered<'_> {
        let (aliases, rules, plugin) = (Vec::new(), Vec::new(), self.plugin);
        Registered(self.types.push_mut(ComponentType { name, aliases, about, rules, build, plugin }))
    }
}

/// Settings of a component that has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSettings {}

/// Erases the settings' type of a factory.
fn decode<S, P, T>(
    make: impl Fn(S, &BuildContext<'_>) -> Result<P, SettingsError> + Send + Sync + 'static,
) -> Decode<T>
where
    S: DeserializeOwned + 'static,
    P: Into<T>,
{
    let make = Arc::new(make);
    Box::new(move |settings| {
        let settings = S::deserialize(settings)?;
        let make = make.clone();
        Ok(Box::new(move |context: &BuildContext<'_>| make(settings, context).map(Into::into)))
    })
}

// === impl Registered ===

impl Registered<'_> {
    /// Adds another name of the type.
    pub fn alias(self, name: &'static str) -> Self {
        self.0.aliases.push(name);
        self
    }

    /// Adds rules for the Collector's keys that the type does not use. Fields of the settings need no rule.
    pub fn rules(self, rules: &'static [KeyRule]) -> Self {
        self.0.rules.push(rules);
        self
    }
}

// === impl ComponentType ===

impl ComponentType {
    /// Returns the kind of the components.
    pub fn kind(&self) -> Kind {
        self.build.kind()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    pub(super) fn answers_to(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }
}

// === impl Build ===

impl Build {
    fn kind(&self) -> Kind {
        match self {
            Self::Receiver(_) => Kind::Receiver,
            Self::Processor(_) => Kind::Processor,
            Self::Connector(_) => Kind::Connector,
            Self::Exporter(_) => Kind::Exporter,
            Self::Extension(_) => Kind::Extension,
        }
    }
}

impl fmt::Debug for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentType")
            .field("kind", &self.kind())
            .field("name", &self.name)
            .field("aliases", &self.aliases)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Build").field(&self.kind()).finish()
    }
}

impl fmt::Debug for Components<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.types).finish()
    }
}

// === impl Kind ===

impl Kind {
    /// Every kind, in the order of a file.
    pub const ALL: [Self; 5] =
        [Self::Receiver, Self::Processor, Self::Exporter, Self::Connector, Self::Extension];

    /// Returns the singular name: `receiver`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Processor => "processor",
            Self::Exporter => "exporter",
            Self::Extension => "extension",
            Self::Connector => "connector",
        }
    }

    /// Returns the name of the configuration section: `receivers`.
    pub fn section(self) -> &'static str {
        match self {
            Self::Receiver => "receivers",
            Self::Processor => "processors",
            Self::Exporter => "exporters",
            Self::Extension => "extensions",
            Self::Connector => "connectors",
        }
    }
}
