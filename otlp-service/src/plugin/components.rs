//! Registering component types.

use super::parts::{ExporterPart, ExtensionPart, ReceiverPart, StagePart};
use super::rules::KeyRule;
use super::settings::{BuildContext, SettingsError};
use crate::holder::HolderSpec;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Takes telemetry in.
    Receiver,
    /// Changes it, or holds it.
    Processor,
    /// Sends it on.
    Exporter,
    /// Stands beside the pipelines.
    Extension,
    /// Joins pipelines.
    Connector,
}

/// A type of component.
pub struct ComponentType {
    /// What it is called in files and lists.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: Vec<&'static str>,
    /// What it does, in a line.
    pub about: &'static str,
    /// Keys of the Collector that it knows but does not use.
    pub rules: Vec<&'static [KeyRule]>,
    /// Makes one.
    pub build: Build,
    /// The index of its plugin.
    pub(super) plugin: usize,
}

/// Makes a component, by its kind.
pub enum Build {
    /// A receiver.
    Receiver(Decode<ReceiverPart>),
    /// A processor, or what else may stand among the processors.
    Processor(Decode<StagePart>),
    /// A connector.
    Connector(Decode<HolderSpec>),
    /// An exporter.
    Exporter(Decode<ExporterPart>),
    /// An extension.
    Extension(Decode<ExtensionPart>),
}

/// Decodes a component's settings. What is wrong with them is the deserializer's error.
pub type Decode<T> = Box<
    dyn Fn(&mut dyn erased_serde::Deserializer<'_>) -> Result<BuildFn<T>, erased_serde::Error> + Send + Sync,
>;

/// Makes a component of its settings, which are decoded.
pub type BuildFn<T> = Box<dyn FnOnce(&BuildContext<'_>) -> Result<T, SettingsError>>;

/// Where a plugin registers its component types.
///
/// Each method takes the type's name, what it does in a line for lists, and its factory: a function of the settings, a type
/// of the component's own, and of what is known of the component. Settings are a struct that derives
/// [`Deserialize`](serde::Deserialize) with `deny_unknown_fields`; each field's comment says what it means, its unit and its
/// default. A factory must not touch the network or files: it also runs when a configuration is only checked.
pub struct Components<'a> {
    plugin: usize,
    types: &'a mut Vec<ComponentType>,
}

/// A component type that was registered, to be told more about.
#[derive(Debug)]
pub struct Registered<'a>(&'a mut ComponentType);

// === impl Components ===

impl<'a> Components<'a> {
    pub(super) fn new(plugin: usize, types: &'a mut Vec<ComponentType>) -> Self {
        Self { plugin, types }
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

    /// Registers a holder: a component that stands among the processors and holds data.
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

    /// Registers a connector: it stands at the end of pipelines, as an exporter does, and feeds others, as a receiver does.
    pub fn connector<S>(
        &mut self,
        name: &'static str,
        about: &'static str,
        make: impl Fn(S, &BuildContext<'_>) -> Result<HolderSpec, SettingsError> + Send + Sync + 'static,
    ) -> Registered<'_>
    where
        S: DeserializeOwned + 'static,
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

/// The factory with its settings' type forgotten.
fn decode<S, P, T>(
    make: impl Fn(S, &BuildContext<'_>) -> Result<P, SettingsError> + Send + Sync + 'static,
) -> Decode<T>
where
    S: DeserializeOwned + 'static,
    P: Into<T>,
{
    let make = Arc::new(make);
    Box::new(move |deserializer| {
        let settings: S = erased_serde::deserialize(deserializer)?;
        let make = make.clone();
        Ok(Box::new(move |context: &BuildContext<'_>| make(settings, context).map(Into::into)))
    })
}

// === impl Registered ===

impl Registered<'_> {
    /// One more name it answers to.
    pub fn alias(self, name: &'static str) -> Self {
        self.0.aliases.push(name);
        self
    }

    /// Keys of the Collector that it knows but does not use. A field of the settings needs none.
    pub fn rules(self, rules: &'static [KeyRule]) -> Self {
        self.0.rules.push(rules);
        self
    }
}

// === impl ComponentType ===

impl ComponentType {
    /// What it is.
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

    /// What one is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Processor => "processor",
            Self::Exporter => "exporter",
            Self::Extension => "extension",
            Self::Connector => "connector",
        }
    }

    /// What several are called: the Collector's section of a file.
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
