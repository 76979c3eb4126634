use super::*;
use tokio::io::AsyncReadExt as _;

/// A connection that a server ends by an alert after the handshake, as TLS 1.3 servers refuse client certificates.
#[tokio::test]
async fn an_alert_after_the_handshake_is_explained() {
    struct Refused;

    impl AsyncRead for Refused {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let alert = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
            Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, alert)))
        }
    }

    impl AsyncWrite for Refused {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    let (greeting, mut io) = Greeting::of(Box::new(Refused));
    assert!(io.read_u8().await.is_err());
    let expected = "the server requires a client certificate: set tls.cert_file and tls.key_file";
    assert_eq!(greeting.mix_up(true), Some(expected));
}
