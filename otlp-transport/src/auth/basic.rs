//! HTTP basic authentication (RFC 7617): user and password.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

#[cfg(feature = "client")]
pub(super) use client::trim_end;
#[cfg(feature = "client")]
pub use client::{BasicCredentials, Password, Username};
#[cfg(feature = "server")]
pub use server::BasicAuth;
