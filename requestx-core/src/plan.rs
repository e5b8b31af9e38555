//! What one exchange needs, parsed and validated once, immutable after.
//!
//! A `Plan` that exists can be sent: after it nobody asks again whether the URL is a URL or a header a header.
//! The caller's spelling and order of header fields are kept (`head`); hyper is told only what it must know to frame
//! the body (`framing`), and `wire.rs` puts the one in the place of the other.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue, CONNECTION, UPGRADE};
use http::Method;

use crate::authority;
use crate::body::send::Upload;
use crate::error::{Error, Kind};
use crate::options::{Http, Options, MAX_HEAD};
use crate::pool::Key;
use crate::proxy::{Protocol, Proxy, PROXY_AUTHORIZATION};

/// A request body.
#[derive(Debug, Clone)]
pub enum Outgoing {
    Empty,
    Whole(Bytes),
    Pushed(Arc<Upload>),
}

impl Outgoing {
    /// How long it is; `None` if only its end will tell.
    pub fn length(&self) -> Option<u64> {
        match self {
            Outgoing::Empty => Some(0),
            Outgoing::Whole(bytes) => Some(bytes.len() as u64),
            Outgoing::Pushed(upload) => upload.length(),
        }
    }

    /// Whether the body goes on only when the caller pushes more.
    pub fn waits_for_caller(&self) -> bool {
        matches!(self, Outgoing::Pushed(upload) if upload.is_waiting())
    }
}

/// One exchange, ready to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub method: Method,
    pub key: Key,
    /// The URL as given, without its fragment, for messages: the beginning of a long one.
    pub url: Arc<str>,
    /// Request line and the caller's fields, each ended by CRLF; what hyper adds for framing follows, then the blank line.
    pub head: Bytes,
    /// The caller's fields that hyper must see.
    pub framing: HeaderMap,
    pub body: Outgoing,
    pub options: Arc<Options>,
    /// The caller allows the connection to be kept.
    pub keep_alive: bool,
    /// The body waits until the server has said `100 Continue`.
    pub expects: bool,
    /// Return with the head; the body is pulled.
    pub stream: bool,
    /// What was parsed, where the options ask for a policy, which makes the next hop's of it.
    pub source: Bytes,
}

impl Plan {
    /// Parses `head`: `METHOD\nURL\nname\nvalue\n...` with exactly `2 + 2 * fields` parts.
    ///
    /// A newline inside a part changes the count and is refused, so joining cannot inject a field.
    ///
    /// # Errors
    /// `InvalidMethod`, `InvalidUrl`, `UnsupportedScheme`, `InvalidHeader`: nothing has been sent.
    pub fn parse(
        head: &[u8],
        fields: usize,
        body: Outgoing,
        options: Arc<Options>,
        stream: bool,
    ) -> Result<Plan, Error> {
        let mut parts = head.split(|byte| *byte == b'\n');
        let method = parse_method(parts.next().unwrap_or_default())?;
        let url = parts.next().unwrap_or_default();
        let target = Target::parse(url)?;
        let proxy = match &options.dial.unix {
            Some(_) => None, // it is on this machine
            None => options.proxy.route(target.secure, &target.host, target.port)?,
        };
        if let Some(proxy) = &proxy {
            options.dial.guard.check_through(proxy, authority::without_zone(&target.host))?;
        }
        let mut writer = HeadWriter::new(&method, &target, head.len(), proxy, options.http);
        for _ in 0..fields {
            let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
                return Err(wrong_count(fields, head));
            };
            writer.field(name, value)?;
        }
        if parts.next().is_some() {
            return Err(wrong_count(fields, head));
        }
        let proxy = writer.proxy.take();
        if let Some(proxy) = proxy.as_ref().filter(|_| writer.forwarded) {
            proxy.fields.iter().try_for_each(|(name, value)| writer.field(name, value))?;
        }
        writer.check_framing(&body)?;
        match body.length() {
            None if !writer.is_chunked() => {
                writer.field(b"Transfer-Encoding", b"chunked")?; // or hyper would take a GET to have no body
            }
            Some(0) if expects_body(&method) && !writer.has_length() => {
                writer.field(b"Content-Length", b"0")?; // RFC 9110 section 8.6
            }
            _ => {}
        }
        let source = if options.policy.is_off() { Bytes::new() } else { Bytes::copy_from_slice(head) };
        let upgrades = offered(&writer.framing).next().is_some();
        let key = key_of(&target, proxy, &options, upgrades);
        if upgrades && key.http == Http::Two {
            let why = "Upgrade is a word of HTTP/1.1 (RFC 9113 section 8.6), and HTTP/2 alone is allowed";
            return Err(Error::caller(Kind::InvalidHeader, why));
        }
        Ok(Plan {
            key,
            url: shown(target.url),
            keep_alive: writer.keep_alive,
            expects: body.length() != Some(0) && writer.expects(),
            framing: std::mem::take(&mut writer.framing),
            head: writer.finish(target.host_field()),
            method,
            body,
            options,
            stream,
            source,
        })
    }

    /// The protocols that the server may switch to (RFC 9110 section 7.8).
    pub fn offered(&self) -> impl Iterator<Item = &[u8]> {
        offered(&self.framing)
    }

    /// Where the answer comes from, for messages: a proxy that forwards may have cut it itself.
    pub fn whence(&self) -> Arc<str> {
        match self.key.is_forwarded() {
            true => format!("{} ({})", self.url, self.key).into(),
            false => self.url.clone(),
        }
    }

    /// Whether a server that wants HTTP/1.1 for it may have that; a body that is pushed is partly gone by then.
    pub fn may_speak_http1(&self) -> bool {
        self.key.http == Http::Negotiated && !matches!(self.body, Outgoing::Pushed(_))
    }

    /// The same over a connection of HTTP/1.1.
    pub fn over_http1(&self) -> Plan {
        Plan { key: Key { http: Http::One, max_head: 0, ..self.key.clone() }, ..self.clone() }
    }

    /// Whether the exchange may be sent a second time when the first try may have reached the server.
    /// RFC 9110 9.2.2: a client may repeat an idempotent method on its own, others not.
    pub fn repeatable(&self) -> bool {
        self.method.is_idempotent() && !matches!(self.body, Outgoing::Pushed(_))
    }
}

