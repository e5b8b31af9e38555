//! The head of a response, read once, from the server's own bytes.
//!
//! The caller gets every field as it was spelt, in its order. hyper gets a head of its own with what rules the framing
//! and the connection, field by field as the server sent it: how a body ends is decided in one place, and it is hyper's.
//!
//! There is one exception, for most answers are short: a body that came whole with its head, under one plain
//! Content-Length, leaves nothing to decide. It is taken off here, and hyper is told of an answer without one.
//! That saves hyper's channel, its buffer and two copies, 1 µs of the 12 that a request takes.

use std::mem::MaybeUninit;

use bytes::Bytes;

use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::plan::has_token;

/// A response's head.
#[derive(Debug, Clone)]
pub struct Head {
    pub status: u16,
    /// 10, 11 or 20.
    pub version: u16,
    pub reason: Vec<u8>,
    /// `name\nvalue\nname\nvalue`, in wire order and case, duplicates kept.
    pub block: Vec<u8>,
    pub fields: u32,
    /// The values of Content-Encoding, joined by commas.
    pub codings: Vec<u8>,
    pub sets_cookies: bool,
    /// The server lets the connection live: RFC 9112 section 9.3.
    pub keeps: bool,
    /// The body, if it came whole with the head.
    pub body: Option<Bytes>,
    /// Informational heads that came before, 101 not among them.
    pub before: Vec<Head>,
}

/// Fields behind a body, as hyper gives them: names in lower case.
#[derive(Debug, Clone, Default)]
pub struct Trailers {
    /// As a head's.
    pub block: Vec<u8>,
    pub fields: u32,
}

impl Trailers {
    pub fn of(fields: &http::HeaderMap) -> Trailers {
        let mut trailers = Trailers { block: Vec::new(), fields: fields.len() as u32 };
        fields
            .iter()
            .for_each(|(name, value)| add(&mut trailers.block, name.as_str().as_bytes(), value.as_bytes()));
        trailers
    }
}

fn add(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if !block.is_empty() {
        block.push(b'\n');
    }
    block.extend_from_slice(name);
    block.push(b'\n');
    block.extend_from_slice(value);
}

/// Most fields a response may have; requests' own limit is 100, some servers send 300.
const MAX_FIELDS: usize = 512;

/// Informational responses that are followed to the final one: servers send one or two, an attacker 167,000.
pub const INFORMATIONAL: usize = 32;

pub const SWITCHING_PROTOCOLS: u16 = 101;
const NO_CONTENT: u16 = 204;
const NOT_MODIFIED: u16 = 304;

/// Whose fields hyper has to see: RFC 9112 sections 6, 7 and 9, and RFC 9110 section 7.8.
const FRAMING: [&str; 6] = ["te", "trailer", "upgrade", "connection", "content-length", "transfer-encoding"];

impl Head {
    /// Reads a whole head, and makes what hyper gets: a head of its own, and the `rest` behind it.
    /// `answers_head`: there is no body, whatever the fields say.
    ///
    /// # Errors
    /// `Protocol` if it is no head of HTTP/1, `TooLarge` if it has too many fields.
    pub fn read(bytes: &[u8], rest: &[u8], answers_head: bool) -> Result<(Head, Bytes), Error> {
        let mut space = [const { MaybeUninit::uninit() }; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut []);
        let mut config = httparse::ParserConfig::default();
        config.allow_obsolete_multiline_headers_in_responses(true);
        match config.parse_response_with_uninit_headers(&mut response, bytes, &mut space) {
            Ok(httparse::Status::Complete(end)) if end == bytes.len() => {}
            Ok(_) => return Err(refuse("it does not end where it should")),
            Err(httparse::Error::TooManyHeaders) => return Err(too_many_fields()),
            Err(error) => return Err(refuse(&error.to_string())),
        }
        let mut head = Head {
            status: response.code.unwrap_or(0),
            version: 10 + u16::from(response.version.unwrap_or(1)),
            reason: reason_of(bytes),
            block: Vec::with_capacity(bytes.len()),
            fields: response.headers.len() as u32,
            codings: Vec::new(),
            sets_cookies: false,
            keeps: false,
            body: None,
            before: Vec::new(),
        };
        let mut framing = Framing::default();
        for field in response.headers.iter() {
            if memchr::memchr(b'\n', field.value).is_none() {
                head.add(field.name.as_bytes(), field.value);
            } else if is_framing(field.name) {
                return Err(refuse("a field that frames the body goes on in the next line"));
            } else {
                head.add(field.name.as_bytes(), &unfolded(field.value));
            }
            framing.notice(field);
        }
        head.keeps = framing.keeps(head.version) && head.status != SWITCHING_PROTOCOLS;
        if !answers_head && framing.ends_with(rest, head.status) {
            head.body = Some(Bytes::copy_from_slice(rest));
        }
        let hypers = framing.for_hyper(&head, rest, response.headers);
        Ok((head, hypers))
    }

