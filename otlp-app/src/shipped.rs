//! The components that come with the gateway, registered as a plugin. A new component is a file or folder, and an entry here.

use crate::config::{connector, exporter, extension, processor, receiver, tls};
use otlp_service::{Components, OtlpPlugin};

/// The plugin of this crate.
pub(crate) struct Shipped;

impl OtlpPlugin for Shipped {
    fn name(&self) -> &str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn register(&self, components: &mut Components<'_>) {
        receivers(components);
        processors(components);
        exporters(components);
        connectors(components);
        extensions(components);
    }
}

fn receivers(components: &mut Components<'_>) {
    components
        .receiver("otlp", "receives OTLP over gRPC and HTTP", receiver::otlp)
        .rules(receiver::OTLP_RULES)
        .rules(tls::SERVER_TLS_RULES);
}

fn processors(components: &mut Components<'_>) {
    components
        .processor(
            "attributes",
            "changes attributes of spans, log records and data points",
            processor::attributes,
        )
        .rules(processor::ATTRIBUTES_RULES);
    components.processor("batch", "joins requests into batches, by items, bytes and time", processor::batch);
    components.processor(
        "groupbyattrs",
        "moves attributes from items to resources, and merges equal resources",
        processor::group_by_attrs,
    );
    components
        .processor("filter", "removes telemetry that meets a condition", processor::filter)
        .rules(processor::FILTER_RULES);
    components
        .processor("memory_limiter", "limits the memory that requests take", processor::memory_limiter)
        .rules(processor::MEMORY_LIMITER_RULES);
    components.processor(
        "probabilistic_sampler",
        "keeps a percentage of the traces or log records",
        processor::probabilistic_sampler,
    );
    components.processor(
        "redaction",
        "removes, masks and hashes attributes and log bodies",
        processor::redaction,
    );
    components.processor("resource", "changes attributes of resources", processor::resource);
    components
        .processor(
            "resource_detection",
            "adds attributes of this host and process to resources",
            processor::resource_detection,
        )
        .alias("resourcedetection")
        .rules(processor::RESOURCE_DETECTION_RULES);
    components
        .processor("span", "names spans by attributes, and sets their status", processor::span)
        .rules(processor::ATTRIBUTES_RULES);
    components
        .processor("transform", "changes telemetry by statements", processor::transform)
        .rules(processor::TRANSFORM_RULES);
}

fn exporters(components: &mut Components<'_>) {
    components
        .exporter("debug", "prints the telemetry that it gets: counts, items, or all fields", exporter::debug)
        .rules(exporter::DEBUG_RULES);
    components
        .exporter("logging", "the old name of debug", exporter::logging)
        .rules(exporter::LOGGING_RULES)
        .rules(exporter::DEBUG_RULES);
    components.exporter("nop", "accepts all telemetry and discards it", exporter::nop);
    components
        .exporter("otlp_grpc", "sends OTLP over gRPC", exporter::otlp_grpc)
        .alias("otlp")
        .rules(exporter::GRPC_RULES)
        .rules(exporter::QUEUE_RULES)
        .rules(tls::TLS_RULES);
    components
        .exporter("otlp_http", "sends OTLP over HTTP in protobuf or JSON", exporter::otlp_http)
        .alias("otlphttp")
        .rules(exporter::HTTP_RULES)
        .rules(exporter::QUEUE_RULES)
        .rules(tls::TLS_RULES);
    components
        .exporter("load_balancing", "spreads requests over several endpoints", exporter::load_balancing)
        .alias("loadbalancing")
        .rules(exporter::BALANCE_RULES)
        .rules(exporter::QUEUE_RULES);
    #[cfg(feature = "prometheus")]
    components
        .exporter("prometheus", "shows metrics to scrapes by Prometheus", exporter::prometheus)
        .rules(exporter::PROMETHEUS_RULES)
        .rules(tls::PAGE_TLS_RULES);
}

fn connectors(components: &mut Components<'_>) {
    components.connector(
        "forward",
        "leads pipelines into other pipelines of the same signal",
        connector::forward,
    );
    components
        .connector("routing", "leads telemetry into pipelines by conditions", connector::routing)
        .rules(connector::ROUTING_RULES);
}

fn extensions(components: &mut Components<'_>) {
    components
        .extension("health_check", "answers health probes over HTTP", extension::health_check)
        .rules(extension::HEALTH_CHECK_RULES);
    components
        .extension(
            "healthcheckv2",
            "answers with the status of components over HTTP and gRPC",
            extension::healthcheckv2,
        )
        .rules(extension::HEALTH_V2_RULES)
        .rules(extension::HEALTH_CHECK_RULES);
    components.extension("api_key", "authenticates senders by a key in a header", extension::api_key);
    components
        .extension(
            "basicauth",
            "authenticates senders by user and password, or sends them",
            extension::basicauth,
        )
        .alias("basic_auth");
    components
        .extension(
            "bearertokenauth",
            "authenticates senders by bearer tokens, or sends them",
            extension::bearertokenauth,
        )
        .alias("bearer_token_auth");
    components.extension(
        "client_certificate",
        "identifies senders by their client certificates",
        extension::client_certificate,
    );
    components
        .extension(
            "file_storage",
            "keeps queues of exporters and states of other components in files",
            extension::file_storage,
        )
        .rules(extension::FILE_STORAGE_RULES);
    components.extension(
        "headers_setter",
        "sets headers in the requests of exporters",
        extension::headers_setter,
    );
    components
        .extension("memory_ballast", "has no effect: there is no garbage collector", extension::inert)
        .rules(extension::MEMORY_BALLAST_RULES);
    components
        .extension("pprof", "has no effect: there is no Go runtime to profile", extension::inert)
        .rules(extension::PPROF_RULES);
    components.extension("zpages", "has no effect", extension::inert).rules(extension::ZPAGES_RULES);
}
