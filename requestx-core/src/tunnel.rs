//! Through a proxy: CONNECT (RFC 9110 section 9.3.6), SOCKS4, SOCKS4a and SOCKS5 (RFC 1928, RFC 1929).
//!
//! Each function here speaks over a connection to the proxy until what follows on it is the origin's. hyper-util has
//! such tunnels; they keep a refusal's status and text to themselves, drop bytes that come too early, offer a SOCKS5
//! server one way to log in, and send no user to a SOCKS4 server.
//!
//! A proxy that says no is told as such, with its own words: they are in the error and nowhere else, since nothing
//! that a proxy says on the way may pass for the origin's answer (FalseCONNECT).

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::authority;
use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::head::Head;
use crate::proxy::{Login, Protocol, Proxy};
use crate::wire;

/// Where a tunnel leads, as the proxy is told.
#[derive(Debug, Clone)]
pub enum Place {
    Name(String),
    Address(IpAddr),
}

impl Place {
    /// `host` as a URL has it, without brackets.
    pub fn of(host: &str) -> Place {
        host.parse().map_or_else(|_| Place::Name(host.to_string()), Place::Address)
    }
}

/// Most of a refusal's body that is quoted.
const QUOTED: usize = 300;

/// What is said before it matters where to: SOCKS5 agrees on a login. So a proxy that has gone, or will not serve us,
/// is found out before a name is looked up for it.
///
/// # Errors
/// `Proxy`, with what it answered.
pub async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, proxy: &Proxy) -> Result<(), Error> {
    match proxy.protocol {
        Protocol::Socks5 | Protocol::Socks5h => greet_socks5(stream, proxy.login.as_ref()).await,
        _ => Ok(()),
    }
}

/// Has `proxy`, which was greeted at the other end of `stream`, connect to `place` and `port`. An origin that is not
/// `secure` speaks HTTP/2, in which it may have the first word.
///
/// # Errors
/// `Proxy`, with what it answered; `TooLarge` for an answer longer than `max_head`.
pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: &Proxy,
    place: &Place,
    port: u16,
    max_head: usize,
    secure: bool,
) -> Result<(), Error> {
    match proxy.protocol {
        Protocol::Http | Protocol::Https => connect(stream, proxy, place, port, max_head, secure).await,
        Protocol::Socks4 | Protocol::Socks4a => socks4(stream, proxy.login.as_ref(), place, port).await,
        Protocol::Socks5 | Protocol::Socks5h => socks5(stream, place, port).await,
    }
}

async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: &Proxy,
    place: &Place,
    port: u16,
    max_head: usize,
    secure: bool,
) -> Result<(), Error> {
    let to = match place {
        Place::Name(name) => authority::join(name, port),
        Place::Address(address) => authority::join(&address.to_string(), port),
    };
    let mut request = format!("CONNECT {to} HTTP/1.1\r\n").into_bytes();
    if !proxy.has(b"Host") {
        request.extend_from_slice(format!("Host: {to}\r\n").as_bytes());
    }
    for (name, value) in &proxy.fields {
        for part in [&name[..], b": ", value, b"\r\n"] {
            request.extend_from_slice(part);
        }
    }
    request.extend_from_slice(b"\r\n");
    say(stream, &request).await?;
    let (head, rest) = answer(stream, max_head, if secure { u64::MAX } else { 1 }).await?;
    if !(200..300).contains(&head.status) {
        return Err(refused(&head, &rest));
    }
    if rest.is_empty() {
        return Ok(()); // whatever its length says: RFC 9110 section 9.3.6
    }
    Err(failed(format!(
        "the proxy sent {} bytes into the tunnel before the origin was spoken to",
        rest.len()
    )))
}

