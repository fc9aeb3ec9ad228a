use async_trait::async_trait;
use stoop_domain::{Observation, Reason, RefusedValue, Time};
use stoop_sources::declared::Map;

use super::PortError;

/// Files of listings: a folder, or the objects under a prefix.
#[async_trait]
pub trait Files: Send + Sync {
    /// The files that match `pattern`, in any order, at most `most`. A name is relative to where the pattern is, with
    /// slashes.
    ///
    /// # Errors
    ///
    /// The folder does not exist or cannot be read. In a store with prefixes only, an empty prefix is not an error.
    async fn list(&self, pattern: &FilePattern, most: usize) -> Result<Vec<FileVersion>, PortError>;

    /// Opens a file to read its rows through a map, after the first `rows_before`. The same version gives the same rows
    /// in the same order each time.
    async fn open(&self, file: &FileVersion, map: &Map, rows_before: u64) -> Result<Box<dyn OpenFile>, FileError>;

    /// Whether a file appears only when it is complete, as in an object store. A folder shows files that are still
    /// being written.
    fn appear_whole(&self) -> bool;
}

/// An open file.
#[async_trait]
pub trait OpenFile: Send {
    /// The next rows, at most `rows_max`. A row without an observation time has `as_of`; dates after `now`, the time of
    /// reading, are refused.
    ///
    /// # Errors
    ///
    /// The file cannot be read further in the version that was opened. Unreadable rows are not an error. After an error
    /// the file is not read again.
    async fn page(&mut self, rows_max: usize, as_of: Time, now: Time) -> Result<FilePage, FileError>;
}

/// One version of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// Its name, from where patterns begin: `exports/2026/homes.csv`.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Time,
    /// What else distinguishes versions: an ETag.
    pub tag: Option<String>,
}

/// Rows of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilePage {
    /// The rows, without those that the map skips.
    pub rows: Vec<FileRow>,
    /// How many rows these are in the file, to continue after them.
    pub rows_read: u64,
    /// How many bytes of the stored file were read for them.
    pub bytes_read: u64,
    /// Whether these are the last.
    pub ended: bool,
    /// The bound at which reading stopped, in words, if the file has more.
    pub cut: Option<String>,
}

/// A row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every row is found; a box would cost each one")]
pub enum FileRow {
    /// Understood, and may be counted; with the values that were left out of it.
    Found(Observation, Vec<RefusedValue>),
    /// Not understood, or not a home.
    Refused {
        /// Its position: `exports/homes.zip/a.csv: line 7`.
        position: String,
        /// The reason.
        reason: Reason,
        /// The offending part, in words.
        detail: String,
        /// The beginning of the row.
        raw: Vec<u8>,
        /// The ID of its listing, if that could be read.
        native_id: Option<String>,
    },
}

/// Why a file is not read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It was deleted.
    #[error("it no longer exists")]
    Left,
    /// It is another version now.
    #[error("it was written to during the read")]
    Changed,
    /// A stop was asked for during the read.
    #[error("stopped during the read")]
    Stopped,
    /// It cannot be read in its format, and retrying does not help.
    #[error("{0}")]
    Unreadable(String),
    /// The disk or the store failed; [`PortError::kind`] says how.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Which files a search reads, as configured.
///
/// ```
/// use stoop_pipeline::ports::FilePattern;
/// let takes = |pattern: &str, name: &str| FilePattern::parse(pattern).is_ok_and(|pattern| pattern.takes(name));
/// assert!(takes("exports/", "exports/2026/01.zip") && takes("exports/all.csv", "exports/all.csv"));
/// assert!(takes("in/*.csv", "in/a.csv") && !takes("in/*.csv", "in/old/a.csv"));
/// assert!(takes("in/**/*.csv", "in/a.csv") && takes("in/**/*.csv", "in/2026/01/a.csv"));
/// assert!(!takes("in/", "in/a.csv.part"), "it is still being written");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePattern {
    text: String,
    base: String,
    /// The patterns of the path components below the base; an empty list matches everything.
    parts: Vec<String>,
}

/// Endings of files that are still being written or downloaded.
const UNFINISHED: [&str; 6] = [".part", ".partial", ".tmp", ".crdownload", ".filepart", "~"];

impl FilePattern {
    /// Parses a pattern: a file, a folder (with everything below it), or a path in which `*` and `?` match any
    /// characters except a slash, and a component `**` matches any number of folders.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what would be accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let plain = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
        let (root, rest) = plain.strip_prefix('/').map_or(("", plain), |rest| ("/", rest));
        let parts: Vec<&str> = rest.split('/').collect();
        let strange = |part: &&str| part.is_empty() || part.contains('\0') || part.contains("**") && **part != *"**";
        if parts.iter().any(strange) {
            return Err(format!(
                "{text:?} is not a path of files; accepted: a folder (exports/), a file (exports/all.csv), or a path with \
                 *, ? or ** (inbox/*.csv, mls/**/*.zip)"
            ));
        }
        let fixed = parts.iter().take_while(|part| !part.contains(['*', '?'])).count();
        let base = format!("{root}{}", parts[..fixed].join("/"));
        let parts = parts[fixed..].iter().map(|part| (*part).to_owned()).collect();
        Ok(Self { text: text.to_owned(), base, parts })
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The folder, prefix or file that it names: the part before the first `*` or `?`. Empty for the root of patterns.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The most path components below the base; `None` for any number.
    #[must_use]
    pub fn depth_max(&self) -> Option<usize> {
        let any = self.parts.is_empty() || self.parts.iter().any(|part| part == "**");
        (!any).then_some(self.parts.len())
    }

