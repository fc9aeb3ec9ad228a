use std::error::Error;

/// A table cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// Written by a newer program. Update this one before it continues.
    #[error("the table {table} has schema {found}; this program writes schema {ours}: update stoop-lake")]
    Newer {
        /// The name of the table.
        table: String,
        /// The schema of the table.
        found: u32,
        /// The newest schema that this program knows.
        ours: u32,
    },
    /// The table has a column of another type, or needs something that this program cannot do.
    #[error("the table {table}: {detail}")]
    Unfit {
        /// The name of the table.
        table: String,
        /// What does not fit.
        detail: String,
    },
    /// Other writers were quicker each time. Nothing is lost: run it again.
    #[error("the table {table}: {attempts} attempts to commit, and another writer was quicker each time; run it again")]
    Busy {
        /// The name of the table.
        table: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// There is no such table, version or time.
    #[error("{0}")]
    Missing(String),
    /// An operation failed.
    #[error("cannot {what}")]
    Failed {
        /// What was tried, and where.
        what: String,
        /// Why it failed.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Adds what was tried to an error: `.map_err(doing("read the table observations"))`.
pub(crate) fn doing<E: Into<Box<dyn Error + Send + Sync>>>(what: impl Into<String>) -> impl FnOnce(E) -> LakeError {
    |source| LakeError::Failed { what: what.into(), source: source.into() }
}

/// Like [`doing`], for several errors of one operation.
pub(crate) struct Doing(String);

impl Doing {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    pub(crate) fn by(&self, source: impl Into<Box<dyn Error + Send + Sync>>) -> LakeError {
        LakeError::Failed { what: self.0.clone(), source: source.into() }
    }
}
