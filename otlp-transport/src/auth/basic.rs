//! User and password, RFC 7617.

use super::bearer::after_scheme;
use super::htpasswd::{Checked, Htpasswd};
use super::{
    AuthRequest, Authenticate, Credentials, Denied, Identity, OnEmpty, Secret, Verdict, only, sensitive,
};
use crate::disk::{Named, Watched};
use crate::{ConfigError, ExportError, TransportContext};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use otlp_protocol::Origin;
use std::path::PathBuf;
use std::time::Duration;

/// Lets in the users of an htpasswd file, text, or both: of users that are in both, the text counts. A sender's identity is
/// the user's name.
#[derive(Debug)]
pub struct BasicAuth {
    users: Watched<Htpasswd>,
    /// Whether users come from a file, to which slow hashes may be added.
    has_file: bool,
}

/// Sends user and password.
#[derive(Debug)]
pub struct BasicCredentials {
    value: Watched<HeaderValue>,
}

/// Where a user's name comes from.
#[derive(Clone, Debug)]
pub enum Username {
    /// It is given.
    Given(String),
    /// From a file, without the line's end; the file is watched.
    File(PathBuf),
}

/// Where a password comes from.
#[derive(Clone, Debug)]
pub enum Password {
    /// It is given.
    Given(Secret),
    /// From a file, without the line's end; the file is watched.
    File(PathBuf),
}

// === impl BasicAuth ===

impl BasicAuth {
    /// Reads `file`, if there is one, and then the entries of `inline`. `interval`: how often the file is looked at;
    /// `on_empty`: what its being emptied does.
    ///
    /// # Errors
    /// If the file cannot be read, an entry is not one, or there are none and `on_empty` is [`OnEmpty::Keep`].
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
        // Whatever hash is in the file: that of nothing opens nothing.
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

/// User and password of a header's value.
fn read(value: &[u8]) -> Result<(String, Vec<u8>), Denied> {
    let not = |what: &'static str| Denied::new(format!("the header `authorization` {what}"));
    let encoded = after_scheme(value, "Basic").ok_or_else(|| not("does not begin with `Basic`"))?;
    let mut decoded = STANDARD.decode(encoded).map_err(|_| not("is not in base64"))?;
    let colon = memchr::memchr(b':', &decoded).ok_or_else(|| not("has no colon after the user"))?;
    let password = decoded.split_off(colon + 1);
    decoded.truncate(colon);
    let name = String::from_utf8(decoded).map_err(|_| not("has a user that is not UTF-8"))?;
    Ok((name, password))
}

fn unknown() -> Denied {
    Denied::new("the user or the password is not right")
}

// === impl BasicCredentials ===

impl BasicCredentials {
    /// Reads user and password. `interval`: how often their files are looked at.
    ///
    /// # Errors
    /// If a file cannot be read, the user has a colon, or one of the two is empty.
    pub fn new(
        context: &TransportContext,
        user: Username,
        password: Password,
        interval: Option<Duration>,
    ) -> Result<Self, ConfigError> {
        let mut files = Vec::new();
        let user = match user {
            Username::Given(user) => Some(user),
            Username::File(path) => {
                files.push(Named { key: "client_auth.username_file", path });
                None
            }
        };
        let password = match password {
            Password::Given(password) => Some(password),
            Password::File(path) => {
                files.push(Named { key: "client_auth.password_file", path });
                None
            }
        };
        let value = Watched::new(context, files, interval, move |contents| {
            let mut contents = contents.iter().map(|content| trim_end(content));
            let user = user.as_ref().map(String::as_bytes).or_else(|| contents.next());
            let password = password.as_ref().map(|password| password.expose().as_bytes());
            let password = password.or_else(|| contents.next());
            encode(user.unwrap_or_default(), password.unwrap_or_default())
        })?;
        Ok(Self { value })
    }
}

impl Credentials for BasicCredentials {
    fn apply(&self, headers: &mut HeaderMap, _origin: Option<&Origin>) -> Result<(), ExportError> {
        headers.insert(AUTHORIZATION, HeaderValue::clone(&self.value.get()));
        Ok(())
    }

    fn is_secret(&self) -> bool {
        true
    }
}

fn encode(user: &[u8], password: &[u8]) -> Result<HeaderValue, ConfigError> {
    let problem = |key, problem: &str| Err(ConfigError { key, problem: problem.into() });
    if user.is_empty() {
        return problem("client_auth.username", "it is empty");
    }
    if user.contains(&b':') {
        return problem("client_auth.username", "a user's name has no colon");
    }
    if password.is_empty() {
        return problem("client_auth.password", "it is empty");
    }
    let both = [user, b":", password].concat();
    sensitive("client_auth", format!("Basic {}", STANDARD.encode(both)).as_bytes())
}

/// Editors end files with a line's end that is not meant.
pub(super) fn trim_end(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}

const FILE: &str = "htpasswd.file";
