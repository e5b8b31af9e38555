//! Redirects: where an answer leads to, and what of a request goes there (RFC 9110 section 15.4).
//!
//! What the caller meant for one origin is not told to another: credentials, cookies, and a Host of the caller's own.
//! An origin is scheme, host and port; a redirect from https to http leads to another one.

use super::reference;
use super::request::Request;
use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::head::Head;
use crate::plan::{origin_of, Outgoing};

/// A Location that is longer is no address: servers refuse far shorter ones.
const LONGEST: usize = 64 * 1024;

/// The URL that `head` sends `request` to; a fragment that it does not name stays the request's.
///
/// # Errors
/// `Protocol` for what is no address, and for two of them; `UnsupportedScheme`.
pub fn target(head: &Head, request: &Request, to_plain: bool) -> Result<String, Error> {
    let mut locations = head.all("location");
    let location = locations.next().unwrap_or_default();
    let refuse = |kind, why: &str| {
        let given = String::from_utf8_lossy(&location[..location.len().min(200)]);
        Err(Error::new(kind, Phase::Await, format!("{}: {} to {given:?}: {why}", told(request), head.status)))
    };
    if locations.any(|other| other != location) {
        return refuse(Kind::Protocol, "and to another place as well");
    }
    if location.len() > LONGEST {
        return refuse(Kind::Protocol, &format!("a Location of {} bytes", location.len()));
    }
    let Some(location) = encoded(location) else { return refuse(Kind::Protocol, "a control byte") };
    let mut url = reference::resolve(&request.url, &location);
    if reference::fragment(&url).is_none() {
        if let Some(fragment) = reference::fragment(&request.url) {
            url = format!("{url}#{fragment}");
        }
    }
    let (secure, ..) = match origin_of(&url) {
        Ok(origin) => origin,
        Err(error) if error.kind == Kind::UnsupportedScheme => return refuse(error.kind, &error.message),
        Err(error) => return refuse(Kind::Protocol, &error.message),
    };
    if !secure && !to_plain && origin_of(&request.url)?.0 {
        return refuse(Kind::UnsupportedScheme, "from https to http, which RQX_OPT_REDIRECT_TO_HTTP forbids");
    }
    Ok(url)
}

/// Makes `request` the one that an answer with `status` asks for at `url`.
///
/// # Errors
/// `State` if that wants a body that was pushed and is gone.
pub fn follow(request: &mut Request, status: u16, url: String) -> Result<(), Error> {
    let method = match (status, request.method.as_str()) {
        (301 | 302, "POST") => "GET", // RFC 9110 sections 15.4.2 and 15.4.3: as everybody does
        (303, method) if method != "HEAD" => "GET",
        (_, method) => method,
    };
    if method != request.method {
        request.method = method.to_string();
        request.body = Outgoing::Empty;
        request.drop_fields(concerns_the_body);
    }
    if request.upload().is_some() {
        let why = "a body that was pushed cannot be sent again: send the request there with a new upload";
        return Err(Error::new(
            Kind::State,
            Phase::Send,
            format!("{}: {status} to {url:?}: {why}", told(request)),
        ));
    }
    if origin_of(&url)? != origin_of(&request.url)? {
        request.drop_fields(concerns_the_origin);
    }
    request.url = url;
    Ok(())
}

/// RFC 9110 section 15.4: fields that say something of a body that is not sent any more.
fn concerns_the_body(name: &str) -> bool {
    const OTHERS: [&str; 6] =
        ["transfer-encoding", "expect", "trailer", "digest", "repr-digest", "last-modified"];
    name.starts_with("content-") || OTHERS.contains(&name)
}

fn concerns_the_origin(name: &str) -> bool {
    ["authorization", "cookie", "proxy-authorization", "host"].contains(&name)
}

fn told(request: &Request) -> String {
    format!("{} {}", request.method, request.url)
}

