//! TLS versions, cipher suites and key exchanges, by the names that Go and the Collector use.

use super::problem;
use crate::{ConfigError, TlsParameters, TlsVersion};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::version::{TLS12, TLS13};
use rustls::{NamedGroup, SupportedCipherSuite, SupportedProtocolVersion};
use std::sync::Arc;

/// Returns the versions from the lowest to the highest allowed.
pub(super) fn versions(
    parameters: &TlsParameters,
) -> Result<Vec<&'static SupportedProtocolVersion>, ConfigError> {
    let min = parameters.min_version.unwrap_or(TlsVersion::Tls12);
    let max = parameters.max_version.unwrap_or(TlsVersion::Tls13);
    let all = [(TlsVersion::Tls12, &TLS12), (TlsVersion::Tls13, &TLS13)];
    let spoken: Vec<_> =
        all.into_iter().filter(|(version, _)| (min..=max).contains(version)).map(|(_, v)| v).collect();
    match spoken.is_empty() {
        true => Err(problem("tls.min_version", "min_version is above max_version")),
        false => Ok(spoken),
    }
}

/// Makes ring's cryptography, limited to the named suites and key exchanges.
pub(super) fn provider(parameters: &TlsParameters) -> Result<Arc<CryptoProvider>, ConfigError> {
    let mut provider = ring::default_provider();
    if !parameters.cipher_suites.is_empty() {
        provider.cipher_suites = cipher_suites(&provider.cipher_suites, &parameters.cipher_suites)?;
    }
    if !parameters.curve_preferences.is_empty() {
        provider.kx_groups = key_exchanges(&provider.kx_groups, &parameters.curve_preferences)?;
    }
    Ok(Arc::new(provider))
}

/// Makes the error for cipher suites of which none belongs to an allowed version.
pub(super) fn no_suite() -> ConfigError {
    problem("tls.cipher_suites", "no listed suite belongs to a TLS version from min_version to max_version")
}

/// Selects cipher suites by name. As in Go, the names limit only TLS 1.2.
fn cipher_suites(
    all: &[SupportedCipherSuite],
    named: &[String],
) -> Result<Vec<SupportedCipherSuite>, ConfigError> {
    let name_of = |suite: &SupportedCipherSuite| {
        let name = format!("{:?}", suite.suite());
        // Go writes TLS_AES_128_GCM_SHA256.
        name.strip_prefix("TLS13_").map(|rest| format!("TLS_{rest}")).unwrap_or(name)
    };
    if let Some(unknown) = named.iter().find(|name| !all.iter().any(|suite| name_of(suite) == **name)) {
        let known: Vec<_> = all.iter().map(name_of).collect();
        let text = format!("unknown or unsafe cipher suite `{unknown}`; supported: {}", known.join(", "));
        return Err(problem("tls.cipher_suites", text));
    }
    let is_wanted =
        |suite: &&SupportedCipherSuite| suite.tls13().is_some() || named.contains(&name_of(suite));
    Ok(all.iter().filter(is_wanted).copied().collect())
}

fn key_exchanges(
    all: &[&'static dyn SupportedKxGroup],
    named: &[String],
) -> Result<Vec<&'static dyn SupportedKxGroup>, ConfigError> {
    let find = |name: &String| {
        let group = KEY_EXCHANGES.iter().find(|(known, _)| known == name).map(|(_, group)| *group);
        let found = all.iter().find(|found| Some(found.name()) == group).copied();
        found.ok_or_else(|| {
            let known: Vec<_> = KEY_EXCHANGES.iter().map(|(name, _)| *name).collect();
            problem(
                "tls.curve_preferences",
                format!("unknown curve `{name}`; supported: {}", known.join(", ")),
            )
        })
    };
    named.iter().map(find).collect()
}

const KEY_EXCHANGES: [(&str, NamedGroup); 3] =
    [("X25519", NamedGroup::X25519), ("P256", NamedGroup::secp256r1), ("P384", NamedGroup::secp384r1)];
