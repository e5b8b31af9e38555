//! Which addresses may be connected to: a value, asked after a name was resolved and before its address is used.
//!
//! What it lets pass is what is connected to, so a name that resolves otherwise a second time gains nothing.
//! It never looks at names or at how an address is spelt: "0x7f.1" and "localtest.me" are what they resolve to.
//!
//! An address that leads to another one is judged by that: one mapped into IPv6 (RFC 4291 section 2.5.5.2), or behind
//! NAT64 (RFC 6052). NAT64 with a prefix of a network's own cannot be told from an address of its provider's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::proxy::{Protocol, Proxy};

/// What a caller allows and refuses; by default everything is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Guard {
    allow: Option<Allowed>,
    deny: Vec<Network>,
    /// A proxy may be told names, which it resolves unseen.
    pub trusts_proxy: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Allowed {
    public: bool,
    networks: Vec<Network>,
}

/// An address and how many of its first bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Guard {
    /// "public", addresses and networks in CIDR, separated by commas; empty allows all.
    ///
    /// # Errors
    /// `InvalidArgument`, showing what is none.
    pub fn set_allowed(&mut self, list: &str) -> Result<(), Error> {
        let mut allowed = Allowed::default();
        for item in items(list) {
            match item {
                "public" => allowed.public = true,
                _ => allowed.networks.push(Network::parse(item)?),
            }
        }
        self.allow = (allowed != Allowed::default()).then_some(allowed);
        Ok(())
    }

    /// Addresses and networks that are refused, whatever is allowed.
    ///
    /// # Errors
    /// `InvalidArgument`, showing what is none.
    pub fn set_denied(&mut self, list: &str) -> Result<(), Error> {
        self.deny = items(list).map(Network::parse).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty()
    }

    /// Those of `addresses` that may be connected to, in their order.
    ///
    /// # Errors
    /// `Forbidden` if none of them may; `place` names what they belong to.
    pub fn permit(&self, place: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Error> {
        if self.is_open() {
            return Ok(addresses);
        }
        let (allowed, refused): (Vec<_>, Vec<_>) =
            addresses.into_iter().partition(|address| self.allows(address.ip()));
        if !allowed.is_empty() {
            return Ok(allowed);
        }
        let mut named: Vec<String> = refused.iter().map(|address| address.ip().to_string()).collect();
        named.dedup();
        Err(forbidden(&format!("connect to {place}: not allowed to {}", named.join(", "))))
    }

    /// Whether a proxy may be told to go to `host`, as far as that is for the proxy to find: an address is judged
    /// here, and a name is refused unless the caller trusts the proxy with names.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn check_through(&self, proxy: &Proxy, host: &str) -> Result<(), Error> {
        if self.is_open() || matches!(proxy.protocol, Protocol::Socks4 | Protocol::Socks5) {
            return Ok(()); // those are told addresses, which `permit` has seen
        }
        match host.parse::<IpAddr>() {
            Ok(address) if self.allows(address) => Ok(()),
            Ok(_) => Err(forbidden(&format!("connect to {host} through proxy {proxy}: not allowed to {host}"))),
            Err(_) if self.trusts_proxy => Ok(()),
            Err(_) => Err(forbidden(&format!(
                "connect to {host} through proxy {proxy}: the proxy would resolve the name, and where to cannot be seen"
            ))),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let denied = |network: &Network| {
            network.holds(address) || beyond(address).is_some_and(|other| network.holds(other))
        };
        if self.deny.iter().any(denied) {
            return false;
        }
        self.allow.as_ref().is_none_or(|allowed| {
            (allowed.public && is_public(address))
                || allowed.networks.iter().any(|network| network.holds(address))
        })
    }
}

