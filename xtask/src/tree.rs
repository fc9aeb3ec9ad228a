//! Hashes of the project's files as git would commit them: includes new files, excludes ignored ones.

use std::path::Path;

use anyhow::{Context, Result};

use crate::project::Project;

/// The files as a git tree.
#[derive(Debug)]
pub(crate) struct Tree(String);

impl Tree {
    /// # Errors
    /// If git fails.
    pub(crate) fn of(project: &Project) -> Result<Self> {
        // A separate index, so that staged changes are not affected.
        let index = project.cache().join(format!("index-{}", std::process::id()));
        std::fs::create_dir_all(project.cache())
            .with_context(|| format!("can't make {}", project.cache().display()))?;
        let tree = Self::with_index(project, &index);
        let removed = std::fs::remove_file(&index);
        let tree = tree?;
        removed.with_context(|| format!("can't remove {}", index.display()))?;
        Ok(Self(tree))
    }

    fn with_index(project: &Project, index: &Path) -> Result<String> {
        let git = |arguments: &[&str]| {
            let mut git = project.command("git");
            project.output(git.args(arguments).env("GIT_INDEX_FILE", index))
        };
        git(&["add", "--all", "."])?;
        Ok(git(&["write-tree"])?.trim().to_owned())
    }

    /// Hashes all files that match these git pathspecs.
    ///
    /// # Errors
    /// If git fails, or if no file matches: the step would always be skipped.
    pub(crate) fn hash(&self, project: &Project, pathspecs: &[&str]) -> Result<String> {
        let listed = project.output(project.command("git").args(["ls-tree", "-r", "--full-tree", &self.0]))?;
        let mut of_them: Vec<&str> = listed.lines().filter(|line| is_named(line, pathspecs)).collect();
        of_them.sort_unstable();
        anyhow::ensure!(!of_them.is_empty(), "no file is named by {pathspecs:?}");
        hash(project, of_them.join("\n").as_bytes())
    }
}

/// Whether a line of `git ls-tree` is a file that matches: by its full path, a folder (`infra/`), or its extension
/// (`*.rs`; not in the lake, a workspace of its own that nothing else needs). `*` is every file.
fn is_named(line: &str, names: &[&str]) -> bool {
    let Some((_, path)) = line.split_once('\t') else { return false };
    names.iter().any(|name| match name.strip_prefix('*') {
        Some("") => true,
        Some(ending) => path.ends_with(ending) && !path.starts_with("lake/"),
        None if name.ends_with('/') => path.starts_with(name),
        None => path == *name,
    })
}

/// Hashes bytes with git, which is available anyway.
///
/// # Errors
/// If git fails.
pub(crate) fn hash(project: &Project, bytes: &[u8]) -> Result<String> {
    let file = project.cache().join(format!("hashed-{}", std::process::id()));
    std::fs::write(&file, bytes).with_context(|| format!("can't write {}", file.display()))?;
    let hash = project.output(project.command("git").args(["hash-object", "--no-filters"]).arg(&file));
    std::fs::remove_file(&file).with_context(|| format!("can't remove {}", file.display()))?;
    Ok(hash?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_path_folder_or_ending() {
        let line = "100644 blob 1234\tinfra/ministack/host.py";
        assert!(is_named(line, &["infra/"]));
        assert!(is_named(line, &["*.rs", "*.py"]));
        assert!(is_named(line, &["infra/ministack/host.py"]));
        assert!(!is_named(line, &["infra", "*.rs", "host.py"]));
        let line = "100644 blob 1234\tlake/tables/src/lib.rs";
        assert!(is_named(line, &["lake/"]) && is_named(line, &["*"]) && !is_named(line, &["*.rs"]));
    }
}
