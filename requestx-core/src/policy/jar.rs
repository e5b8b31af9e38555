//! Cookies, as RFC 6265bis has them for a client that is no browser: sections 5.6 to 5.8, without SameSite.
//!
//! A jar is a value: hosts, paths and the time are passed in. What is kept and what is sent has its bounds, since it is
//! the servers who fill it.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{date, reference, suffix};
use crate::authority::without_zone;
use crate::error::Error;
use crate::plan::origin_of;

/// Bytes of name and value of one cookie; the RFC's own limit.
const LONGEST: usize = 4096;
/// Bytes of an attribute's value; one that is longer is passed over.
const LONGEST_ATTRIBUTE: usize = 1024;
/// Cookies of one domain, and in all: at least 50 and 3000, says the RFC; browsers have 150 to 180 of one domain.
const MOST_OF_A_DOMAIN: usize = 150;
const MOST: usize = 3000;
/// Bytes of cookies in a request, as in curl: servers refuse longer heads, and a neighbour may have set them.
const LONGEST_FIELD: usize = 8190;
/// No cookie lives longer: 400 days.
const LONGEST_LIFE: i64 = 400 * 86400;

/// Where a request goes: what cookies depend on.
#[derive(Debug, Clone)]
pub struct Place {
    secure: bool,
    /// In lower case.
    host: String,
    /// Without its query.
    path: String,
}

impl Place {
    /// # Errors
    /// `InvalidUrl`, `UnsupportedScheme`.
    pub fn of(url: &str) -> Result<Place, Error> {
        let (secure, host, _) = origin_of(url)?;
        let path = Some(reference::path(url)).filter(|path| !path.is_empty()).unwrap_or("/");
        Ok(Place { secure, host: without_zone(&host).to_string(), path: path.to_string() })
    }
}

/// The cookies of a client, shared by its threads.
#[derive(Debug, Default)]
pub struct Jar {
    cookies: Mutex<Cookies>,
}

#[derive(Debug, Default)]
struct Cookies {
    /// In the order of their creation.
    all: Vec<Cookie>,
    /// Counts uses, so that the least recently used one is known.
    clock: u64,
}

/// One cookie.
#[derive(Debug, Clone, PartialEq)]
pub struct Cookie {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
    pub domain: String,
    /// It is for that host alone, and not for those below.
    pub host_only: bool,
    pub path: String,
    pub secure: bool,
    pub http_only: bool,
    /// Seconds since 1970; `None` lives as long as the jar.
    pub expires: Option<i64>,
    used: u64,
}

impl Jar {
    /// Keeps the cookie of the Set-Cookie `line`, which came from `place` at `now`; one that has expired is removed.
    ///
    /// # Errors
    /// Why it is not kept.
    pub fn store(&self, line: &[u8], place: &Place, now: i64) -> Result<(), &'static str> {
        let cookie = Given::parse(line)?.judged(place, now)?;
        self.lock().put(cookie, place, now)
    }

    /// The cookies that go to `place`, those of longer paths first, then the older ones.
    pub fn to(&self, place: &Place, now: i64) -> Vec<Cookie> {
        let mut cookies = self.lock();
        cookies.clock += 1;
        let clock = cookies.clock;
        cookies.expire(now);
        let mut found = Vec::new();
        for cookie in cookies.all.iter_mut().filter(|cookie| cookie.goes_to(place)) {
            cookie.used = clock;
            found.push(cookie.clone());
        }
        found.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        found
    }

    /// All that live, the oldest first.
    pub fn all(&self, now: i64) -> Vec<Cookie> {
        let mut cookies = self.lock();
        cookies.expire(now);
        cookies.all.clone()
    }

    pub fn clear(&self) {
        self.lock().all.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Cookies> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cookies {
    fn expire(&mut self, now: i64) {
        self.all.retain(|cookie| cookie.expires.is_none_or(|end| end > now));
    }

    fn put(&mut self, mut cookie: Cookie, place: &Place, now: i64) -> Result<(), &'static str> {
        self.expire(now);
        if !place.secure && !cookie.secure && self.all.iter().any(|other| other.is_shadowed_by(&cookie)) {
            return Err("it would hide a Secure one, and came without TLS");
        }
        self.clock += 1;
        cookie.used = self.clock;
        let gone = cookie.expires.is_some_and(|end| end <= now);
        match self.all.iter().position(|other| other.is_same(&cookie)) {
            Some(old) if gone => drop(self.all.remove(old)),
            Some(old) => self.all[old] = cookie, // its place is its creation's
            None if gone => {}
            None => {
                let domain = cookie.domain.clone();
                self.all.push(cookie);
                self.make_room(MOST_OF_A_DOMAIN, |other| other.domain == domain);
                self.make_room(MOST, |_| true);
            }
        }
        Ok(())
    }

    /// Lets go what was used least recently, not Secure ones first, of more than `most` that `counts`.
    fn make_room(&mut self, most: usize, counts: impl Fn(&Cookie) -> bool) {
        let counted = || self.all.iter().enumerate().filter(|(_, cookie)| counts(cookie));
        if counted().count() > most {
            let least = counted().min_by_key(|(_, cookie)| (cookie.secure, cookie.used));
            if let Some((index, _)) = least {
                self.all.remove(index);
            }
        }
    }
}