impl Network {
    fn parse(text: &str) -> Result<Network, Error> {
        let wrong = || {
            let why =
                format!("{text:?} is neither an address, nor a network such as 10.0.0.0/8, nor \"public\"");
            Error::caller(Kind::InvalidArgument, why)
        };
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?,
        };
        // One that is written as mapped holds what is mapped.
        match (address, address.to_canonical()) {
            (IpAddr::V6(_), address @ IpAddr::V4(_)) if bits >= 96 => {
                Ok(Network { address, bits: bits - 96 })
            }
            _ => Ok(Network { address, bits }),
        }
    }

    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same(own.to_bits().into(), other.to_bits().into(), 32 - self.bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128 - self.bits),
            _ => false,
        }
    }
}

/// Whether two addresses are equal but for their last `rest` bits.
fn same(one: u128, other: u128, rest: u32) -> bool {
    (one ^ other).checked_shr(rest).unwrap_or(0) == 0
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn forbidden(message: &str) -> Error {
    Error::new(Kind::Forbidden, Phase::Connect, message)
}

/// Networks of IPv4 that are not the Internet's: IANA's registry of special-purpose addresses, multicast, what is
/// reserved; and Azure's metadata, which has an address that looks like anybody's.
const SPECIAL_V4: [([u8; 4], u32); 17] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10), // CGNAT, and Alibaba's metadata
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16), // link-local, and most clouds' metadata
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24), // IETF, and Oracle's metadata
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24), // relays of 6to4
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3), // multicast, reserved, broadcast
    ([168, 63, 129, 16], 32),
];

/// The same of IPv6, within 2000::/3; nothing beyond that is given out to anybody (RFC 4291 section 2.4, IANA).
const SPECIAL_V6: [(u128, u32); 4] = [
    (0x2001 << 112, 23),     // IETF: Teredo, ORCHID, benchmarks
    (0x2001_0db8 << 96, 32), // for documents
    (0x2002 << 112, 16),     // 6to4
    (0x3fff << 112, 20),     // for documents
];

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let special = |&([a, b, c, d], bits): &([u8; 4], u32)| Network {
                address: Ipv4Addr::new(a, b, c, d).into(),
                bits,
            };
            !SPECIAL_V4.iter().map(special).any(|network| network.holds(v4.into()))
        }
        IpAddr::V6(v6) if NAT64.holds(address) => is_public(last_32(v6).into()),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            bits >> 125 == 1 && !SPECIAL_V6.iter().any(|(own, length)| same(*own, bits, 128 - length))
        }
    }
}

/// RFC 6052's well-known prefix.
const NAT64: Network =
    Network { address: IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0)), bits: 96 };

