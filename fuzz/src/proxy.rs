//! What a proxy answers before it is a tunnel: the same bytes are the same answer however they are cut, and nothing of
//! what follows it is swallowed, since that is the origin's. CONNECT is agreed to by heads of HTTP and nothing else.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use requestx::error::Kind;
use requestx::proxy::Proxy;
use requestx::tunnel::{greet, open, Place};

use crate::input::{choices, cut, Script};

const PROXIES: [&str; 6] = [
    "http://proxy",
    "http://user:password@proxy",
    "socks4://user@proxy",
    "socks4a://proxy",
    "socks5h://proxy",
    "socks5h://user:password@proxy",
];
const PLACES: [&str; 3] = ["origin.example", "192.0.2.1", "2001:db8::1"];
const MAX_HEAD: usize = 2000;

pub fn check(data: &[u8]) {
    let Some(([proxy, place, how], bytes)) = choices(data) else { return };
    let proxy = Proxy::parse(PROXIES[proxy as usize % PROXIES.len()]).unwrap();
    let place = Place::of(PLACES[place as usize % PLACES.len()]);
    let whole = tunnel(&proxy, &place, &[bytes]);
    let pieces = tunnel(&proxy, &place, &cut(bytes, how));

    match (&whole, &pieces) {
        (Ok(rest), Ok(others)) => {
            assert_eq!(rest, others);
            assert!(bytes.ends_with(rest));
            assert!(!proxy.protocol.is_http() || are_heads(&bytes[..bytes.len() - rest.len()]));
        }
        (Err(one), Err(other)) => assert_eq!(one, other),
        // What is read with the answer to CONNECT is refused; what comes behind it is the origin's, who speaks first.
        (Err(Kind::Proxy), Ok(rest)) | (Ok(rest), Err(Kind::Proxy)) if proxy.protocol.is_http() => {
            assert!(!rest.is_empty());
        }
        (one, other) => panic!("whole {one:?}, in pieces {other:?}"),
    }
}

fn are_heads(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let mut space = [httparse::EMPTY_HEADER; 600];
        let mut config = httparse::ParserConfig::default();
        config.allow_obsolete_multiline_headers_in_responses(true);
        match config.parse_response(&mut httparse::Response::new(&mut space), bytes) {
            Ok(httparse::Status::Complete(end)) => bytes = &bytes[end..],
            _ => return false,
        }
    }
    true
}

/// What is left to be read behind the proxy's answer, if it agrees.
fn tunnel(proxy: &Proxy, place: &Place, said: &[&[u8]]) -> Result<Vec<u8>, Kind> {
    let mut stream = Script::of(said);
    let opened = now(async {
        greet(&mut stream, proxy).await?;
        open(&mut stream, proxy, place, 443, MAX_HEAD, true).await
    });
    assert!(stream.heard.len() < 500, "what is said to a proxy does not depend on what it says");
    opened.map_err(|error| error.kind).map(|()| stream.rest())
}

/// The outcome of what never has to wait.
fn now<F: Future>(work: F) -> F::Output {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for a peer that has said all"),
    }
}
