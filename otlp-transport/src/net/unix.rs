//! Unix sockets. The permissions of the socket, set by the process's umask, and of its directory decide who may connect.

use super::{Address, BoxIo, Listener, NetFuture};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;
use tokio::net::{UnixListener, UnixStream};

/// A listener that removes its socket when dropped, unless another socket has taken its place.
struct Socket {
    listener: UnixListener,
    path: Arc<Path>,
    file: FileId,
}

/// Device and inode.
type FileId = (u64, u64);

/// Listens at `path`. Removes a socket that an ended server left behind; any other file at the path is an error.
#[expect(clippy::disallowed_methods, reason = "a part of the one place that opens sockets")]
pub(super) async fn bind(path: &str) -> io::Result<Box<dyn Listener>> {
    // The system treats an empty path as a socket without a name.
    if path.is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "the path is empty"));
    }
    let path: Arc<Path> = Path::new(path).into();
    let listener = match UnixListener::bind(&path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            remove_abandoned(&path).await?;
            UnixListener::bind(&path)?
        }
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            let len = path.as_os_str().len();
            return Err(io::Error::new(error.kind(), format!("{error}; this one has {len} bytes")));
        }
        outcome => outcome?,
    };
    let file = file_id(&fs::symlink_metadata(&path)?);
    Ok(Box::new(Socket { listener, path, file }))
}

#[expect(clippy::disallowed_methods, reason = "a part of the one place that opens sockets")]
pub(super) async fn connect(path: &str) -> io::Result<BoxIo> {
    Ok(Box::new(UnixStream::connect(path).await?))
}

/// Removes a socket that no server listens on.
async fn remove_abandoned(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file that is not a socket"));
    }
    match connect(&path.to_string_lossy()).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        // A full backlog, or missing permission: a server may be listening.
        _ => Err(io::Error::new(ErrorKind::AddrInUse, "another process listens on it")),
    }
}

fn file_id(file: &fs::Metadata) -> FileId {
    (file.dev(), file.ino())
}

// === impl Socket ===

impl Listener for Socket {
    fn accept(&self) -> NetFuture<'_, (BoxIo, Address)> {
        Box::pin(async move {
            let (stream, _) = self.listener.accept().await?;
            Ok((Box::new(stream) as BoxIo, Address::Unix(Arc::clone(&self.path))))
        })
    }

    fn local_addr(&self) -> io::Result<Address> {
        Ok(Address::Unix(Arc::clone(&self.path)))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path).is_ok_and(|file| file_id(&file) == self.file);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "cannot remove the socket");
        }
    }
}
