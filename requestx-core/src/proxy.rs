//! Proxies: what one is, read once from a URL, and which requests go through it.
//!
//! A proxy of HTTP's own kind forwards plain requests: they name their whole URL, and are sent to it. Everything else
//! goes through a tunnel (`tunnel.rs`), at whose other end the origin is spoken to as if there were no proxy.
//!
//! The rule that keeps secrets apart: what is meant for the proxy is in [`Proxy`] and nowhere else. User and password
//! become a field of the proxy's here; a Proxy-Authorization among the request's fields is moved here by `plan.rs`.
//! A `Proxy` is part of the pool's key, so no connection serves two sets of credentials.

use std::fmt;
use std::sync::Arc;

use base64::prelude::{Engine, BASE64_STANDARD};
use bytes::Bytes;
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;

use crate::authority;
use crate::error::{Error, Kind};
use crate::options::Http;

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    Http,
    /// HTTP over TLS.
    Https,
    /// The host's name is resolved here, and sent as an IPv4 address.
    Socks4,
    /// The name is sent.
    Socks4a,
    /// The name is resolved here.
    Socks5,
    /// The name is sent.
    Socks5h,
}

/// Names of protocols in URLs. Each proxy has the default port of its protocol; 1080 is SOCKS's (RFC 1928).
const PROTOCOLS: [(&str, Protocol, u16); 6] = [
    ("http", Protocol::Http, 80),
    ("https", Protocol::Https, 443),
    ("socks4", Protocol::Socks4, 1080),
    ("socks4a", Protocol::Socks4a, 1080),
    ("socks5", Protocol::Socks5, 1080),
    ("socks5h", Protocol::Socks5h, 1080),
];

impl Protocol {
    pub fn is_http(self) -> bool {
        matches!(self, Protocol::Http | Protocol::Https)
    }

    fn name(self) -> &'static str {
        PROTOCOLS.iter().find(|(_, protocol, _)| *protocol == self).map_or("", |(name, ..)| name)
    }
}

/// User and password as they are, not as a URL writes them.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Login {
    pub user: Vec<u8>,
    pub password: Vec<u8>,
}

/// A header field, name and value.
pub type Field = (Bytes, Bytes);

/// A proxy, and all that it is told besides where to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    pub protocol: Protocol,
    /// Lower-case, without brackets.
    pub host: Arc<str>,
    pub port: u16,
    /// For SOCKS; one of HTTP's kind has it among its fields.
    pub login: Option<Login>,
    /// Header fields for it alone.
    pub fields: Vec<Field>,
    /// The identity of the settings for TLS with it; 0 where there is none.
    pub tls: u64,
}

