//! What came back: status, the head as the server spelt it, and the body, whole or to be pulled.

use bytes::Bytes;

use crate::body::recv::Body;
use crate::deadline::{Phase, PHASES};
use crate::error::{Error, Kind};
use crate::wire::Counts;

/// The head of a response, made from the server's own bytes.
#[derive(Debug, Clone)]
pub struct Head {
    pub status: u16,
    /// 10 or 11.
    pub version: u16,
    pub reason: Vec<u8>,
    /// `name\nvalue\nname\nvalue`, in wire order and case, duplicates kept.
    pub block: Vec<u8>,
    pub fields: u32,
}

/// Most fields a response may have; requests' own limit is 100, some servers send 300.
pub const MAX_FIELDS: usize = 512;

impl Head {
    /// Parses a recorded head and checks it against what hyper made of the same bytes.
    ///
    /// # Errors
    /// `Protocol` if the two disagree: one of us would then be reading another message.
    pub fn parse(recorded: &[u8], status: u16, fields: usize) -> Result<Head, Error> {
        let differs = || {
            Error::new(
                Kind::Protocol,
                Phase::Await,
                "the response's head cannot be read the same way twice",
            )
        };
        let mut space = vec![httparse::EMPTY_HEADER; fields];
        let mut response = httparse::Response::new(&mut space);
        let parsed = response.parse(recorded).map_err(|_| differs())?;
        if !parsed.is_complete()
            || response.code != Some(status)
            || response.headers.len() != fields
        {
            return Err(differs());
        }
        let mut block = Vec::with_capacity(recorded.len());
        for field in response.headers.iter() {
            if !block.is_empty() {
                block.push(b'\n');
            }
            block.extend_from_slice(field.name.as_bytes());
            block.push(b'\n');
            block.extend_from_slice(field.value);
        }
        Ok(Head {
            status,
            version: 10 + u16::from(response.version.unwrap_or(1)),
            reason: reason_of(recorded),
            fields: fields as u32,
            block,
        })
    }
}

/// The reason phrase byte by byte: httparse shows it only where it is ASCII.
fn reason_of(recorded: &[u8]) -> Vec<u8> {
    let line = recorded
        .trim_ascii_start()
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    line.splitn(3, |byte| *byte == b' ')
        .nth(2)
        .unwrap_or_default()
        .trim_ascii()
        .to_vec()
}

/// Where the time went, and how much passed the wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// Nanoseconds, by phase; 0 for what did not happen.
    pub spent: [u64; PHASES],
    pub counts: Counts,
    pub connection: u64,
    pub reused: bool,
}

/// A response.
#[derive(Debug)]
pub struct Reply {
    pub head: Head,
    /// The body, if it was read to its end within the exchange.
    pub whole: Option<Bytes>,
    /// The rest of it otherwise.
    pub body: Option<Body>,
    pub timing: Timing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_keeps_case_order_and_duplicates() {
        let head = Head::parse(
            b"HTTP/1.0 200 Very  OK \r\nETag: \"x\"\r\nset-COOKIE:  a \r\nSet-Cookie: b\r\n\r\n",
            200,
            3,
        )
        .unwrap();

        assert_eq!(
            &b"ETag\n\"x\"\nset-COOKIE\na\nSet-Cookie\nb"[..],
            &head.block[..]
        );
        assert_eq!(
            (10, &b"Very  OK"[..], 3),
            (head.version, &head.reason[..], head.fields)
        );
    }

    #[test]
    fn a_head_that_hyper_read_otherwise_is_refused() {
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", 200, 2).is_err());
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\n\r\n", 201, 0).is_err());
    }

    #[test]
    fn a_missing_reason_is_empty() {
        assert_eq!(
            b"",
            &Head::parse(b"HTTP/1.1 204\r\n\r\n", 204, 0).unwrap().reason[..]
        );
    }
}
