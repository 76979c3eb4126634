//! Pages over TLS, and pages that are made while they are sent.

use crate::certificates::{Authority, secured, trusting};
use crate::harness::{Http1Peer, context};
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge};
use otlp_transport::{Page, PageRequest, PagesConfig, PagesServer, PartedPage, codec, serve_pages};

const PARTS: [&str; 3] = ["first\n", "second\n", "third\n"];

fn parted(_: &PageRequest<'_>) -> Option<PartedPage> {
    let mut parts = PARTS.into_iter();
    let parts = Box::new(move || parts.next().map(Bytes::from));
    Some(PartedPage { content_type: "text/parts; charset=utf-8".into(), parts })
}

async fn secure(authority: &Authority, asks: bool) -> PagesServer {
    let mut config = PagesConfig::from("127.0.0.1:0");
    let mut tls = authority.server().server_config();
    tls.client_ca_pem = asks.then(|| authority.pem());
    config.tls = Some(tls);
    serve_pages(&context(), config, parted).await.unwrap()
}

/// Asks for a page; its head and its body, if the server answers. HTTP/1.0 has no chunks.
async fn get(mut peer: Http1Peer, headers: &str) -> Option<(String, Bytes)> {
    peer.write(format!("GET /metrics HTTP/1.0\r\nhost: a\r\n{headers}\r\n")).await;
    let answer = peer.rest().await;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase(), answer.slice(end + 4..)))
}

#[tokio::test]
async fn pages_are_served_over_tls_to_those_with_a_certificate() {
    let authority = Authority::new();
    let server = secure(&authority, true).await;
    let own = authority.client("scraper");
    let io = secured(server.local_addr(), trusting(&authority, Some(&own), &["http/1.1"])).await.unwrap();
    let (head, body) = get(Http1Peer::over(io), "").await.unwrap();
    assert!(head.starts_with("http/1.0 200 "), "{head}");
    assert_eq!(body, PARTS.concat());
    // With TLS 1.3 the client learns of the refusal when it reads.
    let refused = async {
        let io = secured(server.local_addr(), trusting(&authority, None, &["http/1.1"])).await.ok()?;
        get(Http1Peer::over(io), "").await
    };
    assert!(refused.await.is_none());
}

#[tokio::test]
async fn files_that_cannot_be_used_are_an_error() {
    let mut config = PagesConfig::from("127.0.0.1:0");
    config.tls = Some(otlp_transport::ServerTlsConfig::default());
    let page = |_: &PageRequest<'_>| None::<Page>;
    let error = serve_pages(&context(), config, page).await.unwrap_err();
    assert!(error.to_string().contains("tls.cert_file"), "{error}");
}

#[tokio::test]
async fn parts_are_compressed_for_those_who_accept_gzip() {
    let server = serve_pages(&context(), "127.0.0.1:0", parted).await.unwrap();
    for (accepted, is_compressed) in [("deflate, gzip;q=0.5", true), ("identity", false)] {
        let peer = Http1Peer::connect(server.local_addr()).await;
        let (head, body) = get(peer, &format!("accept-encoding: {accepted}\r\n")).await.unwrap();
        assert!(head.contains("content-type: text/parts; charset=utf-8"), "{head}");
        assert_eq!(head.contains("content-encoding: gzip"), is_compressed, "{head}");
        let plain = if is_compressed {
            let gzip = codec("gzip").unwrap();
            gzip.decompress(&body, 1 << 20, &mut Charge::none(), &BufferPool::new(1)).unwrap()
        } else {
            body
        };
        assert_eq!(plain, PARTS.concat());
    }
}
