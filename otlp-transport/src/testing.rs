//! Servers without sockets, for tests alone: no stable interface.

pub use crate::server::testing::{MemoryConnection, MemoryPiece, MemoryReply, MemoryServer, Spoken};
