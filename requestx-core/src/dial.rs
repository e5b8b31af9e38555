//! How a TCP connection is opened: from which address, with which socket options, to which of a host's addresses first.
//!
//! Addresses race as RFC 8305 has it: the families take turns, and the next one sets out when the last one has failed,
//! or has had its head start. hyper-util's connector tries the addresses of a family one behind the other, so a dead
//! one holds up the living ones behind it for as long as the kernel is patient; and it knows no socket options.
//! The options that are known are those that a safe call can set; another one is refused when it is given.

use std::future::{poll_fn, Future};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use crate::error::{Error, Kind};
use crate::guard::Guard;

/// RFC 8305 section 5: how long an attempt has the field for itself.
const HEAD_START: Duration = Duration::from_millis(250);

/// What the caller chose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Dial {
    /// `None` for whichever fits; the port may be 0.
    pub from: Option<(Option<IpAddr>, u16)>,
    pub options: Vec<SocketOption>,
    pub guard: Guard,
    /// Hosts whose addresses the caller names.
    pub hosts: Vec<Entry>,
    /// A socket of this machine, which every host is reached by.
    pub unix: Option<PathBuf>,
}

/// The addresses of a host, or of all, at a port, or at all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Lower-case, without brackets.
    host: Option<Arc<str>>,
    port: Option<u16>,
    addresses: Vec<IpAddr>,
}

type Attempt<'a> = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send + 'a>>;

/// A `setsockopt` to be made before connecting.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SocketOption {
    level: i32,
    name: i32,
    value: Value,
}

/// Sets one option.
type Setter<'a> = Box<dyn Fn(&SockRef<'_>) -> io::Result<()> + Send + 'a>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Value {
    Number(i64),
    Bytes(Vec<u8>),
}

impl Dial {
    /// "address:port", "[address]:port" for IPv6, or ":port".
    ///
    /// # Errors
    /// `InvalidArgument`, showing what was given.
    pub fn set_from(&mut self, text: &str) -> Result<(), Error> {
        let wrong =
            || Error::caller(Kind::InvalidArgument, format!("{text:?} is no address:port of this machine"));
        self.from = match text.strip_prefix(':') {
            _ if text.is_empty() => None,
            Some(port) => Some((None, port.parse().map_err(|_| wrong())?)),
            None => {
                let address: SocketAddr = text.parse().map_err(|_| wrong())?;
                Some((Some(address.ip()), address.port()))
            }
        };
        Ok(())
    }

