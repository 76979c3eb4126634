use super::*;
use crate::{Clock as _, TokioClock};

type Set = EndpointSet<String>;

fn list(endpoints: &[(&str, u32)]) -> Vec<ResolvedEndpoint> {
    let resolved =
        |&(endpoint, weight): &(&str, u32)| ResolvedEndpoint { weight, ..ResolvedEndpoint::new(endpoint) };
    endpoints.iter().map(resolved).collect()
}

fn update(set: &mut Set, endpoints: &[(&str, u32)]) -> Update {
    set.update(list(endpoints), 4, |resolved| (resolved.endpoint != "bad").then(|| resolved.endpoint.clone()))
}

fn set(endpoints: &[(&str, u32)]) -> Set {
    let mut set = EndpointSet::new(EjectionConfig::default());
    update(&mut set, endpoints);
    set
}

fn names(set: &Set, now: Instant, tried: &[u64]) -> Result<Vec<String>, NoCandidate> {
    let candidates = set.candidates(now, tried)?;
    Ok((0..candidates.candidates.len())
        .map(|index| candidates.endpoint(index).unwrap().reach.clone())
        .collect())
}

/// A request to the endpoint of that index, with this end.
fn request(set: &mut Set, index: usize, now: Instant, outcome: Outcome, throttle: Option<Duration>) {
    let endpoint = set.members[index].endpoint.clone();
    let probes = set.start(&endpoint, now);
    set.finish(&endpoint, now, outcome, throttle, probes);
}

#[tokio::test]
async fn a_new_list_keeps_who_stays() {
    let now = TokioClock.now();
    let mut set = set(&[("a", 1), ("b", 1)]);
    let (a, b) = (set.members[0].endpoint.clone(), set.members[1].endpoint.clone());
    set.start(&a, now);
    set.start(&b, now);
    for (endpoints, expected, changed, left_out) in [
        (&[("a", 1), ("b", 1)][..], &["a", "b"][..], false, 0),
        (&[("b", 1), ("a", 1)], &["b", "a"], false, 0),
        (&[("b", 1), ("a", 2)], &["b", "a"], true, 0),
        (&[("a", 2), ("a", 9), ("c", 1), ("bad", 1)], &["a", "c"], true, 1),
        (&[("a", 2), ("c", 1), ("d", 1), ("e", 1), ("f", 1)], &["a", "c", "d", "e"], true, 1),
    ] {
        assert_eq!(update(&mut set, endpoints), Update { changed, left_out }, "{endpoints:?}");
        assert_eq!(names(&set, now, &[]).unwrap(), expected, "{endpoints:?}");
    }
    let in_flight = |set: &Set| set.candidates(now, &[]).unwrap().candidates[0].in_flight;
    assert_eq!(in_flight(&set), 1, "a has been there all the time");
    set.finish(&a, now, Outcome::Answered, None, false);
    assert_eq!(in_flight(&set), 0);
    // b left with a request; it ends, and a b that comes back is another one.
    update(&mut set, &[("b", 1)]);
    set.finish(&b, now, Outcome::Failed, None, false);
    assert_eq!(in_flight(&set), 0);
    assert!(set.missing(&list(&[("b", 7), ("z", 1)])).iter().all(|missing| missing.endpoint == "z"));
}

#[tokio::test]
async fn who_fails_is_left_out_but_never_all() {
    let now = TokioClock.now();
    let mut set = set(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
    let mut left = Vec::new();
    for index in [0, 1, 2, 3] {
        (0..9).for_each(|_| request(&mut set, index, now, Outcome::Failed, None));
        left.push(names(&set, now, &[]).unwrap().len());
    }
    assert_eq!(left, [3, 2, 2, 2], "half of four");
    let tried = [set.members[2].endpoint.id, set.members[3].endpoint.id];
    assert_eq!(names(&set, now, &tried).unwrap(), ["a", "b"], "better than nobody");
    let all: Vec<_> = set.members.iter().map(|slot| slot.endpoint.id).collect();
    assert_eq!(names(&set, now, &all), Err(NoCandidate::None));
    // After the ejection one request finds out.
    let later = now + Duration::from_secs(5);
    assert_eq!(names(&set, later, &[]).unwrap().len(), 4);
    let a = set.members[0].endpoint.clone();
    assert!(set.start(&a, later) && !set.start(&a, later));
    assert_eq!(names(&set, later, &[]).unwrap(), ["b", "c", "d"]);
    assert_eq!(a.stats.ejections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn who_asks_for_time_gets_it() {
    let now = TokioClock.now();
    let mut set = set(&[("a", 1), ("b", 1)]);
    let (short, long) = (Duration::from_secs(2), Duration::from_secs(7));
    request(&mut set, 0, now, Outcome::Answered, Some(long));
    request(&mut set, 0, now, Outcome::Answered, Some(short));
    assert_eq!(names(&set, now, &[]).unwrap(), ["b"]);
    request(&mut set, 1, now, Outcome::Answered, Some(short));
    assert_eq!(names(&set, now, &[]), Err(NoCandidate::Throttled(short)));
    assert_eq!(names(&set, now + short, &[]).unwrap(), ["b"]);
    assert_eq!(names(&set, now + long, &[]).unwrap(), ["a", "b"]);
    // But not for good.
    request(&mut set, 0, now, Outcome::Answered, Some(Duration::MAX));
    let hour = Duration::from_secs(60 * 60);
    assert_eq!(names(&set, now + hour - short, &[]).unwrap(), ["b"]);
    assert_eq!(names(&set, now + hour, &[]).unwrap(), ["a", "b"]);
}
