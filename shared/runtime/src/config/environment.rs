use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::area;

/// Where a configuration is used; what it may refer to depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// A computer: files are next to the configuration, secrets in environment variables or files.
    Laptop,
    /// A stack: files are objects under `config/`, secrets are in Secrets Manager under `stoop/<stack>/`.
    Aws,
}

/// The external values that a configuration refers to.
///
/// An error is the reason in a few words, without the name of the value and without a secret: people see it after "the
/// file x cannot be read: ".
pub trait Environment {
    /// The platform.
    fn platform(&self) -> Platform;

    /// An environment variable. Used on the laptop only.
    fn env(&self, name: &str) -> Option<String>;

    /// A text file. On AWS the path is that of an object under `config/`, such as `maps/x.toml`; on the laptop it is
    /// absolute or relative to the configuration's folder.
    fn file(&self, path: &str) -> Result<String, String>;

    /// A whole secret, by its name without `stoop/<stack>/`. Used on AWS only.
    fn secret(&self, name: &str) -> Result<String, String>;

    /// The path of an area, or its beginning, from what people write. Without a gazetteer, as on AWS, only paths are
    /// accepted.
    fn area(&self, text: &str) -> Result<String, String> {
        area::path(text)
    }
}

/// The laptop: this process's environment, and files next to the configuration.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// The folder of this file.
    pub(super) fn of(file: &Path) -> Self {
        Self(file.parent().unwrap_or(Path::new(".")).to_owned())
    }
}

impl Environment for Folder {
    fn platform(&self) -> Platform {
        Platform::Laptop
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())
    }

    fn secret(&self, _: &str) -> Result<String, String> {
        Err("there is no Secrets Manager here".to_owned())
    }

    fn area(&self, text: &str) -> Result<String, String> {
        area::find(text)
    }
}

/// A stack on AWS: the values that were fetched, from the list of [`wanted`](super::wanted), before the configuration
/// is parsed.
///
/// ```
/// use stoop_runtime::{Fetched, Wanting, parse_config, wanted};
/// let text = "[[search]]\nname = 'chicago'\nsource = 'zillow'\n\
///             params = { location = 'Chicago, IL', key = { secret = 'rapidapi' } }\n";
/// assert_eq!(wanted(text, Wanting::Everything).secrets, ["rapidapi"]);
/// let mut fetched = Fetched::default();
/// fetched.secrets.insert("rapidapi".into(), Ok("0123".into()));
/// assert_eq!(parse_config(text, "config/stoop.toml", &fetched)?.searches.len(), 1);
/// # Ok::<(), stoop_sources::settings::MapErrors>(())
/// ```
#[derive(Clone, Default)]
pub struct Fetched {
    /// The objects under `config/`, by the paths from `wanted`, or why one could not be read.
    pub files: BTreeMap<String, Result<String, String>>,
    /// The secrets, by the names from `wanted`, or why one could not be read.
    pub secrets: BTreeMap<String, Result<String, String>>,
}

impl Fetched {
    /// These files, without secrets.
    pub fn files(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files = files.into_iter().map(|(path, text)| (path, Ok(text))).collect();
        Self { files, secrets: BTreeMap::new() }
    }
}

impl Environment for Fetched {
    fn platform(&self) -> Platform {
        Platform::Aws
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let none = || Err("there is no such object under config/".to_owned());
        self.files.get(path).cloned().unwrap_or_else(none)
    }

    fn secret(&self, name: &str) -> Result<String, String> {
        self.secrets.get(name).cloned().unwrap_or_else(|| Err("it was not fetched".to_owned()))
    }
}

/// Shows names only: a file can hold a secret as well.
impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("files", &self.files.keys())
            .field("secrets", &self.secrets.keys())
            .finish_non_exhaustive()
    }
}