    /// "level,name,value;level,name,value", in the system's numbers; a value "x…" is bytes in hexadecimal digits.
    ///
    /// # Errors
    /// `InvalidArgument`: it is written otherwise, or no such option can be set.
    pub fn set_options(&mut self, text: &str) -> Result<(), Error> {
        let each = text.split(';').filter(|option| !option.is_empty());
        self.options = each.map(SocketOption::parse).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// One more host with its addresses, "host:port:address,address"; `*` for all hosts, or all ports. Empty takes
    /// all of them away.
    ///
    /// # Errors
    /// `InvalidArgument`, showing what was given.
    pub fn add_host(&mut self, text: &str) -> Result<(), Error> {
        if text.is_empty() {
            self.hosts.clear();
            return Ok(());
        }
        let entry = Entry::parse(text).ok_or_else(|| {
            Error::caller(Kind::InvalidArgument, format!("{text:?} is no host:port:address,address"))
        });
        self.hosts.push(entry?);
        Ok(())
    }

    /// The addresses that the caller names for a host; the last entry that fits counts.
    pub fn addresses_of(&self, host: &str, port: u16) -> Option<Vec<SocketAddr>> {
        let fits = |entry: &&Entry| {
            entry.host.as_ref().is_none_or(|own| **own == *host) && entry.port.is_none_or(|own| own == port)
        };
        let entry = self.hosts.iter().rev().find(fits)?;
        Some(entry.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect())
    }

    /// The path of a socket of this machine; empty for none.
    ///
    /// # Errors
    /// `InvalidArgument` where the system has no such sockets.
    pub fn set_unix(&mut self, path: &str) -> Result<(), Error> {
        if !cfg!(unix) && !path.is_empty() {
            return Err(Error::caller(Kind::InvalidArgument, "this system has no Unix sockets here"));
        }
        self.unix = (!path.is_empty()).then(|| PathBuf::from(path));
        Ok(())
    }

    /// Whether nothing was chosen.
    pub fn is_plain(&self) -> bool {
        *self == Dial::default()
    }

    /// Connects to the first of `addresses` that lets us.
    ///
    /// # Errors
    /// The first one's that says more than that there is no way to an address.
    pub async fn connect(&self, addresses: &[SocketAddr]) -> io::Result<TcpStream> {
        let mut failure: Option<io::Error> = None;
        let mut running: Vec<Attempt<'_>> = Vec::new();
        let suits = |address: &&SocketAddr| self.suits(address);
        let addresses: Vec<_> = addresses.iter().filter(suits).copied().collect();
        let mut line = alternating(&addresses).into_iter();
        loop {
            match line.next() {
                Some(address) => running.push(Box::pin(self.connect_to(address))),
                None if running.is_empty() => {
                    return Err(failure.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
                }
                None => {}
            }
            let first = poll_fn(|cx| first_done(&mut running, cx));
            let outcome = match line.len() {
                0 => Some(first.await),
                _ => tokio::time::timeout(HEAD_START, first).await.ok(),
            };
            match outcome {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) if failure.as_ref().is_none_or(has_no_way) => failure = Some(error),
                _ => {}
            }
        }
    }

    /// Whether an address can be reached from the caller's own, which is of one family.
    fn suits(&self, address: &SocketAddr) -> bool {
        let own = self.from.and_then(|(address, _)| address);
        own.is_none_or(|own| own.is_ipv4() == address.is_ipv4())
    }

    async fn connect_to(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_nodelay(true)?;
        for option in &self.options {
            option.apply(SockRef::from(&socket))?;
        }
        if let Some((from, port)) = self.from {
            let any =
                if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            socket.bind(SocketAddr::new(from.unwrap_or(any), port))?;
        }
        socket.connect(address).await
    }
}

/// Connects to a socket of this machine. What is made of it reads, writes and ends as one of TCP does, and nothing
/// asks it for more.
///
/// # Errors
/// As `connect`.
#[cfg(unix)]
pub async fn connect_unix(path: &std::path::Path) -> io::Result<TcpStream> {
    let stream = tokio::net::UnixStream::connect(path).await?.into_std()?;
    TcpStream::from_std(std::net::TcpStream::from(std::os::fd::OwnedFd::from(stream)))
}

#[cfg(not(unix))]
pub async fn connect_unix(_: &std::path::Path) -> io::Result<TcpStream> {
    Err(io::ErrorKind::Unsupported.into()) // `set_unix` lets no path in
}

impl Entry {
    fn parse(text: &str) -> Option<Entry> {
        let end = if text.starts_with('[') { text.find(']')? + 1 } else { text.find(':')? };
        let (host, rest) = (&text[..end], text[end..].strip_prefix(':')?);
        let (port, list) = rest.split_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = |item: &str| item.trim().trim_start_matches('[').trim_end_matches(']').parse().ok();
        Some(Entry {
            host: if host == "*" { None } else { Some(host.to_ascii_lowercase().into()) },
            port: if port == "*" { None } else { Some(port.parse().ok()?) },
            addresses: list.split(',').map(address).collect::<Option<_>>()?,
        })
        .filter(|entry| entry.host.as_ref().is_none_or(|host| !host.is_empty()))
    }
}

/// Takes the attempt that is over, if one is.
fn first_done(running: &mut Vec<Attempt<'_>>, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
    for index in 0..running.len() {
        if let Poll::Ready(outcome) = running[index].as_mut().poll(cx) {
            drop(running.swap_remove(index));
            return Poll::Ready(outcome);
        }
    }
    Poll::Pending
}

/// The same addresses with the families taking turns, beginning with that of the first; each in its order.
fn alternating(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let leads = |address: &&SocketAddr| address.is_ipv4() == addresses[0].is_ipv4();
    let mut first = addresses.iter().filter(leads).copied();
    let mut second = addresses.iter().filter(|address| !leads(address)).copied();
    let mut mixed = Vec::with_capacity(addresses.len());
    while mixed.len() < addresses.len() {
        mixed.extend(first.next());
        mixed.extend(second.next());
    }
    mixed
}

fn has_no_way(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), AddrNotAvailable | HostUnreachable | NetworkUnreachable)
}

