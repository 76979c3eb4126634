//! Every variable: a value, an empty value, and values that cannot be used.

use super::*;
use crate::client::{HistogramAggregation, Propagator, TemporalityPreference};
use std::fmt::Debug;

/// A variable's value, and what the configuration then has.
fn check<T: Debug + PartialEq>(variables: &[(&str, &str)], read: impl Fn(&OtlpConfig) -> T, expect: T) {
    let config = of(variables);
    assert_eq!(read(&config), expect, "{variables:?}");
    assert_eq!(warnings(&config), [""; 0], "{variables:?}");
}

/// A variable whose value is ignored, with a warning that quotes the value and gives the problem.
fn refused<T: Debug + PartialEq>(
    variable: &str,
    values: &[&str],
    problem: &str,
    read: impl Fn(&OtlpConfig) -> T,
) {
    for value in values {
        let config = of(&[(variable, value)]);
        assert_eq!(read(&config), read(&OtlpConfig::default()), "{variable}={value}");
        assert_eq!(warnings(&config), [format!("{variable} {value:?}: {problem}")]);
    }
}

fn shown(signal: &SignalSettings) -> String {
    format!("{:?}", signal.exporter)
}

#[test]
fn without_variables_the_specifications_defaults_hold() {
    for config in [of(&[]), OtlpConfig::default()] {
        assert!(!config.disabled && config.warnings.is_empty());
        assert_eq!(config.destination, Destination::default());
        for signal in [&config.traces, &config.metrics, &config.logs] {
            assert_eq!(format!("{:?}", signal.exporter), "Otlp");
            assert_eq!(signal.destination, Destination::default());
        }
        assert_eq!(config.span_batches.schedule_delay, Duration::from_secs(5));
        assert_eq!(config.log_batches.schedule_delay, Duration::from_secs(1));
        for batches in [&config.span_batches, &config.log_batches] {
            assert_eq!(batches.export_timeout, Duration::from_secs(30));
            assert_eq!((batches.max_queue_size, batches.max_export_batch_size), (None, 512));
        }
        assert_eq!(config.metric_settings.interval, Duration::from_secs(60));
        assert_eq!(config.metric_settings.export_timeout, Duration::from_secs(30));
        assert_eq!(config.span_limits, SpanLimits::default());
        assert_eq!(config.log_limits, LogLimits::default());
    }
}

#[test]
fn empty_variables_count_as_not_set() {
    let config = OtlpConfig::from_vars(|_| Some(String::new()));
    assert_eq!(warnings(&config), [""; 0]);
    assert_eq!(config.destination, Destination::default());
    assert_eq!(config.span_limits, SpanLimits::default());
    assert_eq!(config.resources.iter().flat_map(Resource::attributes).count(), 0);
}

