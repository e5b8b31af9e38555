//! How a TCP connection is opened where the caller has a say: from which address, with which socket options.
//!
//! Where nobody has, hyper-util's connector opens it (`connect.rs`), which tries both families at once.
//! The options that are known are those that a safe call can set; another one is refused when it is given.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use crate::error::{Error, Kind};

/// What the caller chose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Dial {
    /// `None` for whichever fits; the port may be 0.
    pub from: Option<(Option<IpAddr>, u16)>,
    pub options: Vec<SocketOption>,
}

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

    /// Whether nothing was chosen.
    pub fn is_plain(&self) -> bool {
        self.from.is_none() && self.options.is_empty()
    }

    /// Connects to the first of `addresses` that lets us.
    ///
    /// # Errors
    /// The last one's.
    pub async fn connect(&self, addresses: &[SocketAddr]) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match self.connect_to(*address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
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
