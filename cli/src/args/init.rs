//! The options of `stoop init`.

use std::path::PathBuf;

use clap::Args;
use stoop_sources::KINDS;

/// The choices: the built-in source kinds, a JSON API of your own, files.
pub(crate) const CHOICES: [&str; KINDS.len() + 2] = {
    let mut choices = ["files"; KINDS.len() + 2];
    let mut at = 0;
    while at < KINDS.len() {
        choices[at] = KINDS[at].name;
        at += 1;
    }
    choices[at] = "map";
    choices
};

#[derive(Args)]
pub(crate) struct InitArgs {
    /// The source to poll [default: asks on a terminal, otherwise all of them, switched off]
    #[arg(long, value_name = "KIND", value_parser = CHOICES)]
    pub(crate) source: Option<String>,
    /// The file to write; an existing file is not changed
    #[arg(long, value_name = "TOML", default_value = "stoop.toml")]
    pub(crate) to: PathBuf,
}
