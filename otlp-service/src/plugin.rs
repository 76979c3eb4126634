//! Component types by name, which plugins register and applications look up.
//!
//! A plugin is a value with a name and a list of component types. Each type has a factory, which takes settings of its own type
//! (serde) and makes a part of a gateway. The application decides on the syntax of settings, on files and on the display of
//! errors; a factory names settings by dotted paths below its component.

mod components;
mod decode_error;
mod deserializer;
mod duration;
mod parts;
mod process;
mod rules;
mod setting;
mod settings;

pub use components::{Build, BuildFn, ComponentType, Components, Decode, Kind, Registered};
pub use decode_error::{DecodeError, Place};
pub use deserializer::Settings;
pub use duration::GoDuration;
pub use parts::{
    AuthPart, CheckFiles, Connect, ConnectorPart, ExporterPart, ExtensionPart, ExtensionRef, HealthPart,
    MakeClient, MakeServer, OnlyFor, PipelineRef, ReceiverPart, ServerPart, StagePart, Target,
};
pub use process::{ProcessPlugin, ProcessStep};
pub use rules::{KeyRule, RuleKind};
pub use setting::{Setting, SettingList, SettingMap, SettingValue};
pub use settings::{BuildContext, Choice, SettingsError};

use crate::component::Out;
use crate::processor::run;
use otlp_protocol::Batch;
use otlp_transport::ExportError;
use std::fmt;

/// A set of component types and steps of processing, usually of one crate. [`ProcessPlugin`] is the plugin of a function.
pub trait OtlpPlugin {
    /// Name of the plugin: the crate's name.
    fn name(&self) -> &str;

    /// Version of the plugin: the crate's version.
    fn version(&self) -> &str;

    /// Registers the component types.
    fn register(&self, components: &mut Components<'_>);
}

/// The plugins of an application, and the component types that they registered.
///
/// ```
/// use otlp_protocol::Batch;
/// use otlp_service::{
///     Access, BuildContext, Components, Kind, OtlpPlugin, Out, PluginManager, Processor, Reason, SettingsError,
/// };
/// use otlp_transport::ExportError;
///
/// /// Settings of the processor `small`.
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct SmallSettings {
///     /// The largest number of items of a request that goes on.
///     max_items: u64,
/// }
///
/// /// Removes large requests.
/// struct Small(u64);
///
/// impl Processor for Small {
///     fn access(&self) -> Access {
///         Access::None
///     }
///
///     fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
///         match batch.items() <= self.0 {
///             true => out.emit(batch),
///             false => out.settle(Reason::Filtered, batch.items()),
///         }
///         Ok(())
///     }
/// }
///
/// struct Mine;
///
/// impl OtlpPlugin for Mine {
///     fn name(&self) -> &str {
///         "mine"
///     }
///
///     fn version(&self) -> &str {
///         "1.0.0"
///     }
///
///     fn register(&self, components: &mut Components<'_>) {
///         components.processor("small", "removes large requests", |given: SmallSettings, _: &BuildContext<'_>| {
///             match given.max_items {
///                 0 => Err(SettingsError::at("max_items", "the value must be at least 1")),
///                 max_items => Ok(Small(max_items)),
///             }
///         });
///     }
/// }
///
/// let mut plugins = PluginManager::new();
/// plugins.load(Mine)?;
/// assert!(plugins.find(Kind::Processor, "small").is_some());
/// // The name is taken.
/// assert!(plugins.load(Mine).is_err());
/// # Ok::<(), otlp_service::Clash>(())
/// ```
#[derive(Debug, Default)]
pub struct PluginManager {
    plugins: Vec<PluginInfo>,
    types: Vec<ComponentType>,
    /// In the order in which they run.
    steps: Vec<ProcessStep>,
}

/// A loaded plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginInfo {
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
}

/// The component types and steps that a plugin registered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PluginContents<'a> {
    /// The plugin.
    pub plugin: &'a PluginInfo,
    /// Its component types, in the order in which they were registered.
    pub types: Vec<&'a ComponentType>,
    /// Its steps of processing, in the order in which they run. Each is a component type, too.
    pub steps: Vec<&'a ProcessStep>,
}

