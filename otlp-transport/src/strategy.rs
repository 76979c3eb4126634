//! Ways to speak OTLP, interchangeable at run time. Another one is one more file with an `impl` of one end or of both.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub use client::{Client, ClientStrategy};
#[cfg(feature = "server")]
pub use server::{BindFuture, ServerStrategy};

#[cfg(all(feature = "client", feature = "server"))]
/// A way to speak OTLP over a network, both ends of it: whatever is a [`ServerStrategy`] and a [`ClientStrategy`].
pub trait TransportStrategy: ServerStrategy + ClientStrategy {}

#[cfg(all(feature = "client", feature = "server"))]
impl<S: ServerStrategy + ClientStrategy> TransportStrategy for S {}
