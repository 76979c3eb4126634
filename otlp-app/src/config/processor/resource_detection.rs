//! The processor `resource_detection`.

use crate::own_addresses::interface_addresses;
use otlp_service::{
    BuildContext, DetectorKind, GoDuration, HostnameSource, KeyRule, ResourceDetectionConfig,
    ResourceDetectionProcessor, RetryConfig, SettingsError,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Settings of the processor `resource_detection`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ResourceDetection {
    /// Detectors, in order: of two that find a key, the first one's value counts. `env`: the variable `OTEL_RESOURCE_ATTRIBUTES`;
    /// `system`: the host and its operating system; `docker`: the Docker engine; `process`: this process, not in the Collector. Those
    /// of clouds and clusters are accepted with a note and find nothing. Default `env`.
    detectors: Option<Vec<String>>,
    /// Replaces attributes that resources have already: telemetry of other hosts then gets the name of this host. Default true.
    r#override: Option<bool>,
    /// Longest time of one run of a detector, and of the wait for the detectors at the start. Default 5 s.
    timeout: Option<GoDuration>,
    /// Time after which the detectors run again; 0: never. Default 0.
    refresh_interval: GoDuration,
    /// Counts a Docker engine that cannot be asked as a failure, which is tried again. Default false: nothing is found.
    fail_on_missing_metadata: bool,
    /// Retries of detectors that failed. The gateway starts all the same.
    retry: DetectionRetry,
    /// Settings of the detector `system`.
    system: System,
    /// Settings of the detector `docker`.
    docker: DetectorSettings,
    /// Settings of the detector `process`.
    process: DetectorSettings,
}

/// Settings of `retry`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DetectionRetry {
    /// Runs a detector again that failed. Default true.
    enabled: Option<bool>,
    /// Time before the second run. Default 1 s.
    initial_interval: Option<GoDuration>,
    /// Random share of each wait, 0 to 1. Default 0.5.
    randomization_factor: Option<f64>,
    /// Factor by which each wait is longer than the last, at most 1000; below 1 all waits are equal. Default 2.
    multiplier: Option<f64>,
    /// Longest time between two runs. Default 30 s.
    max_interval: Option<GoDuration>,
    /// Time after which no run starts any more; 0 is no limit. Default 0.
    max_elapsed_time: GoDuration,
}

/// Settings of the detector `system`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct System {
    /// Sources of `host.name`, the first that has a name counts: `dns` (`/etc/hosts`, else the domain of `/etc/resolv.conf` in which
    /// the host has an address), `os`, `cname` and `lookup` (the domain alone). Default `dns`, `os`.
    hostname_sources: Vec<String>,
    /// Attributes by key, each with `enabled`: `host.name` and `os.type`, on by default; `host.id`, `host.arch`, `host.ip`, `host.mac`,
    /// `host.interface`, `host.cpu.vendor.id`, `host.cpu.family`, `host.cpu.model.id`, `host.cpu.model.name`, `host.cpu.stepping`,
    /// `host.cpu.cache.l2.size`, `os.description`, `os.name`, `os.version`, `os.build.id`, off by default.
    resource_attributes: BTreeMap<String, Switch>,
}

/// Settings of another detector.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DetectorSettings {
    /// Attributes by key, each with `enabled`. `docker`: `host.name` and `os.type`, on by default; `container.name` and
    /// `container.image.name`, off by default. `process`: `process.pid` and so on, on by default.
    resource_attributes: BTreeMap<String, Switch>,
}

/// Switch of an attribute.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Switch {
    /// Adds the attribute.
    enabled: Option<bool>,
}