impl Proxy {
    /// Reads a proxy's URL; without a scheme it is one of http. A path behind the host says nothing.
    ///
    /// # Errors
    /// `InvalidUrl`, or `UnsupportedScheme`; the message does not quote user and password.
    pub fn parse(url: &str) -> Result<Proxy, Error> {
        let url = url.trim_matches([' ', '\t']);
        let split = url.split_once("://").filter(|(scheme, _)| authority::is_scheme(scheme));
        let (scheme, rest) = split.unwrap_or(("http", url.trim_start_matches("//")));
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let (userinfo, place) = match authority.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, authority),
        };
        if rest[authority.len()..].contains('@') {
            // Then what looks like host and port may be a part of the secret.
            let why = "a slash, a question mark or a number sign in user and password is percent-encoded";
            return Err(Error::caller(
                Kind::InvalidUrl,
                format!("invalid proxy URL \"{scheme}://...\": {why}"),
            ));
        }
        let shown = || format!("{scheme}://{place}");
        let invalid =
            |why: &str| Error::caller(Kind::InvalidUrl, format!("invalid proxy URL \"{}\": {why}", shown()));
        let known = PROTOCOLS.iter().find(|(name, ..)| scheme.eq_ignore_ascii_case(name));
        let Some((_, protocol, default)) = known else {
            let why = "http, https, socks4, socks4a, socks5 and socks5h are known";
            let message = format!("unsupported scheme {scheme:?} of the proxy \"{}\": {why}", shown());
            return Err(Error::caller(Kind::UnsupportedScheme, message));
        };
        if place.is_empty() {
            return Err(invalid("no host"));
        }
        let (host, port) = authority::split(place, *default).map_err(|why| invalid(&why))?;
        if !url.contains("://") && place.ends_with(':') && PROTOCOLS.iter().any(|(name, ..)| host == *name) {
            return Err(invalid("no host behind the scheme")); // http:/host
        }
        let login = userinfo.map(Login::decode);
        Ok(Proxy { protocol: *protocol, host: host.into(), port, login, fields: Vec::new(), tls: 0 })
    }

    /// Whether requests are sent to it, to be forwarded, rather than through it. It is spoken to in HTTP/1.1, so where
    /// HTTP/2 alone is allowed it forwards nothing.
    pub fn forwards(&self, secure: bool, http: Http) -> bool {
        self.protocol.is_http() && !secure && http != Http::Two
    }

    /// Whether it has a field of this name.
    pub fn has(&self, name: &[u8]) -> bool {
        self.fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// The same with everything its protocol needs to log in, checked.
    fn ready(mut self) -> Result<Proxy, Error> {
        let refuse = |why: String| Err(Error::caller(Kind::InvalidUrl, why));
        if !self.protocol.is_http() && !self.fields.is_empty() {
            return refuse(format!("proxy {self} speaks SOCKS, which has no header fields"));
        }
        if self.has(b"Content-Length") || self.has(b"Transfer-Encoding") {
            let why = format!("how a body ends is no matter of proxy {self}'s fields");
            return Err(Error::caller(Kind::InvalidHeader, why));
        }
        let Some(login) = &self.login else { return Ok(self) };
        match self.protocol {
            Protocol::Http | Protocol::Https => {
                if login.user.contains(&b':') {
                    return refuse(format!(
                        "proxy {self}: a user with a colon has no Basic credentials (RFC 7617)"
                    ));
                }
                if !self.has(PROXY_AUTHORIZATION) {
                    let field = (Bytes::from_static(PROXY_AUTHORIZATION), login.basic());
                    self.fields.push(field);
                }
                self.login = None;
            }
            Protocol::Socks4 | Protocol::Socks4a => {
                if !login.password.is_empty() {
                    return refuse(format!("proxy {self}: SOCKS4 has no password, socks5:// has"));
                }
                if login.user.contains(&0) || login.user.len() > 255 {
                    return refuse(format!("proxy {self}: a user with NUL, or of more than 255 bytes"));
                }
            }
            Protocol::Socks5 | Protocol::Socks5h => {
                if login.user.len() > 255 || login.password.len() > 255 || login.user.is_empty() {
                    return refuse(format!(
                        "proxy {self}: SOCKS5 takes 1 to 255 bytes of user, up to 255 of password"
                    ));
                }
            }
        }
        Ok(self)
    }
}

/// The field that logs in to a proxy of HTTP's kind.
pub const PROXY_AUTHORIZATION: &[u8] = b"Proxy-Authorization";

/// Says where it is; neither user nor password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.protocol.name(), authority::join(&self.host, self.port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl Login {
    fn decode(userinfo: &str) -> Login {
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let plain = |text| percent_decode_str(text).collect();
        Login { user: plain(user), password: plain(password) }
    }

    /// The credentials of Basic: RFC 7617.
    pub fn basic(&self) -> Bytes {
        let pair = [&self.user[..], b":", &self.password].concat();
        format!("Basic {}", BASE64_STANDARD.encode(pair)).into()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

/// Which requests go through which proxy.
#[derive(Clone, Default)]
pub struct Choice {
    http: Option<Proxy>,
    https: Option<Proxy>,
    /// In the place of what the URL says.
    user: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
    fields: Vec<Field>,
    /// Hosts that are spoken to directly.
    bypass: Option<Arc<Matcher>>,
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Choice({:?}, {:?})", self.http, self.https)
    }
}

impl Choice {
    /// Everything through the proxy at `url`; nothing through any if that is empty.
    ///
    /// # Errors
    /// As `Proxy::parse`.
    pub fn set_url(&mut self, url: &str) -> Result<(), Error> {
        let proxy = if url.is_empty() { None } else { Some(Proxy::parse(url)?) };
        (self.http, self.https) = (proxy.clone(), proxy);
        Ok(())
    }

