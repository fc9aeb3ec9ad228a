//! `stoop serve`, and the pages of `stoop run` and `stoop demo`: a server with a reader of its own.

mod access;
mod alerts;
mod app;
mod asked;
mod connections;
mod controls;
mod events;
mod listeners;
mod metrics;
mod rate;
mod readers;
mod remembered;
mod sending;
mod server;

use std::process::ExitCode;

use crate::args::{PagesArgs, ServeArgs, StoreArgs};
use crate::due_times::DueTimes;
use crate::failure::usage;
use crate::out::say;
use crate::stop::Stop;
use crate::views::open;

pub(crate) use server::Server;

/// `stoop serve`.
pub(crate) async fn serve(store: &StoreArgs, args: &ServeArgs) -> anyhow::Result<ExitCode> {
    // Names a missing database before anything listens.
    drop(open(store)?);
    let stop = Stop::on_signals();
    let server = Server::start(store, args.pages, &DueTimes::default(), &stop).map_err(usage)?;
    say!("Pages: {}  Ctrl-C stops.", server.url());
    stop.unless_set(std::future::pending::<()>()).await;
    server.join();
    Ok(ExitCode::SUCCESS)
}

/// Serves beside other work, which goes on if pages cannot be served.
pub(crate) fn beside(store: &StoreArgs, args: PagesArgs, due: &DueTimes, stop: &Stop) -> Option<Server> {
    match Server::start(store, args, due, stop) {
        Ok(server) => Some(server),
        Err(error) => {
            crate::out::complain!("stoop: no pages: {error:#}");
            None
        }
    }
}
