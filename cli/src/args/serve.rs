//! Where pages and the API are served.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;

#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) pages: PagesArgs,
}

/// The address of the pages.
#[derive(Args, Clone, Copy)]
pub(crate) struct PagesArgs {
    /// Serve pages and the API on this port; 0 takes any free one [default: 8317, or the next free one]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Serve on this address of this computer; other computers need a token of `stoop token`
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) bind: IpAddr,
    /// Answer only who has a token of `stoop token`, on a loopback address too: for a server behind a proxy
    #[arg(long)]
    pub(crate) require_token: bool,
}
