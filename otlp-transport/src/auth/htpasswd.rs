//! htpasswd files: a `user:password` on each line, the password plain, `{SHA}` or bcrypt.

use super::bcrypt;
use super::digest::{Digest, Digester};
use crate::ConfigError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Users and their passwords. Clones share the remembered outcomes of slow checks.
#[derive(Clone)]
pub struct Htpasswd(Arc<Users>);

struct Users {
    digester: Digester,
    by_name: HashMap<Box<str>, Stored>,
    /// The slowest bcrypt hash. Checked in place of a missing user's hash, so that the time does not tell which users
    /// exist.
    decoy: Option<Box<str>>,
    /// Users and passwords that bcrypt has found right, and wrong. A repeated wrong password costs no further bcrypt
    /// check.
    right: Remembered,
    wrong: Remembered,
}

/// Digests of users and passwords, the latest [`MAX_REMEMBERED`].
#[derive(Default)]
struct Remembered(Mutex<VecDeque<Digest>>);

/// A password as stored in the file.
enum Stored {
    Plain(Digest),
    Sha1([u8; 20]),
    Bcrypt(Box<str>),
}

/// Outcome of a check without bcrypt.
pub(super) enum Checked {
    Right,
    Wrong,
    /// Unknown without a bcrypt check.
    Slow,
}

// === impl Htpasswd ===

impl Htpasswd {
    /// Parses entries of texts, each given with its setting's key. Empty lines and lines that begin with `#` are skipped.
    /// The last entry for a user counts.
    ///
    /// # Errors
    /// If a line is not `user:password`, a hash is of an unsupported kind, or there is no entry. The error does not quote
    /// the line.
    pub fn parse(texts: &[(&'static str, &str)]) -> Result<Self, ConfigError> {
        let users = Self::parse_any(texts)?;
        if users.0.by_name.is_empty() {
            let key = texts.first().map_or("htpasswd", |(key, _)| key);
            return Err(ConfigError::new(
                key,
                "no user found, so every request would be refused: add a line `user:password`",
            ));
        }
        Ok(users)
    }

    /// Parses entries as [`parse`](Self::parse) does, but accepts texts without entries, which know no user.
    pub(super) fn parse_any(texts: &[(&'static str, &str)]) -> Result<Self, ConfigError> {
        let key = texts.first().map_or("htpasswd", |(key, _)| key);
        let digester = Digester::new(key)?;
        let mut by_name = HashMap::new();
        let lines =
            texts.iter().flat_map(|(key, text)| text.lines().enumerate().map(|(at, line)| (*key, at, line)));
        for (key, index, line) in lines {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let problem = |what: &str| ConfigError::new(key, format!("line {}: {what}", index + 1));
            let (name, password) = line.split_once(':').ok_or_else(|| problem("expected `user:password`"))?;
            if name.is_empty() {
                return Err(problem("the user name is empty"));
            }
            let stored = Stored::parse(password, &digester).map_err(problem)?;
            by_name.insert(Box::from(name), stored);
        }
        let bcrypt = |stored: &Stored| match stored {
            Stored::Bcrypt(hash) => Some(hash.clone()),
            _ => None,
        };
        // The cost has the same place in every bcrypt hash, and two digits.
        let decoy = by_name.values().filter_map(bcrypt).max_by(|a, b| a.get(4..6).cmp(&b.get(4..6)));
        let (right, wrong) = (Remembered::default(), Remembered::default());
        Ok(Self(Arc::new(Users { digester, by_name, decoy, right, wrong })))
    }

    /// True if a user has a hash that is slow to check.
    pub(super) fn has_slow_users(&self) -> bool {
        self.0.decoy.is_some()
    }

    #[cfg(all(test, feature = "basic-auth"))]
    pub(super) fn decoy(&self) -> Option<&str> {
        self.0.decoy.as_deref()
    }

    /// Checks a password without running bcrypt.
    pub(super) fn check(&self, name: &str, password: &[u8]) -> Checked {
        // Computed for missing users too, so that the time does not tell which users exist.
        let digest = self.0.digester.of(&[password]);
        let right = match self.0.by_name.get(name) {
            Some(Stored::Plain(stored)) => stored.is(&digest),
            Some(Stored::Sha1(stored)) => sha1(password).ct_eq(stored).into(),
            // Missing users take the path of bcrypt users, so that the time does not tell which users exist.
            Some(Stored::Bcrypt(_)) | None if self.0.decoy.is_some() => match self.remembered(name, password)
            {
                Some(right) => right,
                None => return Checked::Slow,
            },
            Some(Stored::Bcrypt(_)) | None => false,
        };
        if right { Checked::Right } else { Checked::Wrong }
    }

    /// Checks a password by bcrypt, in tens of milliseconds. The outcome is remembered.
    pub(super) fn check_slowly(&self, name: &str, password: &[u8]) -> bool {
        // Another check may have found the outcome while this check waited for its turn.
        if let Some(right) = self.remembered(name, password) {
            return right;
        }
        let right = match (self.0.by_name.get(name), &self.0.decoy) {
            (Some(Stored::Bcrypt(hash)), _) => bcrypt::verify(password, hash),
            (None, Some(decoy)) => {
                // Run for its time; the outcome is not used.
                bcrypt::verify(password, decoy);
                false
            }
            _ => return false,
        };
        let found = if right { &self.0.right } else { &self.0.wrong };
        found.add(self.digest(name, password));
        right
    }

    /// Returns the remembered outcome of bcrypt for this user and password.
    fn remembered(&self, name: &str, password: &[u8]) -> Option<bool> {
        let digest = self.digest(name, password);
        let (right, wrong) = (self.0.right.has(&digest), self.0.wrong.has(&digest));
        (right || wrong).then_some(right)
    }

    fn digest(&self, name: &str, password: &[u8]) -> Digest {
        self.0.digester.of(&[name.as_bytes(), password])
    }
}

impl fmt::Debug for Htpasswd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Htpasswd").field("users", &self.0.by_name.len()).finish_non_exhaustive()
    }
}

// === impl Stored ===

impl Stored {
    fn parse(password: &str, digester: &Digester) -> Result<Self, &'static str> {
        if let Some(sha1) = password.strip_prefix("{SHA}") {
            let digest = STANDARD.decode(sha1).ok().and_then(|digest| digest.try_into().ok());
            return digest.map(Self::Sha1).ok_or("expected 20 bytes in base64 after `{SHA}`");
        }
        if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|kind| password.starts_with(kind)) {
            return bcrypt::check(password).map(|()| Self::Bcrypt(password.into()));
        }
        match password {
            "" => Err("the password is empty"),
            _ if password.starts_with('$') || password.starts_with("{SSHA}") => {
                Err("unsupported kind of hash: use bcrypt (`htpasswd -B`)")
            }
            plain => Ok(Self::Plain(digester.of(&[plain.as_bytes()]))),
        }
    }
}

// === impl Remembered ===

impl Remembered {
    fn add(&self, digest: Digest) {
        let mut digests = self.0.lock();
        if digests.iter().any(|known| known.is(&digest)) {
            return;
        }
        if digests.len() >= MAX_REMEMBERED {
            digests.pop_front();
        }
        digests.push_back(digest);
    }

    fn has(&self, digest: &Digest) -> bool {
        self.0.lock().iter().any(|known| known.is(digest))
    }
}

fn sha1(password: &[u8]) -> [u8; 20] {
    let mut digest = [0; 20];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, password).as_ref());
    digest
}

/// Outcomes remembered of each kind. With more users than this at a time, some checks are repeated.
const MAX_REMEMBERED: usize = 1024;
