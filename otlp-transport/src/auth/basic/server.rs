//! Servers that authenticate users by their passwords.

use crate::auth::authenticate::only;
use crate::auth::bearer::after_scheme;
use crate::auth::htpasswd::{Checked, Htpasswd};
use crate::disk::{Named, Watched};
use crate::{
    AuthRequest, Authenticate, ConfigError, Denied, Identity, OnEmpty, Secret, TransportContext, Verdict,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use std::path::PathBuf;
use std::time::Duration;

/// Authenticates senders as users of an htpasswd file, of inline entries, or of both. An inline entry replaces an entry
/// of the file for the same user. The sender's identity is the user's name.
///
/// ```
/// use otlp_transport::{BasicAuth, OnEmpty, ServerConfig, TransportContext};
/// use std::sync::Arc;
///
/// let context = TransportContext::tcp(64 << 20);
/// let users = "alice:s3cret\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=".into();
/// let mut config = ServerConfig::new("0.0.0.0:4317");
/// config.auth = Some(Arc::new(BasicAuth::new(&context, None, &users, None, OnEmpty::Keep)?));
/// # Ok::<(), otlp_transport::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct BasicAuth {
    users: Watched<Htpasswd>,
    /// True if users come from a file. Reloading the file may add hashes that are slow to check.
    has_file: bool,
}

// === impl BasicAuth ===

impl BasicAuth {
    /// Reads the entries of `file`, if there is a file, and then the entries of `inline`. `interval`: time between checks
    /// of the file for changes; `on_empty`: what an emptied file does.
    ///
    /// # Errors
    /// If the file cannot be read, an entry is malformed, or there are no entries and `on_empty` is [`OnEmpty::Keep`].
    pub fn new(
        context: &TransportContext,
        file: Option<PathBuf>,
        inline: &Secret,
        interval: Option<Duration>,
        on_empty: OnEmpty,
    ) -> Result<Self, ConfigError> {
        let has_file = file.is_some();
        let files = file.map(|path| Named { key: FILE, path }).into_iter().collect();
        let inline = inline.clone();
        let users = Watched::new(context, files, interval, move |contents| {
            let file = contents.first().map(|bytes| String::from_utf8_lossy(bytes));
            let file = file.as_ref().map(|text| (FILE, &**text));
            let texts: Vec<_> = file.into_iter().chain([("htpasswd.inline", inline.expose())]).collect();
            match on_empty {
                OnEmpty::Refuse if has_file => Htpasswd::parse_any(&texts),
                _ => Htpasswd::parse(&texts),
            }
        })?;
        Ok(Self { users, has_file })
    }

    fn judge(&self, headers: &HeaderMap) -> Result<Verdict, Denied> {
        let (name, password) = read(only(headers, &AUTHORIZATION)?)?;
        // An htpasswd entry may hold the hash of an empty password. Empty names and passwords are refused all the same.
        if name.is_empty() || password.is_empty() {
            return Err(unknown());
        }
        let users = self.users.get();
        Ok(match users.check(&name, &password) {
            Checked::Right => Verdict::Known(Ok(Identity::new(name))),
            Checked::Wrong => Verdict::Known(Err(unknown())),
            Checked::Slow => Verdict::Slow(Box::new(move || match users.check_slowly(&name, &password) {
                true => Ok(Identity::new(name)),
                false => Err(unknown()),
            })),
        })
    }
}

impl Authenticate for BasicAuth {
    fn authenticate(&self, request: &AuthRequest<'_>) -> Verdict {
        self.judge(request.headers).unwrap_or_else(|denied| Verdict::Known(Err(denied)))
    }

    fn may_be_slow(&self) -> bool {
        self.has_file || self.users.get().has_slow_users()
    }

    fn challenge(&self) -> &str {
        "Basic realm=\"otlp\", charset=\"UTF-8\""
    }
}

/// Decodes user and password from a header's value.
fn read(value: &[u8]) -> Result<(String, Vec<u8>), Denied> {
    let not = |what: &'static str| Denied::new(format!("the header `authorization` {what}"));
    let encoded = after_scheme(value, "Basic").ok_or_else(|| not("does not begin with `Basic`"))?;
    let mut decoded = STANDARD.decode(encoded).map_err(|_| not("is not valid base64"))?;
    let colon = memchr::memchr(b':', &decoded).ok_or_else(|| not("has no colon after the user"))?;
    let password = decoded.split_off(colon + 1);
    decoded.truncate(colon);
    let name = String::from_utf8(decoded).map_err(|_| not("has a user that is not UTF-8"))?;
    Ok((name, password))
}

fn unknown() -> Denied {
    Denied::new("wrong user or password")
}

const FILE: &str = "htpasswd.file";
