//! Cookies: what servers of one site set goes to that site alone, and what is Secure over https alone.
//!
//! The Cookie field that is made of them is one that may be sent, and no longer than servers take. Each cookie can be
//! written down as its line and its URL, and is the same cookie when it is set from them: so jars are saved and loaded.
//!
//! The input is lines: a byte that says who sets, and what stands in Set-Cookie.

use requestx::plan::check_field;
use requestx::policy::jar::{field, Cookie, Jar, Place};

/// Where cookies are set and sent; the numbers tell sites apart.
const PLACES: [(u8, &str); 14] = [
    (0, "https://example.com/"),
    (0, "http://example.com/a/b/c"),
    (0, "https://www.example.com/a"),
    (0, "http://deep.www.example.com/a/b?c=/d"),
    (1, "https://notexample.com/"),
    (2, "http://192.0.2.1/"),
    (3, "https://0.2.1/"),
    (4, "https://one.github.io/"),
    (5, "http://two.github.io/a"),
    (6, "https://github.io/"),
    (7, "https://[2001:db8::1]/"),
    (8, "https://a.co.uk/"),
    (9, "http://b.co.uk/"),
    (10, "http://localhost:8080/"),
];
const NOW: i64 = 1_700_000_000;
const LONGEST: usize = 8190;

pub fn check(data: &[u8]) {
    let places: Vec<_> = PLACES.iter().map(|(site, url)| (*site, *url, Place::of(url).unwrap())).collect();
    let jars: Vec<Jar> = (0..=10).map(|_| Jar::default()).collect();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((who, line)) = line.split_first() else { continue };
        let (site, _, place) = &places[usize::from(*who) % places.len()];
        let _ = jars[usize::from(*site)].store(line, place, NOW);
    }
    for (whose, jar) in jars.iter().enumerate() {
        for (site, url, place) in &places {
            let sent = jar.to(place, NOW);
            assert!(sent.is_empty() || whose == usize::from(*site), "{sent:?} to {url}");
            assert!(
                url.starts_with("https:") || !sent.iter().any(|cookie| cookie.secure),
                "{sent:?} to {url}"
            );
            let value = field(&sent, b"");
            assert!(check_field(b"Cookie", &value).is_ok() && value.len() <= LONGEST, "{value:?}");
        }
        jar.all(NOW).iter().for_each(set_again);
    }
}

fn set_again(cookie: &Cookie) {
    let (line, url) = (cookie.line(), cookie.url());
    let told = || format!("{:?} at {url}", String::from_utf8_lossy(&line));
    let jar = Jar::default();
    let stored = jar.store(&line, &Place::of(&url).unwrap(), NOW);
    assert_eq!(Ok(()), stored, "{}", told());
    let again = jar.all(NOW).pop().unwrap_or_else(|| panic!("{} has expired", told()));

    assert_eq!(
        (&cookie.name, &cookie.value, &cookie.path),
        (&again.name, &again.value, &again.path),
        "{}",
        told()
    );
    assert_eq!((&cookie.domain, cookie.host_only), (&again.domain, again.host_only), "{}", told());
    assert_eq!(
        (cookie.secure, cookie.http_only, cookie.expires),
        (again.secure, again.http_only, again.expires),
        "{}",
        told()
    );
}
