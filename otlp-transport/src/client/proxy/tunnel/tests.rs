use super::*;

#[test]
fn answers_are_read_up_to_the_end_of_their_headers() {
    let answer = b"HTTP/1.1 200 Connection established\r\nvia: x\r\n\r\nrest";
    let len = answer.len() - "rest".len();
    for end in 0..len {
        assert_eq!(parse(&answer[..end]), Ok(None), "{end}");
    }
    let read = parse(answer).unwrap().unwrap();
    assert_eq!(read, ProxyAnswer { status: 200, reason: "Connection established".into(), len });
    assert!(parse(b"HTTP/2 200 OK\r\n\r\n").is_err());
}

/// Servers that speak first may do so in the proxy's own segment.
#[tokio::test]
async fn bytes_behind_the_proxys_answer_belong_to_the_server() {
    let (near, mut far) = tokio::io::duplex(4096);
    far.write_all(b"HTTP/1.0 200 OK\r\n\r\nhello, ").await.unwrap();
    let proxy = ProxyUrl::parse("http://proxy:3128").unwrap();
    let mut tunnel = open_tunnel(Box::new(near), &proxy, "backend:4317").await.unwrap();
    let mut request = vec![0; 53];
    far.read_exact(&mut request).await.unwrap();
    assert_eq!(request, b"CONNECT backend:4317 HTTP/1.1\r\nhost: backend:4317\r\n\r\n");
    tunnel.write_all(b"question").await.unwrap();
    far.read_exact(&mut request[..8]).await.unwrap();
    far.write_all(b"client").await.unwrap();
    let mut read = [0; 13];
    tunnel.read_exact(&mut read).await.unwrap();
    assert_eq!((&read, &request[..8]), (b"hello, client", &b"question"[..]));
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let (near, mut far) = tokio::io::duplex(64 << 10);
    far.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
    far.write_all(&b"a: b\r\n".repeat(90)).await.unwrap();
    far.write_all(&[b'x'; 32 << 10]).await.unwrap();
    let proxy = ProxyUrl::parse("http://proxy:3128").unwrap();
    let error = open_tunnel(Box::new(near), &proxy, "backend:4317").await.err().unwrap();
    assert!(error.to_string().contains("over 16 KiB"), "{error}");
}

#[test]
fn arbitrary_bytes_are_an_answer_or_none() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let mut bytes = b"HTTP/1.1 200 OK\r\na: b\r\n\r\n".to_vec();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        if let Ok(Some(answer)) = parse(&bytes) {
            assert!(answer.len <= bytes.len() && answer.reason.is_ascii());
        }
    }
}