/// Longer URLs would leave no room in a message for what happened.
const LONGEST_SHOWN: usize = 300;

fn shown(url: &str) -> Arc<str> {
    match url.get(..LONGEST_SHOWN) {
        Some(beginning) if beginning != url => format!("{beginning}…").into(),
        _ => url.into(),
    }
}

/// Scheme, as whether it is https, host and port of a URL: RFC 6454.
///
/// # Errors
/// `InvalidUrl`, `UnsupportedScheme`.
pub fn origin_of(url: &str) -> Result<(bool, String, u16), Error> {
    Target::parse(url.as_bytes()).map(|target| (target.secure, target.host, target.port))
}

/// The connection that a request needs; a proxy that forwards it is itself the host, and one that `upgrades` is of
/// HTTP/1.1.
fn key_of(target: &Target<'_>, proxy: Option<Proxy>, options: &Options, upgrades: bool) -> Key {
    let proxy = proxy.map(|proxy| match proxy.protocol {
        Protocol::Https => Arc::new(Proxy { tls: options.tls_of_proxy().identity(), ..proxy }),
        _ => Arc::new(proxy),
    });
    let dial = (!options.dial.is_plain()).then(|| options.dial.clone());
    match &proxy {
        Some(forwarding) if forwarding.forwards(target.secure, options.http) => Key {
            secure: false,
            http: Http::One,
            host: forwarding.host.clone(),
            port: forwarding.port,
            tls: 0,
            dial,
            max_head: 0,
            proxy,
        },
        _ => {
            let http = match options.http {
                Http::Negotiated if upgrades || !target.secure => Http::One,
                chosen => chosen,
            };
            Key {
                secure: target.secure,
                http,
                host: target.host.as_str().into(),
                port: target.port,
                tls: if target.secure { options.tls.identity() } else { 0 },
                dial,
                // Who wants shorter ones sees to that, answer by answer; so most share one connection.
                max_head: if http == Http::One { 0 } else { options.max_head.max(MAX_HEAD) },
                proxy,
            }
        }
    }
}

fn wrong_count(fields: usize, head: &[u8]) -> Error {
    let parts = head.iter().filter(|byte| **byte == b'\n').count() + 1;
    Error::caller(
        Kind::InvalidHeader,
        format!("the head has {parts} lines where method, URL and {fields} header fields make {}: is there a newline in a field?", 2 + 2 * fields),
    )
}