    /// What the environment says now, read through `get`: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`,
    /// in lower case or in upper case. Under CGI a client's Proxy field would be in HTTP_PROXY (httpoxy,
    /// CVE-2016-5386), so there only the lower-case name counts.
    ///
    /// # Errors
    /// As `Proxy::parse`.
    pub fn set_environment(&mut self, get: impl Fn(&str) -> Option<String>) -> Result<(), Error> {
        let is_cgi = get("REQUEST_METHOD").is_some();
        let find = |name: &str| {
            let upper = || get(&name.to_ascii_uppercase()).filter(|_| !(is_cgi && name == "http_proxy"));
            get(name).or_else(upper).filter(|text| !text.is_empty())
        };
        let all = find("all_proxy");
        let read = |name| find(name).or_else(|| all.clone()).map(|url| Proxy::parse(&url)).transpose();
        (self.http, self.https) = (read("http_proxy")?, read("https_proxy")?);
        self.set_bypass(&find("no_proxy").unwrap_or_default());
        Ok(())
    }

    /// Hosts that are spoken to directly: names with all below them, addresses and networks, separated by commas;
    /// `*` for all.
    pub fn set_bypass(&mut self, list: &str) {
        // A dot at the end of a name, and brackets around an address, change nothing about what is meant.
        let plain = |item: &str| item.trim().trim_end_matches('.').trim_matches(['[', ']']).to_string();
        let list = list.split(',').map(plain).collect::<Vec<_>>().join(",");
        let matcher = || Matcher::builder().all("http://proxy.invalid").no(&*list).build();
        self.bypass = (!list.is_empty()).then(|| Arc::new(matcher()));
    }

    pub fn set_user(&mut self, user: &[u8]) {
        self.user = (!user.is_empty()).then(|| user.to_vec());
    }

    pub fn set_password(&mut self, password: &[u8]) {
        self.password = (!password.is_empty()).then(|| password.to_vec());
    }

    /// One more field for the proxy; the caller has checked that it is one.
    pub fn add_field(&mut self, name: &[u8], value: &[u8]) {
        self.fields.push((Bytes::copy_from_slice(name), Bytes::copy_from_slice(value)));
    }

    pub fn clear_fields(&mut self) {
        self.fields.clear();
    }

    /// The proxy for a request, if it goes through one.
    ///
    /// # Errors
    /// `InvalidUrl` if user, password or fields do not suit the proxy.
    pub fn route(&self, secure: bool, host: &str, port: u16) -> Result<Option<Proxy>, Error> {
        let chosen = if secure { &self.https } else { &self.http };
        let Some(proxy) = chosen else { return Ok(None) };
        if self.bypasses(host, port) {
            return Ok(None);
        }
        let mut proxy = proxy.clone();
        if self.user.is_some() || self.password.is_some() {
            let login = proxy.login.get_or_insert_with(Login::default);
            login.user = self.user.clone().unwrap_or_else(|| std::mem::take(&mut login.user));
            login.password = self.password.clone().unwrap_or_else(|| std::mem::take(&mut login.password));
        }
        proxy.fields = self.fields.clone();
        proxy.ready().map(Some)
    }

