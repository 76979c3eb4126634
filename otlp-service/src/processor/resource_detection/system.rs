//! The detector `system`: the host and its operating system.

use super::config::{DetectorKind, ResourceDetectionConfig};
use super::detector::{Found, SCHEMA_URL, Sources};
use super::hostname;
use crate::surroundings::Surroundings;
use crate::surroundings::host::{OsRelease, architecture, host_id, host_name, kernel_release, os_type};
use otlp_protocol::AttributeValue;

/// Reads the attributes that are switched on.
pub(super) async fn detect(sources: &Sources, config: &ResourceDetectionConfig) -> Result<Found, String> {
    let is_enabled = |key: &str| config.is_enabled(DetectorKind::System, key);
    let name = match is_enabled("host.name") {
        true => Some(hostname::find(sources, &config.hostname_sources).await?),
        false => None,
    };
    let mut found = Found { schema_url: SCHEMA_URL, ..Found::default() };
    sources.with_surroundings(|surroundings| {
        for (key, _) in DetectorKind::System.attributes().iter().filter(|(key, _)| is_enabled(key)) {
            let value = match *key {
                "host.name" => name.clone().map(AttributeValue::new),
                "host.ip" => texts((config.addresses)().into_iter().map(|address| address.to_string())),
                key => read(key, surroundings),
            };
            value.into_iter().for_each(|value| found.set(key, value));
        }
    });
    Ok(found)
}

fn read(key: &str, surroundings: &Surroundings<'_>) -> Option<AttributeValue> {
    let release = || OsRelease::read(surroundings);
    let text = match key {
        "host.arch" => Some(architecture().to_owned()),
        "host.id" => host_id(surroundings),
        "host.interface" => return texts(interfaces(surroundings)),
        "host.mac" => return texts(interfaces(surroundings).filter_map(|name| mac(surroundings, &name))),
        "host.cpu.cache.l2.size" => {
            let size = cpu(surroundings, "cache size")?;
            return Some(AttributeValue::new(size.split_whitespace().next()?.parse::<i64>().ok()?));
        }
        "host.cpu.family" => cpu(surroundings, "cpu family"),
        "host.cpu.model.id" => cpu(surroundings, "model"),
        "host.cpu.model.name" => cpu(surroundings, "model name"),
        "host.cpu.stepping" => cpu(surroundings, "stepping"),
        "host.cpu.vendor.id" => cpu(surroundings, "vendor_id"),
        "os.build.id" => release().value("BUILD_ID").or_else(|| kernel_release(surroundings)),
        "os.description" => description(surroundings),
        "os.name" => release().value("ID"),
        "os.type" => Some(os_type().to_owned()),
        "os.version" => {
            let point = surroundings
                .read_line("etc/debian_version")
                .filter(|_| release().value("ID").as_deref() == Some("debian"));
            point.or_else(|| release().value("VERSION_ID"))
        }
        _ => None,
    };
    text.filter(|text| !text.is_empty()).map(AttributeValue::new)
}

/// The system's name, and what `uname` tells.
fn description(surroundings: &Surroundings<'_>) -> Option<String> {
    let name = OsRelease::read(surroundings).value("PRETTY_NAME")?;
    let kernel = |file: &str| surroundings.read_line(&format!("proc/sys/kernel/{file}")).unwrap_or_default();
    let host = host_name(surroundings).unwrap_or_default();
    let (kind, release, version) = (kernel("ostype"), kernel("osrelease"), kernel("version"));
    Some(format!("{name} ({kind} {host} {release} {version} {})", std::env::consts::ARCH))
}

/// A value of the first processor.
fn cpu(surroundings: &Surroundings<'_>, name: &str) -> Option<String> {
    let info = surroundings.read("proc/cpuinfo")?;
    let first = info.split("\n\n").next()?;
    let mut values = first.lines().filter_map(|line| line.split_once(':'));
    values.find(|(known, _)| known.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// The names of the network interfaces.
fn interfaces(surroundings: &Surroundings<'_>) -> impl Iterator<Item = String> {
    let table = surroundings.read("proc/net/dev").unwrap_or_default();
    let names = table.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned()));
    names.take(MAX_INTERFACES).collect::<Vec<_>>().into_iter()
}

/// The hardware address of an interface that is up and no loopback, as in IEEE RA.
fn mac(surroundings: &Surroundings<'_>, interface: &str) -> Option<String> {
    let read = |file: &str| surroundings.read_line(&format!("sys/class/net/{interface}/{file}"));
    let flags = u32::from_str_radix(read("flags")?.trim_start_matches("0x"), 16).ok()?;
    let address = read("address").filter(|_| flags & IS_UP != 0 && flags & IS_LOOPBACK == 0)?;
    Some(address.to_ascii_uppercase().replace(':', "-"))
}

/// A list of texts; `None` if it is empty.
fn texts(list: impl Iterator<Item = String>) -> Option<AttributeValue> {
    let list: Vec<_> = list.collect();
    (!list.is_empty()).then(|| AttributeValue::array(list))
}

// Flags of an interface in Linux.
const IS_UP: u32 = 0x1;
const IS_LOOPBACK: u32 = 0x8;
const MAX_INTERFACES: usize = 1024;