    /// A head of HTTP/2: names are in lower case, and there is no reason.
    ///
    /// # Errors
    /// `TooLarge` if it has too many fields.
    pub fn of_http2(status: http::StatusCode, fields: &http::HeaderMap) -> Result<Head, Error> {
        let mut head = Head {
            status: status.as_u16(),
            version: 20,
            reason: Vec::new(),
            block: Vec::new(),
            fields: fields.len() as u32,
            codings: Vec::new(),
            sets_cookies: false,
            keeps: true,
            body: None,
            before: Vec::new(),
        };
        if fields.len() > MAX_FIELDS {
            return Err(too_many_fields());
        }
        for (name, value) in fields {
            head.add(name.as_str().as_bytes(), value.as_bytes());
        }
        Ok(head)
    }

    /// Every value of the field `name`, which is in lower case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let mut lines = self.block.split(|byte| *byte == b'\n');
        let fields = std::iter::from_fn(move || Some((lines.next()?, lines.next()?)));
        fields.filter(move |(key, _)| key.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Whether the server says that what was asked for is elsewhere, and where.
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308) && self.all("location").next().is_some()
    }

    fn add(&mut self, name: &[u8], value: &[u8]) {
        add(&mut self.block, name, value);
        if name.eq_ignore_ascii_case(b"content-encoding") {
            self.codings.extend_from_slice(value);
            self.codings.push(b',');
        }
        self.sets_cookies |= name.eq_ignore_ascii_case(b"set-cookie");
    }
}

/// What the fields say of the body's end and of the connection.
#[derive(Default)]
struct Framing<'a> {
    length: Option<&'a [u8]>,
    /// More than one plain Content-Length: for hyper to judge.
    special: bool,
    /// There is a Transfer-Encoding.
    coded: bool,
    says_close: bool,
    says_keep_alive: bool,
}

impl<'a> Framing<'a> {
    fn notice(&mut self, field: &httparse::Header<'a>) {
        if !is_framing(field.name) {
            return;
        }
        if field.name.eq_ignore_ascii_case("connection") {
            self.says_close |= has_token(field.value, b"close");
            self.says_keep_alive |= has_token(field.value, b"keep-alive");
        } else if field.name.eq_ignore_ascii_case("content-length") && self.length.is_none() {
            self.length = Some(field.value);
        } else {
            self.special = true;
            self.coded |= field.name.eq_ignore_ascii_case("transfer-encoding");
        }
    }

    fn keeps(&self, version: u16) -> bool {
        !self.says_close && (version == 11 || self.says_keep_alive) && !self.misfits(version)
    }

    /// HTTP/1.0 knows no Transfer-Encoding, but servers send it (Python's http.server, where it is used carelessly).
    /// It is obeyed, and the connection is given up: RFC 9112 section 6.1.
    fn misfits(&self, version: u16) -> bool {
        version == 10 && self.coded
    }

    /// Whether `rest` is the whole body, beyond doubt.
    fn ends_with(&self, rest: &[u8], status: u16) -> bool {
        let Some(length) = self.length.filter(|_| !self.special) else { return false };
        let has_body = status >= 200 && status != NO_CONTENT && status != NOT_MODIFIED;
        has_body && length.iter().all(u8::is_ascii_digit) && number(length) == Some(rest.len())
    }

