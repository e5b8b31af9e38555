//! What a caller asks for: a request that is taken is sent as exactly that request.
//!
//! Another parser finds one head in the bytes for the wire, with the method, the target and the fields that were given,
//! a Host where none was, "no body" where one is expected, and nothing behind: no part of it can have become a field, or a second request.
//! The connection that it goes over is one to the host and port that the URL names.

use std::sync::Arc;

use requestx::plan::{Outgoing, Plan};

pub fn check(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let fields = lines.len().saturating_sub(2) / 2;
    let Ok(plan) = Plan::parse(data, fields, Outgoing::Empty, Arc::default(), false) else { return };

    let sent = [&plan.head[..], b"\r\n"].concat();
    let mut space = vec![httparse::EMPTY_HEADER; fields + 2];
    let mut request = httparse::Request::new(&mut space);
    assert_eq!(Ok(httparse::Status::Complete(sent.len())), request.parse(&sent), "{sent:?}");
    assert_eq!(lines[0], request.method.unwrap().as_bytes());
    let (authority, target) = named(lines[1]);
    assert_eq!(target, request.path.unwrap());
    let (host, port) = requestx::authority::split(authority, if plan.key.secure { 443 } else { 80 }).unwrap();
    assert_eq!((&host[..], port), (&*plan.key.host, plan.key.port));
    let mut sent =
        request.headers.iter().map(|field| (field.name.as_bytes(), field.value)).collect::<Vec<_>>();
    let given: Vec<_> = lines[2..].chunks(2).map(|field| (field[0], field[1].trim_ascii())).collect();
    if !given.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"host")) {
        let (name, value) = sent.remove(0);
        assert_eq!((&b"Host"[..], true), (name, authority.as_bytes().starts_with(&value[..1])));
    }
    if sent.len() > given.len() {
        assert_eq!(Some((&b"Content-Length"[..], &b"0"[..])), sent.pop());
    }
    assert_eq!(given, sent);
}

/// Authority and target of a URL, read as one reads it aloud.
fn named(url: &[u8]) -> (&str, String) {
    let url = std::str::from_utf8(url).unwrap();
    let rest = url.split_once("://").unwrap().1.split('#').next().unwrap();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let root = if rest[end..].starts_with('/') { "" } else { "/" };
    (&rest[..end], format!("{root}{}", &rest[end..]))
}
