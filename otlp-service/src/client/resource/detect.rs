//! Detectors: named groups of attributes that a client finds out by itself.

use super::{Resource, container, environment, host, kubernetes};
use crate::surroundings::{Surroundings, process};
use std::hash::{BuildHasher, Hasher, RandomState};

/// A group of attributes that is read from the program and its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Detector {
    /// `telemetry.sdk.name`, `.language` and `.version`.
    Sdk,
    /// `service.name`: `unknown_service:` and the name of the executable, for programs that give no name.
    Service,
    /// `service.instance.id`: a random UUID, new at each detection.
    Instance,
    /// `process.pid`, `.parent_pid`, `.executable.name` and `.path`, `.command` (without arguments, which may hold secrets),
    /// `.owner` and `.runtime.name`.
    Process,
    /// `host.name`, `host.id` (of `/etc/machine-id`) and `host.arch`.
    Host,
    /// `os.type`, and of `/etc/os-release` `os.name`, `.version`, `.description` and `.build_id`.
    Os,
    /// `container.id`, from the control groups of version 1, or the mounts of a container of version 2.
    Container,
    /// `k8s.namespace.name`, `k8s.pod.name`, `.uid` and `.ip`, `k8s.node.name` and `k8s.container.name`, in a cluster alone: from
    /// the variables `K8S_POD_NAME` or `POD_NAME` and so on, which the downward API sets in the manifest of the pod. Without the
    /// variables the pod's name is `HOSTNAME`, and its namespace that of the service account.
    Kubernetes,
    /// The attributes of `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`.
    Environment,
}

// === impl Detector ===

impl Detector {
    /// All detectors; the environment is the last and so wins.
    pub const ALL: [Self; 9] = [
        Self::Sdk,
        Self::Service,
        Self::Instance,
        Self::Process,
        Self::Host,
        Self::Os,
        Self::Container,
        Self::Kubernetes,
        Self::Environment,
    ];

    /// Sets the attributes that can be found out.
    pub(super) fn detect(self, surroundings: &Surroundings<'_>, found: &mut Resource) {
        match self {
            Self::Sdk => sdk(found),
            Self::Service => {
                let name = surroundings.executable_name();
                let name =
                    name.map_or("unknown_service".to_owned(), |name| format!("unknown_service:{name}"));
                found.set_found("service.name", Some(name));
            }
            Self::Instance => found.set_found("service.instance.id", Some(random_uuid())),
            Self::Process => {
                process::attributes(surroundings).into_iter().for_each(|(key, value)| found.set(key, value));
            }
            Self::Host => host::detect_host(surroundings, found),
            Self::Os => host::detect_os(surroundings, found),
            Self::Container => found.set_found("container.id", container::id(surroundings)),
            Self::Kubernetes => kubernetes::detect(surroundings, found),
            Self::Environment => {
                let (attributes, problems) = environment::of_variables(surroundings.lookup);
                for problem in problems {
                    tracing::warn!("{problem}");
                }
                attributes.attributes.into_iter().for_each(|(key, value)| found.set(&key, value));
            }
        }
    }
}

fn sdk(found: &mut Resource) {
    found.set_found("telemetry.sdk.name", Some("otlp"));
    found.set_found("telemetry.sdk.language", Some("rust"));
    found.set_found("telemetry.sdk.version", Some(env!("CARGO_PKG_VERSION")));
}

/// Makes a random UUID, RFC 9562 version 4. The keys of `RandomState` are of the system's random numbers.
fn random_uuid() -> String {
    let half = || u128::from(RandomState::new().build_hasher().finish());
    let bits = half() << 64 | half();
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
