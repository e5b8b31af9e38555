//! Chores that want Rust and belong in no published crate.
//!
//! `cargo run -q -p xtask -- header` writes `include/requestx.h`; with `--check` it compares instead, and says how to
//! repair a difference. The header is committed so that neither a user's build nor cffi needs cbindgen.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

mod header;
mod layout;

const USAGE: &str = "usage: cargo run -q -p xtask -- header [--check]";
const REPAIR: &str = "repair it with `make header` (cargo run -q -p xtask -- header) and commit the result";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["header"] => write_header(),
        ["header", "--check"] => check_header(),
        _ => Err(USAGE.to_string()),
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn write_header() -> Result<String, String> {
    let root = root();
    let text = header::generate(&root)?;
    let path = root.join(header::PATH);
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(format!("{}: already as the sources say", header::PATH));
    }
    fs::write(&path, &text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    Ok(format!("{}: written, {} lines", header::PATH, text.lines().count()))
}

fn check_header() -> Result<String, String> {
    let root = root();
    let wanted = header::generate(&root)?;
    let path = root.join(header::PATH);
    let found =
        fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}\n{REPAIR}", path.display()))?;
    match header::first_difference(&found, &wanted) {
        None => Ok(format!("{}: as the sources say", header::PATH)),
        Some(difference) => {
            Err(format!("{} is not what the sources say\n{difference}\n{REPAIR}", header::PATH))
        }
    }
}

/// The workspace's root: cargo says at run time where this crate lies, which a moved checkout does not change.
fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(here).parent().expect("xtask lies in the workspace").to_path_buf()
}
