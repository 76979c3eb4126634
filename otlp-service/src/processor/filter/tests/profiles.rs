//! Conditions on profiles, which refer to the dictionary of their request.

use super::*;
use otlp_protocol::encode::{Profiles, RequestWriter};
use otlp_protocol::view::AnyValue;
use otlp_protocol::{ByteBudget, ErrorKind, ValidateLimits};

/// Two profiles of a resource: the attributes of the first are a text by its index, an int, and the int again.
fn profiles() -> Vec<u8> {
    let mut body = Vec::new();
    let mut request = RequestWriter::<Profiles>::new(&mut body);
    request.resource_group(|group| {
        group.resource(|resource| {
            resource.attribute("service.name", "containerd-shim-7");
        });
        group.scope_group(|group| {
            group.profile(|profile| {
                profile.profile_id(&[1; 16]).time_unix_nano(1_000_000_000).duration_nano(5).period(7);
                profile.dropped_attributes_count(2).original_payload_format("pprof").original_payload(b"xy");
                profile.attribute_indices([1, 2, 3, 99, -1]);
                profile.sample(|_| {});
                profile.sample(|_| {});
            });
            group.profile(|profile| {
                profile.sample(|_| {});
            });
        });
    });
    request.dictionary(|dictionary| {
        for string in ["", "thread", "main", "n"] {
            dictionary.string(string);
        }
        dictionary.attribute(|_| {});
        dictionary.attribute(|attribute| {
            attribute.key_strindex(1).value(AnyValue::StringIndex(2));
        });
        for value in [4, 5] {
            dictionary.attribute(|attribute| {
                attribute.key_strindex(3).value(AnyValue::Int(value));
            });
        }
    });
    body
}

fn checked(body: Vec<u8>) -> Body {
    Body::check(Signal::PROFILES, body, &ValidateLimits::default()).unwrap()
}

/// Returns the number of samples that a condition removes.
fn removed(body: &Body, condition: &str) -> u64 {
    let (_, out) = run(&filter(vec![conditions(Signal::PROFILES, None, &[condition])]), body).unwrap();
    out.removed(Reason::Filtered)
}

#[test]
fn fields_and_attributes_of_profiles_are_read() {
    let body = checked(profiles());
    for (condition, count) in [
        (r#"profile.attributes["thread"] == "main""#, 2),
        (r#"profile.attributes["n"] == 5"#, 2),
        (r#"profile.attributes["no"] == nil"#, 3),
        (r#"Len(profile.attributes) == 3 and Keys(profile.attributes) == ["thread", "n", "n"]"#, 2),
        ("profile.attribute_indices == [1, 2, 3, 99, -1]", 2),
        ("profile.profile_id == ProfileID(0x01010101010101010101010101010101)", 2),
        ("profile.profile_id == TraceID(0x01010101010101010101010101010101)", 0),
        ("profile.profile_id == 0x01010101010101010101010101010101", 0),
        (r#"profile.profile_id.string == "01010101010101010101010101010101""#, 2),
        ("profile.time_unix_nano == 1000000000 and profile.time == Unix(1)", 2),
        ("profile.duration == 5 and profile.duration_unix_nano == 5 and profile.period == 7", 2),
        (r#"profile.original_payload_format == "pprof" and profile.original_payload == 0x7879"#, 2),
        ("profile.dropped_attributes_count == 2", 2),
        (r#"profile.period == 0 and IsMatch(resource.attributes["service.name"], "containerd-shim-.*")"#, 1),
        (r#"scope.name == "" and profile.cache["x"] == nil"#, 3),
    ] {
        assert_eq!(removed(&body, condition), count, "{condition}");
    }
    let old = conditions(Signal::PROFILES, Some("profile"), &[r#"attributes["thread"] == "main""#]);
    let (left, _) = run(&filter(vec![old]), &body).unwrap();
    let left = left.unwrap().to_bytes();
    let view = RequestView::new(Signal::PROFILES, &left);
    assert_eq!((view.profiles().count(), view.dictionary().strings().count()), (1, 4));
}

#[test]
fn a_dictionary_in_pieces_is_one() {
    let mut body = profiles();
    // A second piece has the fifth string, and an attribute with it as the key.
    let piece = [&[0x2a, 1, b'k'][..], &[0x32, 7, 0x08, 4, 0x12, 3, 0x0a, 1, b'v']].concat();
    body.extend([&[0x12, piece.len() as u8][..], &piece].concat());
    let group = [0x12, 5, 0x5a, 1, 4, 0x12, 0];
    let group = [&[0x12, group.len() as u8][..], &group].concat();
    body.extend([&[0x0a, group.len() as u8][..], &group].concat());
    let body = checked(body);
    let kept = conditions(Signal::PROFILES, None, &[r#"profile.attributes["k"] != "v""#]);
    let left = run(&filter(vec![kept]), &body).unwrap().0.unwrap().to_bytes();
    assert_eq!(RequestView::new(Signal::PROFILES, &left).profiles().count(), 1);
    assert_eq!(removed(&body, r#"profile.attributes["thread"] == "main""#), 2);
}

#[test]
fn positions_are_charged() {
    let body = checked(profiles());
    let budget = ByteBudget::new(body.len() as u64);
    let charge = budget.try_charge(body.len() as u64).unwrap();
    let filter = filter(vec![conditions(Signal::PROFILES, None, &["profile.period == 7"])]);
    let error = filter.process(Batch::new(body, charge), &mut Out::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

#[test]
fn profiles_are_not_changed() {
    let mut out = Vec::new();
    for (context, statement) in [(Some("profile"), "set(period, 1)"), (None, "set(profile.period, 1)")] {
        let mut group = crate::TransformGroup::new(Signal::PROFILES, [statement]);
        group.context = context.map(str::to_owned);
        let mut config = crate::TransformConfig::default();
        config.groups.push(group);
        out.push(crate::TransformProcessor::new(config).unwrap_err()[0].to_string());
    }
    assert!(out[0].contains("unknown context `profile`, known: scope, resource"), "{}", out[0]);
    assert!(out[1].contains("there is no profile here"), "{}", out[1]);
}
