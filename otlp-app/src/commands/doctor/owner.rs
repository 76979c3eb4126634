//! The process that listens on a port, by `/proc`: as far as this user may see.

use std::fs;
use std::path::Path;

/// A process.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) name: String,
    pub(super) pid: u32,
    /// True if the process has the name of this process.
    pub(super) is_same: bool,
}

/// Finds the process that listens on a port of TCP.
pub(super) fn of_port(port: u16) -> Option<Owner> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let inodes: Vec<String> = tables.iter().flat_map(|table| listening(table, port)).collect();
    if inodes.is_empty() {
        return None;
    }
    let names: Vec<_> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.into_iter().find(|pid| has_open(*pid, &names))?;
    let name = name(&pid.to_string())?;
    let is_same = self::name("self").as_ref() == Some(&name);
    Some(Owner { name, pid, is_same })
}

fn name(process: &str) -> Option<String> {
    Some(fs::read_to_string(format!("/proc/{process}/comm")).ok()?.trim_end().to_owned())
}

/// Returns the inodes of sockets in a table of the kernel that listen on a port.
fn listening(table: &str, port: u16) -> Vec<String> {
    let port = format!(":{port:04X}");
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let inode = |row: Vec<&str>| match row.as_slice() {
        [_, local, _, LISTEN, _, _, _, _, _, inode, ..] if local.ends_with(&port) => {
            Some((*inode).to_owned())
        }
        _ => None,
    };
    rows.filter_map(inode).collect()
}

fn has_open(pid: u32, names: &[String]) -> bool {
    let Ok(files) = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")) else { return false };
    let mut targets = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
    targets.any(|target| names.iter().any(|name| target.as_os_str() == name.as_str()))
}

/// `TCP_LISTEN` of the kernel.
const LISTEN: &str = "0A";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listeners_of_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:10DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0\n   \
             1: 0100007F:10DD 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0\n   \
             2: 0100007F:10DE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0\n";
        assert_eq!(listening(table, 0x10DD), ["111"]);
        assert_eq!(listening(table, 0x10DE), ["333"]);
        assert_eq!(listening("broken", 1), [""; 0]);
    }
}
