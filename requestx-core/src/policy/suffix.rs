//! Public suffixes: the names under which everybody may have one of their own, and so no cookie's domain.
//!
//! The list is searched where it lies: it is sorted, and takes 150 KB of the library and no time before it is asked.
//! The crates that have it compile it to code, which takes 770 KB, or bring a parser for a list that is to be found first.

/// The rules, one a line, behind their licence.
const FILE: &str = include_str!("suffixes.txt");

/// Whether `domain`, in lower case and ASCII, is a public suffix, by the algorithm of <https://publicsuffix.org/list>.
pub fn is_public(domain: &str) -> bool {
    let parent = domain.split_once('.').map(|(_, parent)| parent);
    let wild = parent.is_some_and(|parent| is_rule(&format!("*.{parent}")));
    match (is_rule(&format!("!{domain}")), is_rule(domain) || wild) {
        (true, _) => false,
        (_, true) => true,
        _ => parent.is_none(), // the rule for all others is "*"
    }
}

/// Whether the list has the line `rule`.
fn is_rule(rule: &str) -> bool {
    let list = FILE.split_once("\n\n").map_or("", |(_, rules)| rules);
    let (mut from, mut to) = (0, list.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let start = list[..middle].rfind('\n').map_or(0, |newline| newline + 1);
        let end = list[middle..].find('\n').map_or(list.len(), |newline| middle + newline);
        match list[start..end].cmp(rule) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => from = end + 1,
            std::cmp::Ordering::Greater => to = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_rule_is_found() {
        let rules: Vec<&str> = FILE.split_once("\n\n").unwrap().1.lines().collect();

        assert!(rules.len() > 9000 && rules.is_sorted());
        assert!(rules.iter().all(|rule| is_rule(rule)));
        assert!(!is_rule("") && !is_rule("comm") && !is_rule("zzz.zzz"));
    }

    /// From the list's own test vectors.
    #[test]
    fn suffixes_are_public_and_what_is_under_them_is_not() {
        for public in [
            "com",
            "biz",
            "uk.com",
            "ac",
            "com.ac",
            "jp",
            "ac.jp",
            "kyoto.jp",
            "ide.kyoto.jp",
            "c.kobe.jp",
            "ck",
            "test.ck",
            "us",
            "ak.us",
            "k12.ak.us",
            "co.uk",
            "github.io",
            "xn--fiqs8s",
            "xn--55qx5d.cn",
            "nowhere",
        ] {
            assert!(is_public(public), "{public}");
        }
        for own in [
            "example.com",
            "b.example.uk.com",
            "b.c.kobe.jp",
            "city.kobe.jp",
            "www.ck",
            "www.test.ck",
            "test.k12.ak.us",
            "example.co.uk",
            "me.github.io",
            "shishi.xn--fiqs8s",
            "example.nowhere",
        ] {
            assert!(!is_public(own), "{own}");
        }
    }
}
