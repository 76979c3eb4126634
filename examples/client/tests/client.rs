//! The programs of this package, run; and the client's telemetry beside that of the official SDK.

#[path = "client/by_hand.rs"]
mod by_hand;
#[path = "client/by_hand_official.rs"]
mod by_hand_official;
#[path = "client/differences.rs"]
mod differences;
#[path = "client/items.rs"]
mod items;
#[path = "client/programs.rs"]
mod programs;
#[path = "client/traced.rs"]
mod traced;
