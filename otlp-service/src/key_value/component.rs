//! The stored state of a component in a configuration, from its settings to the open store.

use super::{KeyValueError, KeyValueLimits, KeyValueStore, KeyValueStores};
use crate::plugin::{ExtensionRef, Kind};
use crate::queue::DiskConfig;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The stored state of a component whose settings name a storage extension: `storage: file_storage`.
///
/// The factory of the component gets it by [`BuildContext::storage`](crate::BuildContext::storage), and touches no file; the component
/// opens it when it is started. The application [binds](Self::bind) it to the directory of the extension in between. Cloning shares it.
///
/// ```
/// use otlp_service::{
///     BuildContext, ComponentStorage, Components, Inlets, KeyValueLimits, OtlpPlugin, PluginManager, Receiver, Running,
///     SettingsError, StartError,
/// };
/// use otlp_transport::TransportContext;
/// use std::time::Instant;
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct TailSettings {
///     /// Id of the storage extension that keeps the offset.
///     storage: String,
/// }
///
/// /// Goes on where the process before has stopped.
/// struct Tail(ComponentStorage);
///
/// struct Reading;
///
/// impl Receiver for Tail {
///     type Running = Reading;
///
///     async fn start(self, _: Inlets, _: &TransportContext) -> Result<Reading, StartError> {
///         let opened = self.0.open("", KeyValueLimits::default()).await;
///         let offsets = opened
///             .map_err(|error| StartError::Component { component: self.0.component().into(), source: error.into() })?;
///         let _offset = offsets.get("offset");
///         Ok(Reading)
///     }
/// }
///
/// impl Running for Reading {
///     async fn drain(self, _: Instant) {}
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
///         components.receiver("tail", "reads a file", |given: TailSettings, context: &BuildContext<'_>| {
///             Ok::<_, SettingsError>(Tail(context.storage("storage", given.storage)))
///         });
///     }
/// }
///
/// PluginManager::new().load(Mine)?;
/// # Ok::<(), otlp_service::Clash>(())
/// ```
#[derive(Clone)]
pub struct ComponentStorage(Arc<Inner>);

struct Inner {
    component: String,
    extension: ExtensionRef,
    place: OnceLock<Place>,
}

/// Directory and component of the stores.
struct Place {
    stores: KeyValueStores,
    config: DiskConfig,
    kind: Kind,
}

// === impl ComponentStorage ===

impl ComponentStorage {
    pub(crate) fn new(component: &str, extension: ExtensionRef) -> Self {
        Self(Arc::new(Inner { component: component.to_owned(), extension, place: OnceLock::new() }))
    }

    /// Returns the component's id.
    pub fn component(&self) -> &str {
        &self.0.component
    }

    /// Returns the reference to the extension in the settings of the component.
    pub fn extension(&self) -> &ExtensionRef {
        &self.0.extension
    }

    /// Sets the directory of the extension, for a component of this kind. Applications call this once, before the component is started.
    pub fn bind(&self, stores: &KeyValueStores, config: &DiskConfig, kind: Kind) {
        let place = Place { stores: stores.clone(), config: config.clone(), kind };
        // Another call would be one for the same component and extension.
        let _ = self.0.place.set(place);
    }

    /// Opens the store. `name` tells the stores of a component apart: a holder, which is made for each pipeline, gives the pipeline's id;
    /// a component with one store gives the empty text. A reload that replaces the component opens the new instance while the old one
    /// has the store open: both share the store.
    ///
    /// # Errors
    /// As of [`KeyValueStores::open`], and if no directory was bound.
    pub async fn open(&self, name: &str, limits: KeyValueLimits) -> Result<KeyValueStore, KeyValueError> {
        let Place { stores, config, kind } = self.place()?;
        stores.open(config, *kind, self.component(), name, limits).await
    }

    /// Opens the store as [`open`](Self::open) does, and blocks: for the factories of holders and connectors.
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    pub fn open_now(&self, name: &str, limits: KeyValueLimits) -> Result<KeyValueStore, KeyValueError> {
        let Place { stores, config, kind } = self.place()?;
        stores.open_now(config, *kind, self.component(), name, limits)
    }

    fn place(&self) -> Result<&Place, KeyValueError> {
        let (component, extension) = (&self.0.component, &self.0.extension.id);
        self.0.place.get().ok_or_else(|| KeyValueError::Unbound {
            extension: extension.clone(),
            component: component.clone(),
        })
    }
}

impl fmt::Debug for ComponentStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentStorage")
            .field("component", &self.0.component)
            .field("extension", &self.0.extension)
            .field("is_bound", &self.0.place.get().is_some())
            .finish()
    }
}