fn parse_method(bytes: &[u8]) -> Result<Method, Error> {
    match Method::from_bytes(bytes) {
        Ok(Method::CONNECT) => {
            Err(Error::caller(Kind::InvalidMethod, "CONNECT opens tunnels and cannot be sent as a request"))
        }
        Ok(method) => Ok(method),
        Err(_) => Err(Error::caller(
            Kind::InvalidMethod,
            format!("invalid method {:?}: a method is a token, RFC 9110 section 9.1", text(bytes)),
        )),
    }
}

/// The schemes' ports.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;

/// Whether a method says what a body is for: some servers refuse such a request that does not tell its length.
fn expects_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// A URL taken apart; nothing is decoded or normalised but the host's case.
struct Target<'a> {
    url: &'a str,
    secure: bool,
    /// As given, but for a zone.
    authority: Cow<'a, str>,
    host: String,
    port: u16,
    /// Path and query as given.
    path: &'a str,
}

impl<'a> Target<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Target<'a>, Error> {
        let invalid = |why: &str| {
            Error::caller(Kind::InvalidUrl, format!("invalid URL {:?}: {why}", without_login(bytes)))
        };
        if let Some(bad) = bytes.iter().find(|byte| !(0x21..0x7f).contains(*byte)) {
            return Err(invalid(&format!("byte 0x{bad:02x} has to be percent-encoded")));
        }
        let url = std::str::from_utf8(bytes).map_err(|_| invalid("not ASCII"))?;
        let (scheme, rest) =
            url.split_once("://").ok_or_else(|| invalid("no scheme; http:// or https:// is needed"))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => {
                return Err(Error::caller(
                    Kind::UnsupportedScheme,
                    format!(
                        "unsupported scheme {scheme:?} in {:?}: http and https are",
                        without_login(bytes)
                    ),
                ))
            }
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(invalid("user and password do not belong here: send an Authorization field"));
        }
        let (host, port) =
            authority::split(authority, if secure { HTTPS } else { HTTP }).map_err(|why| invalid(&why))?;
        let authority = match (authority.find('%'), authority.rfind(']')) {
            (Some(zone), Some(end)) => Cow::Owned(format!("{}{}", &authority[..zone], &authority[end..])),
            _ => Cow::Borrowed(authority),
        };
        Ok(Target { url: &url[..url.find('#').unwrap_or(url.len())], secure, authority, host, port, path })
    }
}

impl Target<'_> {
    /// What the Host field says: no port where it is the scheme's, as with requests and curl. A signature may cover it.
    fn host_field(&self) -> &str {
        let default = if self.secure { HTTPS } else { HTTP };
        match self.authority.rsplit_once(':') {
            Some((host, port)) if self.port == default && !port.contains(']') => host,
            _ => &self.authority,
        }
    }
}

/// A URL for messages, which end in logs.
fn without_login(url: &[u8]) -> String {
    let url = String::from_utf8_lossy(url);
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |length| start + length);
    let shown = match url[start..end].rfind('@') {
        Some(at) => Cow::Owned(format!("{}...{}", &url[..start], &url[start + at..])),
        None => url,
    };
    shown.chars().take(200).collect()
}

/// Whether a field may be sent: a token, and a value without control bytes (RFC 9110 section 5.5).
///
/// # Errors
/// `InvalidHeader`, showing what was given.
pub fn check_field(name: &[u8], value: &[u8]) -> Result<(), Error> {
    if name.is_empty() || !name.iter().all(|byte| TOKEN[*byte as usize]) {
        return Err(Error::caller(Kind::InvalidHeader, format!("invalid header name {:?}", text(name))));
    }
    if value.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
        let shown = if is_secret(name) { "(not shown)".into() } else { format!("{:?}", text(value)) };
        let why = format!("invalid value {shown} of header {:?}: control byte", text(name));
        return Err(Error::caller(Kind::InvalidHeader, why));
    }
    Ok(())
}

/// Whether a field says who somebody is; messages end in logs.
fn is_secret(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] = [b"authorization", b"proxy-authorization", b"cookie"];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Writes the request head and collects what concerns its framing.
struct HeadWriter {
    /// What is in between; it has the fields that are its own.
    proxy: Option<Proxy>,
    forwarded: bool,
    request_line: usize,
    out: Vec<u8>,
    framing: HeaderMap,
    has_host: bool,
    keep_alive: bool,
}

