//! For tests of programs that send OTLP: [`Sink`] is a server that keeps what it receives. Feature `testing`, for
//! `[dev-dependencies]`.

mod sink;

pub use sink::{Sink, SinkTimeout};

// A protocol engine without sockets, for this crate's own tests: no stable interface.
#[doc(hidden)]
pub use crate::server::testing::{MemoryConnection, MemoryPiece, MemoryReply, MemoryServer, Spoken};
