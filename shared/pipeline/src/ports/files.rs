use async_trait::async_trait;
use stoop_domain::{Observation, Reason, Time};
use stoop_sources::declared::Map;

use super::PortError;

/// Files of listings: a folder, or the objects below a prefix.
#[async_trait]
pub trait Files: Send + Sync {
    /// The files that `pattern` takes, in any order, at most `most`. A name is relative to where the pattern is,
    /// with slashes.
    ///
    /// # Errors
    /// When the folder is not there or cannot be read. Where there are only prefixes, none of a prefix is no error.
    async fn list(&self, pattern: &FilePattern, most: usize) -> Result<Vec<FileVersion>, PortError>;

    /// Opens a file to read its rows through a map, behind the first `rows_before`. The same version gives the same
    /// rows in the same order each time.
    async fn open(&self, file: &FileVersion, map: &Map, rows_before: u64) -> Result<Box<dyn OpenFile>, FileError>;

    /// Whether a file is there only once all of it is, as in an object store. A folder shows files that are still
    /// being written.
    fn appear_whole(&self) -> bool;
}

/// A file that is being read.
#[async_trait]
pub trait OpenFile: Send {
    /// The next rows, at most `rows_max`. A row that does not say when it was observed was at `as_of`; `now` is the
    /// moment of reading, against which dates in the future are found.
    ///
    /// # Errors
    /// When the file can't be read further as the version that it was opened as. Rows that can't be read are no
    /// error. After an error the file is not asked again.
    async fn page(&mut self, rows_max: usize, as_of: Time, now: Time) -> Result<FilePage, FileError>;
}

/// One version of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// Its name, from where patterns begin: `exports/2026/homes.csv`.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Time,
    /// What tells versions apart beyond that: an ETag.
    pub tag: Option<String>,
}

/// Rows of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilePage {
    /// What there is to know of them; rows that the map leaves out are not among these.
    pub rows: Vec<FileRow>,
    /// How many rows these are in the file, to begin behind them.
    pub rows_read: u64,
    /// How many bytes were read for them, as the file lies there.
    pub bytes_read: u64,
    /// Nothing comes behind them.
    pub ended: bool,
    /// The file has more, which is not read: the bound that it has reached, in words.
    pub cut: Option<String>,
}

/// A row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every row is found; a box would cost each one")]
pub enum FileRow {
    /// ParseReport, and fit to be counted.
    Found(Observation),
    /// Not understood, or not a home.
    Refused {
        /// Where it stands: `exports/homes.zip/a.csv: line 7`.
        position: String,
        /// Why.
        reason: Reason,
        /// The offending part, in words.
        detail: String,
        /// Its beginning.
        raw: Vec<u8>,
        /// Which listing it is of, where that much was understood.
        native_id: Option<String>,
    },
}

/// Why a file is not read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there any more.
    #[error("it is not there any more")]
    Left,
    /// It is another version by now.
    #[error("it was written to while it was read")]
    Changed,
    /// Somebody said stop while it was read.
    #[error("stopped while it was read")]
    Stopped,
    /// It cannot be read as what it should be, and will not get better.
    #[error("{0}")]
    Unreadable(String),
    /// The disk or the store failed; trying again may help.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Which files a search takes, as it is written in the configuration.
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
    /// What the parts of a path below the base look like; none takes everything.
    parts: Vec<String>,
}

/// Endings of files that are still being written or fetched.
const UNFINISHED: [&str; 6] = [".part", ".partial", ".tmp", ".crdownload", ".filepart", "~"];

impl FilePattern {
    /// Reads a pattern: a file, a folder (with all that is below it), or a path in which `*` and `?` stand for any
    /// signs but a slash, and a part that is `**` for any number of folders.
    ///
    /// # Errors
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

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The folder, prefix or file that it is about: the part before the first `*` or `?`. Empty for where patterns
    /// begin.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// How many parts a path has below the base at most; `None` where any number.
    #[must_use]
    pub fn depth_max(&self) -> Option<usize> {
        let any = self.parts.is_empty() || self.parts.iter().any(|part| part == "**");
        (!any).then_some(self.parts.len())
    }

    /// Whether it takes a file of this name. Hidden files, and those whose names say that they are still being
    /// written, it does not.
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

/// Whether parts of a pattern take parts of a path. Linear in their product: which parts of the path may be reached
/// is kept, and never tried twice.
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

/// Whether a part with `*` and `?` takes a name: back to the last `*` where it does not, which is enough.
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
    fn what_is_no_pattern_is_refused() {
        for text in ["", "/", "a//b", "a/**b/c", "a\0b"] {
            let problem = FilePattern::parse(text).unwrap_err();
            assert!(problem.contains("accepted: a folder"), "{problem}");
        }
    }

    #[test]
    fn signs_stand_for_signs() {
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
    fn hidden_and_unfinished_files_are_left() {
        for name in ["in/.a.csv", "in/.git/a.csv", "in/a.csv.part", "in/a.CSV.TMP", "in/a.csv~", "in/~$a.csv", "in/"] {
            assert!(!pattern("in/").takes(name), "{name}");
        }
        assert!(pattern(".cache/in/").takes(".cache/in/a.csv"), "who names a hidden folder means it");
    }
}
