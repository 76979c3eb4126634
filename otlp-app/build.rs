//! Gives the linker `layout.ld`, the order of functions in the binary of profile `dist`, so that an idle gateway has less of the binary in
//! memory. The profile `dist` is the one that compiles this crate for size. If rustc comes with lld, functions of the
//! same code are folded.
//!
//! Not with a linker of the user's choice: not all understand the file.

use std::env;
use std::path::Path;
use std::process::Command;

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
        if let Some(lld) = own_lld() {
            // Not all distributions of rustc link with it by default.
            println!("cargo::rustc-link-arg-bins=-B{lld}");
            println!("cargo::rustc-link-arg-bins=-fuse-ld=lld");
            println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        }
    }
}

/// Returns the folder of the lld that comes with rustc, if it does.
fn own_lld() -> Option<String> {
    let sysroot = Command::new(env::var_os("RUSTC")?).args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(sysroot.stdout).ok()?;
    let folder = format!("{}/lib/rustlib/{}/bin/gcc-ld", sysroot.trim(), env::var("HOST").ok()?);
    Path::new(&folder).join("ld.lld").exists().then_some(folder)
}
