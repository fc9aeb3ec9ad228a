//! Names of types: no third type of one name in the project. `Part` alone says nothing if a dozen crates have one.
//!
//! Counts types that stand in modules of libraries and programs, of the lake too; not those of tests, benches, examples
//! and fuzz targets.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::modules::{Modules, NamedType};
use crate::project::Project;
use crate::shape;

/// How many types may have one name.
const SAME_MAX: usize = 2;

/// Returns whether no name has too many types.
///
/// # Errors
/// If a file cannot be read or is not Rust.
pub(crate) fn hold(project: &Project) -> Result<bool> {
    let mut types = Vec::new();
    for folder in shape::folders(project)?.into_values() {
        for root in shape::roots(&folder) {
            types.extend(Modules::of(&root, &mut Vec::new())?.into_types());
        }
    }
    let count = types.len();
    let too_common = too_common(types);
    for (name, types) in &too_common {
        eprintln!("{name}: {} types have this name; name each by its role:", types.len());
        for NamedType { file, line, .. } in types {
            eprintln!("  {}:{line}", file.strip_prefix(project.root()).unwrap_or(file).display());
        }
    }
    println!("{} names of {count} types are too common", too_common.len());
    Ok(too_common.is_empty())
}

/// Names of more than [`SAME_MAX`] types. A crate with a library and a program may have a module in both: its types count
/// once.
fn too_common(types: Vec<NamedType>) -> BTreeMap<String, Vec<NamedType>> {
    let mut by_name: BTreeMap<String, Vec<NamedType>> = BTreeMap::new();
    for named in types {
        let same = by_name.entry(named.name.clone()).or_default();
        if !same.contains(&named) {
            same.push(named);
        }
    }
    by_name.retain(|_, types| types.len() > SAME_MAX);
    by_name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types_of(text: &str) -> Vec<NamedType> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lib.rs");
        std::fs::write(&root, text).unwrap();
        Modules::of(&root, &mut Vec::new()).unwrap().into_types()
    }

    #[test]
    fn a_third_type_of_one_name_is_too_common_wherever_it_stands_in_a_module() {
        let two = "struct Part;\nmod a { pub(super) enum Part {} }";
        for (third, is_too_common) in [
            ("mod b { mod c { trait Part {} } }", true),
            ("mod b { type Part = u8; }", true),
            ("#[cfg(test)] mod tests { struct Part; }", false),
            ("fn f() { struct Part; }", false),
            ("mod b { struct Parts; fn Part() {} }", false),
        ] {
            let found = too_common(types_of(&format!("{two}\n{third}")));
            assert_eq!(found.keys().eq(["Part"]), is_too_common, "{third}");
        }
    }

    #[test]
    fn a_module_of_a_library_and_its_program_counts_once() {
        let one = || NamedType { file: "a.rs".into(), line: 1, name: "Part".to_owned() };
        assert!(too_common(vec![one(), one(), one()]).is_empty());
    }
}
