//! Every component type there is: one entry each. A component of another crate is one more entry.

use crate::config::component::Component;
use crate::config::plan::{ExporterPlan, ExtensionPlan, ProcessorPlan, ReceiverPlan};
use crate::config::problem::Problems;
use crate::config::rules::KeyRule;
use crate::config::{exporter, extension, processor, receiver, tls};

/// A type of component.
pub(crate) struct ComponentType {
    /// What it is called in files and lists.
    pub(crate) name: &'static str,
    /// Other names it answers to: the Collector's older ones.
    pub(crate) aliases: &'static [&'static str],
    /// What it does, in a line.
    pub(crate) about: &'static str,
    /// Keys of the Collector that it does not use.
    pub(crate) rules: &'static [&'static [KeyRule]],
    /// Reads its settings.
    pub(crate) build: Build,
}

/// Reads a component's settings; what is wrong with them goes to the problems.
#[derive(Clone, Copy)]
pub(crate) enum Build {
    /// Of a receiver.
    Receiver(BuildFn<ReceiverPlan>),
    /// Of a processor.
    Processor(BuildFn<ProcessorPlan>),
    /// Of an exporter.
    Exporter(BuildFn<ExporterPlan>),
    /// Of an extension.
    Extension(BuildFn<ExtensionPlan>),
}

/// A function that reads settings.
pub(crate) type BuildFn<T> = fn(&mut Component, &mut Problems) -> Option<T>;

/// What a component is, and where the file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Takes telemetry in.
    Receiver,
    /// Changes it.
    Processor,
    /// Sends it on.
    Exporter,
    /// Stands beside the pipelines.
    Extension,
    /// Joins pipelines; there are none yet.
    Connector,
}

