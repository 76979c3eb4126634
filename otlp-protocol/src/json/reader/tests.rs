use super::*;

/// Reads a list of texts and of objects with a `name`.
fn names(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let read = JsonReader::read(text.as_bytes(), |reader| {
        reader.array(|reader| {
            if reader.is_at_string() {
                names.push(reader.string()?);
                return Ok(());
            }
            reader.object(|reader, key| {
                match key {
                    "name" => names.push(reader.string()?),
                    "skipped" => reader.skip()?,
                    _ => return Err(reader.expected("the key `name` or `skipped`")),
                }
                Ok(())
            })
        })
    });
    read.map(|()| names).map_err(|error| error.to_string())
}

#[test]
fn values_are_read_one_by_one() {
    assert_eq!(names(r#" [ "a", {"skipped": [{}], "name": "\u00e9"}, null ] "#).unwrap(), ["a", "é"]);
    assert_eq!(names("null").unwrap(), [""; 0]);
}

#[test]
fn errors_have_their_position() {
    for (text, error) in [
        (r#"["a", 5]"#, "expected an object (at byte 6)"),
        (r#"["a"] x"#, "unexpected text after the value (at byte 6)"),
        (r#"["a""#, "unexpected end of the text (at byte 4)"),
        (r#"[{"nam": 1}]"#, "expected the key `name` or `skipped` (at byte 8)"),
        ("", "unexpected end of the text (at byte 0)"),
    ] {
        assert_eq!(names(text).unwrap_err(), error, "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(JsonReader::read(deep.as_bytes(), |reader| reader.skip()).is_err());
}

#[test]
fn values_of_unknown_types_are_read_by_their_type() {
    let mut found = Vec::new();
    let read = JsonReader::read(b" [-1.5e3, true, false, null, \"x\", {}, []]", |reader| {
        reader.array(|reader| {
            let kind = reader.next_type();
            match kind {
                Some(JsonType::Number) => assert_eq!(reader.number()?, "-1.5e3"),
                Some(JsonType::Bool) => found.push(format!("{}", reader.bool()?)),
                _ => reader.skip()?,
            }
            found.extend(kind.map(|kind| format!("{kind:?}")));
            Ok(())
        })
    });
    assert_eq!(read, Ok(()));
    assert_eq!(found, ["Number", "true", "Bool", "false", "Bool", "Null", "String", "Object", "Array"]);
    assert_eq!(
        JsonReader::read(b"x", |reader| Ok(reader.next_type())).unwrap_err().to_string(),
        "unexpected text after the value (at byte 0)"
    );
    assert!(JsonReader::read(b"tru", |reader| reader.bool()).is_err());
}
