use super::*;

#[test]
fn the_resource_has_defaults_that_the_file_replaces_or_removes() {
    let sources = OwnSources::new(&TransportContext::tcp(1), LogExport::default());
    let names = |given: &[(&str, Option<&str>)]| {
        let given = given.iter().map(|(key, value)| ((*key).to_owned(), value.map(AttributeValue::string)));
        let resource = sources.resource(given.collect());
        resource.iter().map(|(key, value)| format!("{key}={:?}", value.view())).collect::<Vec<_>>()
    };
    let defaults = names(&[]);
    assert_eq!(defaults.len(), 3, "{defaults:?}");
    assert_eq!(defaults[0], "service.name=\"otlp\"");
    let given = names(&[
        ("service.name", Some("edge")),
        ("service.version", None),
        ("service.instance.id", Some("")),
        ("host.name", Some("a")),
        ("none", None),
    ]);
    assert_eq!(given, ["service.name=\"edge\"", "service.instance.id=\"\"", "host.name=\"a\""]);
}

#[test]
fn instance_ids_are_random_uuids() {
    let (one, other) = (random_id(), random_id());
    assert_ne!(one, other);
    let parts: Vec<_> = one.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{one}");
    assert_eq!(&one[14..15], "4");
    assert!("89ab".contains(&one[19..20]), "{one}");
}
