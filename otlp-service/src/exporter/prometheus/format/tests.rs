use super::*;

#[test]
fn the_heaviest_acceptable_form_is_chosen() {
    let text = Format { syntax: Syntax::Text, escaping: Escaping::Underscores };
    let open = Syntax::OpenMetrics { version: "1.0.0" };
    let of = |accept| Format::negotiate(accept, true);
    assert_eq!(of("text/html, application/openmetrics-text;version=2.0.0"), text);
    assert_eq!(of("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.6"), text);
    assert_eq!(of("text/plain;q=0,application/openmetrics-text;version=1.0.0;q=0.1").syntax, open);
    assert_eq!(of("text/plain;version=1.0.0"), text);
    // As Prometheus 3 asks.
    let accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,\
                  application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    assert_eq!(of(accept), Format { syntax: open, escaping: Escaping::AllowUtf8 });
    assert_eq!(Format::negotiate(accept, false).syntax, Syntax::Protobuf);
}
