//! Stand-in for HTTP/1.1 without the feature `http`: no HTTP/1.1 connection is opened.

use crate::client::attempt::{Answer, AnswerLimits};
use crate::client::encoding::Outgoing;
use crate::client::send_error::SendError;
use crate::{BoxIo, Clock};
use http::Request;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The sending half of a connection: no value exists.
pub(crate) struct Sender(Infallible);

/// An open connection: no value exists.
pub(crate) enum Http1Connection {}

/// Fails: HTTP/1.1 is not compiled in.
pub(crate) async fn handshake(_io: BoxIo) -> io::Result<(Sender, Http1Connection)> {
    Err(io::Error::other("HTTP/1.1 is not compiled in: build with the feature `http`"))
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

impl Sender {
    pub(crate) fn is_ready(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn is_closed(&self) -> bool {
        match self.0 {}
    }
}

impl Future for Http1Connection {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        match *self {}
    }
}
