//! The options of `stoop token` and its subcommands.

use clap::{Args, Subcommand};

use super::JsonArgs;

#[derive(Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, once: only its hash is kept
    New(NewTokenArgs),
    /// List the names of the tokens
    List(JsonArgs),
    /// Revoke a token: it and its sessions end at once
    Revoke(NameArgs),
}

#[derive(Args)]
pub(crate) struct NewTokenArgs {
    /// Who or what uses it: 1 to 40 lower-case letters, digits, - and _
    pub(crate) name: String,

    /// It may also pause searches and poll them
    #[arg(long)]
    pub(crate) write: bool,
}

#[derive(Args)]
pub(crate) struct NameArgs {
    /// Who or what uses it: 1 to 40 lower-case letters, digits, - and _
    pub(crate) name: String,
}
