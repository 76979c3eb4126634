use super::*;
use otlp_protocol::Retry;

const PART: Count = Count { items: 10, entries: 10 };

fn failed(kind: ErrorKind, retry: Retry) -> ExportResult {
    Err(ExportError::new(kind, retry, format!("{kind:?}")))
}

#[test]
fn one_answer_for_all_parts() {
    let full = || Ok(Accepted::FULL);
    let partial = |rejected| Ok(Accepted { rejected, message: "odd".into() });
    let invalid = || failed(ErrorKind::InvalidData, Retry::Never);
    let large = || failed(ErrorKind::TooLarge, Retry::Never);
    let down = || failed(ErrorKind::Unavailable, Retry::Backoff);
    for (parts, expected) in [
        (vec![full(), full()], Ok((0, ""))),
        (vec![partial(2), full(), partial(3)], Ok((5, "odd"))),
        (vec![partial(1), invalid()], Ok((11, "odd; InvalidData"))),
        (vec![invalid(), invalid()], Err(ErrorKind::InvalidData)),
        (vec![full(), down(), invalid()], Err(ErrorKind::Unavailable)),
        (vec![invalid(), large(), full()], Err(ErrorKind::TooLarge)),
        (vec![large(), down()], Err(ErrorKind::Unavailable)),
        (vec![], Ok((0, ""))),
    ] {
        let case = format!("{parts:?}");
        let mut joined = Joined::default();
        parts.into_iter().for_each(|part| joined.add(Signal::TRACES, PART, part));
        match (joined.result(), expected) {
            (Ok(accepted), Ok((rejected, message))) => {
                assert_eq!((accepted.rejected, accepted.message.as_str()), (rejected, message), "{case}");
            }
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{case}"),
            (got, _) => panic!("{case}: {got:?}"),
        }
    }
}

#[test]
fn what_the_parts_say_is_bounded() {
    let mut joined = Joined::default();
    for part in 0..100 {
        joined.add(Signal::TRACES, PART, Ok(Accepted { rejected: u64::MAX, message: part.to_string() }));
    }
    let accepted = joined.result().unwrap();
    assert_eq!((accepted.rejected, accepted.message.as_str()), (1000, "0; 1; 2; 3; 4; 5; 6; 7"));
}
