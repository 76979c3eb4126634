//! Types of other crates in public signatures. A user of a crate meets them, and a new major version of theirs is a new major
//! version of the crate, so each has to be on a list.
//!
//! `unreachable_pub` is a lint of the workspace: an item that is `pub` can be reached by users. Not seen are derived
//! implementations and what macros of the crate expand to.

use std::collections::{BTreeMap, BTreeSet};
use syn::visit::Visit;
use syn::{Attribute, Item, ItemImpl, Path, Type, UseTree, Visibility};

/// The types of other crates, or whole crates, that the public signatures of a crate may name. `tonic` and `http_body` are for
/// the feature `tonic` alone, `prost` for `model`, the crates of tower for `tower`, the crates of tracing for `tracing`.
const LISTED: [(&str, &[&str]); 4] = [
    ("otlp-protocol", &["bytes", "bytes::Buf", "bytes::Bytes", "prost::DecodeError", "prost::Message"]),
    (
        "otlp-transport",
        &[
            "bytes",
            "bytes::Bytes",
            "http",
            "http::HeaderMap",
            "http::Request",
            "http::Response",
            "http_body::Body",
            "tokio::io::AsyncRead",
            "tokio::io::AsyncWrite",
            "tokio::task::JoinError",
            "tonic::body::Body",
            "tonic::codegen::Service",
            "tonic::server::NamedService",
        ],
    ),
    (
        "otlp-service",
        &[
            "bytes::Bytes",
            "http::HeaderMap",
            "http::Request",
            "serde::de::Deserialize",
            "serde::de::DeserializeOwned",
            "serde::de::Deserializer",
            "serde::de::Error",
            "tower_layer::Layer",
            "tower_service::Service",
            "tracing::Span",
            "tracing::Subscriber",
            "tracing::level_filters::LevelFilter",
            "tracing_subscriber::Layer",
            "tracing_subscriber::registry::LookupSpan",
        ],
    ),
    ("otlp-app", &[]),
];

/// Modules that a hidden one re-exports: for this workspace's fuzz targets and tests.
const HIDDEN: [&str; 2] = ["otlp-transport/src/client/fuzzing.rs", "otlp-transport/src/server/testing.rs"];

#[test]
fn public_signatures_name_only_listed_types_of_other_crates() {
    let found = LISTED.iter().flat_map(|(name, listed)| {
        let manifest = super::read(&format!("{name}/Cargo.toml"));
        let shipped = super::dependencies(&manifest).into_iter().filter(|(section, dependency)| {
            !section.contains("dev-dependencies") && !dependency.starts_with("otlp-")
        });
        let crates = shipped.map(|(_, dependency)| dependency.replace('-', "_")).collect();
        let sources = super::files(&format!("{name}/src"), &["rs"]);
        let sources =
            sources.into_iter().filter(|path| !super::is_test(path) && !HIDDEN.contains(&path.as_str()));
        let sources: Vec<_> = sources.map(|path| (path.clone(), super::read(&path))).collect();
        differences(name, listed, &foreign_types(&sources, &crates))
    });
    super::report(found);
}

fn differences(name: &str, listed: &[&str], found: &BTreeMap<String, String>) -> Vec<String> {
    let new = found.iter().filter(|(path, _)| !listed.contains(&path.as_str()));
    let new = new.map(|(path, file)| format!("{file}: `{path}` in a public signature is not on the list"));
    let gone = listed.iter().filter(|path| !found.contains_key(**path));
    let gone = gone.map(|path| format!("{name}: no public signature names `{path}`: take it off the list"));
    new.chain(gone).collect()
}

