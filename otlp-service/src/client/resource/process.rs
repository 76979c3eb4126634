//! Attributes of the process.

use super::{Resource, Surroundings};
use otlp_protocol::AttributeValue;
use std::path::Path;

/// Sets the attributes `process.*` that can be found out.
pub(super) fn detect(surroundings: &Surroundings<'_>, found: &mut Resource) {
    found.set("process.pid", AttributeValue::new(std::process::id()));
    #[cfg(unix)]
    found.set("process.parent_pid", AttributeValue::new(std::os::unix::process::parent_id()));
    found.set_found("process.executable.name", surroundings.executable_name());
    let path = surroundings.executable.as_deref().map(Path::to_string_lossy);
    found.set_found("process.executable.path", path);
    found.set_found("process.command", surroundings.command.as_deref());
    found.set_found("process.owner", owner(surroundings));
    found.set_found("process.runtime.name", Some("rustc"));
}

/// Returns the name of the user that the process runs as: the effective user id, by `/etc/passwd`.
fn owner(surroundings: &Surroundings<'_>) -> Option<String> {
    let status = surroundings.read("proc/self/status")?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let id = ids.split_whitespace().nth(1)?;
    let users = surroundings.read("etc/passwd")?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    })
}