/// Keys of the Collector that have no effect here.
pub(crate) const RESOURCE_DETECTION_RULES: &[KeyRule] = &[
    KeyRule::ignored("endpoint", NO_CLIENT),
    KeyRule::ignored("tls", NO_CLIENT),
    KeyRule::ignored("headers", NO_CLIENT),
    KeyRule::ignored("idle_conn_timeout", NO_CLIENT),
    KeyRule::ignored("max_idle_conns", NO_CLIENT),
    KeyRule::ignored("proxy_url", NO_CLIENT),
    KeyRule::ignored("read_buffer_size", NO_CLIENT),
    KeyRule::ignored("write_buffer_size", NO_CLIENT),
    KeyRule::ignored(
        "attributes",
        "the Collector has removed it: `resource_attributes` of a detector takes its place",
    ),
    KeyRule::ignored("akamai", NO_DETECTOR),
    KeyRule::ignored("aks", NO_DETECTOR),
    KeyRule::ignored("alibaba_ecs", NO_DETECTOR),
    KeyRule::ignored("azure", NO_DETECTOR),
    KeyRule::ignored("azureappservice", NO_DETECTOR),
    KeyRule::ignored("azurecontainerapps", NO_DETECTOR),
    KeyRule::ignored("consul", NO_DETECTOR),
    KeyRule::ignored("digitalocean", NO_DETECTOR),
    KeyRule::ignored("ec2", NO_DETECTOR),
    KeyRule::ignored("ecs", NO_DETECTOR),
    KeyRule::ignored("eks", NO_DETECTOR),
    KeyRule::ignored("elasticbeanstalk", NO_DETECTOR),
    KeyRule::ignored("gcp", NO_DETECTOR),
    KeyRule::ignored("heroku", NO_DETECTOR),
    KeyRule::ignored("hetzner", NO_DETECTOR),
    KeyRule::ignored("ibmcloud_classic", NO_DETECTOR),
    KeyRule::ignored("ibmcloud_vpc", NO_DETECTOR),
    KeyRule::ignored("k8s_api", NO_DETECTOR),
    KeyRule::ignored("k8snode", NO_DETECTOR),
    KeyRule::ignored("kubeadm", NO_DETECTOR),
    KeyRule::ignored("lambda", NO_DETECTOR),
    KeyRule::ignored("nova", NO_DETECTOR),
    KeyRule::ignored("openshift", NO_DETECTOR),
    KeyRule::ignored("oraclecloud", NO_DETECTOR),
    KeyRule::ignored("scaleway", NO_DETECTOR),
    KeyRule::ignored("tencent_cvm", NO_DETECTOR),
    KeyRule::ignored("upcloud", NO_DETECTOR),
    KeyRule::ignored("vultr", NO_DETECTOR),
];

/// Makes `resource_detection`.
pub(crate) fn resource_detection(
    given: ResourceDetection,
    context: &BuildContext<'_>,
) -> Result<ResourceDetectionProcessor, SettingsError> {
    let mut config = ResourceDetectionConfig::default();
    config.addresses = interface_addresses;
    config.fail_on_missing_metadata = given.fail_on_missing_metadata;
    config.refresh_interval = given.refresh_interval.given();
    if let Some(names) = &given.detectors {
        config.detectors = detectors(names, context)?;
    }
    if let Some(GoDuration(timeout)) = given.timeout {
        if timeout.is_zero() {
            return Err(
                SettingsError::at("timeout", "it must be longer than 0").help("such as 5s, the default")
            );
        }
        config.timeout = timeout;
    }
    config.retry = given.retry.config(config.retry)?;
    for (index, name) in given.system.hostname_sources.iter().enumerate() {
        if index == 0 {
            config.hostname_sources.clear();
        }
        let known = HostnameSource::ALL.map(HostnameSource::name);
        let source = HostnameSource::ALL.into_iter().find(|source| source.name() == name);
        let unknown =
            || SettingsError::unknown(format!("system.hostname_sources.{index}"), "source", name, &known);
        config.hostname_sources.push(source.ok_or_else(unknown)?);
    }
    let switches = [
        (DetectorKind::System, given.system.resource_attributes),
        (DetectorKind::Docker, given.docker.resource_attributes),
        (DetectorKind::Process, given.process.resource_attributes),
    ];
    for (detector, attributes) in switches {
        let known: Vec<_> = detector.attributes().iter().map(|(key, _)| *key).collect();
        for (key, Switch { enabled }) in attributes {
            if !known.contains(&key.as_str()) {
                let path = format!("{}.resource_attributes", detector.name());
                return Err(SettingsError::unknown(path, "attribute", &key, &known));
            }
            config.switches.extend(enabled.map(|enabled| (detector, key, enabled)));
        }
    }
    config.override_existing = given.r#override.unwrap_or(config.override_existing);
    let is_named = |kind: &DetectorKind| matches!(kind, DetectorKind::System | DetectorKind::Docker);
    if given.r#override.is_none() && config.detectors.iter().any(is_named) {
        context.note(SettingsError::at("override", RENAMES));
    }
    Ok(ResourceDetectionProcessor::new(config))
}

