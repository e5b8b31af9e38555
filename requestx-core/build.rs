//! Chooses the TLS backend, and gives the library the name that its consumers link to.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(native_backend)");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if os != "linux" || std::env::var_os("CARGO_FEATURE_NATIVE_TLS").is_some() {
        println!("cargo::rustc-cfg=native_backend");
    }
    if os == "linux" {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,librequestx.so.1");
        // Unloading would pull the code from under the background thread.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