impl Cookie {
    fn is_same(&self, other: &Cookie) -> bool {
        (&self.name, &self.domain, self.host_only, &self.path)
            == (&other.name, &other.domain, other.host_only, &other.path)
    }

    /// RFC 6265bis section 5.7: a cookie that came without TLS hides no Secure one of its name.
    fn is_shadowed_by(&self, other: &Cookie) -> bool {
        let near = domain_matches(&self.domain, &other.domain) || domain_matches(&other.domain, &self.domain);
        self.secure && self.name == other.name && near && path_matches(&other.path, &self.path)
    }

    fn goes_to(&self, place: &Place) -> bool {
        let host = if self.host_only {
            place.host == self.domain
        } else {
            domain_matches(&place.host, &self.domain)
        };
        host && path_matches(&place.path, &self.path) && (place.secure || !self.secure)
    }

    /// `name=value`, as it is sent.
    fn pair(&self) -> Vec<u8> {
        if self.name.is_empty() {
            return self.value.clone();
        }
        [&self.name[..], b"=", &self.value].concat()
    }

    /// A URL that it can be set from again, with `line`.
    pub fn url(&self) -> String {
        let host = if self.domain.contains(':') { format!("[{}]", self.domain) } else { self.domain.clone() };
        format!("{}://{host}/", if self.secure { "https" } else { "http" })
    }

    /// The line of Set-Cookie that makes it.
    pub fn line(&self) -> Vec<u8> {
        let mut line = [&self.name[..], b"=", &self.value].concat();
        let mut add = |text: &str| line.extend_from_slice(text.as_bytes());
        if !self.host_only {
            add(&format!("; Domain={}", self.domain));
        }
        add(&format!("; Path={}", self.path));
        if let Some(end) = self.expires {
            add(&format!("; Expires={}", date::format(end)));
        }
        if self.secure {
            add("; Secure");
        }
        if self.http_only {
            add("; HttpOnly");
        }
        line
    }
}

/// The value of the Cookie field: `cookies`, and behind them what the caller gives, which counts for its names.
pub fn field(cookies: &[Cookie], given: &[u8]) -> Vec<u8> {
    let names: Vec<&[u8]> = given
        .split(|byte| *byte == b';')
        .map(|pair| pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii())
        .filter(|name| !name.is_empty())
        .collect();
    let mut value = Vec::new();
    for cookie in cookies.iter().filter(|cookie| !names.contains(&&cookie.name[..])) {
        let pair = cookie.pair();
        if value.len() + pair.len() + 2 + given.len() <= LONGEST_FIELD {
            join(&mut value, &pair);
        }
    }
    join(&mut value, given);
    value
}

fn join(value: &mut Vec<u8>, more: &[u8]) {
    if !value.is_empty() && !more.is_empty() {
        value.extend_from_slice(b"; ");
    }
    value.extend_from_slice(more);
}

/// A line of Set-Cookie, read: RFC 6265bis section 5.6.
#[derive(Debug, Default)]
struct Given<'a> {
    name: &'a [u8],
    value: &'a [u8],
    domain: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
    expires: Option<i64>,
    max_age: Option<i64>,
    secure: bool,
    http_only: bool,
}

