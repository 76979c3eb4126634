//! Settings of the processor `resource_detection`.

use crate::retry::RetryConfig;
use std::net::IpAddr;
use std::time::Duration;

/// Settings of a [`ResourceDetectionProcessor`](super::ResourceDetectionProcessor).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResourceDetectionConfig {
    /// The detectors, in order: of two that find a key, the first one's value counts. Default [`DetectorKind::Env`].
    pub detectors: Vec<DetectorKind>,
    /// Replaces attributes that a resource has already. Default true.
    pub override_existing: bool,
    /// The longest time of one run of a detector, and of the wait for detectors at the start. Default 5 s.
    pub timeout: Duration,
    /// Time after which the detectors run again. Default `None`: never.
    pub refresh_interval: Option<Duration>,
    /// Counts a container engine that cannot be asked as a failure, which is tried again. Default false: nothing is found.
    pub fail_on_missing_metadata: bool,
    /// Retries of failed runs. Default: after 1 s, each wait twice as long, at most 30 s, without an end.
    pub retry: RetryConfig,
    /// Sources of `host.name` for [`DetectorKind::System`]: the first that has a name counts. Default the name of the host in the
    /// domain, then the host's own name.
    pub hostname_sources: Vec<HostnameSource>,
    /// Attributes that are switched on or off, by detector, in place of the defaults in [`DetectorKind::attributes`].
    pub switches: Vec<(DetectorKind, String, bool)>,
    /// Reads the addresses of the network interfaces but loopback, for `host.ip`. Default: none are known.
    pub addresses: fn() -> Vec<IpAddr>,
}

/// A detector: a source of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DetectorKind {
    /// The variable `OTEL_RESOURCE_ATTRIBUTES`.
    Env,
    /// The host and its operating system, from files of Linux.
    System,
    /// Docker's API, on a Unix socket or over TCP.
    Docker,
    /// This process. Not in the Collector.
    Process,
}

/// Source of the name of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostnameSource {
    /// The canonical name in `/etc/hosts`, or the host's name in the first search domain of `/etc/resolv.conf` in which it has an
    /// address.
    Dns,
    /// The name that the system has.
    Os,
    /// As [`Dns`](Self::Dns), without `/etc/hosts`.
    Cname,
    /// As [`Cname`](Self::Cname): addresses are not looked up.
    Lookup,
}

// === impl ResourceDetectionConfig ===

impl Default for ResourceDetectionConfig {
    fn default() -> Self {
        Self {
            detectors: vec![DetectorKind::Env],
            override_existing: true,
            timeout: Duration::from_secs(5),
            refresh_interval: None,
            fail_on_missing_metadata: false,
            retry: RetryConfig {
                initial_interval: Duration::from_secs(1),
                multiplier: 2.0,
                max_elapsed_time: None,
                ..RetryConfig::default()
            },
            hostname_sources: vec![HostnameSource::Dns, HostnameSource::Os],
            switches: Vec::new(),
            addresses: Vec::new,
        }
    }
}

impl ResourceDetectionConfig {
    /// Returns true if a detector is to find an attribute.
    pub(super) fn is_enabled(&self, detector: DetectorKind, key: &str) -> bool {
        let switch = self.switches.iter().rev().find(|(kind, name, _)| *kind == detector && name == key);
        let default = || detector.attributes().iter().find(|(known, _)| *known == key);
        switch.map_or_else(|| default().is_some_and(|(_, on)| *on), |(.., on)| *on)
    }
}

// === impl DetectorKind ===

impl DetectorKind {
    /// All detectors.
    pub const ALL: [Self; 4] = [Self::Env, Self::System, Self::Docker, Self::Process];

    /// Returns the name in settings and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::System => "system",
            Self::Docker => "docker",
            Self::Process => "process",
        }
    }

    /// Returns the keys of the attributes that can be switched, each with its default. Attributes of the variable cannot.
    pub fn attributes(self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Env => &[],
            Self::System => SYSTEM,
            Self::Docker => DOCKER,
            Self::Process => PROCESS,
        }
    }
}

// === impl HostnameSource ===

impl HostnameSource {
    /// All sources.
    pub const ALL: [Self; 4] = [Self::Dns, Self::Os, Self::Cname, Self::Lookup];

    /// Returns the name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Os => "os",
            Self::Cname => "cname",
            Self::Lookup => "lookup",
        }
    }
}

const SYSTEM: &[(&str, bool)] = &[
    ("host.arch", false),
    ("host.cpu.cache.l2.size", false),
    ("host.cpu.family", false),
    ("host.cpu.model.id", false),
    ("host.cpu.model.name", false),
    ("host.cpu.stepping", false),
    ("host.cpu.vendor.id", false),
    ("host.id", false),
    ("host.interface", false),
    ("host.ip", false),
    ("host.mac", false),
    ("host.name", true),
    ("os.build.id", false),
    ("os.description", false),
    ("os.name", false),
    ("os.type", true),
    ("os.version", false),
];

const DOCKER: &[(&str, bool)] =
    &[("container.image.name", false), ("container.name", false), ("host.name", true), ("os.type", true)];

const PROCESS: &[(&str, bool)] = &[
    ("process.command", true),
    ("process.executable.name", true),
    ("process.executable.path", true),
    ("process.owner", true),
    ("process.parent_pid", true),
    ("process.pid", true),
    ("process.runtime.name", true),
];
