//! The names in a server's certificate: it speaks for the host that they name, and for no other.
//!
//! The certificate is signed by one that is trusted, and its names are any bytes. Where the exchange is done, another look
//! finds the host among them; the common name, which is the host's each time, counts for nothing. A certificate that
//! names just the host is taken.

use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509Builder, X509Extension, X509Name, X509NameBuilder, X509};
use requestx::client::Client;
use requestx::error::Kind;
use requestx::options::{Http, Options};

use crate::input::choices;
use crate::peer::{in_time, listener, options, perform};

const HOSTS: [&str; 3] = ["origin.example", "192.0.2.1", "2001:db8::1"];
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

pub fn check(data: &[u8]) {
    let Some(([choice], bytes)) = choices(data) else { return };
    let host = HOSTS[usize::from(choice) % HOSTS.len()];
    let Ok(certificate) = issue(host, bytes) else { return };
    let Ok(acceptor) = acceptor(&certificate) else { return };
    let outcome = handshake(host, acceptor);

    let names: Vec<_> = certificate.subject_alt_names().into_iter().flatten().collect();
    let fits = |name: &openssl::x509::GeneralName| match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => name.ipaddress() == Some(&address.octets()),
        Ok(std::net::IpAddr::V6(address)) => name.ipaddress() == Some(&address.octets()),
        Err(_) => name.dnsname().is_some_and(|name| name.eq_ignore_ascii_case(host)),
    };
    match outcome {
        Ok(()) => assert!(names.iter().any(fits), "{host} by {bytes:?}"),
        Err(kind) => {
            assert!(matches!(kind, Kind::TlsVerify | Kind::Tls), "{kind:?}");
            assert!((host, bytes) != (HOSTS[0], b"\x30\x10\x82\x0eorigin.example"), "{kind:?}");
        }
    }
}

/// Whoever is trusted, and the key of everybody here.
struct Authority {
    key: PKey<Private>,
    name: X509Name,
    der: Vec<u8>,
}

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
        let name = name("authority").unwrap();
        let mut builder = begin(&key, &name, &name).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let der = builder.build().to_der().unwrap();
        Authority { key, name, der }
    })
}

/// A certificate for `host` by its common name, with `names` as its other ones.
fn issue(host: &str, names: &[u8]) -> Result<X509, ErrorStack> {
    let authority = authority();
    let mut builder = begin(&authority.key, &name(host)?, &authority.name)?;
    let (kind, names) = (Asn1Object::from_str("2.5.29.17")?, Asn1OctetString::new_from_bytes(names)?);
    builder.append_extension(X509Extension::new_from_der(&kind, false, &names)?)?;
    builder.sign(&authority.key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn begin(key: &PKey<Private>, subject: &X509Name, issuer: &X509Name) -> Result<X509Builder, ErrorStack> {
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*Asn1Integer::from_bn(&*BigNum::from_u32(7)?)?)?;
    builder.set_not_before(&*Asn1Time::from_unix(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(1)?)?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}

fn name(common: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", common)?;
    Ok(name.build())
}

fn acceptor(certificate: &X509) -> Result<SslAcceptor, ErrorStack> {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    acceptor.set_private_key(&authority().key)?;
    acceptor.set_certificate(certificate)?;
    Ok(acceptor.build())
}

/// An exchange with `host`, whose server is a thread.
fn handshake(host: &str, acceptor: SslAcceptor) -> Result<(), Kind> {
    let (listener, path) = listener();
    let server = std::thread::spawn(move || {
        let Ok(mut stream) = acceptor.accept(listener.accept().unwrap().0) else { return };
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(ANSWER);
        let _ = stream.read(&mut [0]);
    });
    let mut options: Options = options(Http::One, path);
    options.tls.change().roots.data = Some(authority().der.clone().into());
    let url = format!("https://{}/", if host.contains(':') { format!("[{host}]") } else { host.into() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        let client = Client::new(Arc::new(options));
        in_time(perform(&client, "GET", &url)).await
    });
    drop(runtime);
    server.join().unwrap();
    outcome.map(drop)
}
