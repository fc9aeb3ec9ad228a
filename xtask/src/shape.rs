//! The project's structure: dependencies between crates, crates in the laptop's binary, dead links, import cycles, long
//! files, and public items without documentation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::modules::{Circle, Modules};
use crate::project::Project;

/// Crates by layer: each may depend on lower layers only. DESIGN: `domain <- {sources, wire, market, rules} <- pipeline
/// <- {aws, embedded, runtime} <- {functions, cli, tests}`.
const FLOORS: &[&[&str]] = &[
    &["stoop-dice", "stoop-gazetteer", "stoop-waits"],
    &["stoop-domain", "stoop-outlines"],
    &[
        "stoop-emf",
        "stoop-identity",
        "stoop-market",
        "stoop-rules",
        "stoop-show",
        "stoop-simulation",
        "stoop-sources",
        "stoop-wire",
    ],
    &["stoop-drafts", "stoop-files"],
    &["stoop-pipeline"],
    &["stoop-serve"],
    &["stoop-aws", "stoop-embedded", "stoop-pages", "stoop-runtime"],
    &[
        "stoop",
        "stoop-alerts",
        "stoop-api",
        "stoop-aws-cli",
        "stoop-fuzz",
        "stoop-lake-tables",
        "stoop-metrics",
        "stoop-planner",
        "stoop-poller",
        "stoop-rollup",
        "stoop-tests",
    ],
    &["stoop-lake", "stoop-lake-function"],
];
/// A longer file has a second idea.
const LINES_MAX: usize = 400;
/// Prefixes (before `-` or `_`) of crates that the laptop's binary must not contain.
const AWS: [&str; 3] = ["aws", "stoop-aws", "lambda"];

/// Returns whether all checks passed.
///
/// # Errors
/// If Cargo fails or a file cannot be read.
pub(crate) fn hold(project: &Project) -> Result<bool> {
    let mut wrongs = Vec::new();
    for (name, known) in crates(project)? {
        wrongs.extend(wrong_edges(&name, &known));
    }
    let tree = ["tree", "-p", "stoop", "--locked", "-e", "normal", "--prefix", "none", "--format", "{p}"];
    wrongs.extend(aws_crates(&project.output(&mut project.cargo(&tree))?));
    wrongs.extend(dead_links(project)?);
    wrongs.extend(long_files(project)?);
    wrongs.extend(in_crates(project)?);
    for wrong in &wrongs {
        eprintln!("{wrong}");
    }
    if wrongs.is_empty() {
        println!(
            "dependencies point one way, no AWS crate is in the laptop's binary, every link leads somewhere, no file is long \
             and no imports go in a circle, every public item is documented"
        );
    }
    Ok(wrongs.is_empty())
}

/// Import cycles and undocumented items.
fn in_crates(project: &Project) -> Result<Vec<String>> {
    let mut wrongs = Vec::new();
    for (name, folder) in folders(project)? {
        for root in roots(&folder) {
            let mut undocumented = Vec::new();
            let modules = Modules::of(&root, &mut undocumented)?;
            for Circle { room, names, uses } in modules.circles() {
                let room = [vec![name.clone()], room].concat().join("::");
                wrongs.push(format!(
                    "{room}: {}: a circle: {}; what is it that both need?",
                    names.join(", "),
                    uses.join("; ")
                ));
            }
            wrongs.extend(undocumented.iter().map(|item| {
                let file = item.file.strip_prefix(project.root()).unwrap_or(&item.file);
                format!("{}:{}: {} is public and has no documentation", file.display(), item.line, item.name)
            }));
        }
    }
    Ok(wrongs)
}

/// Path and text of the manifests of the workspace's crates.
fn manifests(project: &Project) -> Result<Vec<(PathBuf, String)>> {
    let mut git = project.command("git");
    let manifests =
        project.output(git.args(["ls-files", "--cached", "--others", "--exclude-standard", "*/Cargo.toml"]))?;
    let read = |path: PathBuf| std::fs::read_to_string(&path).ok().map(|text| (path, text));
    Ok(manifests.lines().map(|manifest| project.root().join(manifest)).filter_map(read).collect())
}

/// Each crate of the workspace with its dependencies in the workspace, without those of tests.
fn crates(project: &Project) -> Result<BTreeMap<String, Vec<String>>> {
    let mut crates = BTreeMap::new();
    // A manifest without a package is that of a workspace.
    let is_package = |(_, text): &(PathBuf, String)| text.contains("[package]");
    for (path, text) in manifests(project)?.into_iter().filter(is_package) {
        let (name, known) = dependencies(&text).with_context(|| format!("{} names no package", path.display()))?;
        crates.insert(name, known);
    }
    crates.remove("xtask");
    Ok(crates)
}

