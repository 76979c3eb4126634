//! Profiles.

use super::ProfileTables;
use super::entry::{NORMAL_PAIRS, ShownEntry};
use super::span::{MAX_NAME_BYTES, put_field, put_text_field};
use super::style::{Look, Style};
use super::text::{Hex, Nanos, TimeOfDay, Timestamp, is_full, put, put_text};
use super::value::{MAX_VALUE_BYTES, put_more, put_typed, put_value};
use otlp_protocol::view::{Profile, Sample, ValueType};

/// Appends a line: time, service, sample type, number of samples, duration, id.
pub(super) fn put_line(
    out: &mut String,
    style: Style,
    entry: &ShownEntry<'_>,
    profile: &Profile<'_>,
    shared: &ProfileTables<'_>,
) {
    let kind = shared.string(profile.sample_type().type_strindex());
    style.begin(out, TimeOfDay(profile.time_unix_nano()), entry.service, "profile", kind, Look::Plain);
    put(out, format_args!("samples={}", profile.samples().count()));
    let unit = shared.string(profile.sample_type().unit_strindex());
    if !unit.is_empty() {
        out.push_str(" unit=");
        put_text(out, unit, MAX_NAME_BYTES);
    }
    put(out, format_args!("  {}", Nanos(profile.duration_nano())));
    if profile.profile_id().is_some() {
        put(out, format_args!("  id={}", Hex(profile.profile_id())));
    }
    out.push('\n');
}

/// Appends a line in the format `Normal`: id, number of samples, attributes.
pub(super) fn put_normal(out: &mut String, profile: &Profile<'_>, shared: &ProfileTables<'_>) {
    put(out, format_args!("{} samples={}", Hex(profile.profile_id()), profile.samples().count()));
    let mut rest = profile.attribute_indices();
    for index in rest.by_ref().take(NORMAL_PAIRS.max) {
        let Some(attribute) = shared.attribute(index).filter(|_| !is_full(out)) else { continue };
        out.push(' ');
        put_text(out, shared.string(attribute.key_strindex()), MAX_VALUE_BYTES);
        out.push('=');
        put_value(out, attribute.value(), MAX_VALUE_BYTES, &shared.strings);
    }
    match rest.count() {
        0 => {}
        more => put(out, format_args!(" …{more} more")),
    }
    out.push('\n');
}

/// Appends all fields of a profile, with the names of the functions in its stacks.
pub(super) fn put_detailed(
    out: &mut String,
    number: usize,
    profile: &Profile<'_>,
    shared: &ProfileTables<'_>,
) {
    put(out, format_args!("Profile #{number}\n"));
    put_field(out, "Profile ID", format_args!("{}", Hex(profile.profile_id())));
    put_field(out, "Start time", format_args!("{}", Timestamp(profile.time_unix_nano())));
    put_field(out, "DurationNano", format_args!("{}", profile.duration_nano()));
    put_value_type(out, "Sample type", profile.sample_type(), shared);
    put_value_type(out, "Period type", profile.period_type(), shared);
    put_field(out, "Period", format_args!("{}", profile.period()));
    put_text_field(out, "Payload format", profile.original_payload_format());
    put_field(out, "Dropped attributes count", format_args!("{}", profile.dropped_attributes_count()));
    put_attribute_lines(out, "    ", profile.attribute_indices(), shared);
    let mut rest = profile.samples().enumerate();
    while !is_full(out) {
        let Some((number, sample)) = rest.next() else { return };
        put_sample(out, number, &sample, shared);
        if number + 1 == MAX_SAMPLES {
            break;
        }
    }
    put_more(out, "    ", rest.count() as u64, "samples");
}

fn put_sample(out: &mut String, number: usize, sample: &Sample<'_>, shared: &ProfileTables<'_>) {
    put(out, format_args!("    Sample #{number}\n        Stack:"));
    let mut rest = shared.functions(sample.stack_index());
    for name in rest.by_ref().take(MAX_VALUES) {
        out.push(' ');
        put_text(out, name, MAX_NAME_BYTES);
    }
    match rest.take(MAX_COUNTED_FRAMES).count() {
        0 => {}
        more => put(out, format_args!(" …{more} more")),
    }
    out.push_str("\n        Values:");
    let mut rest = sample.values();
    for value in rest.by_ref().take(MAX_VALUES) {
        put(out, format_args!(" {value}"));
    }
    match rest.count() {
        0 => out.push('\n'),
        more => put(out, format_args!(" …{more} more\n")),
    }
    put_attribute_lines(out, "        ", sample.attribute_indices(), shared);
}

fn put_attribute_lines(
    out: &mut String,
    indent: &str,
    indices: impl Iterator<Item = i32>,
    shared: &ProfileTables<'_>,
) {
    let mut rest = indices.enumerate();
    while !is_full(out) {
        let Some((number, index)) = rest.next() else { return };
        if number == 0 {
            put(out, format_args!("{indent}Attributes:\n"));
        }
        if number == MAX_VALUES {
            break;
        }
        let Some(attribute) = shared.attribute(index) else { continue };
        put(out, format_args!("{indent}     -> "));
        put_text(out, shared.string(attribute.key_strindex()), MAX_VALUE_BYTES);
        out.push_str(": ");
        put_typed(out, attribute.value(), &shared.strings);
        out.push('\n');
    }
    put_more(out, indent, rest.count() as u64, "attributes");
}

fn put_value_type(out: &mut String, title: &str, value_type: ValueType<'_>, shared: &ProfileTables<'_>) {
    put(out, format_args!("    {title:<15}: "));
    put_text(out, shared.string(value_type.type_strindex()), MAX_VALUE_BYTES);
    out.push(' ');
    put_text(out, shared.string(value_type.unit_strindex()), MAX_VALUE_BYTES);
    out.push('\n');
}

/// Of a profile.
const MAX_SAMPLES: usize = 100;
/// Of a sample, functions of its stack, and attributes of a sample or a profile.
const MAX_VALUES: usize = 32;
/// Functions of a stack that are counted: samples can share a stack of any size.
const MAX_COUNTED_FRAMES: usize = 1000;
