//! For tests. [`Sink`] is a server that keeps what it receives, for programs that send OTLP; [`FaultyDisk`] a disk with the
//! faults of real ones, for components that write files. Feature `testing`, for `[dev-dependencies]`.

mod faulty_disk;
mod sink;

pub use faulty_disk::{Crash, DiskOperation, FaultyDisk};
pub use sink::{Sink, SinkTimeout};

// A protocol engine without sockets, for this crate's own tests: no stable interface.
#[doc(hidden)]
pub use crate::server::testing::{MemoryConnection, MemoryPiece, MemoryReply, MemoryServer, Spoken};
