//! Stand-in for HTTP/2 without the feature `grpc`: no HTTP/2 connection is opened.

use crate::client::activity::Activity;
use crate::client::attempt::{Answer, AnswerLimits};
use crate::client::encoding::Outgoing;
use crate::client::send_error::SendError;
use crate::tls::Alpn;
use crate::{BoxIo, ClientLimits, Clock};
use http::Request;
use std::convert::Infallible;
use std::io;

/// The sending half of a connection: no value exists.
#[derive(Clone)]
pub(crate) struct Sender(Infallible);

/// An open connection: no value exists.
pub(crate) enum Http2Connection {}

/// Settings of pings: no value exists.
pub(crate) enum Keepalive {}

/// HTTP versions that clients of OTLP/HTTP offer in ALPN.
pub(crate) const HTTP_ALPN: Alpn = Alpn::Http1;

/// Fails: HTTP/2 is not compiled in.
pub(crate) async fn handshake(_io: BoxIo) -> io::Result<(Sender, Http2Connection)> {
    Err(io::Error::other("HTTP/2 is not compiled in: build with the feature `grpc`"))
}

pub(crate) async fn send(
    sender: &mut Sender,
    _request: Request<()>,
    _body: Outgoing,
    _limits: AnswerLimits,
    _clock: &dyn Clock,
) -> Result<Answer, SendError> {
    match sender.0 {}
}

pub(crate) fn is_open(sender: &mut Sender) -> bool {
    match sender.0 {}
}

impl Sender {
    pub(crate) fn current_max_send_streams(&self) -> usize {
        match self.0 {}
    }
}

impl Http2Connection {
    pub(crate) async fn drive(
        self,
        _keepalive: Option<Keepalive>,
        _activity: &Activity,
        _clock: &dyn Clock,
    ) -> io::Result<()> {
        match self {}
    }
}

impl Keepalive {
    pub(crate) fn new(_limits: &ClientLimits) -> Option<Self> {
        None
    }
}
