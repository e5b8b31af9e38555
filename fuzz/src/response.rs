//! An exchange of HTTP/1: the same bytes are the same answer, however they are cut into pieces.
//!
//! It always ends, and whatever came, the next request gets its own answer: a connection on which anything was left
//! over, or went wrong, serves nobody.

use requestx::options::Http;

use crate::input::{choices, cut};
use crate::peer::ask;

const METHODS: [&str; 2] = ["GET", "HEAD"];
const FRESH: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfresh";

pub fn check(data: &[u8]) {
    let Some(([method, how], bytes)) = choices(data) else { return };
    let method = METHODS[usize::from(method) % METHODS.len()];
    let whole = ask(Http::One, method, &[bytes], FRESH);
    let pieces = ask(Http::One, method, &cut(bytes, how), FRESH);

    assert_eq!(whole, pieces);
    if let Ok(answer) = whole {
        assert!(answer.body.len() <= bytes.len() && (method == "GET" || answer.body.is_empty()));
    }
}
