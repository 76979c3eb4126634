//! Declaration of writers: a table of setters with their kinds and field numbers, like the getters of views.

/// Declares writers: `setter: kind(number)`.
///
/// Kinds are protobuf's scalars, `some_…` for one that is written even if it is zero; `string`, `bytes` and `id(number,
/// length)`; `attribute` for attributes, which makes three setters; `value` for an `AnyValue`; `nested(Writer = number,
/// room)` for a message; `number(Enum = number)` for an enumeration; `each_…` for all values of a repeated scalar, and
/// `strings` for one of several strings.
macro_rules! writers {
    ($(
        $(#[$doc:meta])*
        $name:ident {
            $( $(#[$setter_doc:meta])* $setter:ident: $kind:ident($($of:tt)+), )*
        }
    )*) => { $(
        $(#[$doc])*
        pub struct $name<'b> {
            pub(in $crate::encode) out: &'b mut Vec<u8>,
        }

        impl<'b> $name<'b> {
            /// Appends the fields of the message to a buffer, without a length before it.
            pub fn new(out: &'b mut Vec<u8>) -> Self {
                Self { out }
            }

            $( writers!(@setter $(#[$setter_doc])* $setter $kind($($of)+)); )*
        }

        $crate::encode::declare::debug_len!($name<'_>);
    )* };

    (@setter $(#[$doc:meta])* attribute attribute($number:literal)) => {
        /// Writes an attribute. A key should be written once.
        #[inline]
        pub fn attribute(&mut self, key: &str, value: impl $crate::ToValue) -> &mut Self {
            value.with_value(|value| $crate::encode::value::attribute(self.out, $number, key, value));
            self
        }

        /// Writes an attribute whose value is a list.
        pub fn attribute_array(
            &mut self,
            key: &str,
            write: impl FnOnce(&mut $crate::encode::ArrayWriter<'_>),
        ) -> &mut Self {
            $crate::encode::value::nested_attribute(self.out, $number, key, |out| {
                $crate::encode::value::array(out, write);
            });
            self
        }

        /// Writes an attribute whose value is a map.
        pub fn attribute_map(
            &mut self,
            key: &str,
            write: impl FnOnce(&mut $crate::encode::MapWriter<'_>),
        ) -> &mut Self {
            $crate::encode::value::nested_attribute(self.out, $number, key, |out| {
                $crate::encode::value::map(out, write);
            });
            self
        }
    };
    (@setter $(#[$doc:meta])* $setter:ident value($number:literal)) => {
        $(#[$doc])*
        pub fn $setter(&mut self, value: impl $crate::ToValue) -> &mut Self {
            value.with_value(|value| {
                $crate::encode::field::nested(self.out, $number, $crate::encode::field::SHORT, |out| {
                    value.encode(out);
                });
            });
            self
        }
    };
    (@setter $(#[$doc:meta])* $setter:ident number($enum:ident = $number:literal)) => {
        $(#[$doc])*
        #[inline]
        pub fn $setter(&mut self, value: impl Into<$enum>) -> &mut Self {
            writers!(@put int32, self.out, $number, (value.into().number()));
            self
        }
    };
    (@setter $(#[$doc:meta])* $setter:ident nested($writer:ident = $number:literal, $room:ident)) => {
        $(#[$doc])*
        #[inline]
        pub fn $setter(&mut self, write: impl FnOnce(&mut $writer<'_>)) -> &mut Self {
            $crate::encode::field::nested(self.out, $number, $crate::encode::field::$room, |out| {
                write(&mut $writer { out });
            });
            self
        }
    };
    (@setter $(#[$doc:meta])* $setter:ident id($number:literal, $len:literal)) => {
        $(#[$doc])*
        #[inline]
        pub fn $setter(&mut self, value: &[u8; $len]) -> &mut Self {
            $crate::encode::field::bytes(self.out, $number, value);
            self
        }
    };
    (@setter $(#[$doc:meta])* $setter:ident each_double($number:literal)) => {
        writers!(@each $(#[$doc])* $setter packed_fixed64($number, f64, f64::to_bits));
    };
    (@setter $(#[$doc:meta])* $setter:ident each_fixed64($number:literal)) => {
        writers!(@each $(#[$doc])* $setter packed_fixed64($number, u64, |value| value));
    };
    (@setter $(#[$doc:meta])* $setter:ident each_int32($number:literal)) => {
        writers!(@each $(#[$doc])* $setter packed_varint($number, i32, |value| i64::from(value) as u64));
    };
    (@setter $(#[$doc:meta])* $setter:ident each_int64($number:literal)) => {
        writers!(@each $(#[$doc])* $setter packed_varint($number, i64, |value| value as u64));
    };
    (@setter $(#[$doc:meta])* $setter:ident each_uint64($number:literal)) => {
        writers!(@each $(#[$doc])* $setter packed_varint($number, u64, |value| value));
    };
    (@each $(#[$doc:meta])* $setter:ident $put:ident($number:literal, $type:ty, $convert:expr)) => {
        $(#[$doc])*
        pub fn $setter(&mut self, values: impl IntoIterator<Item = $type>) -> &mut Self {
            $crate::encode::field::$put(self.out, $number, values.into_iter().map($convert));
            self
        }
    };
    (@setter $(#[$doc:meta])* $setter:ident $kind:ident($number:literal)) => {
        $(#[$doc])*
        #[inline]
        pub fn $setter(&mut self, value: writers!(@type $kind)) -> &mut Self {
            writers!(@put $kind, self.out, $number, value);
            self
        }
    };

    (@type bool) => { bool };
    (@type double) => { f64 };
    (@type some_double) => { f64 };
    (@type fixed32) => { u32 };
    (@type fixed64) => { u64 };
    (@type int32) => { i32 };
    (@type int64) => { i64 };
    (@type sint32) => { i32 };
    (@type bytes) => { &[u8] };
    (@type string) => { &str };
    (@type strings) => { &str };
    (@type uint32) => { u32 };
    (@type uint64) => { u64 };
    (@type some_sfixed64) => { i64 };

    (@put bool, $out:expr, $number:literal, $value:ident) => {
        $crate::wire::put_uint($out, $number, u64::from($value))
    };
    (@put double, $out:expr, $number:literal, $value:ident) => {
        $crate::encode::field::fixed64($out, $number, $value.to_bits())
    };
    (@put some_double, $out:expr, $number:literal, $value:ident) => {
        $crate::encode::field::some_fixed64($out, $number, $value.to_bits())
    };
    (@put some_sfixed64, $out:expr, $number:literal, $value:ident) => {
        $crate::encode::field::some_fixed64($out, $number, $value as u64)
    };
    (@put fixed32, $out:expr, $number:literal, $value:ident) => {
        $crate::encode::field::fixed32($out, $number, $value)
    };
    (@put fixed64, $out:expr, $number:literal, $value:ident) => {
        $crate::encode::field::fixed64($out, $number, $value)
    };
    (@put int32, $out:expr, $number:literal, $value:tt) => {
        $crate::wire::put_uint($out, $number, i64::from($value) as u64)
    };
    (@put int64, $out:expr, $number:literal, $value:ident) => {
        $crate::wire::put_uint($out, $number, $value as u64)
    };
    (@put sint32, $out:expr, $number:literal, $value:ident) => {
        $crate::wire::put_uint($out, $number, $crate::encode::field::zigzag32($value))
    };
    (@put bytes, $out:expr, $number:literal, $value:ident) => {
        $crate::encode::field::bytes($out, $number, $value)
    };
    (@put string, $out:expr, $number:literal, $value:ident) => {
        $crate::encode::field::bytes($out, $number, $value.as_bytes())
    };
    (@put strings, $out:expr, $number:literal, $value:ident) => {
        $crate::wire::put_len_delimited($out, $number, $value.as_bytes())
    };
    (@put uint32, $out:expr, $number:literal, $value:ident) => {
        $crate::wire::put_uint($out, $number, u64::from($value))
    };
    (@put uint64, $out:expr, $number:literal, $value:ident) => {
        $crate::wire::put_uint($out, $number, $value)
    };
}

/// Implements `Debug` for writers: the length of the buffer, not its content.
macro_rules! debug_len {
    ($($writer:ident<'_ $(, $of:ident)?>),*) => { $(
        impl$(<$of>)? std::fmt::Debug for $writer<'_ $(, $of)?> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($writer)).field("len", &self.out.len()).finish()
            }
        }
    )* };
}

pub(super) use debug_len;
pub(super) use writers;
