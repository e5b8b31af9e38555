//! An exchange of HTTP/2 with a server that greets and then sends anything: it ends, and the next request, on another
//! connection, is answered.
//!
//! Cut into pieces the same bytes may lead to an answer once and to an error once, for an error of the connection ends
//! all of its streams, those included that nobody has read yet. But two answers are the same answer.

use requestx::options::Http;

use crate::input::{choices, cut};
use crate::peer::ask;

const GREETING: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
/// A greeting; `:status: 200`, which is one byte; and "fresh".
const FRESH: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x05\0\x01\0\0\0\x01fresh";

pub fn check(data: &[u8]) {
    let Some(([how], bytes)) = choices(data) else { return };
    let said = [&GREETING[..], bytes].concat();
    let whole = ask(Http::Two, "GET", &[&said], FRESH);
    let pieces = ask(Http::Two, "GET", &cut(&said, how), FRESH);

    if let (Ok(one), Ok(other)) = (&whole, &pieces) {
        assert_eq!(one, other);
        assert!(one.body.len() <= bytes.len());
    }
}

/// Whether a client that has said this has asked for something: behind its preface there is a frame of HEADERS.
pub fn asks(heard: &[u8]) -> bool {
    let mut rest = heard.get(24..).unwrap_or_default();
    while let Some(([a, b, c, kind, ..], _)) = rest.split_first_chunk::<9>() {
        if *kind == 1 {
            return true;
        }
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        rest = rest.get(9 + length..).unwrap_or_default();
    }
    false
}
