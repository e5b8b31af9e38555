//! A server that asks who one is: what is answered may be sent, and says what the server said, and nothing it has made up.
//!
//! The answer is a field without control bytes, of bounded length; taken apart it has each parameter once, the realm and
//! nonce among them.

use requestx::head::Head;
use requestx::plan::check_field;
use requestx::policy::auth::{challenge, Asked};
use requestx::proxy::Login;

use crate::input::choices;

const ASKED: Asked<'static> = Asked { method: "GET", uri: "/a?b=\"c\"", body: b"" };
const LONGEST: usize = 16 * 1024;

pub fn check(data: &[u8]) {
    let Some(([count], value)) = choices(data) else { return };
    let head = [b"HTTP/1.1 401 No\r\nWWW-Authenticate: ", value, b"\r\n\r\n"].concat();
    let Ok((head, _)) = Head::read(&head, b"", false) else { return };
    let Some(challenge) = challenge(&head) else { return };
    let login = Login { user: b"a \"b\"\\".to_vec(), password: b"secret".to_vec() };
    let Some(answer) = challenge.answer(&login, ASKED, u32::from(count)) else { return };

    assert!(check_field(b"Authorization", &answer).is_ok() && answer.len() < LONGEST, "{answer:?}");
    let told = || String::from_utf8_lossy(&answer);
    let parameters = parameters(answer.strip_prefix(b"Digest ").unwrap());
    for name in ["username", "realm", "nonce", "uri", "response"] {
        assert_eq!(1, parameters.iter().filter(|(other, _)| *other == name.as_bytes()).count(), "{}", told());
    }
    let uri = &parameters.iter().find(|(name, _)| *name == b"uri").unwrap().1;
    assert_eq!(ASKED.uri.as_bytes(), uri, "{}", told());
    assert!(
        !answer.windows(6).any(|part| part == b"secret") || value.windows(6).any(|part| part == b"secret")
    );
}

/// Names and values of what we write ourselves: no spaces but behind commas.
fn parameters(mut rest: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let at = rest.iter().position(|byte| *byte == b'=').expect("a name");
        let (name, mut text) = (&rest[..at], rest[at + 1..].iter());
        let mut value = Vec::new();
        if text.as_slice().starts_with(b"\"") {
            text.next();
            loop {
                match text.next().expect("a closing quote") {
                    b'"' => break,
                    b'\\' => value.push(*text.next().expect("what is quoted")),
                    byte => value.push(*byte),
                }
            }
        } else {
            let end = text.as_slice().iter().position(|byte| *byte == b',').unwrap_or(text.len());
            value.extend(text.by_ref().take(end));
        }
        rest = text.as_slice();
        rest = rest.strip_prefix(b", ").unwrap_or(rest);
        found.push((name, value));
    }
    found
}
