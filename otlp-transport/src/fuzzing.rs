//! Parsers of headers, for the fuzz targets. No stable interface.

pub use crate::client::fuzzing::{grpc_answer, http_answer};
pub use crate::server::fuzzing::{grpc_timeout, is_allowed_origin, is_grpc};

use crate::{
    AuthRequest, Authenticate, BasicAuth, BearerAuth, BearerConfig, OnEmpty, Secret, TransportContext,
};
use http::HeaderMap;
use std::sync::OnceLock;

/// Returns the identities that basic and bearer authentication find for a request with these headers. Valid credentials
/// are `user` with `password`, and the token `token`.
pub fn authenticate(headers: &HeaderMap) -> [Option<String>; 2] {
    static AUTHENTICATORS: OnceLock<Option<(BasicAuth, BearerAuth)>> = OnceLock::new();
    let authenticators = AUTHENTICATORS.get_or_init(|| {
        let context = TransportContext::tcp(0);
        let config = BearerConfig { tokens: vec!["token".into()], ..BearerConfig::default() };
        let basic =
            BasicAuth::new(&context, None, &Secret::from("user:password"), None, OnEmpty::Keep).ok()?;
        Some((basic, BearerAuth::new(&context, &config).ok()?))
    });
    let Some((basic, bearer)) = authenticators else { return [None, None] };
    let request = AuthRequest { headers, certificate: None };
    let judge = |by: &dyn Authenticate| {
        by.authenticate(&request).resolve().ok().map(|identity| identity.name().to_owned())
    };
    [judge(basic), judge(bearer)]
}
