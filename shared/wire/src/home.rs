use stoop_domain::Home;

/// Bytes that are no stored home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// Written by a version of Stoop that we do not know.
    #[error("home of format {0}; this program reads format {VERSION}")]
    Version(u8),
    /// Cut short, or not ours.
    #[error("home is damaged")]
    Damaged,
}

const VERSION: u8 = 1;

impl HomeError {
    /// Whether a newer Stoop can read it.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::Version(version) if *version > VERSION)
    }
}

/// A home as bytes: a format byte, then postcard. Equal homes give equal bytes.
#[must_use]
pub fn home_to_bytes(home: &Home) -> Vec<u8> {
    // Postcard into a growing vector fails only for types it cannot express, and Home is none of them.
    postcard::to_extend(home, vec![VERSION]).unwrap_or_default()
}

/// Reads what [`home_to_bytes`] wrote.
///
/// # Errors
/// On any other bytes.
pub fn home_from_bytes(bytes: &[u8]) -> Result<Home, HomeError> {
    match bytes.split_first() {
        Some((&VERSION, body)) => postcard::from_bytes(body).map_err(|_| HomeError::Damaged),
        Some((&version, _)) => Err(HomeError::Version(version)),
        None => Err(HomeError::Damaged),
    }
}