#[test]
fn only_true_is_true() {
    for (value, expect) in
        [("true", true), ("TRUE", true), (" True ", true), ("false", false), ("False", false)]
    {
        check(&[("OTEL_SDK_DISABLED", value)], |config| config.disabled, expect);
        check(&[("OTEL_EXPORTER_OTLP_INSECURE", value)], |config| config.destination.insecure, Some(expect));
    }
    let problem = "neither `true` nor `false`; counts as false";
    refused("OTEL_SDK_DISABLED", &["1", "yes", "on"], problem, |config| config.disabled);
    let config = of(&[("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "1"), ("OTEL_EXPORTER_OTLP_INSECURE", "true")]);
    assert_eq!(config.traces.destination.insecure, Some(false));
    assert_eq!(warnings(&config), [format!("OTEL_EXPORTER_OTLP_TRACES_INSECURE \"1\": {problem}")]);
}

#[test]
fn names_are_read_in_any_case() {
    let protocol = |config: &OtlpConfig| config.destination.protocol;
    for (value, expect) in [
        ("grpc", Protocol::Grpc),
        ("HTTP/protobuf", Protocol::HttpProtobuf),
        ("http/JSON", Protocol::HttpJson),
    ] {
        check(&[("OTEL_EXPORTER_OTLP_PROTOCOL", value)], protocol, Some(expect));
    }
    let compression = |config: &OtlpConfig| config.destination.compression;
    for (value, expect) in
        [("none", Compression::None), ("GZIP", Compression::Gzip), ("zstd", Compression::Zstd)]
    {
        check(&[("OTEL_EXPORTER_OTLP_COMPRESSION", value)], compression, Some(expect));
    }
    for (value, expect) in
        [("otlp", ExporterKind::Otlp), ("Console", ExporterKind::Console), ("none", ExporterKind::None)]
    {
        let expect = format!("{expect:?}");
        check(&[("OTEL_TRACES_EXPORTER", value)], |config| shown(&config.traces), expect.clone());
        check(&[("OTEL_METRICS_EXPORTER", value)], |config| shown(&config.metrics), expect.clone());
        check(&[("OTEL_LOGS_EXPORTER", value)], |config| shown(&config.logs), expect);
    }
    let temporality = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    for (value, expect) in [
        ("cumulative", TemporalityPreference::Cumulative),
        ("Delta", TemporalityPreference::Delta),
        ("LowMemory", TemporalityPreference::LowMemory),
    ] {
        check(&[(temporality, value)], |config| config.metric_settings.meters.temporality, expect);
    }
    let histogram = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
    for (value, expect) in [
        ("explicit_bucket_histogram", HistogramAggregation::ExplicitBuckets),
        ("BASE2_exponential_bucket_histogram", HistogramAggregation::Base2Exponential),
    ] {
        check(&[(histogram, value)], |config| config.metric_settings.meters.histogram_aggregation, expect);
    }
}

#[test]
fn unknown_names_are_ignored() {
    let unknown = |names: &str| format!("unknown value; available: {names}; the variable is ignored");
    let protocols = unknown("grpc, http/protobuf, http/json");
    refused("OTEL_EXPORTER_OTLP_PROTOCOL", &["http", "udp"], &protocols, |config| {
        config.destination.protocol
    });
    refused("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", &["x"], &protocols, |config| {
        config.logs.destination.protocol
    });
    let compressions = unknown("none, gzip, zstd, br");
    refused("OTEL_EXPORTER_OTLP_COMPRESSION", &["lzma"], &compressions, |config| {
        config.destination.compression
    });
    let exporters = unknown("otlp, console, none");
    refused("OTEL_METRICS_EXPORTER", &["prometheus"], &exporters, |config| shown(&config.metrics));
    refused("OTEL_TRACES_EXPORTER", &["zipkin", "otlp,console"], &exporters, |config| shown(&config.traces));
    refused("OTEL_LOGS_EXPORTER", &["logging"], &exporters, |config| shown(&config.logs));
    let temporality = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    let names = unknown("cumulative, delta, lowmemory");
    refused(temporality, &["low"], &names, |config| config.metric_settings.meters.temporality);
    let histogram = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
    let names = unknown("explicit_bucket_histogram, base2_exponential_bucket_histogram");
    refused(histogram, &["summary"], &names, |config| config.metric_settings.meters.histogram_aggregation);
}

#[test]
fn exemplars_are_named_as_not_recorded() {
    assert_eq!(warnings(&of(&[("OTEL_METRICS_EXEMPLAR_FILTER", "Always_Off")])), [""; 0]);
    let expect = "OTEL_METRICS_EXEMPLAR_FILTER \"trace_based\": exemplars are not recorded yet; the variable is ignored";
    assert_eq!(warnings(&of(&[("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based")])), [expect]);
}

#[test]
fn times_are_milliseconds() {
    type Read = fn(&OtlpConfig) -> Duration;
    let none_is_zero: Read = |config| config.destination.timeout.unwrap_or_default();
    let cases: [(&str, u64, Read); 7] = [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", 0, none_is_zero),
        ("OTEL_BSP_SCHEDULE_DELAY", 0, |config| config.span_batches.schedule_delay),
        ("OTEL_BSP_EXPORT_TIMEOUT", 0, |config| config.span_batches.export_timeout),
        ("OTEL_BLRP_SCHEDULE_DELAY", 0, |config| config.log_batches.schedule_delay),
        ("OTEL_BLRP_EXPORT_TIMEOUT", 0, |config| config.log_batches.export_timeout),
        ("OTEL_METRIC_EXPORT_INTERVAL", 1, |config| config.metric_settings.interval),
        ("OTEL_METRIC_EXPORT_TIMEOUT", 0, |config| config.metric_settings.export_timeout),
    ];
    for (variable, min, read) in cases {
        for millis in [min, 250, 86_400_000] {
            check(&[(variable, &millis.to_string())], read, Duration::from_millis(millis));
        }
        let problem = format!("not a number of milliseconds of at least {min}; the variable is ignored");
        refused(variable, &["-1", "5s", "1.5", "abc", "18446744073709551616"], &problem, read);
    }
}

#[test]
fn sizes_of_queues_and_batches_fit_each_other() {
    type Read = fn(&OtlpConfig) -> &BatchSettings;
    let cases: [(&str, Read); 2] =
        [("OTEL_BSP", |config| &config.span_batches), ("OTEL_BLRP", |config| &config.log_batches)];
    for (prefix, read) in cases {
        let (queue, batch) = (format!("{prefix}_MAX_QUEUE_SIZE"), format!("{prefix}_MAX_EXPORT_BATCH_SIZE"));
        let sizes = |config: &OtlpConfig| (read(config).max_queue_size, read(config).max_export_batch_size);
        check(&[(&queue, "4096"), (&batch, "1024")], sizes, (Some(4096), 1024));
        check(&[(&batch, "5000")], sizes, (None, 5000));
        check(&[(&queue, "100")], sizes, (Some(100), 100));
        let config = of(&[(&queue, "100"), (&batch, "200")]);
        assert_eq!(sizes(&config), (Some(100), 100));
        assert_eq!(warnings(&config), [format!("{batch} \"200\": more than {queue}; 100 is used")]);
        for variable in [&queue, &batch] {
            refused(
                variable,
                &["0", "-1", "many"],
                "not an integer of at least 1; the variable is ignored",
                sizes,
            );
        }
    }
}

#[test]
fn limits_fall_back_to_those_of_all_signals() {
    type Read = fn(&OtlpConfig) -> u64;
    let cases: [(&str, Read); 6] = [
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", |config| config.span_limits.attributes.into()),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", |config| config.span_limits.events.into()),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", |config| config.span_limits.links.into()),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", |config| config.span_limits.attributes_per_event.into()),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", |config| config.span_limits.attributes_per_link.into()),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", |config| config.log_limits.attributes.into()),
    ];
    for (variable, read) in cases {
        check(&[(variable, "0")], read, 0);
        check(&[(variable, "7")], read, 7);
        check(&[(variable, "99999999999")], read, u32::MAX.into());
        refused(variable, &["-1", "all"], "not an integer of at least 0; the variable is ignored", read);
    }
    let counts = |config: &OtlpConfig| (config.span_limits.attributes, config.log_limits.attributes);
    check(&[("OTEL_ATTRIBUTE_COUNT_LIMIT", "9")], counts, (9, 9));
    let specific = ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "5");
    check(&[("OTEL_ATTRIBUTE_COUNT_LIMIT", "9"), specific], counts, (5, 9));
    let lengths = |config: &OtlpConfig| {
        (config.span_limits.attribute_value_length, config.log_limits.attribute_value_length)
    };
    check(&[("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100")], lengths, (Some(100), Some(100)));
    let specific = ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "20");
    check(&[("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100"), specific], lengths, (Some(20), Some(100)));
    check(&[("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "30")], lengths, (None, Some(30)));
    let problem = "not an integer of at least 0; the variable is ignored";
    refused("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", &["-1"], problem, lengths);
    // A wrong specific limit leaves the limit of all signals.
    let config = of(&[("OTEL_ATTRIBUTE_COUNT_LIMIT", "9"), ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many")]);
    assert_eq!((counts(&config), config.warnings.len()), ((9, 9), 1));
}

#[test]
fn resource_attributes_are_decoded_or_discarded_as_a_whole() {
    let attributes = |config: &OtlpConfig| -> Vec<(String, String)> {
        let all = config.resources.iter().flat_map(Resource::attributes);
        all.map(|(key, value)| (key.to_owned(), value.as_str().unwrap_or_default().to_owned())).collect()
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let list = "OTEL_RESOURCE_ATTRIBUTES";
    check(
        &[(list, "a=1, b.c = x%20y%2Cz ,e=,%C3%A4=%F0%9F%A6%80,u=http://h/?q=1,")],
        attributes,
        pairs(&[("a", "1"), ("b.c", "x y,z"), ("e", ""), ("ä", "🦀"), ("u", "http://h/?q=1")]),
    );
    let name = ("OTEL_SERVICE_NAME", "cart");
    check(&[name], attributes, pairs(&[("service.name", "cart")]));
    check(&[(list, "service.name=x,a=1"), name], attributes, pairs(&[("service.name", "cart"), ("a", "1")]));
    for (value, problem) in [
        ("a=1,b", "\"b\" has no `=`: write key=value,key=value"),
        ("a=1,=2", "\"=2\" has no key before `=`"),
        ("a=1,b=%zz", "\"b=%zz\" has an invalid percent-encoding: write `%25` for a percent sign"),
        ("a=1,b=%", "\"b=%\" has an invalid percent-encoding: write `%25` for a percent sign"),
        ("a=1,b=%ff", "\"b=%ff\" has an invalid percent-encoding: write `%25` for a percent sign"),
    ] {
        let config = of(&[(list, value), name]);
        assert_eq!(attributes(&config), pairs(&[("service.name", "cart")]), "{value}");
        let expect = format!("{list} {value:?}: {problem}; no attribute of the variable is used");
        assert_eq!(warnings(&config), [expect]);
    }
}

#[test]
fn samplers_and_propagators_are_read() {
    let sampler = |config: &OtlpConfig| config.sampler.to_string();
    let (name, argument) = ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG");
    check(&[(name, "Always_Off")], sampler, Sampler::AlwaysOff.to_string());
    let half = Sampler::consistent_ratio(0.5).unwrap();
    check(&[(name, "traceidratio"), (argument, "0.5")], sampler, half.to_string());
    let expect = Sampler::parent_based(half).to_string();
    check(&[(name, "parentbased_traceidratio"), (argument, "0.5")], sampler, expect);
    let config = of(&[(name, "jaeger_remote: x"), (argument, "a")]);
    assert_eq!((sampler(&config), &*config.warnings[0].variable), (Sampler::default().to_string(), name));
    assert_eq!(config.warnings[0].value.as_deref(), Some("jaeger_remote: x"));
    assert!(config.warnings[0].problem.starts_with("not a sampler that is known; use always_on"));
    let config = of(&[(name, "traceidratio"), (argument, "2")]);
    let expect = "OTEL_TRACES_SAMPLER_ARG \"2\": not a ratio from 0 to 1, and ignored: all traces are kept";
    assert_eq!(warnings(&config), [expect]);

    let formats = |config: &OtlpConfig| config.propagators.formats().to_vec();
    check(&[("OTEL_PROPAGATORS", "B3, jaeger")], formats, vec![Propagator::B3, Propagator::Jaeger]);
    check(&[("OTEL_PROPAGATORS", "none")], formats, Vec::new());
    let config = of(&[("OTEL_PROPAGATORS", "b3,xray")]);
    assert_eq!((formats(&config), config.warnings.len()), (vec![Propagator::B3], 1));
    assert!(warnings(&config)[0].starts_with("OTEL_PROPAGATORS \"b3,xray\": xray is not known, and ignored"));
}

#[test]
fn a_declarative_file_is_named_as_not_supported() {
    let config = of(&[("OTEL_CONFIG_FILE", "/etc/otel.yaml"), ("OTEL_SERVICE_NAME", "cart")]);
    let expect = "OTEL_CONFIG_FILE \"/etc/otel.yaml\": declarative configuration files are not supported yet: the file is not \
                  read, and the other variables are used";
    assert_eq!(warnings(&config), [expect]);
    assert_eq!(config.resources[0].get("service.name"), Some("cart".into()));
}

#[test]
fn proxies_are_read() {
    let config = of(&[("HTTPS_PROXY", "http://proxy:3128"), ("no_proxy", "internal")]);
    assert_eq!((&*config.proxies.https_proxy, &*config.proxies.no_proxy), ("http://proxy:3128", "internal"));
}

#[test]
fn long_values_are_cut_in_warnings() {
    let config = of(&[("OTEL_SDK_DISABLED", &"ä".repeat(1000))]);
    assert_eq!(config.warnings[0].value.as_ref().map(|value| value.chars().count()), Some(101));
}

proptest::proptest! {
    /// Values of any text, in all variables at once.
    #[test]
    fn no_value_of_a_variable_panics(values in proptest::collection::vec("\\PC{0,12}|[a-z=,%0-9:/ ]{0,24}", 1..8)) {
        let config = OtlpConfig::from_vars(|name| {
            let index = name.bytes().map(usize::from).sum::<usize>() % values.len();
            values.get(index).cloned()
        });
        let _ = (config.check(), warnings(&config), format!("{config:?}"));
    }
}