/// The root files of a crate's library and program.
pub(crate) fn roots(folder: &Path) -> impl Iterator<Item = PathBuf> {
    ["lib.rs", "main.rs"].map(|root| folder.join("src").join(root)).into_iter().filter(|root| root.exists())
}

/// The folder of each crate, by its name.
pub(crate) fn folders(project: &Project) -> Result<BTreeMap<String, PathBuf>> {
    let named = |(path, text): (PathBuf, String)| Some((dependencies(&text)?.0, path.parent()?.to_owned()));
    Ok(manifests(project)?.into_iter().filter_map(named).collect())
}

/// The package's name, and the `stoop-*` under `[dependencies]`.
fn dependencies(manifest: &str) -> Option<(String, Vec<String>)> {
    let mut section = "";
    let (mut name, mut known) = (None, Vec::new());
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line.trim();
        } else if section == "[package]" && name.is_none() {
            name = line.strip_prefix("name = \"").and_then(|rest| rest.split('"').next()).map(str::to_owned);
        } else if section == "[dependencies]" && line.starts_with("stoop-") {
            known.extend(line.split(['.', ' ', '=']).next().map(str::to_owned));
        }
    }
    Some((name?, known))
}

fn wrong_edges(name: &str, known: &[String]) -> Vec<String> {
    let floor = |name: &str| FLOORS.iter().position(|floor| floor.contains(&name));
    let Some(own) = floor(name) else {
        return vec![format!("{name} stands on no floor: give it one in xtask/src/shape.rs and in ARCHITECTURE.md")];
    };
    let is_wrong = |other: &&String| floor(other).is_none_or(|other| other >= own);
    known
        .iter()
        .filter(is_wrong)
        .map(|other| format!("{name} must not depend on {other}: see ARCHITECTURE.md"))
        .collect()
}

fn aws_crates(tree: &str) -> Vec<String> {
    let is_aws = |line: &str| {
        AWS.iter().any(|prefix| line.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['-', '_', ' '])))
    };
    let mut found: Vec<&str> = tree.lines().filter(|line| is_aws(line)).collect();
    found.sort_unstable();
    found.dedup();
    let reported = |found: &&str| {
        format!("the laptop's binary must not be built with {found}: `cargo tree -p stoop -e normal -i NAME`")
    };
    found.iter().map(reported).collect()
}

/// Links in pages to files that do not exist in the project.
fn dead_links(project: &Project) -> Result<Vec<String>> {
    let mut git = project.command("git");
    let pages = project.output(git.args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"]))?;
    let mut dead = Vec::new();
    for page in pages.lines() {
        let path = project.root().join(page);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let folder = path.parent().unwrap_or(project.root());
        let is_dead = |link: &&str| !folder.join(link).exists();
        dead.extend(links(&text).into_iter().filter(is_dead).map(|link| format!("{page}: {link} is not there")));
    }
    Ok(dead)
}

/// Targets of inline links, except to other hosts or within the page.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '\n']).next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    files.filter_map(|target| target.split('#').next()).filter(|file| !file.is_empty()).collect()
}

/// Files of more than [`LINES_MAX`] lines, with their lengths.
fn long_files(project: &Project) -> Result<Vec<String>> {
    let mut git = project.command("git");
    let files = project.output(git.args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"]))?;
    let mut long = Vec::new();
    for file in files.lines() {
        let Ok(text) = std::fs::read_to_string(project.root().join(file)) else { continue };
        let lines = text.lines().count();
        if lines > LINES_MAX {
            long.push(format!("{file}: {lines} lines of {LINES_MAX}; what is its second idea?"));
        }
    }
    Ok(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_may_know_lower_floors_alone() {
        let manifest = "[package]\nname = \"stoop-market\"\n[dependencies]\nserde.workspace = true\n\
                        stoop-domain.workspace = true\nstoop-pipeline = { path = \"x\" }\n[dev-dependencies]\nstoop-tests.workspace = true\n";
        let (name, known) = dependencies(manifest).unwrap();
        assert_eq!((name.as_str(), known.len()), ("stoop-market", 2));
        assert_eq!(wrong_edges(&name, &known), ["stoop-market must not depend on stoop-pipeline: see ARCHITECTURE.md"]);
    }

    #[test]
    fn links_to_files_are_found_and_others_left() {
        let page = "[a](b.md#c) ![d](e.svg) [f](https://example.com) [g](#h) [i](../j/)";
        assert_eq!(links(page), ["b.md", "e.svg", "../j/"]);
    }

    #[test]
    fn aws_crates_are_found_by_name() {
        let tree = "stoop v0.1.0\naws-sdk-s3 v1\nlambda_runtime v1\nawesome v1\nstoop-aws v0.1.0\naws-sdk-s3 v1\n";
        let found = aws_crates(tree).len();
        assert_eq!(found, 3);
    }
}