    /// The head that hyper reads, and what follows it.
    fn for_hyper(&self, head: &Head, rest: &[u8], fields: &[httparse::Header<'_>]) -> Bytes {
        if head.body.is_some() && head.version == 11 {
            return Bytes::from_static(b"HTTP/1.1 204 No Content\r\n\r\n");
        }
        let (status, rest) = if head.body.is_some() { (NO_CONTENT, &b""[..]) } else { (head.status, rest) };
        let known = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let mut hypers = Vec::with_capacity(rest.len() + 160);
        let misfit = self.misfits(head.version);
        let old = head.version == 10 && !misfit;
        hypers.extend_from_slice(if old { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
        hypers.extend([100, 10, 1].map(|place| b'0' + (status / place % 10) as u8));
        hypers.push(b' ');
        hypers.extend_from_slice(known.unwrap_or_default().as_bytes()); // one it does not know it would keep
        hypers.extend_from_slice(b"\r\n");
        let length = |name: &str| name.eq_ignore_ascii_case("content-length");
        for field in fields.iter().filter(|field| is_framing(field.name)) {
            if head.body.is_none() || !length(field.name) {
                for part in [field.name.as_bytes(), b": ", field.value, b"\r\n"] {
                    hypers.extend_from_slice(part);
                }
            }
        }
        if misfit {
            hypers.extend_from_slice(b"Connection: close\r\n");
        }
        hypers.extend_from_slice(b"\r\n");
        hypers.extend_from_slice(rest);
        hypers.into()
    }
}

fn is_framing(name: &str) -> bool {
    FRAMING.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

pub fn too_many_before() -> Error {
    let why = format!("more than {INFORMATIONAL} informational responses and no final one");
    Error::new(Kind::Protocol, Phase::Await, why)
}

/// How long the fields of a head are, as RFC 9113 section 6.5.2 counts.
pub fn size_over_http2(fields: &http::HeaderMap) -> usize {
    fields.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

pub fn too_long(max_head: usize) -> Error {
    Error::new(Kind::TooLarge, Phase::Await, format!("the response's head is longer than {max_head} bytes"))
}

fn too_many_fields() -> Error {
    let why = format!("the response has more than {MAX_FIELDS} header fields");
    Error::new(Kind::TooLarge, Phase::Await, why)
}

fn refuse(why: &str) -> Error {
    Error::new(Kind::Protocol, Phase::Await, format!("the response's head is not valid HTTP/1: {why}"))
}

/// A value that goes on in further lines as one line: RFC 9112 section 5.2 wants a space for each fold.
fn unfolded(value: &[u8]) -> Vec<u8> {
    let lines: Vec<_> = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).collect();
    lines.join(&b' ')
}

/// The reason phrase byte by byte: httparse shows it only where it is ASCII.
fn reason_of(bytes: &[u8]) -> Vec<u8> {
    let line = bytes.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default().trim_ascii().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_in_several_lines_is_one() {
        let folded = |field: &str| {
            let head = format!("HTTP/1.1 200 OK\r\n{field}\r\nB: 2\r\n\r\n");
            Head::read(head.as_bytes(), b"", false).map(|(head, _)| head.block)
        };

        assert_eq!(&b"A\n1 2 3\nB\n2"[..], &folded("A: 1\r\n  2 \r\n\t3").unwrap()[..]);
        assert!(folded("Content-Length: 5\r\n 6").is_err());
    }

    #[test]
    fn the_block_keeps_case_order_and_duplicates() {
        let (head, _) = Head::read(
            b"HTTP/1.0 200 Very  OK \r\nETag: \"x\"\r\nset-COOKIE:  a \r\nSet-Cookie: b\r\n\r\n",
            b"",
            false,
        )
        .unwrap();

        assert_eq!(&b"ETag\n\"x\"\nset-COOKIE\na\nSet-Cookie\nb"[..], &head.block[..]);
        assert_eq!(
            (10, &b"Very  OK"[..], 3, true),
            (head.version, &head.reason[..], head.fields, head.sets_cookies)
        );
    }

    #[test]
    fn a_field_is_found_in_any_case_and_each_time() {
        let sent = b"HTTP/1.1 200 OK\r\nA: B\r\nB: 1\r\nC:\r\nb: 2\r\n\r\n";
        let (head, _) = Head::read(sent, b"", false).unwrap();

        assert_eq!(vec![&b"1"[..], b"2"], head.all("b").collect::<Vec<_>>());
        assert_eq!(None, Head::read(b"HTTP/1.1 200 OK\r\n\r\n", b"", false).unwrap().0.all("b").next());
    }

    #[test]
    fn trailers_are_fields_like_a_heads() {
        let mut fields = http::HeaderMap::new();
        fields.append("x-sum", "1".parse().unwrap());
        fields.append("x-sum", "2".parse().unwrap());
        let trailers = Trailers::of(&fields);

        assert_eq!((&b"x-sum\n1\nx-sum\n2"[..], 2), (&trailers.block[..], trailers.fields));
    }

    #[test]
    fn hyper_sees_the_framing_as_the_server_sent_it() {
        let sent =
            b"HTTP/1.1 200 OK\r\nX: 1\r\nContent-LENGTH: 5\r\nContent-Length: 6\r\nconnection: Close\r\n\r\n";

        let expected =
            "HTTP/1.1 200 OK\r\nContent-LENGTH: 5\r\nContent-Length: 6\r\nconnection: Close\r\n\r\n";
        assert_eq!(expected, String::from_utf8(Head::read(sent, b"", false).unwrap().1.to_vec()).unwrap());
    }

    #[test]
    fn chunks_in_http_1_0_are_read_and_end_the_connection() {
        let sent = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n";
        let (head, hypers) = Head::read(sent, b"", false).unwrap();

        assert_eq!((10, false), (head.version, head.keeps));
        assert!(hypers.starts_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"));
        assert!(hypers.ends_with(b"\r\nConnection: close\r\n\r\n"));
    }

    #[test]
    fn a_missing_reason_is_empty() {
        assert_eq!(b"", &Head::read(b"HTTP/1.1 204\r\n\r\n", b"", false).unwrap().0.reason[..]);
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for bad in ["HTTP/1.1 2x0 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA\0: 1\r\n\r\n"] {
            assert_eq!(Kind::Protocol, Head::read(bad.as_bytes(), b"", false).unwrap_err().kind, "{bad:?}");
        }
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: 1\r\n".repeat(MAX_FIELDS + 1));
        assert_eq!(Kind::TooLarge, Head::read(many.as_bytes(), b"", false).unwrap_err().kind);
    }

    fn body_of(head: &str, rest: &[u8], answers_head: bool) -> (Option<Bytes>, Bytes) {
        let (head, hypers) = Head::read(head.as_bytes(), rest, answers_head).unwrap();
        (head.body, hypers)
    }

    #[test]
    fn a_body_that_came_whole_is_taken_off_and_hyper_is_told_of_none() {
        let (body, hypers) = body_of("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"body", false);

        assert_eq!(
            (Some(&b"body"[..]), &b"HTTP/1.1 204 No Content\r\n\r\n"[..]),
            (body.as_deref(), &hypers[..])
        );
    }

    #[test]
    fn in_http_1_0_hyper_still_learns_whether_the_connection_lives() {
        let sent = "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n";
        let (body, hypers) = body_of(sent, b"x", false);

        let expected = b"HTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n\r\n";
        assert_eq!((Some(&b"x"[..]), &expected[..]), (body.as_deref(), &hypers[..]));
    }

    #[test]
    fn whatever_leaves_a_doubt_is_hypers_to_decide() {
        for (fields, rest) in [
            ("Content-Length: 5", "body"), // more is to come
            ("Content-Length: 3", "body"), // more came than was announced
            ("Content-Length: +4", "body"),
            ("Content-Length: 4\r\nContent-Length: 4", "body"),
            ("Content-Length: 4\r\nTransfer-Encoding: chunked", "body"),
            ("Content-Length: 4\r\nUpgrade: x", "body"),
            ("X: 1", "body"),
        ] {
            let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
            let (body, hypers) = body_of(&head, rest.as_bytes(), false);

            assert_eq!((None, true), (body, hypers.ends_with(rest.as_bytes())), "{fields}");
        }
        for status in [101, 204, 304] {
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 4\r\n\r\n");
            assert_eq!(None, body_of(&head, b"body", false).0, "{status}");
        }
        assert_eq!(None, body_of("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"body", true).0);
    }

    #[test]
    fn the_connection_lives_as_rfc_9112_says() {
        let keeps = |head: &str| Head::read(head.as_bytes(), b"", false).unwrap().0.keeps;

        assert!(keeps("HTTP/1.1 200 OK\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n\r\n"));
        assert!(!keeps("HTTP/1.0 200 OK\r\n\r\n"));
        assert!(keeps("HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 101 Up\r\n\r\n"));
    }
}
