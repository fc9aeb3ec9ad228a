//! The real template, deployed to AWS on this machine, used like its users do: see `infra/README.md`.
//!
//! All scenarios share one stack and run in this order, one at a time. Each can also run alone (`cargo xtask stack
//! NAME`): it prepares what it needs. After the last one, or a panic, the stack and the emulator are removed.
#![allow(clippy::unwrap_used, reason = "a test")]

mod alerts_sent;
mod api;
mod aside;
mod cleanup;
mod configuration;
mod deadline;
mod faults;
mod figures;
mod generations;
mod hosted;
mod lake;
mod limits;
mod proxy;
mod raw;
mod redrive;
mod rollups;
mod sources;
mod state;
mod stream;
mod town;
mod whole_way;
mod world;

use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use stoop_waits::{LONG, Limit};

use world::{World, context, say};

type Scenario = for<'w> fn(&'w World) -> Pin<Box<dyn Future<Output = ()> + 'w>>;

/// A scenario by its path, as a plain function pointer.
macro_rules! scenarios {
    ($($module:ident::$name:ident),* $(,)?) => {
        [$((concat!(stringify!($module), "::", stringify!($name)), (|world| Box::pin($module::$name(world))) as Scenario)),*]
    };
}

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    args.test_threads = Some(1);
    let folder = tempfile::Builder::new().prefix("stack-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let world: Arc<OnceLock<Result<World>>> = Arc::default();
    let scenarios = scenarios![
        whole_way::first_poll,
        whole_way::price_cut,
        api::served,
        api::pages,
        api::controls,
        rollups::within_a_minute,
        whole_way::poll_twice,
        stream::duplicates_and_disorder,
        stream::poison,
        configuration::broken_upload,
        configuration::rotated_secret,
        faults::throttled_table,
        faults::refused_by_firehose,
        faults::killed_in_mid_batch,
        faults::sns_outage,
        rollups::throttled_and_killed,
        deadline::carried_on,
        limits::used_up,
        redrive::sent_again,
        redrive::played_again,
        generations::rebuilt_beside,
        sources::every_kind,
        lake::in_tables,
        lake::four_at_once,
        lake::refused_and_killed,
        stream::latency,
    ];
    let trials = scenarios.into_iter().map(|(name, scenario)| {
        let (world, folder) = (Arc::clone(&world), folder.path().to_owned());
        // Deployed when the first scenario runs, so that listing names, or a filter without matches, deploys nothing.
        Trial::test(name, move || {
            let world = context(world.get_or_init(|| World::start(&folder)))?;
            let _limit = Limit::of(name, LONG);
            world.runtime.block_on(scenario(world));
            Ok(())
        })
    });
    let conclusion = libtest_mimic::run(&args, trials.collect());
    let stopped = match Arc::into_inner(world).and_then(OnceLock::into_inner) {
        Some(Ok(world)) => {
            if conclusion.has_failed()
                && let Some(log) = world.keep_log(Path::new(env!("CARGO_TARGET_TMPDIR")))
            {
                say(&format!("the emulator's log: {}", log.display()));
            }
            world.stop()
        }
        _ => Ok(()),
    };
    match stopped {
        Ok(()) => conclusion.exit_code(),
        Err(error) => {
            say(&format!("not everything was removed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
