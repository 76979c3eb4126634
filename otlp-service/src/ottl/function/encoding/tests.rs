use super::*;
use crate::ottl::function::tests::{check, text};
use std::borrow::Cow;

#[test]
fn bytes_and_texts_are_encoded() {
    let bytes = |bytes: &'static [u8]| Value::Bytes(Cow::Borrowed(bytes));
    check([
        ("Base64Encode", vec![text("a?>")], Ok(text("YT8+"))),
        ("Base64Encode", vec![text("a?>a"), text("base64-url")], Ok(text("YT8-YQ=="))),
        ("Base64Encode", vec![text("a?>a"), text("base64-raw")], Ok(text("YT8+YQ"))),
        ("Decode", vec![text("YT8+YQ=="), text("base64")], Ok(text("a?>a"))),
        ("Decode", vec![bytes(b"YT8-YQ"), text("base64-raw-url")], Ok(text("a?>a"))),
        ("Decode", vec![text("/w=="), text("base64")], Err("the decoded bytes are not UTF-8")),
        ("Decode", vec![text("?"), text("base64")], Err("Invalid symbol 63, offset 0.")),
        ("Decode", vec![bytes(&[0xe9, b'a']), text("ISO-8859-1")], Ok(text("éa"))),
        ("Decode", vec![bytes(&[0, b'a', 0xd8, 0]), text("utf-16be")], Ok(text("a\u{fffd}"))),
        ("Decode", vec![bytes(&[b'a', 0, 1]), text("utf-16le")], Ok(text("a\u{fffd}"))),
        ("Decode", vec![bytes(&[b'a', 0xff]), text("utf-8")], Ok(text("a\u{fffd}"))),
        ("Decode", vec![Value::Int(1), text("utf-8")], Err("expected bytes or a string, found an int")),
        (
            "Decode",
            vec![text("a"), text("x")],
            Err(
                "load: unknown encoding \"x\"; supported: base64, base64-raw, base64-url, base64-raw-url, utf-8, us-ascii, \
             iso-8859-1, utf-16le, utf-16be",
            ),
        ),
        ("Hex", vec![Value::Int(255)], Ok(text("00000000000000ff"))),
        ("Hex", vec![text("hi")], Ok(text("6869"))),
        ("Hex", vec![Value::Nil], Ok(text(""))),
    ]);
}
