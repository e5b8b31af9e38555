//! The platform's own certificates of authorities: where they are, and whether there are any.
//!
//! OpenSSL reads SSL_CERT_FILE and SSL_CERT_DIR, and looks where it was built; a vendored one looks in vain, so other
//! systems' usual places are tried. Elsewhere than on Linux the system verifies by itself, and has what it needs.

use std::path::PathBuf;

/// What is there, and holds something.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// In PEM.
    pub file: Option<PathBuf>,
    /// In PEM, named by their hashes.
    pub folders: Vec<PathBuf>,
}

#[cfg(not(target_os = "linux"))]
pub fn find() -> Option<Store> {
    Some(Store::default())
}

/// What a variable names is meant, in the place of the usual, whether it is there or not.
#[cfg(target_os = "linux")]
pub fn find() -> Option<Store> {
    let usual = openssl_probe::probe();
    let named = |variable| std::env::var_os(variable).filter(|value| !value.is_empty());
    let file = named(openssl_probe::ENV_CERT_FILE).map_or(usual.cert_file, |path| Some(path.into()));
    let folders = match named(openssl_probe::ENV_CERT_DIR) {
        Some(list) => std::env::split_paths(&list).collect(),
        None => Vec::from_iter(usual.cert_dir),
    };
    let store = Store {
        file: file.filter(|path| path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() > 0)),
        folders: folders.into_iter().filter(holds_certificates).collect(),
    };
    (store != Store::default()).then_some(store)
}

#[cfg(target_os = "linux")]
fn holds_certificates(folder: &PathBuf) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| is_hash(&entry.file_name().to_string_lossy())))
    })
}

/// "5ed36f99.0", as `openssl rehash` names them.
#[cfg(target_os = "linux")]
fn is_hash(name: &str) -> bool {
    name.split_once('.').is_some_and(|(hash, number)| {
        hash.len() == 8
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
