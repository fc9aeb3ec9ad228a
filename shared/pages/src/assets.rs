//! The style sheet and the script. Their addresses contain a hash of their bytes, so browsers may keep them for ever.

use std::sync::LazyLock;

/// A file that pages refer to.
pub(crate) struct Asset {
    /// `/static/stoop-1a2b3c4d5e6f.css`
    pub(crate) href: String,
    pub(crate) media_type: &'static str,
    pub(crate) body: &'static str,
}

pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::of("css", "text/css; charset=utf-8", include_str!("stoop.css")));

pub(crate) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::of("js", "text/javascript; charset=utf-8", include_str!("stoop.js")));

pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::of("svg", "image/svg+xml", include_str!("stoop.svg")));

impl Asset {
    fn of(extension: &str, media_type: &'static str, body: &'static str) -> Self {
        let hash = blake3::hash(body.as_bytes()).to_hex();
        Self { href: format!("/static/stoop-{}.{extension}", &hash[..12]), media_type, body }
    }

    /// The asset at this path.
    pub(crate) fn at(path: &str) -> Option<&'static Self> {
        [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.href == path)
    }
}