/// The detectors that exist here. Those that only the Collector has are noted.
fn detectors(names: &[String], context: &BuildContext<'_>) -> Result<Vec<DetectorKind>, SettingsError> {
    let mut detectors = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let path = || format!("detectors.{index}");
        match DetectorKind::ALL.into_iter().find(|kind| kind.name() == name) {
            Some(kind) if detectors.contains(&kind) => {}
            Some(kind) => detectors.push(kind),
            None if OF_THE_COLLECTOR.contains(&name.as_str()) => {
                let problem =
                    format!("the detector `{name}` does not exist here: its attributes are not added");
                context.note(SettingsError::at(path(), problem));
            }
            None => {
                let known = DetectorKind::ALL.map(DetectorKind::name);
                return Err(SettingsError::unknown(path(), "detector", name, &known));
            }
        }
    }
    Ok(detectors)
}

// === impl DetectionRetry ===

impl DetectionRetry {
    fn config(self, mut config: RetryConfig) -> Result<RetryConfig, SettingsError> {
        config.enabled = self.enabled.unwrap_or(true);
        config.randomization_factor = self.randomization_factor.unwrap_or(config.randomization_factor);
        config.multiplier = self.multiplier.unwrap_or(config.multiplier);
        config.max_elapsed_time = self.max_elapsed_time.given();
        if let Some(GoDuration(interval)) = self.initial_interval {
            config.initial_interval = interval;
        }
        if let Some(GoDuration(interval)) = self.max_interval {
            config.max_interval = interval;
        }
        if !(0.0..=1.0).contains(&config.randomization_factor) {
            return Err(SettingsError::at("retry.randomization_factor", "it must be 0 to 1"));
        }
        if !(0.0..=1000.0).contains(&config.multiplier) {
            return Err(SettingsError::at("retry.multiplier", "it must be 0 to 1000"));
        }
        Ok(config)
    }
}

/// Detectors of the Collector, by their present and older names.
const OF_THE_COLLECTOR: &[&str] = &[
    "akamai",
    "aks",
    "alibaba_ecs",
    "azure",
    "azureappservice",
    "azurecontainerapps",
    "consul",
    "digitalocean",
    "dynatrace",
    "ec2",
    "ecs",
    "eks",
    "elastic_beanstalk",
    "gce",
    "gcp",
    "gke",
    "heroku",
    "hetzner",
    "ibmcloud_classic",
    "ibmcloud_vpc",
    "k8s_api",
    "k8snode",
    "kubeadm",
    "lambda",
    "nova",
    "openshift",
    "oraclecloud",
    "scaleway",
    "tencent_cvm",
    "upcloud",
    "vultr",
];
const NO_DETECTOR: &str = "this detector does not exist here: its attributes are not added";
const NO_CLIENT: &str = "the detectors here ask no servers but the Docker engine, which `DOCKER_HOST` names";
const RENAMES: &str = "the default is true: telemetry that other hosts send gets the name of this host; set `override: false` unless \
                       all senders run on this host";
