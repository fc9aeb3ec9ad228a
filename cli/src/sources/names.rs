use stoop_runtime::Config;

/// The names of all searches, also of those that are switched off, for a message.
pub(super) fn names(outline: &Config) -> String {
    let known = outline.searches.iter().map(|config| &config.search.name).chain(&outline.switched_off);
    known.map(String::as_str).collect::<Vec<_>>().join(", ")
}
