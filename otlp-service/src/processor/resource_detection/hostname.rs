//! Name of the host.

use super::config::HostnameSource;
use super::detector::Sources;
use crate::surroundings::host::host_name;

/// Returns the name that the first of the sources has.
///
/// # Errors
/// If none has one.
pub(super) async fn find(sources: &Sources, order: &[HostnameSource]) -> Result<String, String> {
    let read =
        |path: &str| sources.with_surroundings(|surroundings| surroundings.read(path)).unwrap_or_default();
    let own = sources.with_surroundings(host_name);
    let Some(own) = own else { return Err("the host has no name".into()) };
    for source in order {
        let name = match source {
            HostnameSource::Os => Some(own.clone()),
            HostnameSource::Dns => match canonical(&read("etc/hosts"), &own) {
                Some(name) => Some(name),
                None => in_domain(sources, &read("etc/resolv.conf"), &own).await,
            },
            HostnameSource::Cname | HostnameSource::Lookup => {
                in_domain(sources, &read("etc/resolv.conf"), &own).await
            }
        };
        if let Some(name) = name {
            return Ok(name);
        }
    }
    let names: Vec<_> = order.iter().map(|source| source.name()).collect();
    Err(format!("no name of the host {own:?} in the sources {}", names.join(", ")))
}

/// The first name of the line of hosts(5) that has a name.
fn canonical(hosts: &str, name: &str) -> Option<String> {
    hosts.lines().find_map(|line| {
        let mut names = line.split('#').next()?.split_whitespace().skip(1);
        let first = names.next()?;
        (first == name || names.any(|alias| alias == name)).then(|| first.to_owned())
    })
}

/// The name in the first domain of resolv.conf(5) in which it has an address; a name with a dot is looked up as it is first.
async fn in_domain(sources: &Sources, resolv_conf: &str, name: &str) -> Option<String> {
    let domains = resolv_conf.lines().rev().find_map(|line| {
        let rest = line.trim().strip_prefix("search").or_else(|| line.trim().strip_prefix("domain"))?;
        rest.starts_with(char::is_whitespace).then(|| rest.split_whitespace().collect::<Vec<_>>())
    });
    let own = name.contains('.').then(|| name.to_owned());
    let domains = domains.unwrap_or_default().into_iter().take(MAX_DOMAINS);
    let names = own.into_iter().chain(domains.map(|domain| format!("{name}.{}", domain.trim_matches('.'))));
    for candidate in names {
        // With a dot at its end, the name is looked up as it is.
        if sources.net.resolve(&format!("{candidate}.:0")).await.is_ok_and(|found| !found.is_empty()) {
            return Some(candidate);
        }
    }
    None
}

/// Limit of resolv.conf(5) in older systems.
const MAX_DOMAINS: usize = 6;