    fn bypasses(&self, host: &str, port: u16) -> bool {
        self.bypass.as_ref().is_some_and(|matcher| {
            let host = authority::without_zone(host).trim_end_matches('.'); // CVE-2025-22870
            let uri = format!("http://{}/", authority::join(host, port)).parse::<http::Uri>();
            uri.is_ok_and(|uri| matcher.intercept(&uri).is_none())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(set: impl Fn(&mut Choice), secure: bool, host: &str) -> Result<Option<Proxy>, Error> {
        let mut choice = Choice::default();
        set(&mut choice);
        choice.route(secure, host, 80)
    }

    fn through(url: &str) -> Proxy {
        route(|choice| choice.set_url(url).unwrap(), false, "a").unwrap().unwrap()
    }

    #[test]
    fn a_url_names_protocol_place_and_login() {
        for (url, shown) in [
            ("http://p:3128", "http://p:3128"),
            ("HTTPS://P", "https://p:443"),
            ("p:3128", "http://p:3128"),
            ("p", "http://p:80"),
            ("//p", "http://p:80"),
            ("http://[::1]:3128/", "http://[::1]:3128"),
            ("socks4://p", "socks4://p:1080"),
            ("socks4a://u@p:1", "socks4a://p:1"),
            ("socks5://u:p@p", "socks5://p:1080"),
            (" socks5h://p ", "socks5h://p:1080"),
        ] {
            assert_eq!(shown, through(url).to_string(), "{url}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_quoting_secrets() {
        for url in [
            "http://",
            "http://u:secret@",
            "http://u:secret/1@p",
            "http://u@mail:secret/1@p",
            "u:secret://1@p",
            "http:/p",
            "http://:80",
            "http:///p",
            "https://",
            "http://p:x",
            "p q",
        ] {
            let error = Proxy::parse(url).unwrap_err();
            assert_eq!(Kind::InvalidUrl, error.kind, "{url}");
            assert!(!error.message.contains("secret"), "{error}");
        }
        let error = Proxy::parse("ftp://u:secret@p").unwrap_err();
        assert_eq!(Kind::UnsupportedScheme, error.kind);
        assert!(!error.message.contains("secret"), "{error}");
    }

    #[test]
    fn a_login_is_decoded_and_becomes_a_field_of_http() {
        let proxy = through("http://us%40er:p%3Aw@p");

        assert_eq!(vec![(PROXY_AUTHORIZATION.into(), "Basic dXNAZXI6cDp3".into())], proxy.fields);
        assert_eq!(None, proxy.login);
        let login = Some(Login { user: b"u".to_vec(), password: b"p".to_vec() });
        assert_eq!(login, through("socks5://u:p@p").login);
    }

    #[test]
    fn a_login_apart_wins_over_the_urls() {
        let set = |choice: &mut Choice| {
            choice.set_url("socks5://u:p@p").unwrap();
            choice.set_password(b"a:b@c%41");
        };

        let login = Some(Login { user: b"u".to_vec(), password: b"a:b@c%41".to_vec() });
        assert_eq!(login, route(set, true, "a").unwrap().unwrap().login);
    }

    #[test]
    fn logins_that_a_protocol_cannot_bear_are_refused() {
        let long = format!("socks5://{}:p@p", "u".repeat(256));
        for url in ["http://a%3Ab:p@p", "socks4://u:p@p", "socks4://a%00b@p", "socks5://:p@p", &long] {
            let refused = route(|choice| choice.set_url(url).unwrap(), false, "a").unwrap_err();
            assert_eq!(Kind::InvalidUrl, refused.kind, "{url}");
        }
    }

    #[test]
    fn hosts_on_the_list_are_spoken_to_directly() {
        let set = |choice: &mut Choice| {
            choice.set_url("p").unwrap();
            choice.set_bypass("example.org, 10.0.0.0/8, ::1,example.net. , [::3]");
        };
        for host in
            ["example.org", "www.example.org", "example.org.", "10.1.2.3", "::1", "example.net", "::3"]
        {
            assert_eq!(None, route(set, false, host).unwrap(), "{host}");
        }
        for host in ["notexample.org", "11.1.2.3", "::2"] {
            assert!(route(set, false, host).unwrap().is_some(), "{host}");
        }
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let named = |variables: &'static [(&str, &str)], secure| {
            let get =
                |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string());
            let set = |choice: &mut Choice| choice.set_environment(get).unwrap();
            route(set, secure, "a").unwrap().map(|proxy| proxy.to_string())
        };
        let shown = |url: &str| Some(url.to_string());

        assert_eq!(shown("http://l:80"), named(&[("http_proxy", "l"), ("HTTP_PROXY", "u")], false));
        assert_eq!(shown("socks5://all:1080"), named(&[("ALL_PROXY", "socks5://all")], true));
        assert_eq!(None, named(&[("http_proxy", "p")], true));
        assert_eq!(None, named(&[("http_proxy", "p"), ("NO_PROXY", "*")], false));
        assert_eq!(None, named(&[("HTTP_PROXY", "evil"), ("REQUEST_METHOD", "GET")], false));
    }

    #[test]
    fn nothing_of_a_login_is_shown() {
        let mut choice = Choice::default();
        choice.set_url("http://user:secret@p").unwrap();

        assert!(!format!("{choice:?}").contains("secret"));
        assert!(!format!("{:?} {}", through("socks5://u:secret@p"), through("socks5://u:secret@p"))
            .contains("secret"));
    }
}
