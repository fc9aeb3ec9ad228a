//! `stoop simulate`: listing updates of a simulated market, as JSON Lines on standard output.

use std::process::ExitCode;

use stoop_domain::Time;
use stoop_simulation::SimulatedRows;

use crate::args::SimulateArgs;

/// The simulated market begins at this moment, so that the same seed gives the same bytes for ever. It lies
/// well before today, because a file spans months, and a replay refuses what lies in the future.
const BEGIN: &str = "2025-01-06T00:00:00Z";

pub(crate) fn simulate(args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    let begin = Time::parse(BEGIN)?;
    let mut config = SimulatedRows::config(args.seed, begin, args.rows);
    if args.lively {
        config = config.lively();
    }
    if let Some(homes) = args.homes {
        config.homes = homes;
    }
    if let Some(areas) = args.areas {
        config.markets = areas;
    }
    config.noise.seen_again_permille = 1_000 - args.changing * 10;
    let rows = SimulatedRows::new(config, args.rows);
    let rows = if args.brief { rows.brief() } else { rows };
    crate::out::own_bytes(|mut out| rows.write_to(&mut out).map(drop));
    Ok(ExitCode::SUCCESS)
}
