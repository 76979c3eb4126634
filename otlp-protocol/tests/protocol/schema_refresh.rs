//! The schema table against the official descriptors. `UPDATE_SCHEMA=1 cargo test -p otlp-protocol schema_refresh`
//! writes it anew, after a newer opentelemetry-proto or tonic-types.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

#[test]
fn the_table_is_what_the_descriptors_say() {
    let fresh = generate();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/schema/table.rs");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == fresh, "src/schema/table.rs is stale: run this test with UPDATE_SCHEMA=1");
}

#[test]
fn every_field_is_found_by_its_number() {
    for message in otlp_protocol::schema::messages() {
        assert!(std::ptr::eq(otlp_protocol::schema::message(message.name).unwrap(), message));
        for field in message.fields {
            assert_eq!(message.field(field.number).unwrap().name, field.name);
        }
    }
    assert!(otlp_protocol::schema::message("opentelemetry.proto.trace.v1.Spam").is_none());
}

fn generate() -> String {
    let (messages, enums) = collect();
    let index: BTreeMap<&str, usize> = messages.keys().map(String::as_str).zip(0..).collect();
    let mut out = String::from(HEADER);
    writeln!(out, "#[rustfmt::skip]\npub(super) static MESSAGES: [Message; {}] = [", messages.len()).unwrap();
    for (name, message) in &messages {
        let mut fields: Vec<_> = message.field.iter().collect();
        fields.sort_by_key(|field| field.number());
        if fields.is_empty() {
            writeln!(out, "    Message::new({name:?}, &[]),").unwrap();
            continue;
        }
        writeln!(out, "    Message::new({name:?}, &[").unwrap();
        for field in fields {
            assert!((1..=otlp_protocol::schema::MAX_NUMBER as i32).contains(&field.number()), "{name}");
            let (kind, note) = kind(field, &index);
            let values =
                if field.r#type() == Type::Enum { constant(field.type_name()) } else { String::new() };
            let values = if values.is_empty() { values } else { format!(".of({values})") };
            writeln!(
                out,
                "        Field::new({}, {:?}, {:?}, {kind}, {}){values},{note}",
                field.number(),
                field.name(),
                field.json_name(),
                label(field),
            )
            .unwrap();
        }
        writeln!(out, "    ]),").unwrap();
    }
    out.push_str("];\n");
    let fields = messages.values().flat_map(|message| &message.field);
    let used: BTreeSet<&str> =
        fields.filter(|field| field.r#type() == Type::Enum).map(FieldDescriptorProto::type_name).collect();
    for name in used {
        writeln!(out, "\n#[rustfmt::skip]\nconst {}: &[(&str, i32)] = &[", constant(name)).unwrap();
        for value in &enums[name.trim_start_matches('.')].value {
            writeln!(out, "    ({:?}, {}),", value.name(), value.number()).unwrap();
        }
        out.push_str("];\n");
    }
    out
}

/// The constant that holds an enum's values: `.opentelemetry.proto.trace.v1.Span.SpanKind` is `SPAN_SPANKIND`.
fn constant(type_name: &str) -> String {
    let path = type_name.split('.').filter(|part| part.starts_with(|first: char| first.is_uppercase()));
    path.collect::<Vec<_>>().join("_").to_uppercase()
}

/// All messages by full name: OTLP's, and the few of google.rpc that answers are made of; and all enums.
fn collect() -> (BTreeMap<String, DescriptorProto>, BTreeMap<String, EnumDescriptorProto>) {
    let mut messages = BTreeMap::new();
    let mut enums = BTreeMap::new();
    for set in [opentelemetry_proto::DESCRIPTORS, tonic_types::pb::FILE_DESCRIPTOR_SET] {
        for file in FileDescriptorSet::decode(set).unwrap().file {
            let scope = file.package();
            enums.extend(file.enum_type.iter().map(|of| (format!("{scope}.{}", of.name()), of.clone())));
            for message in &file.message_type {
                add(&mut messages, &mut enums, scope, message);
            }
        }
    }
    let wanted = |name: &String| {
        GOOGLE_MESSAGES.contains(&name.as_str())
            || name.starts_with("opentelemetry.proto.") && !name.starts_with("opentelemetry.proto.tracez.")
    };
    messages.retain(|name, _| wanted(name));
    assert!(GOOGLE_MESSAGES.iter().all(|&name| messages.contains_key(name)), "google.rpc is incomplete");
    (messages, enums)
}

fn add(
    messages: &mut BTreeMap<String, DescriptorProto>,
    enums: &mut BTreeMap<String, EnumDescriptorProto>,
    scope: &str,
    message: &DescriptorProto,
) {
    let name = format!("{scope}.{}", message.name());
    enums.extend(message.enum_type.iter().map(|of| (format!("{name}.{}", of.name()), of.clone())));
    for nested in &message.nested_type {
        add(messages, enums, &name, nested);
    }
    messages.insert(name, message.clone());
}

fn kind(field: &FieldDescriptorProto, index: &BTreeMap<&str, usize>) -> (String, String) {
    if field.r#type() == Type::Message {
        let name = field.type_name().trim_start_matches('.');
        let short = name.rsplit('.').next().unwrap();
        return (format!("held({})", index[name]), format!(" // {short}"));
    }
    let name = match field.r#type() {
        Type::Bool => "Bool",
        Type::Bytes => "Bytes",
        Type::Double => "Double",
        Type::Enum => "Enum",
        Type::Fixed32 => "Fixed32",
        Type::Fixed64 => "Fixed64",
        Type::Float => "Float",
        Type::Int32 => "Int32",
        Type::Int64 => "Int64",
        Type::Sfixed32 => "Sfixed32",
        Type::Sfixed64 => "Sfixed64",
        Type::Sint32 => "Sint32",
        Type::Sint64 => "Sint64",
        Type::String => "String",
        Type::Uint32 => "Uint32",
        Type::Uint64 => "Uint64",
        Type::Group | Type::Message => unreachable!("OTLP has no groups"),
    };
    (format!("Kind::{name}"), String::new())
}

fn label(field: &FieldDescriptorProto) -> String {
    match field.oneof_index {
        _ if field.label() == Label::Repeated => "Label::Repeated".to_owned(),
        _ if field.proto3_optional() => "Label::Optional".to_owned(),
        Some(index) => format!("Label::OneOf({index})"),
        None => "Label::Single".to_owned(),
    }
}

const GOOGLE_MESSAGES: [&str; 7] = [
    "google.protobuf.Any",
    "google.protobuf.Duration",
    "google.rpc.BadRequest",
    "google.rpc.BadRequest.FieldViolation",
    "google.rpc.LocalizedMessage",
    "google.rpc.RetryInfo",
    "google.rpc.Status",
];

const HEADER: &str =
    "//! Generated by `tests/protocol/schema_refresh.rs` from the official descriptors; do not edit.

use super::{Field, Kind, Label, Message};

/// A field that holds messages of that place in the table.
const fn held(place: usize) -> Kind {
    Kind::message(&MESSAGES[place])
}

";