/// Types of other crates, each with a file that names it in a public signature.
fn foreign_types(sources: &[(String, String)], crates: &BTreeSet<String>) -> BTreeMap<String, String> {
    let files: Vec<_> = sources
        .iter()
        .map(|(path, text)| {
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            (path.as_str(), flatten(file.items))
        })
        .collect();
    let hidden: Vec<_> = files.iter().flat_map(|(path, items)| hidden_modules(path, items)).collect();
    let is_hidden = |path: &str| hidden.iter().any(|module| is_module(path, module));
    let public = files.iter().flat_map(|(_, items)| items).filter_map(public_type).collect();
    // Names that other modules import from a module in place of the crate that they come from.
    let mut passed_on = BTreeMap::new();
    for (_, items) in &files {
        let imports = imports(items, crates, &BTreeMap::new());
        for item in items {
            let Item::Use(item) = item else { continue };
            if !matches!(item.vis, Visibility::Inherited) {
                for (path, name) in leaves(&item.tree) {
                    passed_on.extend(
                        imports.get(&name).filter(|_| path.len() > 1).map(|path| (name, path.clone())),
                    );
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    for (path, items) in files.iter().filter(|(path, _)| !is_hidden(path)) {
        let imports = imports(items, crates, &passed_on);
        let mut signatures = Signatures { crates, imports, public: &public, found: BTreeSet::new() };
        items.iter().for_each(|item| signatures.item(item));
        for name in signatures.found {
            found.entry(name).or_insert_with(|| (*path).to_owned());
        }
    }
    found
}

// === Modules and imports ===

/// Items of a file and of its inline modules, without those of tests and those that the documentation hides.
fn flatten(items: Vec<Item>) -> Vec<Item> {
    let mut flat = Vec::new();
    for item in items {
        match item {
            Item::Mod(mut module) => {
                let inner = module.content.take().map(|(_, items)| items);
                if !(is_for_tests(&module.attrs) || inner.is_some() && is_hidden(&module.attrs)) {
                    flat.extend(inner.map(flatten).unwrap_or_default());
                    flat.push(Item::Mod(module));
                }
            }
            item if is_for_tests(attributes(&item)) => {}
            item => flat.push(item),
        }
    }
    flat
}

/// Paths without ending of modules in other files that the documentation hides.
fn hidden_modules(path: &str, items: &[Item]) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let directory = stem.strip_suffix("/lib").unwrap_or(stem);
    let hidden = items.iter().filter_map(|item| match item {
        Item::Mod(module) if is_hidden(&module.attrs) => Some(format!("{directory}/{}", module.ident)),
        _ => None,
    });
    hidden.collect()
}

fn is_module(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Names that a file imports from other crates, with their paths.
fn imports(
    items: &[Item],
    crates: &BTreeSet<String>,
    passed_on: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut imports = BTreeMap::new();
    for item in items {
        let Item::Use(item) = item else { continue };
        for (path, name) in leaves(&item.tree) {
            let first = path.first().cloned().unwrap_or_default();
            let is_own = item.leading_colon.is_none() && has_module(items, &first);
            if crates.contains(&first) && !is_own {
                imports.insert(name, path.join("::"));
            } else if matches!(first.as_str(), "crate" | "self" | "super")
                && let Some(origin) = path.last().and_then(|last| passed_on.get(last))
            {
                imports.insert(name, origin.clone());
            }
        }
    }
    imports
}

fn has_module(items: &[Item], name: &str) -> bool {
    items.iter().any(|item| matches!(item, Item::Mod(module) if module.ident == name))
}

/// Path and local name of everything that a `use` brings in.
fn leaves(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let below = leaves(&path.tree).into_iter();
            below
                .map(|(mut rest, name)| {
                    let name = if name == "self" { path.ident.to_string() } else { name };
                    rest.retain(|segment| segment != "self");
                    rest.insert(0, path.ident.to_string());
                    (rest, name)
                })
                .collect()
        }
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(rename) => vec![(vec![rename.ident.to_string()], rename.rename.to_string())],
        UseTree::Glob(_) => vec![(vec!["*".to_owned()], "*".to_owned())],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}

// === Signatures ===

struct Signatures<'a> {
    crates: &'a BTreeSet<String>,
    imports: BTreeMap<String, String>,
    /// Types and traits of the crate that are public.
    public: &'a BTreeSet<String>,
    found: BTreeSet<String>,
}

impl Signatures<'_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Const(item) if is_public(&item.vis) => self.visit_type(&item.ty),
            Item::Enum(item) if is_public(&item.vis) => self.visit_item_enum(item),
            Item::Fn(item) if is_public(&item.vis) => self.visit_signature(&item.sig),
            Item::Impl(item) => self.implementation(item),
            Item::Static(item) if is_public(&item.vis) => self.visit_type(&item.ty),
            Item::Struct(item) if is_public(&item.vis) => {
                self.visit_generics(&item.generics);
                let fields = item.fields.iter().filter(|field| is_public(&field.vis));
                fields.for_each(|field| self.visit_type(&field.ty));
            }
            Item::Trait(item) if is_public(&item.vis) => self.visit_item_trait(item),
            Item::Type(item) if is_public(&item.vis) => self.visit_item_type(item),
            Item::Use(item) if is_public(&item.vis) => {
                for (path, name) in leaves(&item.tree) {
                    let whole = Some(path.join("::")).filter(|path| self.crates.contains(path));
                    self.found.extend(whole.or_else(|| self.imports.get(&name).cloned()));
                }
            }
            _ => {}
        }
    }

    fn implementation(&mut self, item: &ItemImpl) {
        let for_own = type_path(&item.self_ty).is_some_and(|path| self.is_own(path));
        let Some((of, _)) = &item.trait_ else {
            if for_own {
                self.methods(item);
            }
            return;
        };
        if for_own || self.is_own(of) {
            self.visit_path(of);
            self.visit_type(&item.self_ty);
            self.visit_generics(&item.generics);
            for item in &item.items {
                if let syn::ImplItem::Type(item) = item {
                    self.visit_type(&item.ty);
                }
            }
        }
    }

    fn methods(&mut self, item: &ItemImpl) {
        self.visit_generics(&item.generics);
        for item in &item.items {
            match item {
                syn::ImplItem::Const(item) if is_public(&item.vis) => self.visit_type(&item.ty),
                syn::ImplItem::Fn(item) if is_public(&item.vis) && !is_hidden(&item.attrs) => {
                    self.visit_signature(&item.sig);
                }
                _ => {}
            }
        }
    }

    /// True for a public type or trait of the crate.
    fn is_own(&self, path: &Path) -> bool {
        let name = path.segments.last().map(|last| last.ident.to_string());
        name.is_some_and(|name| self.public.contains(&name)) && self.origin(path).is_none()
    }

    fn origin(&self, path: &Path) -> Option<String> {
        let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let (first, rest) = segments.split_first()?;
        let below = |start: &str| [&[start.to_owned()][..], rest].concat().join("::");
        match self.imports.get(first) {
            Some(origin) => Some(below(origin)),
            None if self.crates.contains(first) && !rest.is_empty() => Some(below(first)),
            None => None,
        }
    }
}

