use stoop_domain::Watch;
use stoop_sources::declared::Map;
use stoop_sources::{Coverage, CrawlPolicy, Source};

use super::confirm::watch_of;
use crate::ports::FilePattern;

/// Where the listings of a search come from.
pub enum Origin {
    /// An API that is asked for pages.
    Http(Box<dyn Source>),
    /// Files that others put into a folder.
    Files(FileSet),
}

/// Files of listings, and how to read them.
#[derive(Clone, Debug)]
pub struct FileSet {
    /// Which column or value of a row is which field.
    pub map: Map,
    /// Which files.
    pub pattern: FilePattern,
    /// Whether each file has every listing, so that a missing listing may be gone.
    pub coverage: Coverage,
}

impl Origin {
    /// The source's name, the first half of every home's id.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Http(source) => source.name(),
            Self::Files(files) => files.map.name(),
        }
    }

    /// The API, where it is one.
    #[must_use]
    pub fn http(&self) -> Option<&dyn Source> {
        match self {
            Self::Http(source) => Some(&**source),
            Self::Files(_) => None,
        }
    }

    /// The crawl policy. Files have no limits, because no server is asked.
    #[must_use]
    pub fn crawl_policy(&self) -> CrawlPolicy {
        match self {
            Self::Http(source) => source.crawl_policy(),
            Self::Files(files) => CrawlPolicy {
                coverage: files.coverage,
                limits: Vec::new(),
                robots: false,
                off_by_default: false,
                pages_max: u32::MAX,
            },
        }
    }

    /// How it is watched. A file that is not a snapshot has changes or the past: an unchanged listing may never be in a
    /// file again.
    pub(super) fn watch(&self) -> Watch {
        match self {
            Self::Http(source) => watch_of(source.crawl_policy().coverage),
            Self::Files(files) if files.coverage == Coverage::Snapshot && !files.map.history() => Watch::Complete,
            Self::Files(_) => Watch::Once,
        }
    }

    /// A hash of what the search asks for. A hash, because a URL may contain a key.
    pub(super) fn asks(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.name().as_bytes()).update(b"\n");
        match self {
            Self::Http(source) => {
                let first = source.request(&source.begin(None));
                hasher.update(first.url.as_bytes()).update(b"\n");
                hasher.update(first.body.as_deref().unwrap_or_default());
            }
            Self::Files(files) => {
                hasher.update(b"files\n").update(files.pattern.as_str().as_bytes());
            }
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }
}

impl From<Box<dyn Source>> for Origin {
    fn from(source: Box<dyn Source>) -> Self {
        Self::Http(source)
    }
}
