use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args as ClapArgs, Parser, Subcommand};
use stoop_lake_tables::{Lake, RETENTION_DAYS};

/// Every observation in Delta tables, for any engine.
#[derive(Debug, Parser)]
#[command(name = "stoop-lake", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: LakeCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LakeCommand {
    /// Copy new observations from bronze into the tables `observations` and `quarantine`, each once
    Ingest(IngestArgs),
    /// The same, and the tables that come from the database, all as of one moment: homes, history, price changes, alerts, days, runs
    Tables(PlaceArgs),
    /// Merge small files, write checkpoints, and remove files that no recent version has
    Maintain(MaintainArgs),
    /// List the versions of a table, the newest first
    Versions(VersionsArgs),
    /// Show the number of rows and the columns of a table, now or in an earlier version
    Show(ShowArgs),
}

/// Where the lake is.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct PlaceArgs {
    /// The database file of `stoop`
    #[arg(long, alias = "db", value_name = "FILE", default_value = "stoop.db")]
    pub(crate) database: PathBuf,
    /// The data folder, or a bucket such as s3://bucket [default: stoop-data next to the database]
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) data: Option<String>,
    /// Print one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IngestArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Read all of bronze again, not only what is new
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MaintainArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Keep files of versions that are at most so many days old
    #[arg(long, value_name = "DAYS", default_value_t = RETENTION_DAYS)]
    pub(crate) retention_days: u32,
    /// Allow a retention that may take files from those who are reading
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct VersionsArgs {
    /// The table, such as observations
    pub(crate) table: String,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ShowArgs {
    /// The table, such as observations
    pub(crate) table: String,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// The version
    #[arg(long = "version", value_name = "NUMBER", conflicts_with = "as_of")]
    pub(crate) number: Option<u64>,
    /// The version that was the newest at a moment, such as 2026-03-01 or 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
}

impl PlaceArgs {
    /// The data folder, or `None` for a bucket.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match &self.data {
            Some(url) if url.starts_with("s3://") => None,
            Some(folder) => Some(folder.into()),
            None => Some(self.beside_database()),
        }
    }

    /// The data folder of the database: the one that is named, or, if that is a bucket, the one next to the database.
    pub(crate) fn folder_of_database(&self) -> PathBuf {
        self.folder().unwrap_or_else(|| self.beside_database())
    }

    fn beside_database(&self) -> PathBuf {
        self.database.parent().unwrap_or(Path::new("")).join("stoop-data")
    }

    /// The lake in the folder or bucket.
    pub(crate) fn lake(&self) -> anyhow::Result<Lake> {
        Ok(match self.folder() {
            Some(folder) => Lake::folder(&folder)?,
            None => Lake::s3(self.data.as_deref().context("no data folder")?)?,
        })
    }
}
