//! htpasswd files: `user:password` lines, the password plain, `{SHA}` or bcrypt.

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

/// Users and their passwords. Cloning shares what was verified.
#[derive(Clone)]
pub struct Htpasswd(Arc<Users>);

struct Users {
    digester: Digester,
    by_name: HashMap<Box<str>, Stored>,
    /// The slowest bcrypt entry, checked in place of a user that does not exist: who exists is not told by time.
    decoy: Option<Box<str>>,
    /// Users and passwords that bcrypt has found right, and wrong. A sender that repeats a wrong one costs no more checks.
    right: Remembered,
    wrong: Remembered,
}

/// Digests of users and passwords, the latest of them.
#[derive(Default)]
struct Remembered(Mutex<VecDeque<Digest>>);

/// A password as the file has it.
enum Stored {
    Plain(Digest),
    Sha1([u8; 20]),
    Bcrypt(Box<str>),
}

/// What is known of a user's password.
pub(super) enum Checked {
    Right,
    Wrong,
    /// It takes bcrypt to tell.
    Slow,
}

// === impl Htpasswd ===

impl Htpasswd {
    /// Reads entries from texts, each with the key it is in; empty lines and those that begin with `#` are skipped. Of
    /// several entries for one user the last one counts.
    ///
    /// # Errors
    /// If a line is not an entry, its kind of hash is not supported, or there is no entry at all; without quoting it.
    pub fn parse(texts: &[(&'static str, &str)]) -> Result<Self, ConfigError> {
        let users = Self::parse_any(texts)?;
        if users.0.by_name.is_empty() {
            let key = texts.first().map_or("htpasswd", |(key, _)| key);
            return Err(ConfigError::new(key, "there is no user: nobody would be let in"));
        }
        Ok(users)
    }

    /// The same; there may be no entry, and then nobody is known.
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
                return Err(problem("the user is empty"));
            }
            let stored = Stored::parse(password, &digester).map_err(problem)?;
            by_name.insert(Box::from(name), stored);
        }
        let bcrypt = |stored: &Stored| match stored {
            Stored::Bcrypt(hash) => Some(hash.clone()),
            _ => None,
        };
        // The cost stands at the same place in all of them, in two digits.
        let decoy = by_name.values().filter_map(bcrypt).max_by(|a, b| a.get(4..6).cmp(&b.get(4..6)));
        let (right, wrong) = (Remembered::default(), Remembered::default());
        Ok(Self(Arc::new(Users { digester, by_name, decoy, right, wrong })))
    }

    /// Whether a user has a hash that takes long to check.
    pub(super) fn has_slow_users(&self) -> bool {
        self.0.decoy.is_some()
    }

    #[cfg(test)]
    pub(super) fn decoy(&self) -> Option<&str> {
        self.0.decoy.as_deref()
    }

    /// What can be said of a password at once.
    pub(super) fn check(&self, name: &str, password: &[u8]) -> Checked {
        // Made for users that do not exist as well.
        let digest = self.0.digester.of(&[password]);
        let right = match self.0.by_name.get(name) {
            Some(Stored::Plain(stored)) => stored.is(&digest),
            Some(Stored::Sha1(stored)) => sha1(password).ct_eq(stored).into(),
            // The same for users that do not exist, so that who exists is not told by time.
            Some(Stored::Bcrypt(_)) | None if self.0.decoy.is_some() => match self.remembered(name, password)
            {
                Some(right) => right,
                None => return Checked::Slow,
            },
            Some(Stored::Bcrypt(_)) | None => false,
        };
        if right { Checked::Right } else { Checked::Wrong }
    }

    /// Whether a password is right, by bcrypt: tens of milliseconds. The outcome is known at once from then on.
    pub(super) fn check_slowly(&self, name: &str, password: &[u8]) -> bool {
        // Found out while this check waited for its turn.
        if let Some(right) = self.remembered(name, password) {
            return right;
        }
        let right = match (self.0.by_name.get(name), &self.0.decoy) {
            (Some(Stored::Bcrypt(hash)), _) => bcrypt::verify(password, hash),
            (None, Some(decoy)) => {
                // Its outcome does not matter, its time does.
                bcrypt::verify(password, decoy);
                false
            }
            _ => return false,
        };
        let found = if right { &self.0.right } else { &self.0.wrong };
        found.add(self.digest(name, password));
        right
    }

    /// What bcrypt has found of that user and password.
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
            return digest.map(Self::Sha1).ok_or("after `{SHA}` expected 20 bytes in base64");
        }
        if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|kind| password.starts_with(kind)) {
            return bcrypt::check(password).map(|()| Self::Bcrypt(password.into()));
        }
        match password {
            "" => Err("the password is empty"),
            _ if password.starts_with('$') || password.starts_with("{SSHA}") => {
                Err("this kind of hash is not supported: use bcrypt (`htpasswd -B`)")
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

/// Outcomes that are remembered of each kind: more users than that at a time pay for bcrypt again now and then.
const MAX_REMEMBERED: usize = 1024;
