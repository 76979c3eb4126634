use super::*;
use otlp_transport::ClientConfig;

fn show() -> ShowArgs {
    ShowArgs {
        details: false,
        json: false,
        signal: Vec::new(),
        service: None,
        grep: None,
        max_items_per_second: 10,
    }
}

fn made(grpc: &str, http: &str, forward: Option<Forward>) -> Plan {
    plan(servers(grpc, http), show().config(false), Output::stdout(), forward)
}

#[test]
fn signals_without_an_endpoint_are_shown_alone() {
    let forward = |takes| Forward { protocol: Protocol::Http, config: ClientConfig::new(""), takes };
    let forwarded = |forward| {
        let plan = made("a:1", "a:2", forward);
        let pipelines = plan.pipelines.into_iter();
        let forwarding = pipelines.filter(|pipeline| pipeline.exporters == [SHOW, FORWARD]);
        forwarding.map(|pipeline| pipeline.id).collect::<Vec<_>>()
    };
    assert_eq!(forwarded(None), [""; 0]);
    assert_eq!(forwarded(Some(forward(None))), Signal::ALL.map(|signal| signal.name));
    assert_eq!(forwarded(Some(forward(Some(vec!["logs"])))), ["logs"]);
}

#[test]
fn one_address_for_both_is_one_port() {
    for (grpc, http, expected) in [
        ("a:1", "a:2", &["grpc", "http"][..]),
        ("a:1", "a:1", &["grpc+http"]),
        ("a:0", "a:0", &["grpc", "http"]),
    ] {
        let plan = made(grpc, http, None);
        let (_, ReceiverPlan { servers, .. }) = &plan.receivers[0];
        let names: Vec<_> = servers.iter().map(|server| server.spec.strategy.name()).collect();
        assert_eq!(names, expected, "{grpc} {http}");
    }
}

#[test]
fn a_setting_that_is_refused_is_called_by_its_variable() {
    let mut wrong_file = ClientConfig::new("https://c");
    wrong_file.tls.ca_file = Some("/no/ca".into());
    for (config, expected) in [
        (ClientConfig::new("c d"), "OTEL_EXPORTER_OTLP_ENDPOINT: `c d`: not a URL: invalid uri character"),
        (wrong_file, "OTEL_EXPORTER_OTLP_CERTIFICATE: `/no/ca`: No such file or directory (os error 2)"),
    ] {
        let forward = Forward { protocol: Protocol::Http, config, takes: None };
        let mut plan = made("a:1", "a:2", Some(forward));
        let context = crate::start::context(&plan);
        let (_, exporter) = plan.exporters.pop().unwrap();
        let refused = (exporter.part.connect)("a".into(), &context, None).err().unwrap();
        assert_eq!(refused.to_string(), expected);
    }
}

#[test]
fn flags_say_what_is_shown() {
    let mut show = show();
    assert_eq!(show.config(false).format, DebugFormat::Lines);
    show.details = true;
    assert_eq!(show.config(false).format, DebugFormat::Detailed);
    (show.details, show.json, show.service) = (false, true, Some("shop".into()));
    let config = show.config(false);
    assert_eq!((config.format, config.max_items_per_second), (DebugFormat::Json, 10));
    assert_eq!(config.service.as_deref(), Some("shop"));
}
