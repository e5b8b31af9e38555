//! What a caller may choose of TLS: values, checked when they are set, and compared when a connection is shared.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::{Error, Kind};
use crate::hex;
use crate::process::PerProcess;
use crate::tls::platform;

/// Whose certificates are trusted: all that is named here, or the platform's store where nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Roots {
    /// The platform's store as well, where SSL_CERT_FILE and SSL_CERT_DIR may point elsewhere.
    pub platform: bool,
    /// In the place of the platform's store where there is none. In PEM.
    pub fallback: Option<PathBuf>,
    /// In PEM.
    pub file: Option<PathBuf>,
    /// In PEM, named by their hashes (`openssl rehash`).
    pub folder: Option<PathBuf>,
    /// In PEM, or in DER one behind the other.
    pub data: Option<Arc<[u8]>>,
}

impl Roots {
    /// Whether the platform's store is trusted.
    pub fn trust_platform(&self) -> bool {
        self.platform || (self.file.is_none() && self.folder.is_none() && self.data.is_none())
    }

    /// The platform's store as it is now, where it is trusted, or the file that stands in for it.
    pub fn platform_store(&self) -> platform::Store {
        if !self.trust_platform() {
            return platform::Store::default();
        }
        platform::find()
            .unwrap_or_else(|| platform::Store { file: self.fallback.clone(), folders: Vec::new() })
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

impl Version {
    /// 10, 11, 12 or 13.
    pub fn of_number(number: u64) -> Option<Version> {
        Some(match number {
            10 => Version::Tls10,
            11 => Version::Tls11,
            12 => Version::Tls12,
            13 => Version::Tls13,
            _ => return None,
        })
    }
}

/// A digest of the server's own certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pin {
    Sha256([u8; 32]),
    Sha1([u8; 20]),
}

impl Pin {
    /// "sha256/…" or "sha1/…" in hexadecimal digits, several separated by commas.
    ///
    /// # Errors
    /// `InvalidArgument`, showing what was given.
    pub fn parse_all(text: &str) -> Result<Vec<Pin>, Error> {
        text.split(',').map(str::trim).filter(|pin| !pin.is_empty()).map(Pin::parse).collect()
    }

    fn parse(text: &str) -> Result<Pin, Error> {
        let wrong = || {
            Error::caller(Kind::InvalidArgument, format!("{text:?} is no sha256/ or sha1/ with its digits"))
        };
        let (kind, digits) = text.split_once('/').ok_or_else(wrong)?;
        let bytes = hex::decode(digits).ok_or_else(wrong)?;
        match kind {
            "sha256" => bytes.try_into().map(Pin::Sha256).map_err(|_| wrong()),
            "sha1" => bytes.try_into().map(Pin::Sha1).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

/// Bytes that are not shown, wherever what has them is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn of(bytes: &[u8]) -> Secret {
        Secret(bytes.to_vec())
    }
}

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// All that a TLS connection's trust depends on: two connections share a pool entry only if theirs are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    pub danger_accept_invalid: bool,
    /// The certificate may name any host, if somebody trusted signed it.
    pub danger_any_host: bool,
    /// Speak to servers that know no secure renegotiation (RFC 5746).
    pub danger_legacy: bool,
    pub roots: Roots,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub password: Option<Secret>,
    pub lowest: Option<Version>,
    pub highest: Option<Version>,
    pub strict: bool,
    /// A chain has to end in a root; else any certificate that is trusted will do.
    pub whole_chain: bool,
    /// In OpenSSL's notation; of TLS 1.2 and older.
    pub ciphers: Option<String>,
    /// Of TLS 1.3.
    pub suites: Option<String>,
    /// In the place of the URL's host: sent as SNI, and checked.
    pub server_name: Option<String>,
    /// In the place of both: checked, and not sent.
    pub verify_name: Option<String>,
    /// Its certificate has to be one of these.
    pub pins: Vec<Pin>,
    pub no_resumption: bool,
    pub keylog: Option<PathBuf>,
}

impl Settings {
    /// The settings for the TLS of a proxy: the same trust; what concerns the origin alone is left out.
    pub fn for_proxy(&self) -> Settings {
        Settings {
            danger_accept_invalid: self.danger_accept_invalid,
            roots: self.roots.clone(),
            ..Settings::default()
        }
    }