impl<'a> Given<'a> {
    fn parse(line: &'a [u8]) -> Result<Given<'a>, &'static str> {
        if line.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
            return Err("there is a control byte in it");
        }
        let mut parts = line.split(|byte| *byte == b';');
        let pair = parts.next().unwrap_or_default();
        let (name, value) = cut(pair).map_or((&b""[..], pair), |(name, value)| (name, value));
        let mut given = Given { name: name.trim_ascii(), value: value.trim_ascii(), ..Given::default() };
        if given.name.is_empty() && given.value.is_empty() {
            return Err("there is neither name nor value");
        }
        if given.name.is_empty() && given.value.contains(&b'=') {
            return Err("it has no name, and would be sent as another cookie");
        }
        if given.name.len() + given.value.len() > LONGEST {
            return Err("name and value have more than 4096 bytes");
        }
        for part in parts {
            let (name, value) = cut(part).unwrap_or((part, b""));
            let (name, value) = (name.trim_ascii().to_ascii_lowercase(), value.trim_ascii());
            if value.len() <= LONGEST_ATTRIBUTE {
                given.obey(&name, value);
            }
        }
        Ok(given)
    }

    /// The last one of a name counts.
    fn obey(&mut self, name: &[u8], value: &'a [u8]) {
        match name {
            b"expires" => self.expires = date::parse(value).or(self.expires),
            b"max-age" => self.max_age = seconds(value).or(self.max_age),
            b"domain" => self.domain = Some(value.strip_prefix(b".").unwrap_or(value)),
            b"path" => self.path = Some(value),
            b"secure" => self.secure = true,
            b"httponly" => self.http_only = true,
            _ => {}
        }
    }

    /// The cookie, if `place` may set it: RFC 6265bis section 5.7.
    fn judged(self, place: &Place, now: i64) -> Result<Cookie, &'static str> {
        let (domain, host_only) = self.domain_of(place)?;
        if self.secure && !place.secure {
            return Err("it is Secure, and came without TLS");
        }
        self.check_prefix(host_only)?;
        let path = match self.path {
            Some(path) if path.starts_with(b"/") => String::from_utf8_lossy(path).into_owned(),
            _ => folder_of(&place.path).to_string(),
        };
        if path.len() > LONGEST_ATTRIBUTE {
            return Err("its path has more than 1024 bytes"); // set again from its line, it would be for all paths
        }
        let age = self.max_age.map(|age| if age <= 0 { i64::MIN } else { now.saturating_add(age) });
        Ok(Cookie {
            name: self.name.to_vec(),
            value: self.value.to_vec(),
            domain,
            host_only,
            path,
            secure: self.secure,
            http_only: self.http_only,
            expires: age.or(self.expires).map(|end| end.min(now + LONGEST_LIFE)),
            used: 0,
        })
    }

    fn domain_of(&self, place: &Place) -> Result<(String, bool), &'static str> {
        let wanted = self.domain.unwrap_or_default();
        let domain = String::from_utf8_lossy(wanted).to_ascii_lowercase();
        if domain.is_empty() {
            return Ok((place.host.to_string(), true));
        }
        if !domain.is_ascii() || domain.split('.').any(str::is_empty) {
            return Err("its domain is no name in ASCII"); // "com." is no other than "com", which is a public suffix
        }
        if suffix::is_public(&domain) && !is_address(&domain) {
            return match domain == place.host {
                true => Ok((domain, true)),
                false => Err("its domain is a public suffix"),
            };
        }
        match domain_matches(&place.host, &domain) {
            true => Ok((domain, false)),
            false => Err("its domain is another one"),
        }
    }

    /// What a name begins with is a promise: RFC 6265bis section 4.1.3.
    fn check_prefix(&self, host_only: bool) -> Result<(), &'static str> {
        let begins = |text: &[u8], prefix: &[u8]| {
            text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let named = if self.name.is_empty() { self.value } else { self.name };
        let (secure, host) = (begins(named, b"__Secure-"), begins(named, b"__Host-"));
        if (secure || host) && self.name.is_empty() {
            return Err("a value without a name begins as a name with a prefix does");
        }
        if (secure || host) && !self.secure {
            return Err("its name's prefix promises Secure");
        }
        if host && !(host_only && self.domain.is_none_or(<[u8]>::is_empty) && self.path == Some(b"/")) {
            return Err("its name's prefix promises one host and Path=/");
        }
        Ok(())
    }
}

fn cut(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = part.iter().position(|byte| *byte == b'=')?;
    Some((&part[..at], &part[at + 1..]))
}

/// A Max-Age; what is too large for a number is for ever.
fn seconds(value: &[u8]) -> Option<i64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let least = if digits.len() < value.len() { i64::MIN } else { i64::MAX };
    Some(std::str::from_utf8(value).ok()?.parse().unwrap_or(least))
}

/// RFC 6265bis section 5.1.3.
fn domain_matches(host: &str, domain: &str) -> bool {
    let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == domain || (below && !is_address(host))
}

fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

/// RFC 6265bis section 5.1.4.
fn path_matches(path: &str, of_cookie: &str) -> bool {
    path.strip_prefix(of_cookie)
        .is_some_and(|rest| rest.is_empty() || of_cookie.ends_with('/') || rest.starts_with('/'))
}

/// The default path, likewise.
fn folder_of(path: &str) -> &str {
    match path.rfind('/') {
        Some(slash) if slash > 0 && path.starts_with('/') => &path[..slash],
        _ => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000_000;

    fn place(url: &str) -> Place {
        Place::of(url).unwrap()
    }

    fn sent(jar: &Jar, url: &str) -> String {
        String::from_utf8(field(&jar.to(&place(url), NOW), b"")).unwrap()
    }

    /// A jar with what `url` sets.
    fn set(url: &str, lines: &[&str]) -> Jar {
        let jar = Jar::default();
        for line in lines {
            jar.store(line.as_bytes(), &place(url), NOW).expect(line);
        }
        jar
    }

    fn refused(url: &str, line: &str) -> &'static str {
        Jar::default().store(line.as_bytes(), &place(url), NOW).expect_err(line)
    }

    #[test]
    fn name_and_value_are_taken_as_they_are() {
        let jar = set("http://a.com/", &["a = b c ", "d=\"e\"", "=f", "g", "h=i=j", "k="]);

        assert_eq!("a=b c; d=\"e\"; g; h=i=j; k=", sent(&jar, "http://a.com/"));
        assert_eq!("there is neither name nor value", refused("http://a.com/", " = ; Path=/"));
        assert!(refused("http://a.com/", "=a=b").starts_with("it has no name"));
        assert_eq!("there is a control byte in it", refused("http://a.com/", "a=b\rc"));
    }

    #[test]
    fn one_without_a_domain_is_its_hosts_alone() {
        let jar = set("http://a.com/", &["a=1", "b=2; Domain=", "c=3; Domain=a.com", "d=4; domain=.A.com"]);

        assert_eq!("a=1; b=2; c=3; d=4", sent(&jar, "http://a.com/"));
        assert_eq!("c=3; d=4", sent(&jar, "http://b.a.com/"));
        assert_eq!("", sent(&jar, "http://ba.com/"));
    }

    #[test]
    fn a_domain_is_the_hosts_own_or_one_above() {
        assert_eq!("a=1", sent(&set("http://b.a.com/", &["a=1; Domain=a.com"]), "http://c.a.com/"));
        for other in ["b.a.com", "b.com", "xa.com", "a.com.b.org"] {
            assert_eq!(
                "its domain is another one",
                refused("http://a.com/", &format!("a=1; Domain={other}"))
            );
        }
        assert_eq!("its domain is no name in ASCII", refused("http://a.com/", "a=1; Domain=\u{e4}.com"));
        for dots in ["com.", ".com.", "..com", "a.com."] {
            let line = format!("a=1; Domain={dots}");
            assert_eq!("its domain is no name in ASCII", refused("http://a.com./", &line));
        }
        assert_eq!("", sent(&set("http://a.com./", &["a=1"]), "http://a.com/"));
    }

    #[test]
    fn a_public_suffix_is_nobodys_domain_but_its_own_hosts() {
        for (url, suffix) in
            [("http://a.com/", "com"), ("http://a.co.uk/", "co.uk"), ("http://me.github.io/", "github.io")]
        {
            let line = format!("a=1; Domain={suffix}");
            assert_eq!("its domain is a public suffix", refused(url, &line));
        }
        let jar = set("http://github.io/", &["a=1; Domain=github.io"]);
        assert_eq!(("a=1", ""), (&*sent(&jar, "http://github.io/"), &*sent(&jar, "http://me.github.io/")));
        assert_eq!("a=1", sent(&set("http://localhost/", &["a=1; Domain=localhost"]), "http://localhost/"));
    }

    #[test]
    fn an_address_has_nothing_below() {
        let jar = set("http://127.0.0.1/", &["a=1; Domain=127.0.0.1", "b=2"]);

        assert_eq!("a=1; b=2", sent(&jar, "http://127.0.0.1/"));
        assert_eq!("its domain is another one", refused("http://127.0.0.1/", "a=1; Domain=0.0.1"));
        assert_eq!("a=1", sent(&set("http://[::1]/", &["a=1"]), "http://[::1]/"));
    }

    #[test]
    fn paths_match_by_whole_segments() {
        let jar =
            set("http://a.com/x/y", &["a=1", "b=2; Path=/", "c=3; Path=/x/", "d=4; Path=z", "e=5; Path=/xx"]);

        assert_eq!("c=3; a=1; d=4; b=2", sent(&jar, "http://a.com/x/"));
        assert_eq!("a=1; d=4; b=2", sent(&jar, "http://a.com/x"));
        assert_eq!("e=5; b=2", sent(&jar, "http://a.com/xx"));
        assert_eq!("/", set("http://a.com/x", &["a=1"]).all(NOW)[0].path);
    }

    #[test]
    fn longer_paths_go_first_and_then_the_older() {
        let jar =
            set("http://a.com/x/y/z", &["a=1; Path=/", "b=2; Path=/x/y", "c=3; Path=/x", "d=4; Path=/x/y"]);
        jar.store(b"a=5; Path=/", &place("http://a.com/"), NOW).unwrap();

        assert_eq!("b=2; d=4; c=3; a=5", sent(&jar, "http://a.com/x/y/z"));
    }

    #[test]
    fn the_same_name_domain_and_path_is_the_same_cookie() {
        let jar = set("http://b.a.com/", &["a=1", "a=2", "a=3; Domain=b.a.com", "a=4; Path=/x", "A=5"]);

        assert_eq!("a=2; a=3; A=5", sent(&jar, "http://b.a.com/"));
        assert_eq!(4, jar.all(NOW).len());
    }

    #[test]
    fn secure_ones_come_and_go_over_tls() {
        assert_eq!("it is Secure, and came without TLS", refused("http://a.com/", "a=1; Secure"));
        let jar = set("https://a.com/", &["a=1; SECURE; HttpOnly", "b=2"]);

        assert_eq!(("a=1; b=2", "b=2"), (&*sent(&jar, "https://a.com/"), &*sent(&jar, "http://a.com/")));
        assert!(jar.all(NOW)[0].http_only && !jar.all(NOW)[1].http_only);
    }

    #[test]
    fn what_came_without_tls_hides_no_secure_one() {
        let jar = set("https://b.a.com/", &["a=1; Secure; Domain=a.com; Path=/x"]);
        let store = |url, line: &str| jar.store(line.as_bytes(), &place(url), NOW);

        for line in ["a=2; Domain=a.com; Path=/x", "a=2; Path=/x", "a=2; Path=/x/y"] {
            assert!(store("http://b.a.com/", line).is_err(), "{line}");
        }
        assert!(store("http://b.a.com/", "a=2; Path=/").is_ok());
        assert!(store("http://b.a.com/", "c=2; Path=/x").is_ok());
        assert!(store("https://b.a.com/", "a=2; Path=/x/y").is_ok());
    }

    #[test]
    fn prefixes_are_promises() {
        for (line, kept) in [
            ("__Secure-a=1; Secure", true),
            ("__SECURE-a=1; Secure", true),
            ("__Secure-a=1", false),
            ("__Host-a=1; Secure; Path=/", true),
            ("__Host-a=1; Secure", false),
            ("__host-a=1; Secure; Path=/x", false),
            ("__Host-a=1; Path=/", false),
            ("__Host-a=1; Secure; Path=/; Domain=a.com", false),
            ("=__Host-a=1; Secure; Path=/", false),
            ("__Secure-a", false),
        ] {
            let done = Jar::default().store(line.as_bytes(), &place("https://a.com/"), NOW);
            assert_eq!(kept, done.is_ok(), "{line}");
        }
    }

    #[test]
    fn they_live_as_long_as_they_say_and_400_days_at_most() {
        let jar = set(
            "http://a.com/",
            &[
                "a=1",
                "b=2; Max-Age=10",
                "c=3; Expires=Sun, 09 Sep 2001 01:46:50 GMT",
                "d=4; Max-Age=20; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                "e=5; Max-Age=99999999999999999999",
                "f=6; Max-Age=x; Expires=never",
            ],
        );
        let ends: Vec<_> = jar.all(NOW).iter().map(|cookie| cookie.expires.map(|end| end - NOW)).collect();

        assert_eq!(vec![None, Some(10), Some(10), Some(20), Some(400 * 86400), None], ends);
        assert_eq!(4, jar.all(NOW + 10).len());
    }

    #[test]
    fn one_that_has_expired_removes_its_like() {
        let jar = set("http://a.com/", &["a=1", "b=2", "c=3", "a=; Max-Age=0", "b=; Max-Age=-1"]);
        jar.store(b"c=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", &place("http://a.com/"), NOW).unwrap();

        assert_eq!("", sent(&jar, "http://a.com/"));
    }

    #[test]
    fn a_path_that_could_not_be_set_again_is_not_kept() {
        let long = "y".repeat(LONGEST_ATTRIBUTE);
        let there = place(&format!("http://a.com/{long}/x"));
        let bytes = [b"a=1; Path=/", &[0xff; LONGEST_ATTRIBUTE / 2][..]].concat();

        assert!(Jar::default().store(b"a=1", &there, NOW).is_err());
        assert!(Jar::default().store(&bytes, &there, NOW).is_err());
        assert!(Jar::default().store(b"a=1; Path=/", &there, NOW).is_ok());
    }

    #[test]
    fn one_may_not_be_long_and_attributes_that_are_do_not_count() {
        assert!(refused("http://a.com/", &format!("a={}", "x".repeat(LONGEST))).contains("4096"));
        let jar = set("http://a.com/x", &[&format!("a={}", "x".repeat(LONGEST - 1))]);
        assert_eq!(LONGEST + 1, sent(&jar, "http://a.com/").len());

        let jar = set("http://a.com/x", &[&format!("a=1; Path=/{}", "y".repeat(LONGEST_ATTRIBUTE))]);
        assert_eq!("a=1", sent(&jar, "http://a.com/"));
    }

    #[test]
    fn a_domain_has_so_many_and_loses_those_least_used() {
        let jar = set("https://a.com/", &["first=1; Secure", "second=2"]);
        for n in 0..MOST_OF_A_DOMAIN - 2 {
            jar.store(format!("{n}=x; Path=/{n}").as_bytes(), &place("https://a.com/"), NOW).unwrap();
        }
        jar.store(b"other=1", &place("https://b.com/"), NOW).unwrap();
        jar.store(b"last=1", &place("https://a.com/"), NOW).unwrap();

        assert_eq!("first=1; last=1", sent(&jar, "https://a.com/"));
        assert_eq!(MOST_OF_A_DOMAIN + 1, jar.all(NOW).len());
    }

    #[test]
    fn a_jar_has_so_many() {
        let jar = Jar::default();
        for n in 0..MOST + 5 {
            let host = format!("http://h{n}.com/");
            jar.store(b"a=1", &place(&host), NOW).unwrap();
        }

        assert_eq!(MOST, jar.all(NOW).len());
        assert_eq!(("", "a=1"), (&*sent(&jar, "http://h4.com/"), &*sent(&jar, "http://h5.com/")));
    }

    #[test]
    fn a_field_is_no_longer_than_servers_take() {
        let jar = set("http://a.com/", &[]);
        for name in ["a", "b", "c"] {
            let line = format!("{name}={}", "x".repeat(4000));
            jar.store(line.as_bytes(), &place("http://a.com/"), NOW).unwrap();
        }
        let field = sent(&jar, "http://a.com/");

        assert!(field.starts_with("a=x") && field.contains("; b=x") && !field.contains("c=x"));
    }

    #[test]
    fn the_callers_own_go_behind_and_count_for_their_names() {
        let jar = set("http://a.com/", &["a=1", "b=2"]);
        let field = |given: &str| {
            String::from_utf8(field(&jar.to(&place("http://a.com/"), NOW), given.as_bytes())).unwrap()
        };

        assert_eq!("b=2; c=3; a=4", field("c=3; a=4"));
        assert_eq!("a=1; b=2", field(""));
        assert_eq!("a=5; b=", field("a=5; b="));
    }

    #[test]
    fn a_cookie_tells_the_line_that_makes_it_again() {
        let lines = [
            "a=1; Domain=a.com; Path=/x; Expires=Sun, 09 Sep 2001 01:46:50 GMT; Secure; HttpOnly",
            "b=2; Path=/",
            "=c; Path=/",
        ];
        let jar = set("https://b.a.com/", &lines);
        let again = Jar::default();
        for cookie in jar.all(NOW) {
            let url = cookie.url();
            again.store(&cookie.line(), &place(&url), NOW).unwrap();
        }
        let told: Vec<_> =
            again.all(NOW).iter().map(|cookie| String::from_utf8(cookie.line()).unwrap()).collect();

        assert_eq!(lines.to_vec(), told);
        assert_eq!(("https://a.com/", "http://b.a.com/"), (&*jar.all(NOW)[0].url(), &*jar.all(NOW)[1].url()));
    }
}
