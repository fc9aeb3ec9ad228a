//! The modules of a crate: their dependencies, and public items without documentation.
//!
//! A *room* is a module with its child modules. Two children of one room must not use each other, directly or
//! indirectly: otherwise neither can be understood, tested or moved alone. A child may use its parent, and a parent its
//! children. Ignores `#[cfg(test)]` modules.

mod items;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree, Visibility};

use items::{attributes, is_test, type_name, undocumented_name};

/// The path of a module from the crate's root; empty for the root.
type ModulePath = Vec<String>;

/// The modules of one crate.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    modules: BTreeMap<ModulePath, Module>,
    types: Vec<NamedType>,
}

/// A struct, enum, trait or alias that stands in a module, not in a function or a test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedType {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) name: String,
}

#[derive(Debug, Default)]
struct Module {
    /// Paths as written, each with its module.
    uses: Vec<Vec<String>>,
    /// Names that the module re-exports, with their paths.
    exports: BTreeMap<String, Vec<String>>,
}

/// Children of one room that use each other.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    pub(crate) room: ModulePath,
    pub(crate) names: Vec<String>,
    /// The dependencies of the cycle, as text.
    pub(crate) uses: Vec<String>,
}

/// A public item without documentation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Undocumented {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) name: String,
}

impl Modules {
    /// Reads a crate from its root file (`src/lib.rs`), and collects undocumented items.
    ///
    /// # Errors
    /// If a file cannot be read or is not Rust.
    pub(crate) fn of(root: &Path, undocumented: &mut Vec<Undocumented>) -> Result<Self> {
        let mut modules = Self::default();
        let folder = root.parent().unwrap_or(root);
        modules.read(root, folder, Vec::new(), undocumented)?;
        Ok(modules)
    }

    fn read(
        &mut self,
        file: &Path,
        folder: &Path,
        path: ModulePath,
        undocumented: &mut Vec<Undocumented>,
    ) -> Result<()> {
        let text = std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
        let parsed = syn::parse_file(&text).with_context(|| format!("{} is not Rust", file.display()))?;
        self.walk(&parsed.items, file, folder, path, undocumented)
    }