    /// A number for these settings, never 0: that of equal ones, as long as those are remembered, and of no others.
    pub fn identity(&self) -> u64 {
        static NUMBERS: PerProcess<Mutex<Numbers>> = PerProcess::new();
        NUMBERS.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner).of(self)
    }
}

/// The numbers given, each once.
#[derive(Debug, Default)]
struct Numbers {
    last: u64,
    known: HashMap<Settings, u64>,
}

/// Settings remembered. Some callers write a certificate to a new file for each request; who comes back after so many
/// others gets another number, and so connections of its own.
const REMEMBERED: usize = 1024;

impl Numbers {
    fn of(&mut self, settings: &Settings) -> u64 {
        if let Some(number) = self.known.get(settings) {
            return *number;
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.last += 1;
        self.known.insert(settings.clone(), self.last);
        self.last
    }
}

/// Settings that are asked for their number often: certificates given as bytes are long.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    settings: Settings,
    number: OnceLock<u64>,
}

impl Choice {
    /// To change them.
    pub fn change(&mut self) -> &mut Settings {
        self.number = OnceLock::new();
        &mut self.settings
    }

    /// As `Settings::identity`.
    pub fn identity(&self) -> u64 {
        *self.number.get_or_init(|| self.settings.identity())
    }
}

impl Deref for Choice {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

/// The certificates in `data`, each in DER, where they are in DER one behind the other; `None` if they are not.
pub fn split_der(mut data: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !data.is_empty() {
        let length = match data.get(..2)? {
            [0x30, short] if *short < 0x80 => 2 + *short as usize,
            [0x30, long] if (0x81..=0x83).contains(long) => {
                let digits = data.get(2..2 + (*long & 0x7f) as usize)?;
                2 + digits.len() + digits.iter().fold(0, |sum, digit| sum << 8 | *digit as usize)
            }
            _ => return None,
        };
        found.push(data.get(..length)?);
        data = &data[length..];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read() {
        let text = format!("sha256/{},sha1/{}", "aB".repeat(32), "00".repeat(20));

        assert_eq!(vec![Pin::Sha256([0xab; 32]), Pin::Sha1([0; 20])], Pin::parse_all(&text).unwrap());
        for wrong in ["sha256/ab", "md5/00112233445566778899aabbccddeeff", "ab", "sha1/zz", "sha256/abc"] {
            assert_eq!(Kind::InvalidArgument, Pin::parse_all(wrong).expect_err(wrong).kind);
        }
    }

    #[test]
    fn what_a_key_is_encrypted_with_is_not_shown() {
        let settings = Settings { password: Some(Secret::of(b"secret")), ..Settings::default() };

        let shown = format!("{settings:?}");
        assert!(shown.contains("Secret(..)") && !shown.contains(&format!("{:?}", b's')), "{shown}");
    }

    #[test]
    fn der_is_cut_where_a_certificate_ends() {
        let long = [vec![0x30, 0x82, 1, 0], vec![7; 256]].concat();
        let both = [&[0x30, 2, 1, 1][..], &long].concat();

        assert_eq!(Some(vec![&both[..4], &long[..]]), split_der(&both));
        assert_eq!(None, split_der(&both[..10]));
        assert_eq!(None, split_der(b"-----BEGIN"));
    }

    #[test]
    fn settings_are_remembered_up_to_a_limit_and_no_number_is_given_twice() {
        let mut numbers = Numbers::default();
        let file = |n: u64| Settings { certificate: Some(format!("/tmp/{n}").into()), ..Settings::default() };
        for n in 1..5000 {
            assert_eq!((n, n), (numbers.of(&file(n)), numbers.of(&file(n))));
        }

        assert!(numbers.known.len() <= REMEMBERED);
        assert_eq!(5000, numbers.of(&file(1)));
    }

    #[test]
    fn equal_settings_have_equal_numbers() {
        let (mut a, mut b) = (Choice::default(), Choice::default());
        assert_eq!(a.identity(), b.identity());
        a.change().server_name = Some("a".into());
        assert_ne!(a.identity(), b.identity());
        b.change().server_name = Some("a".into());
        assert_eq!(a.identity(), b.identity());
    }
}
