//! From a reference to a URL: RFC 3986 section 5.2, on bytes that are already those of a URL.
//!
//! A crate that does this either brings the whole of WHATWG's URLs, with the tables of international names, or refuses
//! by the RFC's grammar what servers send every day. The rule itself is short.

use crate::authority::is_scheme;

/// `reference` as seen from `base`, which is a whole URL; the fragment is the reference's own.
pub fn resolve(base: &str, reference: &str) -> String {
    let (base, given) = (Parts::of(base), Parts::of(reference));
    let scheme = given.scheme.or(base.scheme);
    let from = |authority: Option<&str>, path: &str, query: Option<&str>| {
        let mut url = String::with_capacity(reference.len() + 64);
        let mut put = |part: Option<&str>, before: &str, after: &str| {
            if let Some(part) = part {
                [before, part, after].iter().for_each(|text| url.push_str(text));
            }
        };
        put(scheme, "", ":");
        put(authority, "//", "");
        put(Some(path), "", "");
        put(query, "?", "");
        put(given.fragment, "#", "");
        url
    };
    if given.scheme.is_some() || given.authority.is_some() {
        return from(given.authority, &without_dots(given.path), given.query);
    }
    match given.path {
        "" => from(base.authority, base.path, given.query.or(base.query)),
        rooted if rooted.starts_with('/') => from(base.authority, &without_dots(rooted), given.query),
        relative => {
            let folder = &base.path[..base.path.rfind('/').map_or(0, |slash| slash + 1)];
            let root = if folder.is_empty() { "/" } else { folder };
            from(base.authority, &without_dots(&format!("{root}{relative}")), given.query)
        }
    }
}

/// The fragment of a URL, if it has one.
pub fn fragment(url: &str) -> Option<&str> {
    Parts::of(url).fragment
}

/// The path of a URL, which may be empty.
pub fn path(url: &str) -> &str {
    Parts::of(url).path
}

/// What a server is asked for: path and query.
pub fn target(url: &str) -> String {
    let Parts { path, query, .. } = Parts::of(url);
    let path = if path.is_empty() { "/" } else { path };
    query.map_or_else(|| path.to_string(), |query| format!("{path}?{query}"))
}

/// A reference taken apart as RFC 3986's appendix B does.
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Parts<'a> {
        let (rest, fragment) = cut(text, '#');
        let (rest, query) = cut(rest, '?');
        let (scheme, rest) = match rest.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, rest),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        Parts { scheme, authority, path, query, fragment }
    }
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// RFC 3986 section 5.2.4, for a path with a root; one without stays as it is.
fn without_dots(path: &str) -> String {
    let Some(segments) = path.strip_prefix('/') else { return path.to_string() };
    let mut kept = Vec::new();
    for segment in segments.split('/') {
        if segment == ".." {
            kept.pop();
        }
        if segment != "." && segment != ".." {
            kept.push(segment);
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push(""); // what it names is a folder
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://a/b/c/d;p?q";

    /// RFC 3986 sections 5.4.1 and 5.4.2.
    const EXAMPLES: &[(&str, &str)] = &[
        ("g:h", "g:h"),
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q#s"),
        ("g#s", "http://a/b/c/g#s"),
        ("g?y#s", "http://a/b/c/g?y#s"),
        (";x", "http://a/b/c/;x"),
        ("g;x", "http://a/b/c/g;x"),
        ("g;x?y#s", "http://a/b/c/g;x?y#s"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("../../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/./h", "http://a/b/c/g/h"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/./x", "http://a/b/c/g?y/./x"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("g#s/./x", "http://a/b/c/g#s/./x"),
        ("g#s/../x", "http://a/b/c/g#s/../x"),
        ("http:g", "http:g"),
    ];

    #[test]
    fn the_rfcs_examples_come_out_as_it_says() {
        for (reference, url) in EXAMPLES {
            assert_eq!(*url, resolve(BASE, reference), "{reference:?}");
        }
    }

    #[test]
    fn a_base_without_a_path_has_the_root_for_one() {
        assert_eq!("http://a/g", resolve("http://a", "g"));
        assert_eq!("http://a/g", resolve("http://a?q", "./g"));
    }

    #[test]
    fn a_colon_is_no_scheme_where_a_scheme_cannot_be() {
        assert_eq!("http://a/b/1:2", resolve("http://a/b/c", "1:2"));
        assert_eq!("http://a/b/x/y:z", resolve("http://a/b/c", "x/y:z"));
    }

    #[test]
    fn empty_segments_stay() {
        assert_eq!("http://a//x//y", resolve("http://a/", "http://a//x//y"));
        assert_eq!("http://a//y", resolve("http://a/", "http://a//x/../y"));
    }
}