    fn walk(
        &mut self,
        items: &[Item],
        file: &Path,
        folder: &Path,
        path: ModulePath,
        undocumented: &mut Vec<Undocumented>,
    ) -> Result<()> {
        let mut module = Module::default();
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            if let Some((name, line)) = undocumented_name(item) {
                undocumented.push(Undocumented { file: file.to_owned(), line, name });
            }
            if let Some(ident) = type_name(item) {
                let line = ident.span().start().line;
                self.types.push(NamedType { file: file.to_owned(), line, name: ident.to_string() });
            }
            match item {
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    let mut below = path.clone();
                    below.push(name.clone());
                    let inside = folder.join(&name);
                    match &child.content {
                        Some((_, items)) => self.walk(items, file, &inside, below, undocumented)?,
                        None => {
                            let flat = folder.join(format!("{name}.rs"));
                            let source = if flat.exists() { flat } else { inside.join("mod.rs") };
                            self.read(&source, &inside, below, undocumented)?;
                        }
                    }
                }
                Item::Use(used) => {
                    let mut found = Vec::new();
                    leaves(&used.tree, &mut Vec::new(), &mut found);
                    if !matches!(used.vis, Visibility::Inherited) {
                        module.exports.extend(found.iter().cloned());
                    } else {
                        module.uses.extend(found.into_iter().map(|(_, path)| path));
                    }
                }
                other => Paths(&mut module.uses).visit_item(other),
            }
        }
        self.modules.insert(path, module);
        Ok(())
    }

    /// Resolves a path from a module to a module; `None` if it leads out of the crate.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        let (mut at, mut rest) = match first.as_str() {
            "crate" => (Vec::new(), rest),
            "self" => (from.to_vec(), rest),
            "super" => (from[..from.len().checked_sub(1)?].to_vec(), rest),
            name => {
                let child = [from, &[name.to_owned()]].concat();
                let is_own = self.modules.contains_key(&child) || self.modules.get(from)?.exports.contains_key(name);
                if !is_own {
                    return None;
                }
                (from.to_vec(), path)
            }
        };
        while let Some((name, below)) = rest.split_first() {
            if name == "super" {
                at.pop()?;
                rest = below;
                continue;
            }
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if self.modules.contains_key(&child) {
                (at, rest) = (child, below);
                continue;
            }
            // A name of the module itself, or one that it re-exports from a child.
            let exported = self.modules.get(&at)?.exports.get(name).filter(|_| depth < 8);
            return exported.and_then(|path| self.resolve(&at, path, depth + 1)).or(Some(at));
        }
        Some(at)
    }

    /// The types of the crate.
    pub(crate) fn into_types(self) -> Vec<NamedType> {
        self.types
    }

    /// Cycles between children of one room.
    pub(crate) fn circles(&self) -> Vec<Circle> {
        let mut rooms: BTreeMap<ModulePath, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (from, module) in &self.modules {
            for path in &module.uses {
                let Some(to) = self.resolve(from, path, 0) else { continue };
                let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                if let (Some(one), Some(other)) = (from.get(common), to.get(common)) {
                    let room = rooms.entry(from[..common].to_vec()).or_default();
                    room.entry(one.clone()).or_default().insert(other.clone());
                }
            }
        }
        let circles = |(room, edges): (ModulePath, BTreeMap<String, BTreeSet<String>>)| {
            let circle = |names: Vec<String>| {
                let inside = |(from, to): &(&String, &BTreeSet<String>)| {
                    names.contains(from) && to.iter().any(|to| names.contains(to))
                };
                let to = |to: &BTreeSet<String>| {
                    to.iter().filter(|to| names.contains(to)).cloned().collect::<Vec<_>>().join(", ")
                };
                let uses = edges.iter().filter(inside).map(|(from, all)| format!("{from} uses {}", to(all))).collect();
                Circle { room: room.clone(), names, uses }
            };
            groups(&edges).into_iter().map(circle).collect::<Vec<_>>()
        };
        rooms.into_iter().flat_map(circles).collect()
    }
}

/// Strongly connected components of two or more names.
fn groups(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached = |from: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(name) = next.pop() {
            next.extend(edges.get(name).into_iter().flatten().filter(|name| seen.insert((*name).clone())));
        }
        seen
    };
    let reach: BTreeMap<&String, BTreeSet<String>> = edges.keys().map(|name| (name, reached(name))).collect();
    let mut groups: BTreeSet<Vec<String>> = BTreeSet::new();
    for (name, reached) in &reach {
        let back = |other: &&String| reach.get(other).is_some_and(|reached| reached.contains(*name));
        let group: Vec<String> = reached.iter().filter(back).cloned().collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}

/// The names at the ends of a `use`, each with its full path.
fn leaves(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<(String, Vec<String>)>) {
    let mut leaf = |name: String, last: String| found.push((name, [before.as_slice(), &[last]].concat()));
    match tree {
        UseTree::Name(name) if name.ident == "self" => {
            let last = before.last().cloned().unwrap_or_default();
            found.push((last, before.clone()));
        }
        UseTree::Name(name) => leaf(name.ident.to_string(), name.ident.to_string()),
        UseTree::Rename(rename) => leaf(rename.rename.to_string(), rename.ident.to_string()),
        UseTree::Glob(_) => found.push(("*".to_owned(), before.clone())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, found)),
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, found);
            before.pop();
        }
    }
}

/// Collects paths of expressions and types with more than one segment.
struct Paths<'p>(&'p mut Vec<Vec<String>>);

