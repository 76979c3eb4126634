//! Gives the linker `layout.ld`, the order of functions in the binary of profile `dist`, so that an idle gateway has less of the binary in
//! memory. The profile `dist` is the one that compiles this crate for size.
//!
//! Not with a linker of the user's choice: not all understand the file.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=layout.ld");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    let target = [("OS", "linux"), ("ENV", "gnu"), ("ARCH", "x86_64")];
    let fits = target.iter().all(|(part, value)| is(&format!("CARGO_CFG_TARGET_{part}"), value));
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let has_own_linker = env::var_os("RUSTC_LINKER").is_some() || flags.contains("link");
    if let Ok(folder) = env::var("CARGO_MANIFEST_DIR")
        && is("OPT_LEVEL", "s")
        && fits
        && !has_own_linker
    {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/layout.ld");
    }
}
