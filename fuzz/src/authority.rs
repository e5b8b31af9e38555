//! The part of a URL that says who is spoken to: host and port that are read from it, joined again, are read as the
//! same; and where another reader understands it as well, it reads the same host and port.

use requestx::authority;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok((host, port)) = authority::split(text, 80) else { return };
    let plain = authority::without_zone(&host);

    assert!(!plain.is_empty() && port != 0 && host.bytes().all(|byte| byte.is_ascii_graphic()), "{host:?}");
    let joined = authority::join(plain, port);
    assert_eq!(Ok((plain.to_string(), port)), authority::split(&joined, 0), "{joined}");
    if let Ok(other) = text.parse::<http::uri::Authority>() {
        let theirs = other.host().trim_matches(['[', ']']);
        let (address, zone) = theirs.split_once("%25").map_or((theirs, None), |(a, z)| (a, Some(z)));
        let same = match address.parse::<std::net::Ipv6Addr>() {
            Ok(address) => plain == address.to_string() && zone == host.split_once('%').map(|(_, zone)| zone),
            Err(_) => host.eq_ignore_ascii_case(theirs),
        };
        assert!(same, "{text:?}: {host:?} and {theirs:?}");
        assert_eq!(port, other.port_u16().unwrap_or(80), "{text:?}");
    }
}
