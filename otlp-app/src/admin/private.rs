//! A Unix socket that no other user may connect to, at any time.

use otlp_transport::{Listener, Net};
use rustix::fs::Mode;
use std::io;

/// The mask of file permissions that the process had before. Dropping it restores the mask.
struct Masked(Mode);

/// Listens at `path`. The mask gives the socket its permissions when the system makes it, so that there is no moment in which
/// others may connect.
pub(super) async fn bind(path: &str, net: &dyn Net) -> io::Result<Box<dyn Listener>> {
    let masked = Masked(rustix::process::umask(Mode::RWXG | Mode::RWXO | Mode::XUSR));
    let bound = net.bind(&format!("unix://{path}")).await;
    drop(masked);
    bound
}

impl Drop for Masked {
    fn drop(&mut self) {
        rustix::process::umask(self.0);
    }
}
