use std::cell::RefCell;
use std::collections::BTreeSet;

use stoop_sources::settings::{Mistakes, Section, parse};

use super::environment::{Environment, Platform};
use super::search::{Scope, searches};

/// What a configuration on AWS refers to, to be fetched before it is parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Objects under `config/`: maps, and files with parameter values. Each once, in order.
    pub files: Vec<String>,
    /// Secrets, named without `stoop/<stack>/`. Each once, in order.
    pub secrets: Vec<String>,
}

/// What will be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanting<'a> {
    /// Everything: [`parse_config`](super::parse_config).
    Everything,
    /// What the planner needs: [`parse_plan`](super::parse_plan). Never a secret.
    Plan,
    /// One search, by name: [`parse_search`](super::parse_search).
    Search(&'a str),
}

/// What parsing this text on AWS will ask for. Mistakes are ignored: parsing reports them.
///
/// A disabled search asks for nothing. One that its map disables may be listed anyway, because that is known only after
/// the map is read. A listed value that cannot be fetched is not a mistake until parsing needs it.
#[must_use]
pub fn wanted(text: &str, wanting: Wanting<'_>) -> Wanted {
    let mut mistakes = Mistakes::new("", text);
    let Some(document) = parse(text, &mut mistakes) else { return Wanted::default() };
    let asked = RecordingStack::default();
    let scope = match wanting {
        Wanting::Everything => Scope::Everything,
        Wanting::Plan => Scope::Plan,
        Wanting::Search(name) => Scope::Search(name),
    };
    // This runs the parser itself on an environment that only records, so that the two cannot differ in what they ask
    // for.
    searches(&Section::root(document.get_ref()), "", scope, &asked, &mut mistakes);
    Wanted {
        files: asked.files.into_inner().into_iter().collect(),
        secrets: asked.secrets.into_inner().into_iter().collect(),
    }
}

/// A stack without values that records what it is asked for.
#[derive(Default)]
struct RecordingStack {
    files: RefCell<BTreeSet<String>>,
    secrets: RefCell<BTreeSet<String>>,
}

impl Environment for RecordingStack {
    fn platform(&self) -> Platform {
        Platform::Aws
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<String, String> {
        self.files.borrow_mut().insert(path.to_owned());
        Err("not fetched yet".to_owned())
    }

    fn secret(&self, name: &str) -> Result<String, String> {
        self.secrets.borrow_mut().insert(name.to_owned());
        Err("not fetched yet".to_owned())
    }
}
