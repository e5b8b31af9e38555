//! Host and port, as URLs write them; those of requests and those of proxies are read by the same rules.

use std::net::Ipv6Addr;

/// Host and port as a request names them: an IPv6 address stands in brackets.
pub fn join(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// Whether a text can be a scheme: RFC 3986 section 3.1.
pub fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A host without the zone of its address, which concerns nobody but this machine.
pub fn without_zone(host: &str) -> &str {
    host.split('%').next().unwrap_or(host)
}

/// Host and port of an authority without user and password; `default` is the port where none is written.
///
/// # Errors
/// What is wrong with it.
pub fn split(authority: &str, default: u16) -> Result<(String, u16), String> {
    let (host, port) = split_port(authority).ok_or("bad port")?;
    let port = match port {
        "" => default,
        digits => match digits.parse::<u16>() {
            Ok(port) if port != 0 && digits.bytes().all(|b| b.is_ascii_digit()) => port,
            _ => return Err(format!("bad port {digits:?}")),
        },
    };
    Ok((parse_host(host)?, port))
}

/// Host and port text; `None` where there is junk behind a bracket.
fn split_port(authority: &str) -> Option<(&str, &str)> {
    match authority.rfind(']') {
        Some(end) => {
            let rest = &authority[end + 1..];
            Some((&authority[..=end], if rest.is_empty() { rest } else { rest.strip_prefix(':')? }))
        }
        None => Some(authority.split_once(':').unwrap_or((authority, ""))),
    }
}

/// A registered name or an IP literal, lower-case, without brackets.
fn parse_host(host: &str) -> Result<String, String> {
    if let Some(literal) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        // RFC 6874: a zone is told by %25, and names an interface of this machine.
        let (address, zone) = match literal.split_once("%25") {
            Some((address, zone)) => (address, Some(zone)),
            None => (literal, None),
        };
        let address: Ipv6Addr = address.parse().map_err(|_| format!("{host:?} is no IPv6 address"))?;
        return match zone {
            None => Ok(address.to_string()),
            Some(zone) if !zone.is_empty() && zone.bytes().all(is_of_names) => {
                Ok(format!("{address}%{zone}"))
            }
            Some(_) => Err(format!("bad zone in {host:?}")),
        };
    }
    if host.is_empty() {
        return Err("no host".into());
    }
    if host.len() > 255 {
        return Err("the host is longer than 255 bytes".into());
    }
    match host.bytes().find(|b| !is_of_names(*b)) {
        Some(bad) => Err(format!("{:?} in the host", bad as char)),
        None => Ok(host.to_ascii_lowercase()),
    }
}

fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_part_of_the_host_and_is_told_to_nobody() {
        let host = |authority| split(authority, 80).map(|(host, _)| host);

        assert_eq!(Ok("fe80::1%eth0".into()), host("[FE80::1%25eth0]:81"));
        assert_eq!("fe80::1", without_zone("fe80::1%eth0"));
        assert_eq!("example.org", without_zone("example.org"));
        for wrong in ["[fe80::1%25]", "[fe80::1%eth0]", "[fe80::1%25a/b]", "[fe80::1%25a%25b]", "a%25b"] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
