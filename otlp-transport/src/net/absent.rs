//! Unix sockets, where there are none.

use super::{BoxIo, Listener};
use std::io::{self, ErrorKind};

pub(super) async fn bind(_path: &str) -> io::Result<Box<dyn Listener>> {
    Err(ErrorKind::Unsupported.into())
}

pub(super) async fn connect(_path: &str) -> io::Result<BoxIo> {
    Err(ErrorKind::Unsupported.into())
}