    /// Whether it matches a file of this name. It never matches hidden files, or files whose names say that they are
    /// still being written.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        let below = match name.strip_prefix(&self.base) {
            Some("") => return self.parts.is_empty(),
            Some(rest) if self.base.is_empty() || self.base == "/" => rest,
            Some(rest) => match rest.strip_prefix('/') {
                Some(below) => below,
                None => return false,
            },
            None => return false,
        };
        let path: Vec<&str> = below.split('/').collect();
        let last = path.last().copied().unwrap_or_default().to_lowercase();
        let hidden = path.iter().any(|part| part.starts_with('.') || *part == "__MACOSX");
        let unfinished = last.starts_with("~$") || UNFINISHED.iter().any(|end| last.ends_with(end));
        !hidden && !unfinished && !last.is_empty() && (self.parts.is_empty() || fits_path(&self.parts, &path))
    }
}

/// Whether the components of a pattern match those of a path. Takes time linear in their product: reachable states are
/// kept, and never tried twice.
fn fits_path(pattern: &[String], path: &[&str]) -> bool {
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for part in pattern {
        let mut next = vec![false; path.len() + 1];
        if part == "**" {
            let first = reached.iter().position(|reached| *reached);
            (first.unwrap_or(path.len() + 1)..=path.len()).for_each(|at| next[at] = true);
        } else {
            (0..path.len()).for_each(|at| next[at + 1] = reached[at] && fits(part, path[at]));
        }
        reached = next;
    }
    reached[path.len()]
}

/// Whether a component with `*` and `?` matches a name. On a mismatch it backtracks to the last `*`, which is enough.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(sign) if *sign == '?' || *sign == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, from)) => {
                    *from += 1;
                    (p, n) = (*at + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> FilePattern {
        FilePattern::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_has_a_base_and_a_depth() {
        let parts = |text: &str| {
            let pattern = pattern(text);
            (pattern.base().to_owned(), pattern.depth_max())
        };
        assert_eq!(parts("exports/"), ("exports".into(), None));
        assert_eq!(parts("./exports/all.csv"), ("exports/all.csv".into(), None));
        assert_eq!(parts("in/*.csv"), ("in".into(), Some(1)));
        assert_eq!(parts("*/x?/*"), (String::new(), Some(3)));
        assert_eq!(parts("/data/mls/**/*.zip"), ("/data/mls".into(), None));
        assert_eq!(parts("../in/*"), ("../in".into(), Some(1)));
    }

    #[test]
    fn invalid_patterns_are_refused() {
        for text in ["", "/", "a//b", "a/**b/c", "a\0b"] {
            let problem = FilePattern::parse(text).unwrap_err();
            assert!(problem.contains("accepted: a folder"), "{problem}");
        }
    }

    #[test]
    fn wildcards_match_characters() {
        for (text, takes, leaves) in [
            ("a*b*c.csv", "aXbYbc.csv", "aXcYb.csv"),
            ("homes-????-??.csv", "homes-2026-01.csv", "homes-2026-1.csv"),
            ("**/*.csv", "é/ü/x.csv", "x.csvx"),
            ("**/2026/**", "a/2026/b/c.csv", "a/2025/b/c.csv"),
            ("*", "a", "a/b"),
            ("[a].csv", "[a].csv", "a.csv"),
        ] {
            let pattern = pattern(text);
            assert!(pattern.takes(takes) || pattern.base() == takes, "{text} {takes}");
            assert!(!pattern.takes(leaves), "{text} {leaves}");
        }
        assert!(!pattern("exports").takes("exports2/a.csv") && !pattern("exports").takes("exports2"));
        assert!(pattern("/data").takes("/data/x.csv"));
        let stars = "*a".repeat(40);
        assert!(!pattern(&stars).takes(&"a".repeat(200).replace("aaaaaaaaaa", "aaaaaaaaab")), "in time");
    }

    #[test]
    fn hidden_and_unfinished_files_are_skipped() {
        for name in ["in/.a.csv", "in/.git/a.csv", "in/a.csv.part", "in/a.CSV.TMP", "in/a.csv~", "in/~$a.csv", "in/"] {
            assert!(!pattern("in/").takes(name), "{name}");
        }
        assert!(pattern(".cache/in/").takes(".cache/in/a.csv"), "a hidden folder may be named");
    }
}
