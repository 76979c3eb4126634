//! The extensions: health, storage, and those that authenticate.

mod api_key;
mod basic;
mod bearer;
mod client_certificate;
mod file_storage;
mod headers_setter;
mod health;
mod health_checks;
mod health_v2;
mod inert;
mod on_empty;

pub(crate) use api_key::api_key;
pub(crate) use basic::basicauth;
pub(crate) use bearer::bearertokenauth;
pub(crate) use client_certificate::client_certificate;
pub(crate) use file_storage::{FILE_STORAGE_RULES, file_storage};
pub(crate) use headers_setter::headers_setter;
pub(crate) use health::{HEALTH_CHECK_RULES, health_check};
pub(crate) use health_v2::{HEALTH_V2_RULES, healthcheckv2};
pub(crate) use inert::{MEMORY_BALLAST_RULES, PPROF_RULES, ZPAGES_RULES, inert};
