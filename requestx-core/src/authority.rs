//! Host and port, as URLs write them; those of requests and those of proxies are read by the same rules.

use std::net::Ipv6Addr;

/// Host and port as a request names them: an IPv6 address stands in brackets.
pub fn join(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
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
        let address: Ipv6Addr = literal.parse().map_err(|_| format!("{host:?} is no IPv6 address"))?;
        return Ok(address.to_string());
    }
    if host.is_empty() {
        return Err("no host".into());
    }
    if host.len() > 255 {
        return Err("the host is longer than 255 bytes".into());
    }
    match host.bytes().find(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))) {
        Some(bad) => Err(format!("{:?} in the host", bad as char)),
        None => Ok(host.to_ascii_lowercase()),
    }
}