impl SocketOption {
    fn parse(text: &str) -> Result<SocketOption, Error> {
        let wrong = || Error::caller(Kind::InvalidArgument, format!("{text:?} is no level,name,value"));
        let mut parts = text.split(',').map(str::trim);
        let (Some(level), Some(name), Some(value), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let value = match value.strip_prefix('x') {
            Some(digits) => Value::Bytes(crate::hex::decode(digits).ok_or_else(wrong)?),
            None => Value::Number(value.parse().map_err(|_| wrong())?),
        };
        let option = SocketOption {
            level: level.parse().map_err(|_| wrong())?,
            name: name.parse().map_err(|_| wrong())?,
            value,
        };
        let known = option.setter().is_some();
        known.then_some(option).ok_or_else(|| {
            let why = format!("the socket option {text:?} is none of those that can be set here");
            Error::caller(Kind::InvalidArgument, why)
        })
    }

    fn apply(&self, socket: SockRef<'_>) -> io::Result<()> {
        match self.setter() {
            Some(set) => set(&socket),
            None => Err(io::ErrorKind::Unsupported.into()), // `parse` lets none of these in
        }
    }

    /// What sets it.
    #[cfg(target_os = "linux")]
    fn setter(&self) -> Option<Setter<'_>> {
        use rustix::net::sockopt;
        use std::time::Duration;

        /// A closure that calls one function of rustix.
        macro_rules! set {
            ($function:ident, $value:expr) => {{
                let value = $value;
                Some(Box::new(move |socket| Ok(sockopt::$function(&**socket, value)?)))
            }};
        }
        let number = match &self.value {
            Value::Bytes(bytes) => {
                let is_device = (self.level, self.name) == (libc::SOL_SOCKET, libc::SO_BINDTODEVICE);
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                return match is_device {
                    true => Some(Box::new(move |socket| socket.bind_device(Some(&bytes[..end])))),
                    false => None,
                };
            }
            Value::Number(number) => *number,
        };
        let (on, count) = (number != 0, u32::try_from(number).ok()?);
        let seconds = Duration::from_secs(count.into());
        match (self.level, self.name) {
            (libc::SOL_SOCKET, libc::SO_KEEPALIVE) => set!(set_socket_keepalive, on),
            (libc::SOL_SOCKET, libc::SO_REUSEADDR) => set!(set_socket_reuseaddr, on),
            (libc::SOL_SOCKET, libc::SO_REUSEPORT) => set!(set_socket_reuseport, on),
            (libc::SOL_SOCKET, libc::SO_RCVBUF) => set!(set_socket_recv_buffer_size, count as usize),
            (libc::SOL_SOCKET, libc::SO_SNDBUF) => set!(set_socket_send_buffer_size, count as usize),
            (libc::SOL_SOCKET, libc::SO_MARK) => Some(Box::new(move |socket| socket.set_mark(count))),
            (libc::IPPROTO_TCP, libc::TCP_NODELAY) => set!(set_tcp_nodelay, on),
            (libc::IPPROTO_TCP, libc::TCP_MAXSEG) => Some(Box::new(move |socket| socket.set_tcp_mss(count))),
            (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE) => set!(set_tcp_keepidle, seconds),
            (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL) => set!(set_tcp_keepintvl, seconds),
            (libc::IPPROTO_TCP, libc::TCP_KEEPCNT) => set!(set_tcp_keepcnt, count),
            (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT) => set!(set_tcp_user_timeout, count),
            (libc::IPPROTO_TCP, libc::TCP_QUICKACK) => set!(set_tcp_quickack, on),
            (libc::IPPROTO_IP, libc::IP_TOS) => set!(set_ip_tos, u8::try_from(count).ok()?),
            (libc::IPPROTO_IP, libc::IP_TTL) => set!(set_ip_ttl, count),
            (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS) => {
                set!(set_ipv6_unicast_hops, Some(u8::try_from(count).ok()?))
            }
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => set!(set_ipv6_tclass, count),
            _ => None,
        }
    }

