//! Where pages and the API are served.

use clap::Args;

#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) pages: PagesArgs,
}

/// The address of the pages.
#[derive(Args, Clone, Copy)]
pub(crate) struct PagesArgs {
    /// Serve pages and the API on this port of 127.0.0.1; 0 takes any free one [default: 8317, or the next free one]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
}
