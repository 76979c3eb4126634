use super::*;
use otlp_transport::ClientConfig;

#[test]
fn signals_without_an_endpoint_are_shown_alone() {
    let args = LocalArgs { grpc: "a:1".into(), http: "a:2".into(), details: false };
    let forward = |takes| Forward { protocol: Protocol::Http, config: ClientConfig::new(""), takes };
    let forwarded = |forward| {
        let plan = plan(&args, forward);
        let pipelines = plan.pipelines.into_iter();
        let forwarding = pipelines.filter(|pipeline| pipeline.exporters == [SHOW, FORWARD]);
        forwarding.map(|pipeline| pipeline.id).collect::<Vec<_>>()
    };
    assert_eq!(forwarded(None), [""; 0]);
    assert_eq!(forwarded(Some(forward(None))), Signal::ALL.map(|signal| signal.name));
    assert_eq!(forwarded(Some(forward(Some(vec!["logs"])))), ["logs"]);
}
