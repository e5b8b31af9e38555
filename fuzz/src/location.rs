//! Where a redirect leads: to a URL that can be asked for, at the host that another reader of URLs finds in it.
//!
//! A reference that names no host stays at the one that it came from, and what was meant for that one goes to no other.
//! Resolving what was resolved changes nothing.

use std::sync::Arc;

use bytes::Bytes;
use requestx::head::Head;
use requestx::plan::{origin_of, Outgoing, Plan};
use requestx::policy::follow::{follow, target};
use requestx::policy::reference::resolve;
use requestx::policy::request::Request;

use crate::input::choices;

const FROM: [&str; 5] = [
    "http://a.example/b/c/d;p?q#f",
    "https://a.example:8443/",
    "http://a.example",
    "https://[2001:db8::1]/x?y",
    "http://192.0.2.1:80/x",
];
const SECRETS: [&str; 3] = ["Authorization", "Cookie", "Proxy-Authorization"];

pub fn check(data: &[u8]) {
    let Some(([from], location)) = choices(data) else { return };
    let from = FROM[usize::from(from) % FROM.len()];
    let head = [b"HTTP/1.1 302 Found\r\nLocation:", location, b"\r\n\r\n"].concat();
    let Ok((head, _)) = Head::read(&head, b"", false) else { return };
    let fields = SECRETS.map(|name| (Bytes::from_static(name.as_bytes()), Bytes::from_static(b"secret")));
    let mut request =
        Request { method: "GET".into(), url: from.into(), fields: fields.to_vec(), body: Outgoing::Empty };
    let Ok(url) = target(&head, &request, true) else { return };

    assert_eq!(url, resolve(FROM[0], &url), "from {from}");
    let plan =
        Plan::parse(format!("GET\n{url}").as_bytes(), 0, Outgoing::Empty, Arc::default(), false).unwrap();
    let (there, here) = (origin(&url), origin(from));
    let asked = (plan.key.secure, plan.key.host.to_string(), plan.key.port);
    assert_eq!(there.as_ref().unwrap_or(&asked), &asked, "{url}");
    let location = head.all("location").next().unwrap_or_default();
    if !names_a_host(location) {
        assert_eq!(origin_of(from).unwrap(), asked, "{url}");
    }
    follow(&mut request, 302, url).unwrap();
    assert!(
        there.is_none() || there == here || request.fields.is_empty(),
        "{} is told {:?}",
        request.url,
        request.fields
    );
}

/// Scheme, host and port as `http::Uri` reads them; `None` for what it does not read at all, and for zones.
fn origin(url: &str) -> Option<(bool, String, u16)> {
    let uri: http::Uri = url.split('#').next()?.parse().ok()?;
    let secure = uri.scheme_str()?.eq_ignore_ascii_case("https");
    let host = uri.host().filter(|host| !host.contains('%'))?.trim_matches(['[', ']']).to_ascii_lowercase();
    let host = host.parse::<std::net::Ipv6Addr>().map_or(host, |address| address.to_string());
    Some((secure, host, uri.port_u16().unwrap_or(if secure { 443 } else { 80 })))
}

/// Whether a reference says where, and not only what: it begins with two slashes, or may have a scheme.
fn names_a_host(reference: &[u8]) -> bool {
    let first = reference.iter().find(|byte| b":/?#".contains(byte));
    reference.starts_with(b"//") || first == Some(&b':')
}