/// Two component types of one kind have the same name. `Debug` writes the same text as `Display`, so that a `main` may return
/// this error.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {} `{name}` is registered twice: by the plugins {first} and {second}", kind.name())]
pub struct Clash {
    kind: Kind,
    name: &'static str,
    first: PluginInfo,
    second: PluginInfo,
}

// === impl PluginManager ===

impl PluginManager {
    /// Creates a manager without plugins.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads a plugin: adds its component types and its steps of processing.
    ///
    /// # Errors
    /// If a component type of the same kind has the same name; no type of the plugin is added then.
    pub fn load(&mut self, plugin: impl OtlpPlugin) -> Result<(), Clash> {
        let info = PluginInfo { name: plugin.name().to_owned(), version: plugin.version().to_owned() };
        let index = self.plugins.len();
        let (mut types, mut steps) = (Vec::new(), Vec::new());
        plugin.register(&mut Components::new(index, &mut types, &mut steps));
        for (at, added) in types.iter().enumerate() {
            let known = self.types.iter().chain(&types[..at]).filter(|known| known.kind() == added.kind());
            let clashes = |known: &&ComponentType| added.names().find(|name| known.answers_to(name));
            if let Some((known, name)) = known.filter_map(|known| Some((known, clashes(&known)?))).next() {
                let first = self.plugins.get(known.plugin).unwrap_or(&info).clone();
                return Err(Clash { kind: added.kind(), name, first, second: info });
            }
        }
        self.types.append(&mut types);
        self.steps.append(&mut steps);
        self.steps.sort_by_key(ProcessStep::order);
        self.plugins.push(info);
        Ok(())
    }

    /// Returns the plugins, in the order in which they were loaded.
    pub fn plugins(&self) -> &[PluginInfo] {
        &self.plugins
    }

    /// Returns all component types, in the order in which they were registered.
    pub fn types(&self) -> &[ComponentType] {
        &self.types
    }

    /// Returns the steps of processing of all plugins, in the order in which they run.
    pub fn processors(&self) -> &[ProcessStep] {
        &self.steps
    }

    /// Runs a batch through the steps of all plugins, in order, on the calling thread. The result has the batches to send on, and the numbers of
    /// removed items.
    ///
    /// For a chain with metrics and a ledger, give [`processors`](Self::processors) to a
    /// [`ProcessorChain`](crate::ProcessorChain).
    ///
    /// # Errors
    /// The error of the first step that fails; a final error if a step panics.
    pub fn process(&self, batch: Batch) -> Result<Out, ExportError> {
        let mut all = Out::new();
        all.emit(batch);
        for step in &self.steps {
            let out = run(&*step.processor, step.name, std::mem::take(&mut all.batches))?;
            all.tally.add(&out.tally);
            all.batches = out.batches;
        }
        Ok(all)
    }

    /// Returns the plugins with the component types and the steps that each registered, in the order in which they were loaded.
    pub fn contents(&self) -> impl Iterator<Item = PluginContents<'_>> {
        self.plugins.iter().enumerate().map(|(index, plugin)| PluginContents {
            plugin,
            types: self.types.iter().filter(|registered| registered.plugin == index).collect(),
            steps: self.steps.iter().filter(|step| step.plugin == index).collect(),
        })
    }

    /// Returns the component types of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &ComponentType> {
        self.types.iter().filter(move |found| found.kind() == kind)
    }

    /// Finds a component type by its name or an alias.
    pub fn find(&self, kind: Kind, name: &str) -> Option<&ComponentType> {
        self.of(kind).find(|found| found.answers_to(name))
    }
}

// === impl PluginInfo ===

impl fmt::Display for PluginInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl fmt::Debug for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
