//! From `requestx-core/src/ffi` to the text of `include/requestx.h`.
//!
//! cbindgen gives the declarations, in the order of the sources; [`BOOK`] is that order, and the only thing to change
//! when a file joins `ffi/`. `layout` then sets headings and closes gaps, because a reader of the header does not see
//! the Rust files that it was made from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use crate::layout;

/// Where the header lies, from the workspace's root.
pub const PATH: &str = "include/requestx.h";

const SOURCES: &str = "requestx-core/src/ffi";

/// Chapters: a file of `ffi/` and its heading. Simple things first, then explicit ones, then background, then errors.
const BOOK: &[(&str, &str)] = &[
    ("types", "numbers and structs"),
    ("library", "the library: versions and features"),
    ("options", "options, set by number"),
    ("client", "the client: connections, limits, TLS"),
    ("exchange", "the short way: one call sends a request"),
    ("request", "the comfortable way: a request built in steps"),
    ("response", "the response and its body"),
    ("peer", "who answered: TLS"),
    ("upgrade", "the connection, once the server has switched protocols"),
    ("upload", "the request's body, pushed in pieces"),
    ("queue", "in the background: completions, when the caller asks"),
    ("policy", "policy: redirects, cookies and retries, if wanted"),
    ("error", "errors"),
];

/// Files of `ffi/` that declare nothing for C.
const SILENT: &[&str] = &["mod", "raw", "handle", "piece"];

/// The header's text, as the sources of the workspace at `root` make it.
///
/// # Errors
///
/// Names the file that cannot be read or parsed, or that has no chapter in [`BOOK`].
pub fn generate(root: &Path) -> Result<String, String> {
    let folder = root.join(SOURCES);
    every_file_has_a_chapter(&folder)?;
    let config =
        cbindgen::Config::from_file(root.join("cbindgen.toml")).map_err(|e| format!("cbindgen.toml: {e}"))?;
    let scratch = Scratch::new()?;
    let mut builder = cbindgen::Builder::new().with_config(config);
    let mut chapters = Vec::new();
    for (file, title) in BOOK {
        if let Ok(source) = fs::read_to_string(folder.join(format!("{file}.rs"))) {
            builder = builder.with_src(scratch.write(file, &with_handles_in_the_open(&source))?);
            chapters.push((*title, source));
        }
    }
    let mut bytes = Vec::new();
    let bindings = builder.generate().map_err(|e| format!("cbindgen: {e}"))?;
    bindings.write(&mut bytes);
    let text = String::from_utf8(bytes).map_err(|e| format!("cbindgen wrote no UTF-8: {e}"))?;
    numbers_are_plain(&text)?;
    Ok(layout::as_a_book(&text, &chapters))
}

/// The place where two texts part, with what surrounds it; `None` if they are equal.
pub fn first_difference(found: &str, wanted: &str) -> Option<String> {
    if found == wanted {
        return None;
    }
    let (found, wanted): (Vec<&str>, Vec<&str>) = (found.lines().collect(), wanted.lines().collect());
    let at = found.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let shown = |lines: &[&str], sign: char| -> String {
        lines.iter().skip(at).take(6).map(|line| format!("{sign}{line}\n")).collect()
    };
    let before: String = found[at.saturating_sub(3)..at].iter().map(|line| format!(" {line}\n")).collect();
    Some(format!("@@ line {} @@\n{before}{}{}", at + 1, shown(&found, '-'), shown(&wanted, '+')))
}

fn every_file_has_a_chapter(folder: &Path) -> Result<(), String> {
    let known: BTreeSet<&str> = BOOK.iter().map(|(file, _)| *file).chain(SILENT.iter().copied()).collect();
    let entries = fs::read_dir(folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        if path.extension().is_some_and(|e| e == "rs") && !known.contains(stem) {
            return Err(format!(
                "{SOURCES}/{stem}.rs has no chapter: give it one in BOOK, xtask/src/header.rs"
            ));
        }
    }
    Ok(())
}

/// cbindgen expands no macros: what `opaque! { /// doc  name; }` declares is written out for it.
fn with_handles_in_the_open(source: &str) -> String {
    let Some((before, rest)) = source.split_once("\nopaque! {") else {
        return source.to_string();
    };
    let (handles, after) = rest.split_once("\n}").unwrap_or((rest, ""));
    let mut out = before.to_string();
    for line in handles.lines().filter(|line| !line.trim().is_empty()) {
        match line.trim().strip_suffix(';') {
            Some(name) => out.push_str(&format!("\npub struct {name} {{ _opaque: [u8; 0] }}")),
            None => out.push_str(&format!("\n{}", line.trim())),
        }
    }
    out + after
}

/// Where the sources lie while cbindgen reads them; gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch, String> {
        let path = env::temp_dir().join(format!("requestx-header-{}", process::id()));
        fs::create_dir_all(&path).map_err(|e| format!("cannot make {}: {e}", path.display()))?;
        Ok(Scratch(path))
    }

    fn write(&self, file: &str, source: &str) -> Result<PathBuf, String> {
        let path = self.0.join(format!("{file}.rs"));
        fs::write(&path, source).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A shift would be computed in C's `int`: `1 << 40` is then undefined, and cffi reads no expressions.
fn numbers_are_plain(text: &str) -> Result<(), String> {
    match text.lines().find(|line| line.starts_with("#define RQX_") && line.contains("<<")) {
        Some(line) => Err(format!("write the number out in the Rust source instead of shifting: {line}")),
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
    fn handle_declared_by_the_macro_is_written_out() {
        let source = with_handles_in_the_open("a\nopaque! {\n    /// A pool.\n    rqx_client;\n}\nb");

        assert_eq!(source, "a\n/// A pool.\npub struct rqx_client { _opaque: [u8; 0] }\nb");
    }

    #[test]
    fn shifted_number_is_refused() {
        assert!(numbers_are_plain("#define RQX_F_FAR (1 << 40)").is_err());
        assert!(numbers_are_plain("#define RQX_F_FAR 1099511627776").is_ok());
    }
}
