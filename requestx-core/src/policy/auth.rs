//! Who asks: Digest, RFC 7616. Basic is a field, and needs no more than that (`request.rs`).
//!
//! A challenge is answered for the origin that the caller asked first, and for no other: where redirects lead nobody
//! learns of it (GHSA-hpj7-wq8m-9hgp). One that was answered serves the client's further calls, counting.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::retry::random;
use crate::head::Head;
use crate::hex;
use crate::proxy::Login;
use crate::tls;

/// Scheme, as whether it is https, host and port.
pub type Origin = (bool, String, u16);

/// Bytes of a challenge that are sent back, at most.
const LONGEST: usize = 4096;
/// Origins whose challenges are kept.
const MOST: usize = 64;

/// A challenge of Digest that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    /// As the server names it.
    algorithm: Option<Vec<u8>>,
    hash: Hash,
    session: bool,
    protection: Protection,
    /// The server wants the user's name hashed.
    hides_user: bool,
    /// The answer was right, but for the age of its nonce.
    pub is_stale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
    Sha512Of256,
}

/// What an answer covers: RFC 7616's qop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// As RFC 2069 had it.
    Old,
    Auth,
    /// The body as well.
    Whole,
}

/// What of a request an answer is made of.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub method: &'a str,
    /// Path and query, as they are sent.
    pub uri: &'a str,
    pub body: &'a [u8],
}

/// The challenges that a client has answered, by origin.
#[derive(Debug, Default)]
pub struct Challenges(Mutex<VecDeque<(Origin, Challenge, u32)>>);

impl Challenges {
    /// Keeps the challenge of `origin`, in the place of an older one.
    pub fn keep(&self, origin: &Origin, challenge: Challenge) {
        let mut all = self.lock();
        all.retain(|(other, ..)| other != origin);
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back((origin.clone(), challenge, 0));
    }

    /// The challenge of `origin`, and how often it has been answered, this time included.
    pub fn next(&self, origin: &Origin) -> Option<(Challenge, u32)> {
        let mut all = self.lock();
        let (_, challenge, count) = all.iter_mut().find(|(other, ..)| other == origin)?;
        *count = count.saturating_add(1);
        Some((challenge.clone(), *count))
    }

