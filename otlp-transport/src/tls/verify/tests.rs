use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use std::time::Duration;

fn rules(trusted: &CertificateDer<'_>) -> Rules {
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let mut trust = Trust::none();
    trust.add(trusted.clone(), &algorithms).unwrap();
    Rules { trust: Arc::new(trust), algorithms }
}

/// An authority, and a certificate that it issued and that is an authority, too.
fn authorities() -> [CertificateDer<'static>; 2] {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params.clone(), KeyPair::generate().unwrap()).unwrap();
    let issued = params.signed_by(&KeyPair::generate().unwrap(), &root).unwrap();
    [root.der().clone(), issued.der().clone()]
}

#[test]
fn a_certificate_with_any_byte_changed_is_not_trusted() {
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000));
    let [root, issued] = authorities();
    let rules = rules(&root);
    for certificate in [root, issued] {
        let trusted = rules.trust_without_chain(&certificate, now, Purpose::Server);
        assert_eq!(trusted, Ok(true));
        for index in 0..certificate.len() {
            for flip in [1, 0x80, 0xff] {
                let mut changed = certificate.to_vec();
                changed[index] ^= flip;
                let outcome = rules.trust_without_chain(&changed.into(), now, Purpose::Server);
                assert_ne!(outcome, Ok(true), "byte {index}, {flip}");
            }
            let cut = CertificateDer::from(certificate[..index].to_vec());
            assert_ne!(rules.trust_without_chain(&cut, now, Purpose::Client), Ok(true), "cut at {index}");
        }
    }
}

#[test]
fn trust_files_of_changed_certificates_are_read_or_refused() {
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let [root, issued] = authorities();
    for index in 0..root.len() {
        for flip in [1, 0x20, 0x80, 0xff] {
            let mut changed = root.to_vec();
            changed[index] ^= flip;
            let mut trust = Trust::none();
            let added = trust.add(changed.into(), &algorithms).is_ok();
            assert_eq!(trust.is_empty(), !added);
            let (_, certificate) = X509Certificate::from_der(&issued).unwrap();
            // Whatever comes of a changed key, reading it does not fail.
            let _ = trust.has_issued(&certificate, &algorithms);
        }
    }
}

#[test]
fn periods_end_with_their_last_second() {
    let [root, _] = authorities();
    let (_, certificate) = X509Certificate::from_der(&root).unwrap();
    let (first, last) = (certificate.validity().not_before, certificate.validity().not_after);
    let at = |seconds: i64| {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds.try_into().unwrap()));
        check_period(&certificate, now).is_ok()
    };
    let (first, last) = (first.timestamp(), last.timestamp());
    assert_eq!([first - 1, first, last, last + 1].map(at), [false, true, true, false]);
}
