//! Trace contexts and baggage in headers of requests, as strangers may write them.

use http::{HeaderMap, HeaderName, HeaderValue};
use otlp_service::client::{Baggage, Propagator, Propagators};

/// Any headers are read within the limits, and what was read is written so that it is read alike.
pub fn propagation(data: &[u8]) {
    let headers = read(data);
    for format in [Propagator::TraceContext, Propagator::B3, Propagator::B3Multi, Propagator::Jaeger] {
        let propagators = Propagators::new([format]);
        let Some(context) = propagators.extract(&headers) else { continue };
        assert!(context.is_remote && context.trace_id != [0; 16] && context.span_id != [0; 8]);
        assert!(context.state.as_ref().is_none_or(|state| (1..=512).contains(&state.len())));
        let mut written = HeaderMap::new();
        propagators.inject(&context, &mut written);
        assert_eq!(propagators.extract(&written), Some(context), "{format:?}");
    }
    let baggage = Propagators::default().extract_baggage(&headers);
    let header = baggage.to_string();
    assert!(baggage.len() <= 64 && header.len() <= 8192);
    let again = Baggage::from_headers([header.as_bytes()]);
    assert_eq!((again.dropped(), again.to_string()), (0, header));
}

/// Valid headers with changes: four bytes each, which choose a header, a place, a kind and a byte.
fn read(data: &[u8]) -> HeaderMap {
    let mut values = VALID.map(|(_, value)| value.as_bytes().to_vec());
    for change in data.as_chunks::<4>().0 {
        let [header, at, kind, byte] = *change;
        let value = &mut values[usize::from(header) % VALID.len()];
        let at = usize::from(at) % (value.len() + 1);
        match kind % 4 {
            0 => value.insert(at, byte),
            1 => value.truncate(at),
            2 => value.iter_mut().skip(at).take(1).for_each(|at| *at = byte),
            _ => {
                let copy = value[at..].repeat(usize::from(byte % 32));
                value.extend_from_slice(&copy);
                value.truncate(MAX_VALUE_LEN);
            }
        }
    }
    let mut headers = HeaderMap::new();
    for ((name, _), value) in VALID.iter().zip(&values) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    headers
}

const MAX_VALUE_LEN: usize = 16_384;
const VALID: [(&str, &str); 9] = [
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tracestate", "ot=th:8;rv:0123456789abcd,congo=t61rcWkgMzE"),
    ("tracestate", "rojo@vendor=00f067aa0ba902b7 , a/b*c_d-e=!~"),
    ("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90"),
    ("x-b3-traceid", "64fe8b2a57d3eff7"),
    ("x-b3-spanid", "e457b5a2e4d86bd1"),
    ("x-b3-sampled", "1"),
    ("uber-trace-id", "abc%3Ab7ad6b7169203331:0:3"),
    ("baggage", "user=J%C3%BCrgen;ttl=60,tenant = a%20b,n=%ff"),
];
