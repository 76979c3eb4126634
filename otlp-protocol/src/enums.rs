//! Enumerations of OTLP: numbers on the wire, names in code.

/// Declares enumerations whose numbers may grow: a number without a name is `Other`.
macro_rules! enums {
    ($(
        $(#[$doc:meta])*
        $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $number:literal, )* }
    )*) => { $(
        $(#[$doc])*
        ///
        /// Values are compared and ordered by their numbers.
        #[derive(Clone, Copy, Debug, Default)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )*
            /// A number that OTLP did not have when this crate was written.
            Other(i32),
        }

        impl $name {
            /// Returns the number in protobuf and JSON.
            pub const fn number(self) -> i32 {
                match self {
                    $( Self::$variant => $number, )*
                    Self::Other(number) => number,
                }
            }
        }

        impl From<i32> for $name {
            #[inline]
            fn from(number: i32) -> Self {
                match number {
                    $( $number => Self::$variant, )*
                    number => Self::Other(number),
                }
            }
        }

        impl From<$name> for i32 {
            fn from(value: $name) -> Self {
                value.number()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.number() == other.number()
            }
        }

        impl Eq for $name {}

        impl PartialEq<i32> for $name {
            fn eq(&self, number: &i32) -> bool {
                self.number() == *number
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.number().cmp(&other.number())
            }
        }

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.number().hash(state);
            }
        }
    )* };
}

enums! {
    /// Kind of a span: its role in a request or a message exchange.
    SpanKind {
        /// Not given.
        #[default]
        Unspecified = 0,
        /// An operation inside of an application.
        Internal = 1,
        /// The handling of a request from a client.
        Server = 2,
        /// A request to a server.
        Client = 3,
        /// The sending of a message to a broker.
        Producer = 4,
        /// The receipt of a message from a broker.
        Consumer = 5,
    }

    /// Status of a span.
    StatusCode {
        /// Not given.
        #[default]
        Unset = 0,
        /// The application declared the operation successful.
        Ok = 1,
        /// The operation failed.
        Error = 2,
    }

    /// Severity of a log record, from the least to the most severe.
    ///
    /// ```
    /// use otlp_protocol::SeverityNumber;
    ///
    /// assert!(SeverityNumber::from(17) >= SeverityNumber::Error);
    /// assert_eq!(SeverityNumber::Info.number(), 9);
    /// ```
    #[expect(missing_docs, reason = "the names of OTLP")]
    SeverityNumber {
        #[default]
        Unspecified = 0,
        Trace = 1,
        Trace2 = 2,
        Trace3 = 3,
        Trace4 = 4,
        Debug = 5,
        Debug2 = 6,
        Debug3 = 7,
        Debug4 = 8,
        Info = 9,
        Info2 = 10,
        Info3 = 11,
        Info4 = 12,
        Warn = 13,
        Warn2 = 14,
        Warn3 = 15,
        Warn4 = 16,
        Error = 17,
        Error2 = 18,
        Error3 = 19,
        Error4 = 20,
        Fatal = 21,
        Fatal2 = 22,
        Fatal3 = 23,
        Fatal4 = 24,
    }

    /// Time that the points of a sum or a histogram cover.
    AggregationTemporality {
        /// Not given.
        #[default]
        Unspecified = 0,
        /// The time since the previous point.
        Delta = 1,
        /// The time since a fixed start.
        Cumulative = 2,
    }
}

#[cfg(test)]
mod tests;
