//! Profiles of CPU time: samples of the functions of the services, linked to the spans in which they were taken.

use super::calls::Call;
use super::shop::SERVICES;
use super::{Moment, services};
use otlp_protocol::Body;
use otlp_protocol::encode::{DictionaryWriter, ProfileWriter, Profiles};

/// Writes a request of profiles: a sample of each call.
pub(super) fn write(moment: &Moment) -> Body {
    Body::write::<Profiles>(|request| {
        let mut links = Vec::new();
        services(request, moment, |scope, index, _| {
            scope.scope(|scope| {
                scope.name("cpu-profiler").version("0.9.0");
            });
            scope.profile(|profile| write_profile(profile, moment, index, &mut links));
        });
        request.dictionary(|dictionary| write_dictionary(dictionary, &links));
    })
}

/// Writes the profile of a service. Appends the calls that samples link to to `links`.
fn write_profile<'m>(
    profile: &mut ProfileWriter<'_>,
    moment: &'m Moment,
    service: usize,
    links: &mut Vec<&'m Call>,
) {
    let mut random = moment.random(PURPOSE + service as u64);
    profile.sample_type(|kind| {
        kind.type_strindex(CPU).unit_strindex(NANOSECONDS);
    });
    profile.period_type(|kind| {
        kind.type_strindex(CPU).unit_strindex(NANOSECONDS);
    });
    profile.period(PERIOD_NANOS).profile_id(&random.trace_id());
    profile.time_unix_nano(moment.time(PROFILE_NANOS)).duration_nano(PROFILE_NANOS);
    for call in moment.calls_of(service) {
        links.push(call);
        // A stack of one, two or three functions; index 0 of the dictionary is none.
        let stack = 1 + service * DEPTH + random.below(DEPTH as u64) as usize;
        profile.sample(|sample| {
            sample
                .stack_index(stack as i32)
                .link_index(links.len() as i32)
                .values([PERIOD_NANOS])
                .timestamps_unix_nano([moment.time(call.start_ago)]);
        });
    }
}

/// Writes the tables: three functions of each service, a location and a stack for each function, and the links.
fn write_dictionary(dictionary: &mut DictionaryWriter<'_>, links: &[&Call]) {
    dictionary.mapping(|_| {}).location(|_| {}).function(|_| {}).attribute(|_| {}).stack(|_| {}).link(|_| {});
    dictionary.string("").string("cpu").string("nanoseconds");
    let functions = SERVICES.iter().flat_map(|service| service.stack);
    for (index, (name, file)) in functions.enumerate() {
        let (own, strings) = (1 + index as i32, FIRST_STRING + 2 * index as i32);
        dictionary.string(name).string(file);
        dictionary.function(|function| {
            function.name_strindex(strings).filename_strindex(strings + 1).start_line(20);
        });
        dictionary.location(|location| {
            location.line(|line| {
                line.function_index(own).line(20 + i64::from(own));
            });
        });
        dictionary.stack(|stack| {
            // The leaf first, then its callers in the same service.
            stack.location_indices((own - own.wrapping_sub(1) % DEPTH as i32..=own).rev());
        });
    }
    for call in links {
        dictionary.link(|link| {
            link.trace_id(&call.trace_id).span_id(&call.span_id);
        });
    }
}

/// Functions of a service.
const DEPTH: usize = 3;
const CPU: i32 = 1;
const NANOSECONDS: i32 = 2;
/// Index of the first string after the constant ones.
const FIRST_STRING: i32 = 3;
const PERIOD_NANOS: i64 = 10_000_000;
const PROFILE_NANOS: u64 = 1_000_000_000;
/// Of other random numbers of a moment.
const PURPOSE: u64 = 100;
