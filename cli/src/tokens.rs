//! `stoop token`: who may read pages and the API of a server that other computers can reach.
//!
//! The tokens are a file of the data folder, `tokens.json`: name, BLAKE3 hash and the time when it was made. The server
//! reads it for every request, so that a revoked token ends at once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use stoop_domain::Time;
use stoop_pages::{NamedToken, Scope, is_token_name};
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;
use stoop_serve::api::Token;
use tempfile::NamedTempFile;

use crate::args::{StoreArgs, TokenArgs, TokenCommand};
use crate::failure::usage;
use crate::out::{self, say};

/// The tokens of a data folder.
pub(crate) struct TokenFile {
    path: PathBuf,
}

/// What is kept of a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TokenRecord {
    /// In hexadecimal digits.
    hash: String,
    made_at: String,
    /// Absent in files of earlier versions: it may read.
    #[serde(default = "read_scope")]
    scope: String,
}

#[derive(Serialize)]
struct ListedToken<'a> {
    name: &'a str,
    scope: &'a str,
    made_at: &'a str,
}

impl TokenFile {
    pub(crate) fn of(store: &StoreArgs) -> Self {
        Self { path: store.data().join("tokens.json") }
    }

    /// The tokens in the order of their names; none without a file.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub(crate) fn tokens(&self) -> anyhow::Result<Vec<NamedToken>> {
        let tokens = self.read()?.into_iter().map(|(name, kept)| {
            let hash =
                hash_of(&kept.hash).with_context(|| format!("{}: the hash of {name} is damaged", self.shown()))?;
            let scope = Scope::parse(&kept.scope)
                .with_context(|| format!("{}: the scope of {name} is damaged", self.shown()))?;
            Ok(NamedToken { name, scope, token: Token::from_hash(hash) })
        });
        tokens.collect()
    }

    /// Changes the tokens while no other process does.
    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, TokenRecord>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        stoop_embedded::make_folder(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let lock = self.path.with_extension("lock");
        let lock = File::create(&lock).with_context(|| format!("{} cannot be made", lock.display()))?;
        // It ends with this process, whatever happens.
        lock.lock().with_context(|| format!("{} cannot be locked", self.shown()))?;
        let mut kept = self.read()?;
        change(&mut kept)?;
        self.write(&kept)
    }

    fn read(&self) -> anyhow::Result<BTreeMap<String, TokenRecord>> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", self.shown())),
        };
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", self.shown()))
    }

    /// Replaces the file as a whole; only its owner can read it.
    fn write(&self, kept: &BTreeMap<String, TokenRecord>) -> anyhow::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let write = || -> anyhow::Result<()> {
            // A temporary file is readable by its owner only, and keeps that when it gets its name.
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(serde_json::to_string_pretty(kept)?.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().with_context(|| format!("{} cannot be written", self.shown()))
    }

    fn shown(&self) -> std::path::Display<'_> {
        self.path.display()
    }
}

/// 32 bytes that nobody can guess.
pub(crate) fn secret_bytes() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
    Ok(bytes)
}

fn read_scope() -> String {
    Scope::Read.as_str().to_owned()
}

fn hash_of(hex: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(hex).ok().map(|hash| *hash.as_bytes())
}

/// `stoop token`.
pub(crate) fn token(store: &StoreArgs, args: &TokenArgs) -> anyhow::Result<ExitCode> {
    let file = TokenFile::of(store);
    match &args.command {
        TokenCommand::New(args) => {
            let scope = if args.write { Scope::Write } else { Scope::Read };
            make(&file, &args.name, scope, SystemClock.now())?;
        }
        TokenCommand::List(args) => list(&file, args.json)?,
        TokenCommand::Revoke(args) => revoke(&file, &args.name)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn make(file: &TokenFile, name: &str, scope: Scope, now: Time) -> anyhow::Result<()> {
    if !is_token_name(name) {
        return Err(usage(format!("{name:?} cannot name a token; accepted: 1 to 40 of a-z, 0-9, - and _")));
    }
    let text = blake3::Hash::from(secret_bytes()?).to_hex();
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    file.change(|kept| {
        if kept.contains_key(name) {
            return Err(usage(format!("there is a token {name}; `stoop token revoke {name}` ends it")));
        }
        let scope = scope.as_str().to_owned();
        kept.insert(name.to_owned(), TokenRecord { hash, made_at: now.to_string(), scope });
        Ok(())
    })?;
    say!("{text}");
    let may = match scope {
        Scope::Read => "It may read everything.",
        Scope::Write => "It may read everything, and pause searches and poll them.",
    };
    out::error_line(&format!("The token {name} is shown this once. {may}"));
    Ok(())
}

fn list(file: &TokenFile, json: bool) -> anyhow::Result<()> {
    let kept = file.read()?;
    let listed: Vec<ListedToken<'_>> =
        kept.iter().map(|(name, kept)| ListedToken { name, scope: &kept.scope, made_at: &kept.made_at }).collect();
    if json {
        return out::json(&listed);
    }
    if listed.is_empty() {
        say!("No tokens. `stoop token new NAME` makes one.");
    }
    for ListedToken { name, scope, made_at } in listed {
        say!("{name}  {scope}  made {made_at}");
    }
    Ok(())
}

fn revoke(file: &TokenFile, name: &str) -> anyhow::Result<()> {
    file.change(|kept| {
        if kept.remove(name).is_some() {
            return Ok(());
        }
        let known: Vec<String> = kept.keys().cloned().collect();
        let accepted =
            if known.is_empty() { "there are none".to_owned() } else { format!("accepted: {}", known.join(", ")) };
        Err(usage(format!("there is no token {name:?}; {accepted}")))
    })?;
    say!("Revoked {name}.");
    Ok(())
}