/// A Location as servers write it, with what may stand in no URL percent-encoded; `None` for a control byte.
fn encoded(location: &[u8]) -> Option<String> {
    let mut url = String::with_capacity(location.len());
    for byte in location {
        match byte {
            0..=0x1f | 0x7f => return None,
            b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
                url.push_str(&format!("%{byte:02X}"));
            }
            plain => url.push(char::from(*plain)),
        }
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::body::send::Upload;

    fn request(method: &str, url: &str, fields: &[(&str, &str)]) -> Request {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Request {
            method: method.into(),
            url: url.into(),
            fields: fields.iter().map(|(name, value)| (bytes(name), bytes(value))).collect(),
            body: Outgoing::Whole(bytes("body")),
        }
    }

    fn names(request: &Request) -> Vec<&str> {
        request.fields.iter().map(|(name, _)| std::str::from_utf8(name).unwrap()).collect()
    }

    fn head(status: u16, locations: &[&str]) -> Head {
        let fields: String = locations.iter().map(|location| format!("LOCATION: {location}\r\n")).collect();
        Head::read(format!("HTTP/1.1 {status} X\r\n{fields}\r\n").as_bytes(), b"", false).unwrap().0
    }

    fn led(location: &str) -> Result<String, Error> {
        target(&head(302, &[location]), &request("GET", "http://a/b/c#old", &[]), true)
    }

    #[test]
    fn five_statuses_redirect_and_only_with_a_location() {
        for status in [301, 302, 303, 307, 308] {
            assert!(head(status, &["/x"]).is_redirect() && !head(status, &[]).is_redirect(), "{status}");
        }
        for status in [200, 201, 300, 304, 305, 306, 401] {
            assert!(!head(status, &["/x"]).is_redirect(), "{status}");
        }
    }

    #[test]
    fn a_post_becomes_a_get_and_other_methods_stay() {
        for (status, method, then) in [
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (302, "PUT", "PUT"),
            (301, "HEAD", "HEAD"),
            (303, "POST", "GET"),
            (303, "DELETE", "GET"),
            (303, "HEAD", "HEAD"),
            (307, "POST", "POST"),
            (308, "PATCH", "PATCH"),
        ] {
            let mut request = request(method, "http://a/", &[]);
            follow(&mut request, status, "http://a/x".into()).unwrap();

            assert_eq!(then, request.method, "{status} {method}");
            assert_eq!(method == then, matches!(request.body, Outgoing::Whole(_)), "{status} {method}");
        }
    }

    #[test]
    fn what_describes_the_body_goes_with_it() {
        let fields =
            [("Accept", "*/*"), ("content-TYPE", "a/b"), ("Content-Length", "4"), ("Expect", "100-continue")];
        let mut request = request("POST", "http://a/", &fields);
        follow(&mut request, 303, "http://a/x".into()).unwrap();

        assert_eq!(vec!["Accept"], names(&request));
    }

    #[test]
    fn what_is_meant_for_an_origin_is_told_to_no_other() {
        let fields = [
            ("authorization", "x"),
            ("COOKIE", "a=b"),
            ("Proxy-Authorization", "y"),
            ("Host", "z"),
            ("X", "1"),
        ];
        for (url, same) in [
            ("http://A:80/x", true),
            ("http://a:81/", false),
            ("https://a/", false),
            ("http://b/", false),
            ("http://b.a/", false),
        ] {
            let mut request = request("GET", "http://a/", &fields);
            follow(&mut request, 302, url.into()).unwrap();

            assert_eq!(if same { 5 } else { 1 }, request.fields.len(), "{url}");
        }
    }

    #[test]
    fn a_pushed_body_is_not_sent_again_and_may_be_left_behind() {
        let mut request = request("POST", "http://a/", &[]);
        request.body = Outgoing::Pushed(Arc::new(Upload::new(1, None)));

        assert_eq!(Kind::State, follow(&mut request.clone(), 307, "http://a/x".into()).unwrap_err().kind);
        assert!(follow(&mut request, 302, "http://a/x".into()).is_ok());
    }

    #[test]
    fn a_fragment_stays_unless_another_is_named() {
        assert_eq!("http://a/b/x#old", led("x").unwrap());
        assert_eq!("http://a/b/x#new", led("x#new").unwrap());
        assert_eq!("http://b/#", led("http://b/#").unwrap());
    }

    #[test]
    fn bytes_that_no_url_has_are_encoded() {
        assert_eq!("http://a/%C3%A4%20%7Bb%7D#old", led("/\u{e4} {b}").unwrap());
        assert_eq!("http://a/b/%5C%5Cc@d:e#old", led("\\\\c@d:e").unwrap());
        assert_eq!("http://a/%41?a=b%20c#old", led("/%41?a=b%20c").unwrap());
    }

    #[test]
    fn a_bad_location_is_shown() {
        for bad in ["http://", "http:x", "//u:p@b/", "http://b:99999/", "//[::1/"] {
            let error = led(bad).unwrap_err();

            assert_eq!(Kind::Protocol, error.kind, "{bad}");
            assert!(error.message.contains(&format!("302 to {bad:?}: ")), "{error}");
        }
        let long = led(&"x".repeat(LONGEST + 1)).unwrap_err();
        assert!(long.message.ends_with("a Location of 65537 bytes"), "{long}");
    }

    #[test]
    fn other_schemes_are_refused() {
        for bad in ["ftp://b/", "file:///etc/passwd"] {
            assert_eq!(Kind::UnsupportedScheme, led(bad).unwrap_err().kind, "{bad}");
        }
    }

    #[test]
    fn two_locations_are_one_only_if_they_agree() {
        let led = |locations: &[&str]| target(&head(302, locations), &request("GET", "http://a/", &[]), true);

        assert_eq!("http://a/x", led(&["/x", "/x"]).unwrap());
        assert_eq!(Kind::Protocol, led(&["/x", "/y"]).unwrap_err().kind);
    }

    #[test]
    fn from_https_to_http_unless_that_is_forbidden() {
        let led = |from, to_plain| target(&head(302, &["http://a/"]), &request("GET", from, &[]), to_plain);

        assert!(led("https://a/", true).is_ok() && led("http://b/", false).is_ok());
        assert_eq!(Kind::UnsupportedScheme, led("https://a/", false).unwrap_err().kind);
    }
}
