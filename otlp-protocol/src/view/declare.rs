//! Declaration of views: a table of getters with their kinds and field numbers.

/// Declares views: `getter: kind(number)`.
///
/// Kinds are protobuf's scalars and `string`, `bytes`, `optional_double`, `attributes`; `one(T)` for a singular message
/// and `many(T)` for a repeated one, `number(Enum = number)` for an enumeration, `id(number, length)` for an id, `strings` and `each_…` for repeated scalars;
/// and `own(T)` for a getter that is written by hand and shown by `Debug`.
macro_rules! views {
    ($(
        $(#[$doc:meta])*
        $shape:ident $name:ident {
            $( $(#[$getter_doc:meta])* $getter:ident: $kind:ident($($of:tt)+), )*
        }
    )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name<'a>(pub(in $crate::view) $crate::view::fields::Fields<'a>);

        impl<'a> $name<'a> {
            /// Makes a view of an encoded message, without reading the message.
            pub fn new(message: &'a [u8]) -> Self {
                Self($crate::view::fields::Fields::new(message))
            }

            views!(@$shape);

            $( views!(@getter $(#[$getter_doc])* $getter $kind $($of)+); )*
        }

        impl<'a> From<&'a [u8]> for $name<'a> {
            fn from(message: &'a [u8]) -> Self {
                Self::new(message)
            }
        }

        impl std::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($getter), &self.$getter()))*.finish()
            }
        }
    )* };

    // A message that is in a repeated field alone is always one slice.
    (@repeated) => {
        /// Returns the encoded message.
        pub fn as_bytes(&self) -> &'a [u8] {
            self.0.bytes()
        }
    };
    (@singular) => {
        /// Iterates over the encodings that make up the message: nearly always one.
        pub fn pieces(&self) -> $crate::view::Pieces<'a> {
            self.0.pieces()
        }
    };

    (@getter $(#[$doc:meta])* $getter:ident own $of:ty) => {};
    (@getter $(#[$doc:meta])* $getter:ident $kind:ident $($of:tt)+) => {
        $(#[$doc])*
        pub fn $getter(&self) -> views!(@type $kind $($of)+) {
            views!(@read (self.0) $kind $($of)+)
        }
    };

    (@type bool $number:literal) => { bool };
    (@type bytes $number:literal) => { &'a [u8] };
    (@type id $number:literal, $len:literal) => { Option<&'a [u8; $len]> };
    (@type double $number:literal) => { f64 };
    (@type optional_double $number:literal) => { Option<f64> };
    (@type fixed32 $number:literal) => { u32 };
    (@type fixed64 $number:literal) => { u64 };
    (@type int32 $number:literal) => { i32 };
    (@type int64 $number:literal) => { i64 };
    (@type sint32 $number:literal) => { i32 };
    (@type string $number:literal) => { &'a str };
    (@type strings $number:literal) => { $crate::view::Strings<'a> };
    (@type uint32 $number:literal) => { u32 };
    (@type uint64 $number:literal) => { u64 };
    (@type each_double $number:literal) => { $crate::view::Scalars<'a, f64> };
    (@type each_fixed64 $number:literal) => { $crate::view::Scalars<'a, u64> };
    (@type each_int32 $number:literal) => { $crate::view::Scalars<'a, i32> };
    (@type each_int64 $number:literal) => { $crate::view::Scalars<'a, i64> };
    (@type each_uint64 $number:literal) => { $crate::view::Scalars<'a, u64> };
    (@type attributes $number:literal) => { $crate::view::Attributes<'a> };
    (@type value $number:literal) => { $crate::view::AnyValue<'a> };
    (@type number $enum:ident = $number:literal) => { $enum };
    (@type one $message:ident = $number:literal) => { $message<'a> };
    (@type many $message:ident = $number:literal) => { $crate::view::Views<'a, $message<'a>> };

    (@read ($fields:expr) bool $number:literal) => { $fields.varint($number) != 0 };
    (@read ($fields:expr) bytes $number:literal) => { $fields.len_delimited($number) };
    (@read ($fields:expr) id $number:literal, $len:literal) => {
        $fields.len_delimited($number).try_into().ok()
    };
    (@read ($fields:expr) double $number:literal) => { f64::from_bits($fields.fixed64($number)) };
    (@read ($fields:expr) optional_double $number:literal) => { $fields.optional_double($number) };
    (@read ($fields:expr) fixed32 $number:literal) => { $fields.fixed32($number) };
    (@read ($fields:expr) fixed64 $number:literal) => { $fields.fixed64($number) };
    (@read ($fields:expr) int32 $number:literal) => { $fields.varint($number) as i32 };
    (@read ($fields:expr) int64 $number:literal) => { $fields.varint($number) as i64 };
    (@read ($fields:expr) sint32 $number:literal) => {
        $crate::view::fields::zigzag32($fields.varint($number))
    };
    (@read ($fields:expr) string $number:literal) => { $fields.string($number) };
    (@read ($fields:expr) strings $number:literal) => { $fields.strings($number) };
    (@read ($fields:expr) uint32 $number:literal) => { $fields.varint($number) as u32 };
    (@read ($fields:expr) uint64 $number:literal) => { $fields.varint($number) };
    (@read ($fields:expr) each_double $number:literal) => {
        $fields.scalars($number, $crate::wire::WireType::Fixed64, f64::from_bits)
    };
    (@read ($fields:expr) each_fixed64 $number:literal) => {
        $fields.scalars($number, $crate::wire::WireType::Fixed64, |value| value)
    };
    (@read ($fields:expr) each_int32 $number:literal) => {
        $fields.scalars($number, $crate::wire::WireType::Varint, |value| value as i32)
    };
    (@read ($fields:expr) each_int64 $number:literal) => {
        $fields.scalars($number, $crate::wire::WireType::Varint, |value| value as i64)
    };
    (@read ($fields:expr) each_uint64 $number:literal) => {
        $fields.scalars($number, $crate::wire::WireType::Varint, |value| value)
    };
    (@read ($fields:expr) attributes $number:literal) => {
        $crate::view::Attributes::in_field($fields, $number)
    };
    (@read ($fields:expr) value $number:literal) => {
        $crate::view::AnyValue::of($fields.message($number))
    };
    (@read ($fields:expr) number $enum:ident = $number:literal) => {
        $enum::from($fields.varint($number) as i32)
    };
    (@read ($fields:expr) one $message:ident = $number:literal) => { $message($fields.message($number)) };
    (@read ($fields:expr) many $message:ident = $number:literal) => { $fields.views($number) };
}

pub(super) use views;
