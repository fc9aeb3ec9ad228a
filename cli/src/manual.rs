//! `stoop completions` and `stoop man`.

use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::out::{self, say};

/// `stoop completions SHELL`.
pub(crate) fn completions(args: &CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stoop", &mut script);
    out::own_bytes(|to| to.write_all(&script));
    ExitCode::SUCCESS
}

/// `stoop man`.
pub(crate) fn man(args: &ManArgs) -> anyhow::Result<ExitCode> {
    let Some(folder) = &args.to else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        out::own_bytes(|to| to.write_all(&page));
        return Ok(ExitCode::SUCCESS);
    };
    let shown = folder.display();
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {shown}"))?;
    clap_mangen::generate_to(Cli::command(), folder).with_context(|| format!("cannot write into {shown}"))?;
    say!("Wrote stoop.1 and a page for each command into {shown}.");
    Ok(ExitCode::SUCCESS)
}
