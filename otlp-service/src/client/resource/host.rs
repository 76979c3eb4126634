//! Attributes of the host and its operating system.

use super::Resource;
use crate::surroundings::Surroundings;
use crate::surroundings::host::{OsRelease, architecture, host_id, host_name, kernel_release, os_type};

/// Sets `host.name`, `host.id` and `host.arch`.
pub(super) fn detect_host(surroundings: &Surroundings<'_>, found: &mut Resource) {
    found.set_found("host.name", host_name(surroundings));
    found.set_found("host.id", host_id(surroundings));
    found.set_found("host.arch", Some(architecture()));
}

/// Sets `os.type` and what `os-release` says.
pub(super) fn detect_os(surroundings: &Surroundings<'_>, found: &mut Resource) {
    found.set_found("os.type", Some(os_type()));
    let release = OsRelease::read(surroundings);
    found.set_found("os.name", release.value("NAME"));
    found.set_found("os.version", release.value("VERSION_ID"));
    found.set_found("os.description", release.value("PRETTY_NAME"));
    found.set_found("os.build_id", release.value("BUILD_ID").or_else(|| kernel_release(surroundings)));
}