/// The final head of the answer, and what came behind it: nothing, where one byte is read at a time.
async fn answer<S: AsyncRead + Unpin>(
    stream: &mut S,
    max_head: usize,
    step: u64,
) -> Result<(Head, Vec<u8>), Error> {
    let mut bytes = Vec::new();
    let (mut passed, mut seen) = (0, 0);
    loop {
        while let Some(end) = wire::head_end(&bytes, seen) {
            let rest = bytes.split_off(end);
            let (head, _) = Head::read(&bytes, b"", false).map_err(|error| failed(error.message))?;
            if !wire::is_informational(&bytes) {
                return Ok((head, rest));
            }
            (passed, seen, bytes) = (passed + end, 0, rest);
        }
        // Or a proxy that sends byte by byte would have us look at all of it each time.
        seen = bytes.len().saturating_sub(3);
        if passed + bytes.len() > max_head {
            let why = format!("the head of the proxy's answer is longer than {max_head} bytes");
            return Err(Error::new(Kind::TooLarge, Phase::Tunnel, why));
        }
        match (&mut *stream).take(step).read_buf(&mut bytes).await {
            Ok(0) if passed + bytes.len() == 0 => {
                return Err(failed("the proxy closed the connection without answering"))
            }
            Ok(0) => return Err(failed("the proxy closed the connection within its answer")),
            Ok(_) => {}
            Err(error) => return Err(broke(&error)),
        }
    }
}

fn refused(head: &Head, rest: &[u8]) -> Error {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_string();
    let asked = head.all("proxy-authenticate");
    let mut chain: Vec<_> = asked.map(|value| format!("Proxy-Authenticate: {}", text(value))).collect();
    if !rest.is_empty() {
        chain.push(format!("the proxy said: {}", text(&rest[..rest.len().min(QUOTED)])));
    }
    let why = format!("Tunnel connection failed: {} {}", head.status, text(&head.reason));
    failed(why.trim_end()).with_proxy_status(head.status).with_chain(chain)
}

/// <https://www.openssh.com/txt/socks4.protocol> and its extension 4a.
async fn socks4<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    login: Option<&Login>,
    place: &Place,
    port: u16,
) -> Result<(), Error> {
    let address = match place {
        Place::Address(IpAddr::V4(address)) => address.octets(),
        Place::Address(IpAddr::V6(address)) => {
            return Err(failed(format!("SOCKS4 knows no IPv6 address such as {address}: socks5:// does")))
        }
        Place::Name(_) => [0, 0, 0, 1],
    };
    let mut request = vec![4, 1];
    request.extend_from_slice(&port.to_be_bytes());
    request.extend_from_slice(&address);
    request.extend_from_slice(login.map_or(&[], |login| &login.user));
    request.push(0);
    if let Place::Name(name) = place {
        request.extend_from_slice(name.as_bytes());
        request.push(0);
    }
    say(stream, &request).await?;
    let [version, code, ..] = hear::<8, _>(stream).await?;
    match (version, code) {
        (0, 90) => Ok(()),
        (0, 91) => Err(failed("SOCKS4 request rejected or failed (code 91)")),
        (0, 92) => Err(failed("SOCKS4 request rejected: the proxy cannot reach identd here (code 92)")),
        (0, 93) => Err(failed("SOCKS4 request rejected: another user than identd's (code 93)")),
        _ => Err(failed(format!("no answer of SOCKS4: version {version}, code {code}"))),
    }
}

async fn greet_socks5<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    login: Option<&Login>,
) -> Result<(), Error> {
    say(stream, if login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] }).await?;
    match (hear::<2, _>(stream).await?, login) {
        ([5, 0], _) => Ok(()),
        ([5, 2], Some(login)) => log_in(stream, login).await,
        ([5, 255], Some(_)) => Err(failed("SOCKS5: the proxy takes neither user and password nor nobody")),
        ([5, 255], None) => Err(failed("SOCKS5 authentication failed: the proxy wants user and password")),
        ([5, method], _) => {
            Err(failed(format!("SOCKS5: the proxy chose method {method}, which was not offered")))
        }
        ([version, _], _) => Err(failed(format!("no answer of SOCKS5: version {version}"))),
    }
}

