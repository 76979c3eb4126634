//! The programs of this package, run; and with the feature `sdk` the client's telemetry beside that of the official SDK.

#[cfg(feature = "sdk")]
#[path = "client/by_hand.rs"]
mod by_hand;
#[cfg(feature = "sdk")]
#[path = "client/by_hand_official.rs"]
mod by_hand_official;
#[cfg(feature = "sdk")]
#[path = "client/differences.rs"]
mod differences;
#[cfg(feature = "sdk")]
#[path = "client/items.rs"]
mod items;
#[path = "client/programs.rs"]
mod programs;
#[cfg(feature = "sdk")]
#[path = "client/traced.rs"]
mod traced;