impl HeadWriter {
    fn new(
        method: &Method,
        target: &Target<'_>,
        size: usize,
        proxy: Option<Proxy>,
        http: Http,
    ) -> HeadWriter {
        let forwarded = proxy.as_ref().is_some_and(|proxy| proxy.forwards(target.secure, http));
        let mut out = Vec::with_capacity(size + 160);
        out.extend_from_slice(method.as_str().as_bytes());
        out.push(b' ');
        if forwarded {
            out.extend_from_slice(b"http://");
            out.extend_from_slice(target.authority.as_bytes());
        }
        if !target.path.starts_with('/') {
            out.push(b'/');
        }
        out.extend_from_slice(target.path.as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        HeadWriter {
            proxy,
            forwarded,
            request_line: out.len(),
            out,
            framing: HeaderMap::new(),
            has_host: false,
            keep_alive: true,
        }
    }

    fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), Error> {
        check_field(name, value)?;
        if self.is_the_proxys(name, value)? {
            return Ok(());
        }
        self.notice(name, value)?;
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(b": ");
        self.out.extend_from_slice(value);
        self.out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Whether a field is told to the proxy rather than to the origin: its credentials go into no tunnel, and what a
    /// proxy that forwards is told in its own right is not said twice.
    fn is_the_proxys(&mut self, name: &[u8], value: &[u8]) -> Result<bool, Error> {
        let Some(proxy) = &mut self.proxy else { return Ok(false) };
        if self.forwarded {
            return Ok(proxy.has(name));
        }
        if !name.eq_ignore_ascii_case(PROXY_AUTHORIZATION) {
            return Ok(false);
        }
        if !proxy.protocol.is_http() {
            let why =
                format!("Proxy-Authorization says nothing to {proxy}: user and password belong in its URL");
            return Err(Error::caller(Kind::InvalidHeader, why));
        }
        if !proxy.has(name) {
            proxy.fields.push((Bytes::copy_from_slice(name), Bytes::copy_from_slice(value)));
        }
        Ok(true)
    }

    /// Remembers the fields that rule the connection or the body. A name is only looked at where its length fits one.
    fn notice(&mut self, name: &[u8], value: &[u8]) -> Result<(), Error> {
        const NAMES: [&str; 8] = [
            "te",
            "host",
            "expect",
            "upgrade",
            "trailer",
            "connection",
            "content-length",
            "transfer-encoding",
        ];
        let Some(known) = NAMES.iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes())) else {
            return Ok(());
        };
        if *known == "host" {
            if std::mem::replace(&mut self.has_host, true) {
                return Err(Error::caller(Kind::InvalidHeader, "two Host fields, RFC 9112 section 3.2"));
            }
            return Ok(());
        }
        if *known == "connection" {
            self.keep_alive &= !has_token(value, b"close");
        }
        let value = HeaderValue::from_bytes(value)
            .map_err(|_| Error::caller(Kind::InvalidHeader, format!("invalid value of header {known}")))?;
        self.framing.append(HeaderName::from_static(known), value);
        Ok(())
    }

    fn expects(&self) -> bool {
        self.framing.get("expect").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
    }

    fn has_length(&self) -> bool {
        self.framing.contains_key("content-length")
    }

    fn is_chunked(&self) -> bool {
        self.framing.contains_key("transfer-encoding")
    }

    /// The caller's framing must agree with the body that was given, or the next request would be read as its rest.
    fn check_framing(&self, body: &Outgoing) -> Result<(), Error> {
        let refuse = |why: String| Err(Error::caller(Kind::InvalidHeader, why));
        let length = match self.framing.get_all("content-length").iter().collect::<Vec<_>>()[..] {
            [] => None,
            [one] => Some(
                one.to_str()
                    .ok()
                    .filter(|t| t.bytes().all(|b| b.is_ascii_digit()))
                    .and_then(|t| t.parse::<u64>().ok()),
            ),
            _ => return refuse("more than one Content-Length, RFC 9112 section 6.3".into()),
        };
        let coding = match self.framing.get_all("transfer-encoding").iter().collect::<Vec<_>>()[..] {
            [] => false,
            [one] if one.as_bytes().eq_ignore_ascii_case(b"chunked") => true,
            _ => return refuse("Transfer-Encoding of a request can only be chunked".into()),
        };
        if coding && length.is_some() {
            return refuse("Content-Length beside Transfer-Encoding, RFC 9112 section 6.2".into());
        }
        if coding && body.length() == Some(0) {
            return refuse("Transfer-Encoding: chunked, and there is no body, RFC 9112 section 6.1".into());
        }
        let Some(length) = length else { return Ok(()) };
        let Some(length) = length else {
            return refuse("Content-Length is not a number".into());
        };
        match body.length() {
            Some(actual) if actual == length => Ok(()),
            Some(actual) => refuse(format!("Content-Length says {length}, the body has {actual} bytes")),
            None => refuse(
                "Content-Length beside an upload of unknown length: give the length to the upload".into(),
            ),
        }
    }

    /// The head; `Host` goes first where the caller gave none (RFC 9110 section 7.2).
    fn finish(mut self, host: &str) -> Bytes {
        if !self.has_host {
            let host = [b"Host: ", host.as_bytes(), b"\r\n"].concat();
            self.out.splice(self.request_line..self.request_line, host);
        }
        Bytes::from(self.out)
    }
}

