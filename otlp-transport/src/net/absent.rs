//! Stand-in for Unix sockets on systems without them.

use super::{BoxIo, Listener};
use std::io::{self, ErrorKind};

pub(super) async fn bind(_path: &str) -> io::Result<Box<dyn Listener>> {
    Err(ErrorKind::Unsupported.into())
}

pub(super) async fn connect(_path: &str) -> io::Result<BoxIo> {
    Err(ErrorKind::Unsupported.into())
}