/// The address that another one leads to: from one of IPv6 to one of IPv4 through NAT64, 6to4, Teredo, SIIT, or as one
/// "compatible" with IPv4; and from one that names no host to this one, which systems connect to in its place.
fn beyond(address: IpAddr) -> Option<IpAddr> {
    let v6 = match address {
        IpAddr::V4(v4) => return v4.is_unspecified().then_some(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(v6) if v6.is_unspecified() => return Some(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V6(v6) => v6,
    };
    let bits = v6.to_bits();
    let v4 = match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => last_32(v6),
        [0x64, 0xff9b, 1, ..] => last_32(v6), // RFC 8215
        [0x2002, ..] => Ipv4Addr::from_bits((bits >> 80) as u32),
        [0x2001, 0, ..] => Ipv4Addr::from_bits(!bits as u32),
        _ => return None,
    };
    Some(v4.into())
}

fn last_32(v6: Ipv6Addr) -> Ipv4Addr {
    Ipv4Addr::from_bits(v6.to_bits() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &str, denied: &str) -> Guard {
        let mut guard = Guard::default();
        guard.set_allowed(allowed).unwrap();
        guard.set_denied(denied).unwrap();
        guard
    }

    fn allows(guard: &Guard, address: &str) -> bool {
        guard.allows(address.parse().unwrap())
    }

    #[test]
    fn what_is_not_the_internets_is_not_public() {
        let public = guard("public", "");
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!allows(&public, address), "{address}");
        }
    }

    #[test]
    fn what_is_the_internets_is_public() {
        let public = guard("public", "");
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(allows(&public, address), "{address}");
        }
    }

    #[test]
    fn a_list_allows_what_is_on_it() {
        let guard = guard("public, 10.0.0.0/8,fd00::1", "10.1.0.0/16");

        for (address, allowed) in [
            ("8.8.8.8", true),
            ("10.2.0.1", true),
            ("::ffff:10.2.0.1", true),
            ("10.1.0.1", false),
            ("::ffff:10.1.0.1", false),
            ("fd00::1", true),
            ("fd00::2", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(allowed, allows(&guard, address), "{address}");
        }
    }

    #[test]
    fn what_is_denied_is_denied_by_every_way_that_leads_there() {
        let guard = guard("", "10.0.0.0/8");

        for address in [
            "10.0.0.1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:a00:1::",
            "2001::f5ff:fffe",
            "::ffff:0:10.0.0.1",
        ] {
            assert!(!allows(&guard, address), "{address}");
        }
        assert!(allows(&guard, "127.0.0.1") && allows(&guard, "::1"));
    }

    #[test]
    fn an_address_of_no_host_is_this_one() {
        for (denied, address, allowed) in [
            ("127.0.0.0/8", "0.0.0.0", false),
            ("127.0.0.0/8", "::ffff:0.0.0.0", false),
            ("::1", "::", false),
            ("::1", "0.0.0.0", true),
            ("10.0.0.0/8", "0.0.0.0", true),
        ] {
            assert_eq!(allowed, allows(&guard("", denied), address), "{address}");
        }
    }

    #[test]
    fn the_longest_and_the_shortest_networks_are_networks() {
        assert!(allows(&guard("0.0.0.0/0", ""), "127.0.0.1"));
        assert!(!allows(&guard("0.0.0.0/0", ""), "::1"));
        assert!(allows(&guard("::/0", ""), "fe80::1"));
        assert!(allows(&guard("::ffff:10.0.0.0/104", ""), "10.2.3.4"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in
            ["private", "10.0.0.0/33", "10.0.0/8", "::/129", "example.org", "10.0.0.1/x", "10.0.0.1/-1"]
        {
            assert_eq!(Kind::InvalidArgument, Guard::default().set_allowed(wrong).expect_err(wrong).kind);
        }
        assert!(Guard::default().set_denied("public").is_err());
    }

    #[test]
    fn only_allowed_addresses_are_tried_and_without_one_all_are_named() {
        let all =
            |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let public = guard("public", "");

        let left = public.permit("a", all(&["127.0.0.1:80", "8.8.8.8:80", "[::1]:80"])).unwrap();
        assert_eq!(all(&["8.8.8.8:80"]), left);
        let error = public.permit("a:80", all(&["127.0.0.1:80", "[::1]:80"])).unwrap_err();
        assert_eq!((Kind::Forbidden, Phase::Connect), (error.kind, error.phase));
        assert_eq!("connect to a:80: not allowed to 127.0.0.1, ::1", error.message);
    }

    #[test]
    fn a_proxy_is_told_no_name_unless_it_is_trusted() {
        let mut public = guard("public", "");
        let proxy = |url| Proxy::parse(url).unwrap();
        let kind =
            |guard: &Guard, url, host| guard.check_through(&proxy(url), host).map_err(|error| error.kind);

        for url in ["http://p", "https://p", "socks4a://p", "socks5h://p"] {
            assert_eq!(Err(Kind::Forbidden), kind(&public, url, "a"));
            assert_eq!(Err(Kind::Forbidden), kind(&public, url, "2130706433"));
            assert_eq!(Ok(()), kind(&public, url, "8.8.8.8"));
        }
        assert_eq!(Ok(()), kind(&public, "socks5://p", "a"));
        assert_eq!(Ok(()), kind(&Guard::default(), "http://p", "a"));
        public.trusts_proxy = true;
        assert_eq!(Ok(()), kind(&public, "http://p", "a"));
        assert_eq!(Err(Kind::Forbidden), kind(&public, "http://p", "127.0.0.1"));
    }
}
