//! From `requestx-core/src/ffi` to the text of `include/requestx.h`.
//!
//! cbindgen gives the declarations, in the order of the sources; [`BOOK`] is that order, and the only thing to change
//! when a file joins `ffi/`. `layout` then sets headings and closes gaps, because a reader of the header does not see
//! the Rust files that it was made from.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::layout;

/// Where the header lies, from the workspace's root.
pub const PATH: &str = "include/requestx.h";

const SOURCES: &str = "requestx-core/src/ffi";

/// Chapters: a file of `ffi/` and its heading. Simple things first, then explicit ones, then background, then errors.
const BOOK: &[(&str, &str)] = &[
    ("types", "the library: versions and features"),
    (
        "options",
        "options: set by number, so that a new one needs no new symbol",
    ),
    ("client", "the client: connections, limits, TLS"),
    ("exchange", "the short way: one call sends a request"),
    (
        "request",
        "the comfortable way: a request built piece by piece",
    ),
    ("response", "the response and its body"),
    ("upload", "the request's body, pushed piece by piece"),
    (
        "queue",
        "in the background: completions, when the caller asks for them",
    ),
    (
        "policy",
        "policy: redirects, cookies and retries, for callers that want them",
    ),
    ("error", "errors"),
];

/// Files of `ffi/` that declare nothing for C.
const SILENT: &[&str] = &["mod", "raw"];

/// The header's text, as the sources of the workspace at `root` make it.
///
/// # Errors
///
/// Names the file that cannot be read or parsed, or that has no chapter in [`BOOK`].
pub fn generate(root: &Path) -> Result<String, String> {
    let folder = root.join(SOURCES);
    every_file_has_a_chapter(&folder)?;
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))
        .map_err(|e| format!("cbindgen.toml: {e}"))?;
    let mut builder = cbindgen::Builder::new().with_config(config);
    let mut chapters = Vec::new();
    for (file, title) in BOOK {
        let path = folder.join(format!("{file}.rs"));
        if let Ok(source) = fs::read_to_string(&path) {
            chapters.push((*title, source));
            builder = builder.with_src(path);
        }
    }
    let mut bytes = Vec::new();
    builder
        .generate()
        .map_err(|e| format!("cbindgen: {e}"))?
        .write(&mut bytes);
    let text = String::from_utf8(bytes).map_err(|e| format!("cbindgen wrote no UTF-8: {e}"))?;
    numbers_are_plain(&text)?;
    Ok(layout::as_a_book(&text, &chapters))
}

/// The place where two texts part, with what surrounds it; `None` if they are equal.
pub fn first_difference(found: &str, wanted: &str) -> Option<String> {
    if found == wanted {
        return None;
    }
    let (found, wanted): (Vec<&str>, Vec<&str>) =
        (found.lines().collect(), wanted.lines().collect());
    let at = found
        .iter()
        .zip(&wanted)
        .take_while(|(a, b)| a == b)
        .count();
    let shown = |lines: &[&str], sign: char| -> String {
        lines
            .iter()
            .skip(at)
            .take(6)
            .map(|line| format!("{sign}{line}\n"))
            .collect()
    };
    let before: String = found[at.saturating_sub(3)..at]
        .iter()
        .map(|line| format!(" {line}\n"))
        .collect();
    Some(format!(
        "@@ line {} @@\n{before}{}{}",
        at + 1,
        shown(&found, '-'),
        shown(&wanted, '+')
    ))
}

fn every_file_has_a_chapter(folder: &Path) -> Result<(), String> {
    let known: BTreeSet<&str> = BOOK
        .iter()
        .map(|(file, _)| *file)
        .chain(SILENT.iter().copied())
        .collect();
    let entries =
        fs::read_dir(folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        let stem = path
            .file_stem()
            .and_then(|s| s.to_str())
            .unwrap_or_default();
        if path.extension().is_some_and(|e| e == "rs") && !known.contains(stem) {
            return Err(format!(
                "{SOURCES}/{stem}.rs has no chapter: give it one in BOOK, xtask/src/header.rs"
            ));
        }
    }
    Ok(())
}

/// A shift would be computed in C's `int`: `1 << 40` is then undefined, and cffi reads no expressions.
fn numbers_are_plain(text: &str) -> Result<(), String> {
    match text
        .lines()
        .find(|line| line.starts_with("#define RQX_") && line.contains("<<"))
    {
        Some(line) => Err(format!(
            "write the number out in the Rust source instead of shifting: {line}"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_shows_both_sides() {
        let said = first_difference("a\nb\nc\n", "a\nx\nc\n").unwrap();

        assert_eq!(said, "@@ line 2 @@\n a\n-b\n-c\n+x\n+c\n");
    }

    #[test]
    fn equal_texts_have_no_difference() {
        assert_eq!(first_difference("a\n", "a\n"), None);
    }

    #[test]
    fn shifted_number_is_refused() {
        assert!(numbers_are_plain("#define RQX_F_FAR (1 << 40)").is_err());
        assert!(numbers_are_plain("#define RQX_F_FAR 1099511627776").is_ok());
    }
}
