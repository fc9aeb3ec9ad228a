use std::path::Path;

use stoop_runtime::{Config, SearchConfig, read_outline, read_search};

use crate::failure::usage;

/// A search by its name, and the outline of its configuration. A search may be switched off.
pub(super) fn configured(config: &Path, search: &str) -> anyhow::Result<(Config, SearchConfig)> {
    let outline = read_outline(config).map_err(usage)?;
    let Some(found) = read_search(config, search).map_err(usage)? else {
        let known = outline.searches.iter().map(|config| &config.search.name).chain(&outline.switched_off);
        let names = known.map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(usage(format!("the search {search:?} is not configured; there are: {names}")));
    };
    Ok((outline, found))
}
