use super::*;
use crate::ottl::function::tests::{check, text, texts};

#[test]
fn numbers_and_addresses_are_checked() {
    let networks = texts(&["10.0.0.0/8", "2001:db8::/32"]);
    check([
        ("IsInCIDR", vec![text("10.1.2.3"), networks.clone()], Ok(Value::Bool(true))),
        ("IsInCIDR", vec![text("::ffff:10.1.2.3"), networks.clone()], Ok(Value::Bool(true))),
        ("IsInCIDR", vec![text("2001:db8::1"), networks.clone()], Ok(Value::Bool(true))),
        ("IsInCIDR", vec![text("11.1.2.3"), networks.clone()], Ok(Value::Bool(false))),
        ("IsInCIDR", vec![text("x"), networks], Ok(Value::Bool(false))),
        ("IsInCIDR", vec![text("1.2.3.4"), texts(&["0.0.0.0/0"])], Ok(Value::Bool(true))),
        (
            "IsInCIDR",
            vec![text("1.2.3.4"), texts(&["1.2.3.4/33"])],
            Err("load: \"1.2.3.4/33\" is no network; write \"10.0.0.0/8\" or \"2001:db8::/32\""),
        ),
        ("IsValidLuhn", vec![text("17893729974")], Ok(Value::Bool(true))),
        ("IsValidLuhn", vec![Value::Int(17_893_729_975)], Ok(Value::Bool(false))),
        ("IsValidLuhn", vec![text("1789 3729 974")], Ok(Value::Bool(true))),
        ("IsValidLuhn", vec![text("")], Ok(Value::Bool(false))),
        ("IsValidLuhn", vec![text("12a")], Err("the number has a character that is no digit")),
        ("IsValidLuhn", vec![Value::Nil], Err("a number is required, not nil")),
        ("Log", vec![text("1")], Ok(Value::Double(0.0))),
        ("Log", vec![Value::Int(0)], Err("a number above zero is required")),
        ("Log", vec![Value::Nil], Err("a number above zero is required")),
        ("ParseInt", vec![text("-ff"), Value::Int(16)], Ok(Value::Int(-255))),
        ("ParseInt", vec![text("0x1F"), Value::Int(0)], Ok(Value::Int(31))),
        ("ParseInt", vec![text("12"), Value::Int(0)], Ok(Value::Int(12))),
        ("ParseInt", vec![text("017"), Value::Int(0)], Ok(Value::Int(15))),
        ("ParseInt", vec![text("1_000"), Value::Int(0)], Ok(Value::Int(1000))),
        ("ParseInt", vec![text("1_000"), Value::Int(10)], Err("\"1_000\" is not an int of base 10")),
        (
            "ParseInt",
            vec![text("9223372036854775808"), Value::Int(10)],
            Err("\"9223372036854775808\" is not an int of base 10"),
        ),
        ("ParseInt", vec![text("--1"), Value::Int(10)], Err("\"--1\" is not an int of base 10")),
        ("ParseInt", vec![text("1"), Value::Int(37)], Err("the base must be 0, or from 2 to 36")),
        ("ParseInt", vec![text(""), Value::Int(10)], Err("\"\" is not an int of base 10")),
    ]);
}
