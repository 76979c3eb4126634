use crate::ottl::function::tests::{check, text};
use crate::ottl::value::Value;

/// The expected hashes are those of the Collector, v0.161.
#[test]
fn strings_are_hashed() {
    check([
        ("FNV", vec![text("hello")], Ok(Value::Int(-6_615_550_055_289_275_125))),
        ("FNV", vec![Value::Int(5)], Err("expected a string, found an int")),
    ]);
    #[cfg(feature = "hash")]
    check([
        ("MD5", vec![text("hello")], Ok(text("5d41402abc4b2a76b9719d911017c592"))),
        ("SHA1", vec![text("hello")], Ok(text("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"))),
        (
            "SHA256",
            vec![text("hello")],
            Ok(text("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")),
        ),
        (
            "SHA512",
            vec![text("hello")],
            Ok(text(concat!(
                "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7",
                "2323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043"
            ))),
        ),
        ("SHA256", vec![Value::Nil], Err("expected a string, found nil")),
    ]);
}
