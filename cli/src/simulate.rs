//! `stoop simulate`: listing updates of a simulated market, as JSON Lines on standard output.

use std::io::{BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use stoop_domain::Time;
use stoop_simulation::Rows;

use crate::args::SimulateArgs;

/// The simulated market begins at this moment, so that the same seed gives the same bytes for ever.
pub(crate) const BEGIN: &str = "2026-01-05T00:00:00Z";

pub(crate) fn simulate(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let begin = Time::parse(BEGIN)?;
    let mut config = Rows::config(args.seed, begin, args.rows);
    if let Some(homes) = args.homes {
        config.homes = homes;
    }
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let written = Rows::new(config, args.rows).write_to(&mut out).and_then(|_| out.flush());
    match written {
        // `stoop simulate | head` has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => Ok(written.map(|()| ExitCode::SUCCESS)?),
    }
}