/// All component types.
pub(crate) const COMPONENT_TYPES: &[ComponentType] = &[
    ComponentType {
        name: "otlp",
        aliases: &[],
        about: "takes OTLP over gRPC and HTTP",
        rules: &[receiver::OTLP_RULES, tls::SERVER_TLS_RULES],
        build: Build::Receiver(receiver::otlp),
    },
    ComponentType {
        name: "attributes",
        aliases: &[],
        about: "changes attributes of spans, log records and data points",
        rules: &[processor::ATTRIBUTES_RULES],
        build: Build::Processor(processor::attributes),
    },
    ComponentType {
        name: "batch",
        aliases: &[],
        about: "joins requests by items, bytes and time",
        rules: &[],
        build: Build::Processor(processor::batch),
    },
    ComponentType {
        name: "memory_limiter",
        aliases: &[],
        about: "bounds the memory that requests take",
        rules: &[processor::MEMORY_LIMITER_RULES],
        build: Build::Processor(processor::memory_limiter),
    },
    ComponentType {
        name: "resource",
        aliases: &[],
        about: "changes attributes of resources",
        rules: &[],
        build: Build::Processor(processor::resource),
    },
    ComponentType {
        name: "debug",
        aliases: &[],
        about: "shows what passes: counts, items, or everything",
        rules: &[exporter::DEBUG_RULES],
        build: Build::Exporter(exporter::debug),
    },
    ComponentType {
        name: "logging",
        aliases: &[],
        about: "the old name of debug",
        rules: exporter::LOGGING_RULES,
        build: Build::Exporter(exporter::logging),
    },
    ComponentType {
        name: "nop",
        aliases: &[],
        about: "accepts everything, keeps nothing",
        rules: &[],
        build: Build::Exporter(exporter::nop),
    },
    ComponentType {
        name: "otlp_grpc",
        aliases: &["otlp"],
        about: "sends OTLP over gRPC",
        rules: &[exporter::GRPC_RULES, exporter::QUEUE_RULES, tls::TLS_RULES],
        build: Build::Exporter(exporter::otlp_grpc),
    },
    ComponentType {
        name: "otlp_http",
        aliases: &["otlphttp"],
        about: "sends OTLP over HTTP in protobuf or JSON",
        rules: &[exporter::HTTP_RULES, exporter::QUEUE_RULES, tls::TLS_RULES],
        build: Build::Exporter(exporter::otlp_http),
    },
    ComponentType {
        name: "load_balancing",
        aliases: &["loadbalancing"],
        about: "spreads requests over several endpoints",
        rules: &[exporter::BALANCE_RULES, exporter::QUEUE_RULES],
        build: Build::Exporter(exporter::load_balancing),
    },
    ComponentType {
        name: "health_check",
        aliases: &[],
        about: "answers health probes over HTTP",
        rules: &[extension::HEALTH_CHECK_RULES],
        build: Build::Extension(extension::health_check),
    },
    ComponentType {
        name: "api_key",
        aliases: &[],
        about: "lets in senders with a key in a header",
        rules: &[],
        build: Build::Extension(extension::api_key),
    },
    ComponentType {
        name: "basicauth",
        aliases: &["basic_auth"],
        about: "lets in, or sends, user and password",
        rules: &[],
        build: Build::Extension(extension::basicauth),
    },
    ComponentType {
        name: "bearertokenauth",
        aliases: &["bearer_token_auth"],
        about: "lets in, or sends, bearer tokens",
        rules: &[],
        build: Build::Extension(extension::bearertokenauth),
    },
    ComponentType {
        name: "client_certificate",
        aliases: &[],
        about: "identifies senders by their client certificates",
        rules: &[],
        build: Build::Extension(extension::client_certificate),
    },
    ComponentType {
        name: "headers_setter",
        aliases: &[],
        about: "sets headers of exporters' requests",
        rules: &[],
        build: Build::Extension(extension::headers_setter),
    },
    ComponentType {
        name: "memory_ballast",
        aliases: &[],
        about: "is accepted without effect: there is no garbage to collect",
        rules: &[extension::MEMORY_BALLAST_RULES],
        build: Build::Extension(extension::inert),
    },
    ComponentType {
        name: "pprof",
        aliases: &[],
        about: "is accepted without effect: there is no Go runtime to profile",
        rules: &[extension::PPROF_RULES],
        build: Build::Extension(extension::inert),
    },
    ComponentType {
        name: "zpages",
        aliases: &[],
        about: "is accepted without effect",
        rules: &[extension::ZPAGES_RULES],
        build: Build::Extension(extension::inert),
    },
];

// === impl ComponentType ===

impl ComponentType {
    /// The type of that kind and name.
    pub(crate) fn find(kind: Kind, name: &str) -> Option<&'static Self> {
        Self::of(kind).find(|found| found.name == name || found.aliases.contains(&name))
    }

    /// All types of a kind.
    pub(crate) fn of(kind: Kind) -> impl Iterator<Item = &'static Self> {
        COMPONENT_TYPES.iter().filter(move |found| found.kind() == kind)
    }

    /// Its kind.
    pub(crate) fn kind(&self) -> Kind {
        match self.build {
            Build::Receiver(_) => Kind::Receiver,
            Build::Processor(_) => Kind::Processor,
            Build::Exporter(_) => Kind::Exporter,
            Build::Extension(_) => Kind::Extension,
        }
    }
}

// === impl Kind ===

impl Kind {
    /// Every kind, in the order of a file.
    pub(crate) const ALL: [Self; 5] =
        [Self::Receiver, Self::Processor, Self::Exporter, Self::Connector, Self::Extension];

    /// What one is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Processor => "processor",
            Self::Exporter => "exporter",
            Self::Extension => "extension",
            Self::Connector => "connector",
        }
    }

    /// The key of the file under which they are.
    pub(crate) fn section(self) -> &'static str {
        match self {
            Self::Receiver => "receivers",
            Self::Processor => "processors",
            Self::Exporter => "exporters",
            Self::Extension => "extensions",
            Self::Connector => "connectors",
        }
    }
}
