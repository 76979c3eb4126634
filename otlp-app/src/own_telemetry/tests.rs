use super::*;

#[test]
fn the_resource_has_defaults_that_the_file_replaces_or_removes() {
    let sources = OwnSources::new(&TransportContext::tcp(1), LogExport::default());
    let labels = [("service_name", "otlp"), ("service_instance_id", "7f")];
    let kind = otlp_service::MetricKind::Gauge;
    let _shown = sources.registry.observe(kind, "target_info", "Always 1.", &labels, || 1.0);
    let names = |given: &[(&str, Option<&str>)]| {
        let given = given.iter().map(|(key, value)| ((*key).to_owned(), value.map(AttributeValue::string)));
        let resource = sources.resource(&given.collect::<Vec<_>>());
        resource.iter().map(|(key, value)| format!("{key}={:?}", value.view())).collect::<Vec<_>>()
    };
    let defaults = names(&[]);
    assert_eq!(defaults.len(), 3, "{defaults:?}");
    assert_eq!(defaults[0], "service.name=\"otlp\"");
    assert_eq!(defaults[2], "service.instance.id=\"7f\"");
    let given = names(&[
        ("service.name", Some("edge")),
        ("service.version", None),
        ("service.instance.id", Some("")),
        ("host.name", Some("a")),
        ("none", None),
    ]);
    assert_eq!(given, ["service.name=\"edge\"", "service.instance.id=\"\"", "host.name=\"a\""]);
}