impl<'ast> Visit<'ast> for Signatures<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        self.found.extend(self.origin(path));
        syn::visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, _attribute: &'ast Attribute) {}

    /// The body of a method that a trait provides.
    fn visit_block(&mut self, _block: &'ast syn::Block) {}

    /// The value of a constant.
    fn visit_expr(&mut self, _expression: &'ast syn::Expr) {}
}

fn public_type(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    is_public(visibility).then(|| name.to_string())
}

fn type_path(ty: &Type) -> Option<&Path> {
    match ty {
        Type::Path(ty) => Some(&ty.path),
        Type::Reference(ty) => type_path(&ty.elem),
        _ => None,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    has_word(attributes, "cfg", &["test", "doctest"])
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    has_word(attributes, "doc", &["hidden"])
}

fn has_word(attributes: &[Attribute], name: &str, words: &[&str]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list().ok();
        list.is_some_and(|list| list.path.is_ident(name) && words.contains(&list.tokens.to_string().as_str()))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

// === The rule on samples ===

#[test]
fn a_new_type_of_another_crate_is_found_wherever_a_signature_may_have_it() {
    for sample in [
        "pub fn f(map: http::HeaderMap) {}",
        "pub fn f() -> Option<Box<dyn Fn(&http::HeaderMap)>> { None }",
        "pub fn f<T: Into<http::HeaderMap>>(value: T) {}",
        "pub fn f<T>(value: T) where T: AsRef<::http::HeaderMap> {}",
        "pub fn f(value: impl Iterator<Item = http::HeaderMap>) {}",
        "use http::HeaderMap; pub fn f(map: &HeaderMap) {}",
        "use http::HeaderMap as Map; pub fn f(map: &Map) {}",
        "use http::{self as of_http}; pub fn f(map: &of_http::HeaderMap) {}",
        "use http::{self, HeaderMap}; pub fn f(map: &[HeaderMap]) {}",
        "pub struct S { pub map: http::HeaderMap }",
        "pub struct S(pub http::HeaderMap);",
        "pub enum E { A(u8), B { map: http::HeaderMap } }",
        "pub trait T { fn f(&self, map: http::HeaderMap) {} }",
        "pub trait T: AsRef<http::HeaderMap> {}",
        "pub trait T { type Map: Into<http::HeaderMap>; }",
        "pub type Map = http::HeaderMap;",
        "pub use http::HeaderMap;",
        "pub use http::HeaderMap as Map;",
        "pub static MAP: Option<http::HeaderMap> = None;",
        "pub mod inner { pub fn f(map: http::HeaderMap) {} }",
        "pub struct S; impl S { pub fn f(&self) -> http::HeaderMap { todo() } }",
        "pub struct S; impl From<http::HeaderMap> for S { fn from(_: http::HeaderMap) -> S { S } }",
        "pub struct S; impl Iterator for S { type Item = http::HeaderMap; }",
        "pub trait T {} impl T for http::HeaderMap {}",
    ] {
        assert_eq!(found(&[("a/src/b.rs", sample)]), ["http::HeaderMap"], "{sample}");
    }
    let passed_on = ("a/src/map.rs", "pub(crate) use http::HeaderMap;");
    let sample = ("a/src/b.rs", "use crate::map::HeaderMap; pub fn f(map: HeaderMap) {}");
    assert_eq!(found(&[passed_on, sample]), ["http::HeaderMap"]);
    assert_eq!(found(&[("a/src/lib.rs", "pub use http;")]), ["http"]);
}

#[test]
fn types_of_other_crates_behind_signatures_are_none_of_the_rules_business() {
    for sample in [
        "fn f(map: http::HeaderMap) {}",
        "pub(crate) fn f(map: http::HeaderMap) {}",
        "pub fn f() { let map = http::HeaderMap::new(); }",
        "pub struct S { map: http::HeaderMap, pub(crate) other: http::HeaderMap }",
        "struct S; impl S { pub fn f(map: http::HeaderMap) {} }",
        "struct S; impl From<http::HeaderMap> for S {}",
        "pub struct S; impl S { fn f(map: http::HeaderMap) {} }",
        "pub trait T { fn f() { http::HeaderMap::new(); } }",
        "#[cfg(test)] mod tests { pub fn f(map: http::HeaderMap) {} }",
        "#[doc(hidden)] pub mod inner { pub fn f(map: http::HeaderMap) {} }",
        "mod http; pub use http::HeaderMap;",
        "pub struct HeaderMap; struct S; impl http::HeaderMap for S { type Uri = http::Uri; }",
        "use std::collections::HashMap as HeaderMap; pub fn f(map: HeaderMap<u8, u8>) {}",
    ] {
        assert_eq!(found(&[("a/src/b.rs", sample)]), super::no(), "{sample}");
    }
    let hidden = ("a/src/lib.rs", "#[doc(hidden)] pub mod testing;");
    let sample = "pub fn f(map: http::HeaderMap) {}";
    for path in ["a/src/testing.rs", "a/src/testing/map.rs"] {
        assert_eq!(found(&[hidden, (path, sample)]), super::no(), "{path}");
    }
    assert_eq!(found(&[hidden, ("a/src/testing_map.rs", sample)]).len(), 1);
}

#[test]
fn the_list_has_all_that_is_found_and_no_more() {
    let found = BTreeMap::from([("http::HeaderMap".to_owned(), "a/src/b.rs".to_owned())]);
    assert_eq!(differences("a", &["http::HeaderMap"], &found), super::no());
    let problems = differences("a", &["http::Uri"], &found);
    assert_eq!(
        problems,
        [
            "a/src/b.rs: `http::HeaderMap` in a public signature is not on the list",
            "a: no public signature names `http::Uri`: take it off the list"
        ]
    );
}

fn found(sources: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<_> =
        sources.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    foreign_types(&sources, &BTreeSet::from(["http".to_owned()])).into_keys().collect()
}
