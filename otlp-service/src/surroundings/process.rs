//! The process itself.

use super::Surroundings;
use otlp_protocol::AttributeValue;
use std::path::Path;

/// Returns the attributes `process.*` that can be found out. Arguments are left out: they may hold secrets.
pub(crate) fn attributes(surroundings: &Surroundings<'_>) -> Vec<(&'static str, AttributeValue)> {
    let path = surroundings.executable.as_deref().map(Path::to_string_lossy);
    let texts = [
        ("process.executable.name", surroundings.executable_name()),
        ("process.executable.path", path.map(|path| path.into_owned())),
        ("process.command", surroundings.command.clone()),
        ("process.owner", owner(surroundings)),
        ("process.runtime.name", Some("rustc".to_owned())),
    ];
    let mut attributes = vec![("process.pid", AttributeValue::new(std::process::id()))];
    #[cfg(unix)]
    attributes.push(("process.parent_pid", AttributeValue::new(std::os::unix::process::parent_id())));
    let found =
        texts.into_iter().filter_map(|(key, value)| Some((key, value.filter(|value| !value.is_empty())?)));
    attributes.extend(found.map(|(key, value)| (key, AttributeValue::new(value))));
    attributes
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