async fn socks5<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    place: &Place,
    port: u16,
) -> Result<(), Error> {
    let mut request = vec![5, 1, 0];
    match place {
        Place::Address(IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Place::Address(IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Place::Name(name) => {
            let Ok(length) = u8::try_from(name.len()) else {
                return Err(failed("SOCKS5 takes no name of more than 255 bytes"));
                // CVE-2023-38545
            };
            request.extend_from_slice(&[3, length]);
            request.extend_from_slice(name.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    say(stream, &request).await?;
    let [version, code, _, kind] = hear::<4, _>(stream).await?;
    if (version, code) != (5, 0) {
        let why = match code {
            _ if version != 5 => "no answer of SOCKS5",
            1 => "general SOCKS server failure",
            2 => "Connection not allowed by ruleset",
            3 => "Network unreachable",
            4 => "Host unreachable",
            5 => "Connection refused",
            6 => "TTL expired",
            7 => "Command not supported",
            8 => "Address type not supported",
            _ => "unknown code",
        };
        return Err(failed(format!("SOCKS5 connection failed: 0x{code:02x}: {why}")));
    }
    let bound = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(hear::<1, _>(stream).await?[0]),
        _ => return Err(failed(format!("no answer of SOCKS5: address type {kind}"))),
    };
    let mut space = [0; 257];
    stream.read_exact(&mut space[..bound + 2]).await.map(|_| ()).map_err(|error| broke(&error))
}

/// RFC 1929.
async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, login: &Login) -> Result<(), Error> {
    let mut request = vec![1];
    for part in [&login.user, &login.password] {
        let length =
            u8::try_from(part.len()).map_err(|_| failed("SOCKS5 takes 255 bytes of user and password"))?;
        request.push(length);
        request.extend_from_slice(part);
    }
    say(stream, &request).await?;
    match hear::<2, _>(stream).await? {
        [_, 0] => Ok(()),
        _ => Err(failed("SOCKS5 authentication failed: the proxy does not take this user and password")),
    }
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), Error> {
    stream.write_all(bytes).await.map_err(|error| broke(&error))?;
    stream.flush().await.map_err(|error| broke(&error))
}

/// Exactly so many bytes: what comes behind them is the origin's.
async fn hear<const N: usize, S: AsyncRead + Unpin>(stream: &mut S) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(|error| broke(&error))?;
    Ok(bytes)
}

fn failed(why: impl Into<String>) -> Error {
    Error::new(Kind::Proxy, Phase::Tunnel, why)
}

fn broke(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => failed("the proxy closed the connection before it agreed"),
        _ => Error::io(Phase::Tunnel, "the connection to the proxy broke", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens a tunnel to a proxy that says `answer` whatever it hears; what it heard, and how that went.
    fn tunnel(url: &str, place: &str, answer: &[u8]) -> (Vec<u8>, Result<(), Error>) {
        let mut choice = crate::proxy::Choice::default();
        choice.set_url(url).unwrap();
        let proxy = choice.route(true, place, 443).unwrap().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut ours, mut theirs) = tokio::io::duplex(4096);
            theirs.write_all(answer).await.unwrap();
            theirs.shutdown().await.unwrap();
            let opened = match greet(&mut ours, &proxy).await {
                Ok(()) => open(&mut ours, &proxy, &Place::of(place), 443, 2000, true).await,
                Err(error) => Err(error),
            };
            drop(ours);
            let mut heard = Vec::new();
            theirs.read_to_end(&mut heard).await.unwrap();
            (heard, opened)
        })
    }

    #[test]
    fn connect_names_the_place_and_says_what_is_for_the_proxy() {
        let (heard, opened) = tunnel("http://u:p@proxy", "::1", b"HTTP/1.1 200 OK\r\n\r\n");

        opened.unwrap();
        let expected =
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n";
        assert_eq!(expected, String::from_utf8(heard).unwrap());
    }

    #[test]
    fn an_answer_that_comes_in_pieces_is_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut ours, mut theirs) = tokio::io::duplex(1);
            let said = b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n";
            let saying = tokio::spawn(async move { theirs.write_all(said).await });
            let (head, rest) = answer(&mut ours, 2000, u64::MAX).await.unwrap();
            saying.await.unwrap().unwrap();
            assert_eq!((200, &b"A\nb"[..], 0), (head.status, &head.block[..], rest.len()));
        });
    }

    #[test]
    fn any_2xx_opens_a_tunnel_and_informational_heads_are_passed_over() {
        let said = b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.0 204 Fine\r\nContent-Length: 5\r\n\r\n";

        tunnel("proxy", "a", said).1.unwrap();
    }

    #[test]
    fn a_refusal_is_told_with_status_and_text() {
        let said = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n<b>log in\x1b";
        let error = tunnel("proxy", "a", said).1.unwrap_err();

        assert_eq!((Kind::Proxy, Phase::Tunnel, 407), (error.kind, error.phase, error.proxy_status));
        assert_eq!("Tunnel connection failed: 407 Proxy Authentication Required", error.message);
        let expected = ["Proxy-Authenticate: Basic realm=\"x\"", "the proxy said: <b>log in\\u{1b}"];
        assert_eq!(expected, &error.chain[..]);
    }

    #[test]
    fn answers_to_connect_that_are_none_are_refused() {
        for (said, why) in [
            (&b"SSH-2.0-OpenSSH\r\n\r\n"[..], "not valid HTTP"),
            (b"SSH-2.0 100 x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "not valid HTTP"),
            (b"HTTP/1.1 200 OK\r\n\r\nmore", "4 bytes into the tunnel"),
            (&[b"HTTP/1.1 200 OK\r\nA: ", &[b'a'; 2500][..]].concat(), "longer than"),
        ] {
            let error = tunnel("proxy", "a", said).1.unwrap_err();
            assert!(error.message.contains(why), "{error}");
        }
    }

    #[test]
    fn socks5_offers_a_login_only_where_there_is_one() {
        let agreed = b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50";
        let (heard, opened) = tunnel("socks5h://proxy", "example.org", agreed);

        opened.unwrap();
        assert_eq!(&b"\x05\x01\x00\x05\x01\x00\x03\x0bexample.org\x01\xbb"[..], heard);
        let agreed = b"\x05\x02\x01\x00\x05\x00\x00\x03\x04name\x00\x50";
        let (heard, opened) = tunnel("socks5h://u:pw@proxy", "::1", agreed);
        opened.unwrap();
        let address = [&[0; 15][..], &[1]].concat();
        let expected =
            [&b"\x05\x02\x00\x02\x01\x01u\x02pw\x05\x01\x00\x04"[..], &address, b"\x01\xbb"].concat();
        assert_eq!(expected, heard);
    }

    #[test]
    fn socks5_refusals_say_why() {
        for (url, said, why) in [
            ("socks5h://proxy", &b"\x05\xff"[..], "wants user and password"),
            ("socks5h://u:p@proxy", b"\x05\x02\x01\x01", "does not take this user"),
            ("socks5h://proxy", b"\x05\x02", "not offered"),
            ("socks5h://proxy", b"HTTP/1.1 400", "no answer of SOCKS5"),
            ("socks5h://proxy", b"\x05\x00\x05\x05\x00\x01\0\0\0\0\0\0", "0x05: Connection refused"),
        ] {
            let error = tunnel(url, "a", said).1.unwrap_err();
            assert_eq!((Kind::Proxy, Phase::Tunnel), (error.kind, error.phase));
            assert!(error.message.contains(why), "{error}");
        }
    }

    #[test]
    fn socks4_sends_an_address_and_socks4a_a_name() {
        let agreed = b"\x00\x5a\x00\x00\x00\x00\x00\x00";
        let (heard, opened) = tunnel("socks4://user@proxy", "10.0.0.1", agreed);

        opened.unwrap();
        assert_eq!(&b"\x04\x01\x01\xbb\x0a\x00\x00\x01user\x00"[..], heard);
        let (heard, opened) = tunnel("socks4a://proxy", "example.org", agreed);
        opened.unwrap();
        assert_eq!(&b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00example.org\x00"[..], heard);
    }

    #[test]
    fn socks4_refusals_say_why() {
        let rejected = b"\x00\x5b\x00\x00\x00\x00\x00\x00";
        assert!(tunnel("socks4a://proxy", "a", rejected).1.unwrap_err().message.contains("code 91"));
        assert!(tunnel("socks4://proxy", "::1", b"").1.unwrap_err().message.contains("no IPv6"));
    }

    #[test]
    fn a_name_that_is_too_long_is_not_sent() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut ours, _theirs) = tokio::io::duplex(4096);
        let place = Place::Name("a".repeat(256));
        let refused = runtime.block_on(socks5(&mut ours, &place, 80));

        assert!(refused.unwrap_err().message.contains("255"));
    }
}
