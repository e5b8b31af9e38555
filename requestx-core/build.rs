//! Chooses the TLS backend, tells which OpenSSL it stands on, and gives the library the name that its consumers link to.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(native_backend)");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    println!("cargo::rustc-check-cfg=cfg(openssl_3)");
    let version = std::env::var("DEP_OPENSSL_VERSION_NUMBER").ok();
    if version.and_then(|digits| u64::from_str_radix(&digits, 16).ok()) >= Some(0x3000_0000) {
        println!("cargo::rustc-cfg=openssl_3");
    }
    if os != "linux" || std::env::var_os("CARGO_FEATURE_NATIVE_TLS").is_some() {
        println!("cargo::rustc-cfg=native_backend");
    }
    if os == "linux" {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,librequestx.so.1");
        // Unloading would pull the code from under the background thread.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