/// Whether a comma-separated field value has `token`.
pub fn has_token(value: &[u8], token: &[u8]) -> bool {
    tokens(value).any(|part| part.eq_ignore_ascii_case(token))
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

/// The protocols in Upgrade, where Connection says that they are meant.
fn offered(framing: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let upgrade = framing.get_all(UPGRADE).iter();
    let meant = |_: &&HeaderValue| {
        framing.get_all(CONNECTION).iter().any(|value| has_token(value.as_bytes(), b"upgrade"))
    };
    upgrade.filter(meant).flat_map(|value| tokens(value.as_bytes()))
}

/// tchar, RFC 9110 section 5.6.2.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut i = 0;
    while i < others.len() {
        table[others[i] as usize] = true;
        i += 1;
    }
    table
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_field_has_no_port_that_goes_without_saying() {
        for (url, host) in [
            ("http://a:80/", "a"),
            ("https://a:443", "a"),
            ("http://a:/", "a"),
            ("http://a:443/", "a:443"),
            ("https://[::1]:443/", "[::1]"),
            ("http://[::1]/", "[::1]"),
            ("http://[fe80::1%25eth0]:80/", "[fe80::1]"),
        ] {
            let head = parse(&format!("GET\n{url}"), 0).unwrap().head;
            assert_eq!(format!("GET / HTTP/1.1\r\nHost: {host}\r\n").as_bytes(), head, "{url}");
        }
    }

    #[test]
    fn a_method_that_has_a_body_says_that_there_is_none() {
        let says = |head: &str, fields| {
            let plan = parse(head, fields).unwrap();
            let lines = plan.head.split(|byte| *byte == b'\n');
            lines.filter(|line| line.to_ascii_lowercase().starts_with(b"content-length: 0")).count()
        };

        for method in ["POST", "PUT", "PATCH"] {
            assert_eq!(1, says(&format!("{method}\nhttp://a/"), 0), "{method}");
            assert_eq!(1, says(&format!("{method}\nhttp://a/\ncontent-length\n0"), 1), "{method}");
        }
        for method in ["GET", "HEAD", "DELETE", "OPTIONS", "LINK"] {
            assert_eq!(0, says(&format!("{method}\nhttp://a/"), 0), "{method}");
        }
    }

    #[test]
    fn a_url_that_is_refused_shows_no_login() {
        for url in ["http://u:secret@h/", "http://secret@u@h:x/p", "ftp://u:secret@h", "https://secret@"] {
            let error = origin_of(url).unwrap_err();
            assert!(!error.message.contains("secret"), "{error}");
        }
        assert!(origin_of("http:/h/@me").unwrap_err().message.contains("http:/h/@me"));
    }

    #[test]
    fn a_field_that_is_refused_shows_no_secret() {
        for name in ["Authorization", "proxy-authorization", "COOKIE"] {
            let error = check_field(name.as_bytes(), b"secret\x01").unwrap_err();
            assert!(error.message.contains(name) && !error.message.contains("secret"), "{error}");
        }
        assert!(check_field(b"X-Name", b"shown\x01").unwrap_err().message.contains("shown"));
    }

    fn parse(head: &str, fields: usize) -> Result<Plan, Error> {
        Plan::parse(head.as_bytes(), fields, Outgoing::Empty, Arc::default(), false)
    }

    fn kind(head: &str, fields: usize) -> Kind {
        parse(head, fields).expect_err(head).kind
    }

    #[test]
    fn the_callers_spelling_and_order_are_kept_and_host_goes_first() {
        let plan = parse("GET\nhttp://Example.org:8080/a?b#c\nX-ONE\n1\nx-two\n", 2).unwrap();

        assert_eq!(
            &b"GET /a?b HTTP/1.1\r\nHost: Example.org:8080\r\nX-ONE: 1\r\nx-two: \r\n"[..],
            &plan.head[..]
        );
        assert_eq!("example.org:8080", plan.key.to_string());
    }

    #[test]
    fn a_host_of_the_callers_stays_where_it_is() {
        let plan = parse("GET\nhttp://a\nX\n1\nHOST\nother", 2).unwrap();

        assert_eq!(&b"GET / HTTP/1.1\r\nX: 1\r\nHOST: other\r\n"[..], &plan.head[..]);
    }

    #[test]
    fn a_query_without_a_path_gets_one() {
        assert!(parse("GET\nhttp://a?b", 0).unwrap().head.starts_with(b"GET /?b HTTP/1.1\r\n"));
    }

    #[test]
    fn a_newline_cannot_inject_a_field() {
        assert_eq!(Kind::InvalidHeader, kind("GET\nhttp://a/\nX\n1\nEvil\n2", 1));
        assert_eq!(Kind::InvalidHeader, kind("GET\nhttp://a/\nX\n1", 2));
    }

    #[test]
    fn bad_urls_are_refused() {
        for url in [
            "",
            "a",
            "http://",
            "http:///x",
            "http://a b/",
            "http://a\r/",
            "http://u:p@h/",
            "http://h:0/",
            "http://h:65536/",
            "http://h:+80/",
            "http://h:8x/",
            "http://[::1/",
            "http://[::1]x/",
            "http://[example.com]/",
            "http://a%2Fb/",
            "http://a\\@b/",
            "http://ä/",
            "http://a:b:c/",
        ] {
            assert_eq!(Kind::InvalidUrl, kind(&format!("GET\n{url}"), 0), "{url}");
        }
        assert_eq!(Kind::UnsupportedScheme, kind("GET\nftp://a/", 0));
    }

    #[test]
    fn bad_methods_and_fields_are_refused() {
        for head in ["\nhttp://a", "GE T\nhttp://a", "G\rT\nhttp://a", "CONNECT\nhttp://a"] {
            assert_eq!(Kind::InvalidMethod, kind(head, 0), "{head:?}");
        }
        for field in ["\n1", "a b\n1", "a:\n1", "a\nb\rc", "a\nb\0c", "ä\n1"] {
            assert_eq!(Kind::InvalidHeader, kind(&format!("GET\nhttp://a\n{field}"), 1), "{field:?}");
        }
    }

    #[test]
    fn framing_that_contradicts_the_body_is_refused() {
        for fields in [
            "Content-Length\n5",
            "Content-Length\n+0",
            "Content-Length\n0\nContent-Length\n0",
            "Content-Length\n0\nTransfer-Encoding\nchunked",
            "Transfer-Encoding\ngzip",
            "Transfer-Encoding\nchunked",
            "Host\na\nHost\nb",
        ] {
            let count = fields.matches('\n').count().div_ceil(2);
            assert_eq!(Kind::InvalidHeader, kind(&format!("POST\nhttp://a\n{fields}"), count), "{fields:?}");
        }
    }

    #[test]
    fn an_ipv6_host_loses_its_brackets_in_the_key_and_keeps_them_on_the_wire() {
        let plan = parse("GET\nhttp://[::1]:81/", 0).unwrap();

        assert_eq!(("::1", 81), (&*plan.key.host, plan.key.port));
        assert!(plan.head.ends_with(b"Host: [::1]:81\r\n"));
    }

    #[test]
    fn a_zone_keeps_connections_apart_and_is_not_sent() {
        let plan = |url: &str| parse(&format!("GET\n{url}"), 0).unwrap();
        let one = plan("http://[fe80::1%25a]:81/");

        assert_ne!(one.key, plan("http://[fe80::1%25b]:81/").key);
        assert_ne!(one.key, plan("http://[fe80::1]:81/").key);
        assert!(one.head.ends_with(b"Host: [fe80::1]:81\r\n"));
    }

    #[test]
    fn a_zone_is_no_part_of_a_name_that_goes_past_the_proxy() {
        let mut options = Options::default();
        options.proxy.set_url("proxy").unwrap();
        options.proxy.set_bypass("*.example.com,example.com");
        let plan =
            Plan::parse(b"GET\nhttp://[::1%25.example.com]/", 0, Outgoing::Empty, options.into(), false);

        assert!(plan.unwrap().key.proxy.is_some());
    }

    fn through(url: &str, head: &str, fields: usize) -> Result<Plan, Error> {
        let mut options = Options::default();
        options.proxy.set_url(url).unwrap();
        Plan::parse(head.as_bytes(), fields, Outgoing::Empty, Arc::new(options), false)
    }

    #[test]
    fn a_request_that_is_forwarded_names_its_whole_url_and_logs_in() {
        let plan =
            through("http://u:p@proxy:3128", "GET\nhttp://A:81?b#c\nX\n1\nproxy-authorization\nother", 2)
                .unwrap();

        let expected =
            "GET http://A:81/?b HTTP/1.1\r\nHost: A:81\r\nX: 1\r\nProxy-Authorization: Basic dTpw\r\n";
        assert_eq!(expected, String::from_utf8(plan.head.to_vec()).unwrap());
        assert_eq!(
            ("proxy http://proxy:3128".into(), "proxy", 3128),
            (plan.key.to_string(), &*plan.key.host, plan.key.port)
        );
    }

    #[test]
    fn fields_for_a_proxy_that_forwards_rule_the_connection_as_others_do() {
        let told = |name: &str, value: &str| {
            let mut options = Options::default();
            options.proxy.set_url("proxy").unwrap();
            options.proxy.add_field(name.as_bytes(), value.as_bytes());
            let head = b"GET\nhttp://a\nHost\nb\nX\n1";
            Plan::parse(head, 2, Outgoing::Empty, Arc::new(options), false)
        };

        assert!(!told("Connection", "close").unwrap().keep_alive);
        assert!(told("host", "c").unwrap().head.ends_with(b"HTTP/1.1\r\nX: 1\r\nhost: c\r\n"));
        assert_eq!(Kind::InvalidHeader, told("Content-length", "5").unwrap_err().kind);
        assert_eq!(Kind::InvalidHeader, told("Transfer-Encoding", "chunked").unwrap_err().kind);
    }

    #[test]
    fn credentials_for_the_proxy_go_into_no_tunnel() {
        let plan = through("http://proxy", "GET\nhttps://a/\nPROXY-Authorization\nBasic x\nX\n1", 2).unwrap();

        assert_eq!(&b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n"[..], &plan.head[..]);
        let proxy = plan.key.proxy.as_ref().unwrap();
        assert_eq!(vec![("PROXY-Authorization".into(), "Basic x".into())], proxy.fields);
        assert_eq!("a:443 through proxy http://proxy:80", plan.key.to_string());
        let refused = through("socks5://proxy", "GET\nhttp://a/\nProxy-Authorization\nBasic x", 1);
        assert_eq!(Kind::InvalidHeader, refused.unwrap_err().kind);
    }

    #[test]
    fn a_zone_tells_hosts_apart() {
        let key = |host: &str| parse(&format!("GET\nhttp://{host}/"), 0).unwrap().key;

        assert_ne!(key("[fe80::1%25a]"), key("[fe80::1%25b]")); // CVE-2022-27775
        assert_eq!(key("[FE80::1%25a]:80"), key("[fe80:0::1%25a]"));
    }

    #[test]
    fn other_credentials_are_another_connection_and_other_origins_are_not() {
        let key = |proxy, url: &str| through(proxy, &format!("GET\n{url}"), 0).unwrap().key;

        assert_ne!(key("http://u:p@proxy", "https://a"), key("http://u:P@proxy", "https://a"));
        assert_ne!(key("http://u:p@proxy", "http://a"), key("http://proxy", "http://a"));
        assert_ne!(key("socks5://u:p@proxy", "http://a"), key("socks5://u:q@proxy", "http://a"));
        assert_ne!(key("socks5://proxy", "http://a"), key("socks5://proxy", "http://b"));
        assert_ne!(key("http://proxy", "http://a"), through("", "GET\nhttp://proxy", 0).unwrap().key);
        assert_eq!(key("http://proxy", "http://a"), key("http://proxy", "http://b"));
    }
}