    /// What sets it: elsewhere the numbers differ, and only the two that everybody uses are known.
    #[cfg(not(target_os = "linux"))]
    fn setter(&self) -> Option<Setter<'_>> {
        let Value::Number(number) = &self.value else { return None };
        let on = *number != 0;
        match (self.level, self.name) {
            (6, 1) => Some(Box::new(move |socket| socket.set_tcp_nodelay(on))),
            (0xffff, 8) => Some(Box::new(move |socket| socket.set_keepalive(on))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn hosts_have_the_addresses_that_the_caller_names() {
        let mut dial = Dial::default();
        for text in ["*:*:1.1.1.1", "A.example:*:2.2.2.2", "a.example:80:3.3.3.3,[::3]", "[::1]:80:4.4.4.4"] {
            dial.add_host(text).unwrap();
        }
        for (host, port, expected) in [
            ("b", 80, &["1.1.1.1:80"][..]),
            ("a.example", 81, &["2.2.2.2:81"]),
            ("a.example", 80, &["3.3.3.3:80", "[::3]:80"]),
            ("::1", 80, &["4.4.4.4:80"]),
        ] {
            assert_eq!(Some(addresses(expected)), dial.addresses_of(host, port), "{host}:{port}");
        }
        dial.add_host("").unwrap();
        assert!(dial.is_plain() && dial.addresses_of("b", 80).is_none());
        for wrong in
            ["a", "a:80", "a:80:", "a:80:b", "a:x:1.1.1.1", ":80:1.1.1.1", "[::1:80:1.1.1.1", "a:80:1.1.1.1,"]
        {
            assert_eq!(Kind::InvalidArgument, dial.add_host(wrong).expect_err(wrong).kind);
        }
    }

    #[test]
    fn families_take_turns() {
        let given = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);

        let expected = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(expected, alternating(&given));
        assert_eq!(addresses(&["1.1.1.1:1", "[::1]:1"]), alternating(&addresses(&["1.1.1.1:1", "[::1]:1"])));
        assert!(alternating(&[]).is_empty());
    }

    /// A listener whose backlog is full: who connects to it waits for ever.
    fn silent() -> (std::net::TcpListener, Vec<std::net::TcpStream>, SocketAddr) {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let listener = std::net::TcpListener::from(listener);
        let address = listener.local_addr().unwrap();
        let wait = Duration::from_millis(50);
        let filled =
            (0..8).map_while(|_| std::net::TcpStream::connect_timeout(&address, wait).ok()).collect();
        (listener, filled, address)
    }

    fn race(addresses: &[SocketAddr]) -> io::Result<SocketAddr> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { Dial::default().connect(addresses).await?.peer_addr() })
    }

    #[test]
    fn an_address_that_says_nothing_does_not_hold_up_the_others() {
        let living = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let living = living.local_addr().unwrap();
        let (_listener, _filled, dead) = silent();
        let began = std::time::Instant::now();

        assert_eq!(living, race(&[dead, dead, living]).unwrap());
        assert!(began.elapsed() >= 2 * HEAD_START);
    }

    #[test]
    fn one_that_fails_does_not_wait_and_a_refusal_says_more_than_no_way() {
        let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let nowhere: SocketAddr = "255.255.255.255:9".parse().unwrap();

        assert_eq!(io::ErrorKind::ConnectionRefused, race(&[refusing, refusing]).unwrap_err().kind());
        let unreachable = race(&[nowhere, refusing]).unwrap_err();
        assert!(matches!(
            unreachable.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::PermissionDenied
        ));
        assert_eq!(io::ErrorKind::AddrNotAvailable, race(&[]).unwrap_err().kind());
    }

    #[test]
    fn what_cannot_be_reached_from_the_callers_address_says_nothing() {
        let refusing = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut dial = Dial::default();
        dial.set_from("127.0.0.1:0").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connected = runtime.block_on(dial.connect(&["[::1]:9".parse().unwrap(), refusing]));

        assert_eq!(io::ErrorKind::ConnectionRefused, connected.unwrap_err().kind());
    }

    #[test]
    fn addresses_are_read() {
        let mut dial = Dial::default();
        for (text, from) in [
            ("127.0.0.1:0", Some((Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), 0))),
            ("[::1]:7", Some((Some(IpAddr::V6(Ipv6Addr::LOCALHOST)), 7))),
            (":7", Some((None, 7))),
            ("", None),
        ] {
            dial.set_from(text).unwrap();
            assert_eq!(from, dial.from, "{text}");
        }
        for wrong in ["localhost:1", "127.0.0.1", "::1", ":x"] {
            assert_eq!(Kind::InvalidArgument, dial.set_from(wrong).expect_err(wrong).kind);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn options_are_read() {
        let mut dial = Dial::default();
        dial.set_options("6,1,1;1,9,1;1,25,x6c6f00").unwrap();
        assert_eq!(3, dial.options.len());
        for wrong in ["6,1", "6,1,1,1", "a,b,c", "6,9999,1", "6,1,-1", "6,1,x00", "1,9,xz"] {
            assert_eq!(Kind::InvalidArgument, dial.set_options(wrong).expect_err(wrong).kind, "{wrong}");
        }
    }
}