impl Paths<'_> {
    /// Paths within the crate in what `syn` does not parse: arguments of attributes and macros.
    fn of_tokens(&mut self, tokens: &str) {
        let text = tokens.replace(' ', "");
        let paths = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let paths = paths.filter(|path| ["crate::", "super::", "self::"].iter().any(|from| path.starts_with(from)));
        self.0.extend(paths.map(|path| path.split("::").map(str::to_owned).collect()));
    }
}

impl Visit<'_> for Paths<'_> {
    fn visit_path(&mut self, path: &syn::Path) {
        if path.segments.len() > 1 && path.leading_colon.is_none() {
            self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, attribute: &Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.of_tokens(&list.tokens.to_string());
        }
    }

    fn visit_macro(&mut self, called: &syn::Macro) {
        self.of_tokens(&called.tokens.to_string());
    }

    fn visit_item_use(&mut self, used: &syn::ItemUse) {
        let mut found = Vec::new();
        leaves(&used.tree, &mut Vec::new(), &mut found);
        self.0.extend(found.into_iter().map(|(_, path)| path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(files: &[(&str, &str)]) -> (Modules, Vec<Undocumented>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut undocumented = Vec::new();
        let modules = Modules::of(&folder.path().join("lib.rs"), &mut undocumented).unwrap();
        (modules, undocumented)
    }

    #[test]
    fn children_of_a_room_that_use_each_other_are_a_circle_whichever_way_they_do() {
        let room = "pub mod a; mod b; mod c;\npub use b::Thing;";
        for (b, is_circle) in [
            ("use crate::a::f; pub struct Thing;", true),
            ("pub struct Thing; fn g() { crate::a::f() }", true),
            ("pub struct Thing; fn g() { super::a::f() }", true),
            ("pub struct Thing { #[arg(value_parser = crate::a::f)] x: u8 }", true),
            ("pub struct Thing; fn g() { println!(\"{}\", crate::a::f()) }", true),
            ("pub struct Thing; #[cfg(test)] mod tests { use crate::a::f; }", false),
            ("pub struct Thing; use std::fmt; use crate::c::x;", false),
        ] {
            let (modules, _) = modules(&[("lib.rs", room), ("a.rs", "use crate::Thing;"), ("b.rs", b), ("c.rs", "")]);
            let circle = Circle {
                room: Vec::new(),
                names: vec!["a".to_owned(), "b".to_owned()],
                uses: vec!["a uses b".to_owned(), "b uses a".to_owned()],
            };
            assert_eq!(modules.circles(), if is_circle { vec![circle] } else { Vec::new() }, "{b}");
        }
    }

    #[test]
    fn a_circle_may_have_three_and_lie_deep_and_a_child_may_use_its_parent() {
        let (modules, _) = modules(&[
            ("lib.rs", "mod room;"),
            ("room/mod.rs", "mod a; mod b; mod c; struct Shared;"),
            ("room/a.rs", "use super::b::deep::f; use super::Shared;"),
            ("room/b.rs", "mod deep; mod other;"),
            ("room/b/deep.rs", "use super::super::c; use super::other::x;"),
            ("room/b/other.rs", ""),
            ("room/c.rs", "use crate::room::{a::{self, f}, Shared};"),
        ]);
        let uses = ["a uses b", "b uses c", "c uses a"].map(str::to_owned).to_vec();
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(modules.circles(), [Circle { room: vec!["room".to_owned()], names, uses }]);
    }

    #[test]
    fn public_items_have_documentation_and_fields_may_go_without() {
        let (_, undocumented) = modules(&[(
            "lib.rs",
            "/// It.\npub struct It { pub field: u8 }\nimpl It {\n    pub fn new() {}\n}\nfn private() {}\npub const ONE: u8 = 1;",
        )]);
        let found: Vec<_> = undocumented.iter().map(|item| (item.name.as_str(), item.line)).collect();
        assert_eq!(found, [("new", 4), ("ONE", 7)]);
    }
}
