//! The head of a response, read once, from the server's own bytes.
//!
//! The caller gets every field as it was spelt, in its order. hyper gets a head of its own with what rules the framing
//! and the connection, field by field as the server sent it: how a body ends is decided in one place, and it is hyper's.

use std::mem::MaybeUninit;

use crate::deadline::Phase;
use crate::error::{Error, Kind};

/// A response's head.
#[derive(Debug, Clone)]
pub struct Head {
    pub status: u16,
    /// 10 or 11.
    pub version: u16,
    pub reason: Vec<u8>,
    /// `name\nvalue\nname\nvalue`, in wire order and case, duplicates kept.
    pub block: Vec<u8>,
    pub fields: u32,
    /// The values of Content-Encoding, joined by commas.
    pub codings: Vec<u8>,
    pub sets_cookies: bool,
}

/// Most fields a response may have; requests' own limit is 100, some servers send 300.
const MAX_FIELDS: usize = 512;

/// Whose fields hyper has to see: RFC 9112 sections 6, 7 and 9, and RFC 9110 section 7.8.
const FRAMING: [&str; 6] = ["te", "trailer", "upgrade", "connection", "content-length", "transfer-encoding"];

impl Head {
    /// Reads a whole head, and makes what hyper gets: a head of its own, and the `rest` behind it.
    ///
    /// # Errors
    /// `Protocol` if it is no head of HTTP/1, `TooLarge` if it has too many fields.
    pub fn read(bytes: &[u8], rest: &[u8]) -> Result<(Head, Vec<u8>), Error> {
        let mut space = [const { MaybeUninit::uninit() }; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        match config.parse_response_with_uninit_headers(&mut response, bytes, &mut space) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(refuse("it is not whole")),
            Err(httparse::Error::TooManyHeaders) => {
                let why = format!("the response has more than {MAX_FIELDS} header fields");
                return Err(Error::new(Kind::TooLarge, Phase::Await, why));
            }
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
        };
        let mut hypers = Vec::with_capacity(rest.len() + 128);
        hypers.extend_from_slice(if head.version == 10 { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
        hypers.extend([100, 10, 1].map(|place| b'0' + (head.status / place % 10) as u8));
        hypers.extend_from_slice(b" \r\n");
        for field in response.headers.iter() {
            head.add(field.name.as_bytes(), field.value);
            if FRAMING.iter().any(|name| field.name.eq_ignore_ascii_case(name)) {
                for part in [field.name.as_bytes(), b": ", field.value, b"\r\n"] {
                    hypers.extend_from_slice(part);
                }
            }
        }
        hypers.extend_from_slice(b"\r\n");
        hypers.extend_from_slice(rest);
        Ok((head, hypers))
    }

    fn add(&mut self, name: &[u8], value: &[u8]) {
        if !self.block.is_empty() {
            self.block.push(b'\n');
        }
        self.block.extend_from_slice(name);
        self.block.push(b'\n');
        self.block.extend_from_slice(value);
        if name.eq_ignore_ascii_case(b"content-encoding") {
            self.codings.extend_from_slice(value);
            self.codings.push(b',');
        }
        self.sets_cookies |= name.eq_ignore_ascii_case(b"set-cookie");
    }
}

fn refuse(why: &str) -> Error {
    Error::new(Kind::Protocol, Phase::Await, format!("the response's head is not valid HTTP/1: {why}"))
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
    fn the_block_keeps_case_order_and_duplicates() {
        let (head, _) = Head::read(
            b"HTTP/1.0 200 Very  OK \r\nETag: \"x\"\r\nset-COOKIE:  a \r\nSet-Cookie: b\r\n\r\n",
            b"",
        )
        .unwrap();

        assert_eq!(&b"ETag\n\"x\"\nset-COOKIE\na\nSet-Cookie\nb"[..], &head.block[..]);
        assert_eq!(
            (10, &b"Very  OK"[..], 3, true),
            (head.version, &head.reason[..], head.fields, head.sets_cookies)
        );
    }

    #[test]
    fn hyper_sees_the_framing_as_the_server_sent_it() {
        let sent =
            b"HTTP/1.1 200 OK\r\nX: 1\r\nContent-LENGTH: 5\r\nContent-Length: 6\r\nconnection: Close\r\n\r\n";

        let expected = "HTTP/1.1 200 \r\nContent-LENGTH: 5\r\nContent-Length: 6\r\nconnection: Close\r\n\r\n";
        assert_eq!(expected, String::from_utf8(Head::read(sent, b"").unwrap().1).unwrap());
    }

    #[test]
    fn a_missing_reason_is_empty() {
        assert_eq!(b"", &Head::read(b"HTTP/1.1 204\r\n\r\n", b"").unwrap().0.reason[..]);
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for bad in ["HTTP/1.1 2x0 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA\0: 1\r\n\r\n"] {
            assert_eq!(Kind::Protocol, Head::read(bad.as_bytes(), b"").unwrap_err().kind, "{bad:?}");
        }
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: 1\r\n".repeat(MAX_FIELDS + 1));
        assert_eq!(Kind::TooLarge, Head::read(many.as_bytes(), b"").unwrap_err().kind);
    }
}