    /// The server of `origin` wants another nonce next time.
    pub fn renew(&self, origin: &Origin, nonce: Vec<u8>) {
        let mut all = self.lock();
        if let Some((_, challenge, count)) = all.iter_mut().find(|(other, ..)| other == origin) {
            (challenge.nonce, *count) = (nonce, 0);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Origin, Challenge, u32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first challenge of Digest in `head` that can be answered; the server puts its favourite in front.
pub fn challenge(head: &Head) -> Option<Challenge> {
    head.all("www-authenticate").flat_map(challenges).find_map(|(scheme, parameters)| {
        scheme.eq_ignore_ascii_case(b"digest").then(|| Challenge::of(&parameters)).flatten()
    })
}

/// The nonce that the server wants next time: RFC 7616 section 3.5.
pub fn next_nonce(head: &Head) -> Option<Vec<u8>> {
    let said = |item: &[u8]| {
        let at = item.iter().position(|byte| *byte == b'=')?;
        let named = item[..at].trim_ascii().eq_ignore_ascii_case(b"nextnonce");
        named.then(|| unquoted(item[at + 1..].trim_ascii()))
    };
    let nonce = head.all("authentication-info").flat_map(items).find_map(said)?;
    (1..=LONGEST).contains(&nonce.len()).then_some(nonce)
}

impl Challenge {
    fn of(parameters: &Parameters) -> Option<Challenge> {
        let find = |name: &str| {
            let named = |(key, _): &&(Vec<u8>, Vec<u8>)| key.eq_ignore_ascii_case(name.as_bytes());
            parameters.iter().find(named).map(|(_, value)| value.clone())
        };
        let is_true = |name| find(name).is_some_and(|value| value.eq_ignore_ascii_case(b"true"));
        let algorithm = find("algorithm");
        let (hash, session) = Hash::named(algorithm.as_deref().unwrap_or(b"MD5"))?;
        let protection = match find("qop") {
            None => Protection::Old,
            Some(offers) => {
                let offers = |one: &[u8]| {
                    offers
                        .split(|byte| *byte == b',')
                        .any(|offer| offer.trim_ascii().eq_ignore_ascii_case(one))
                };
                match (offers(b"auth"), offers(b"auth-int")) {
                    (true, _) => Protection::Auth,
                    (_, true) => Protection::Whole,
                    _ => return None,
                }
            }
        };
        let challenge = Challenge {
            realm: find("realm")?,
            nonce: find("nonce")?,
            opaque: find("opaque"),
            algorithm,
            hash,
            session,
            protection,
            hides_user: is_true("userhash"),
            is_stale: is_true("stale"),
        };
        let opaque = challenge.opaque.as_ref().map_or(0, Vec::len);
        (challenge.realm.len() + challenge.nonce.len() + opaque <= LONGEST && hash.of(&[]).is_some())
            .then_some(challenge)
    }

    /// The value of Authorization for the `count`-th answer.
    pub fn answer(&self, login: &Login, asked: Asked<'_>, count: u32) -> Option<Vec<u8>> {
        self.answer_with(login, asked, count, format!("{:016x}{:016x}", random(), random()).as_bytes())
    }

    fn answer_with(&self, login: &Login, asked: Asked<'_>, count: u32, cnonce: &[u8]) -> Option<Vec<u8>> {
        let hash = |parts: &[&[u8]]| self.hash.of(&parts.join(&b':')).map(String::into_bytes);
        let nc = format!("{count:08x}");
        let mut user = hash(&[&login.user, &self.realm, &login.password])?;
        if self.session {
            user = hash(&[&user, &self.nonce, cnonce])?;
        }
        let (method, uri) = (asked.method.as_bytes(), asked.uri.as_bytes());
        let (qop, request) = match self.protection {
            Protection::Old => (None, hash(&[method, uri])?),
            Protection::Auth => (Some("auth"), hash(&[method, uri])?),
            Protection::Whole => (Some("auth-int"), hash(&[method, uri, &hash(&[asked.body])?])?),
        };
        let response = match qop {
            None => hash(&[&user, &self.nonce, &request])?,
            Some(qop) => hash(&[&user, &self.nonce, nc.as_bytes(), cnonce, qop.as_bytes(), &request])?,
        };
        let mut value = b"Digest ".to_vec();
        match self.hides_user {
            true => put(&mut value, "username", &quoted(&hash(&[&login.user, &self.realm])?)),
            false => put(&mut value, "username", &quoted(&login.user)),
        }
        put(&mut value, "realm", &quoted(&self.realm));
        put(&mut value, "nonce", &quoted(&self.nonce));
        put(&mut value, "uri", &quoted(uri));
        put(&mut value, "response", &quoted(&response));
        if let Some(algorithm) = &self.algorithm {
            put(&mut value, "algorithm", algorithm);
        }
        if let Some(qop) = qop {
            put(&mut value, "qop", qop.as_bytes());
            put(&mut value, "nc", nc.as_bytes());
        }
        if qop.is_some() || self.session {
            put(&mut value, "cnonce", &quoted(cnonce));
        }
        if let Some(opaque) = &self.opaque {
            put(&mut value, "opaque", &quoted(opaque));
        }
        if self.hides_user {
            put(&mut value, "userhash", b"true");
        }
        Some(value)
    }
}

fn put(value: &mut Vec<u8>, name: &str, text: &[u8]) {
    if !value.ends_with(b" ") {
        value.extend_from_slice(b", ");
    }
    [name.as_bytes(), b"=", text].iter().for_each(|part| value.extend_from_slice(part));
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
    out
}

impl Hash {
    /// A hash, and whether it is of the session kind.
    fn named(name: &[u8]) -> Option<(Hash, bool)> {
        let name = name.to_ascii_uppercase();
        let (name, session) = name.strip_suffix(b"-SESS").map_or((&name[..], false), |name| (name, true));
        match name {
            b"MD5" => Some((Hash::Md5, session)),
            b"SHA-256" => Some((Hash::Sha256, session)),
            b"SHA-512-256" => Some((Hash::Sha512Of256, session)),
            _ => None,
        }
    }

    /// Its hexadecimal digits; `None` where the TLS library does not have it.
    fn of(self, bytes: &[u8]) -> Option<String> {
        let name = match self {
            Hash::Md5 => "MD5",
            Hash::Sha256 => "SHA256",
            Hash::Sha512Of256 => "SHA512-256",
        };
        tls::hash(name, bytes).map(|digest| hex::encode(&digest))
    }
}

type Parameters = Vec<(Vec<u8>, Vec<u8>)>;

/// The challenges of one field, schemes and parameters: RFC 9110 section 11.6.1.
fn challenges(value: &[u8]) -> Vec<(Vec<u8>, Parameters)> {
    let mut found: Vec<(Vec<u8>, Parameters)> = Vec::new();
    for item in items(value) {
        let mut item = item.trim_ascii();
        let word = item.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'=')).unwrap_or(item.len());
        let rest = item[word..].trim_ascii_start();
        if word > 0 && !rest.starts_with(b"=") {
            found.push((item[..word].to_vec(), Vec::new()));
            item = rest;
        }
        if let (Some((_, parameters)), Some(at)) =
            (found.last_mut(), item.iter().position(|byte| *byte == b'='))
        {
            parameters.push((item[..at].trim_ascii().to_vec(), unquoted(item[at + 1..].trim_ascii())));
        }
    }
    found
}

/// What commas part, but for those within quotes.
fn items(value: &[u8]) -> Vec<&[u8]> {
    let (mut items, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                items.push(&value[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(&value[from..]);
    items
}

fn unquoted(text: &[u8]) -> Vec<u8> {
    let Some(inner) = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) else {
        return text.to_vec();
    };
    let mut escaped = false;
    let keep = |byte: &&u8| {
        escaped = **byte == b'\\' && !escaped;
        !escaped
    };
    inner.iter().filter(keep).copied().collect()
}

#[cfg(all(test, not(native_backend)))]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<Challenge> {
        let sent = format!("HTTP/1.1 401 X\r\nwww-AUTHENTICATE: {value}\r\n\r\n");
        challenge(&Head::read(sent.as_bytes(), b"", false).unwrap().0)
    }

    fn login(user: &str, password: &str) -> Login {
        Login { user: user.into(), password: password.into() }
    }

    const GET: Asked<'static> = Asked { method: "GET", uri: "/dir/index.html", body: b"" };
    const CNONCE: &[u8] = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    fn answer(challenge: &Challenge, login: &Login, asked: Asked<'_>, cnonce: &[u8]) -> String {
        String::from_utf8(challenge.answer_with(login, asked, 1, cnonce).unwrap()).unwrap()
    }

    /// RFC 7616 section 3.9.1.
    #[test]
    fn the_rfcs_example_comes_out_as_it_says() {
        let mufasa = login("Mufasa", "Circle of Life");
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = of(&format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            ));

            let said = answer(&challenge.unwrap(), &mufasa, GET, CNONCE);
            assert!(said.starts_with("Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce="));
            assert!(
                said.contains(&format!("response=\"{response}\", algorithm={algorithm}, qop=auth")),
                "{said}"
            );
            assert!(said.contains(", nc=00000001, cnonce=\"f2/"), "{said}");
            assert!(said.ends_with("opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""), "{said}");
        }
    }

    /// The user of RFC 7616 section 3.9.2.
    #[test]
    fn a_user_may_be_hidden() {
        let challenge = of("Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
             nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", userhash=true");
        let said = answer(&challenge.unwrap(), &login("J\u{e4}s\u{f8}n Doe", "Secret, or not?"), GET, CNONCE);

        assert!(
            said.contains("username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"")
        );
        assert!(said.ends_with(", userhash=true"), "{said}");
    }

    /// RFC 2617 section 3.5, and without qop what RFC 2069 makes of the same.
    #[test]
    fn older_forms_are_answered_in_their_own() {
        let mufasa = login("Mufasa", "Circle Of Life");
        let nonce = "realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let new = answer(&of(&format!("Digest {nonce}, qop=auth")).unwrap(), &mufasa, GET, b"0a4f113b");
        let old = answer(&of(&format!("Digest {nonce}")).unwrap(), &mufasa, GET, b"x");

        assert!(new.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{new}");
        assert!(old.ends_with("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{old}");
    }

    #[test]
    fn session_and_body_change_the_response() {
        let ann = login("ann", "secret");
        let said = |parameters: &str, body: &[u8]| {
            let challenge = of(&format!("Digest realm=\"r\", nonce=\"n\", {parameters}")).unwrap();
            answer(&challenge, &ann, Asked { body, ..GET }, b"c")
        };

        assert_ne!(
            said("qop=auth", b""),
            said("qop=auth, algorithm=MD5-sess", b"").replace(", algorithm=MD5-sess", "")
        );
        assert_eq!(said("qop=auth", b"a"), said("qop=auth", b"b"));
        assert_ne!(said("qop=auth-int", b"a"), said("qop=auth-int", b"b"));
        assert!(said("algorithm=md5-SESS", b"").ends_with(", algorithm=md5-SESS, cnonce=\"c\""));
    }

    #[test]
    fn the_first_that_can_be_answered_is() {
        let several = "Basic realm=\"a, b\", Negotiate, Digest realm=\"x\\\"y\", nonce=\"1\", algorithm=NEW, \
                       Digest  realm = \"z\\\\\" ,nonce=2,algorithm=SHA-256,qop=\"auth\",stale=TRUE , Digest realm=last";
        let challenge = of(several).unwrap();

        assert_eq!((&b"z\\"[..], &b"2"[..]), (&challenge.realm[..], &challenge.nonce[..]));
        assert_eq!((Hash::Sha256, true), (challenge.hash, challenge.is_stale));
        assert!(answer(&challenge, &login("a\"b", ""), GET, b"c")
            .contains("username=\"a\\\"b\", realm=\"z\\\\\""));
    }

    #[test]
    fn the_next_nonce_is_found_among_what_else_is_said() {
        let of = |value: &str| {
            let sent = format!("HTTP/1.1 200 X\r\nAuthentication-Info: {value}\r\n\r\n");
            next_nonce(&Head::read(sent.as_bytes(), b"", false).unwrap().0)
        };

        assert_eq!(
            Some(b"a, \"b".to_vec()),
            of("qop=auth, rspauth=\"x, nextnonce=y\", NextNonce = \"a, \\\"b\"")
        );
        for none in
            ["", "nextnonce", "nextnonce=\"\"", "nonce=a", &format!("nextnonce={}", "n".repeat(LONGEST + 1))]
        {
            assert_eq!(None, of(none), "{none}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_not() {
        for value in [
            "",
            "Basic realm=\"a\"",
            "Digest",
            "Digest realm=\"a\"",
            "Digest nonce=\"a\"",
            "Digest realm=\"a\", nonce=\"b\", algorithm=SHA-1",
            "Digest realm=\"a\", nonce=\"b\", qop=\"other\"",
        ] {
            assert_eq!(None, of(value), "{value}");
        }
        assert_eq!(None, of(&format!("Digest realm=\"a\", nonce=\"{}\"", "n".repeat(LONGEST))));
    }

    #[test]
    fn answers_are_counted_and_the_oldest_are_forgotten() {
        let kept = Challenges::default();
        let origin = |n: usize| (false, format!("h{n}"), 80);
        let challenge = of("Digest realm=r, nonce=n").unwrap();
        (0..=MOST).for_each(|n| kept.keep(&origin(n), challenge.clone()));

        assert_eq!(None, kept.next(&origin(0)));
        assert_eq!((1, 2), (kept.next(&origin(1)).unwrap().1, kept.next(&origin(1)).unwrap().1));
        kept.keep(&origin(1), challenge);
        assert_eq!(1, kept.next(&origin(1)).unwrap().1);
    }
}
