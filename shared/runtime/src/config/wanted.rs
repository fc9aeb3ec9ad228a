use std::cell::RefCell;
use std::collections::BTreeSet;

use stoop_sources::settings::{Mistakes, Section, parse};

use super::environment::{Environment, Platform};
use super::search::{Scope, searches};

/// What a configuration on AWS asks for, to be fetched before it is parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Objects below `config/`: maps, and files that parameters are taken from. Each once, in order.
    pub files: Vec<String>,
    /// Secrets, named without `stoop/<stack>/`. Each once, in order.
    pub secrets: Vec<String>,
}

/// What is going to be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanting<'a> {
    /// Everything: [`parse_config`](super::parse_config).
    Everything,
    /// What the planner needs: [`parse_plan`](super::parse_plan). Never a secret.
    Plan,
    /// One search, by its name: [`parse_search`](super::parse_search).
    Search(&'a str),
}

/// What a parse of this text will ask for on AWS. Mistakes are passed over: the parse tells them.
///
/// A search that is switched off asks for nothing. One whose map switches it off may be named all the same:
/// that shows only when the map is read. What is named and cannot be had is no mistake until the parse asks.
#[must_use]
pub fn wanted(text: &str, wanting: Wanting<'_>) -> Wanted {
    let mut mistakes = Mistakes::new("", text);
    let Some(document) = parse(text, &mut mistakes) else { return Wanted::default() };
    let asked = Asked::default();
    let scope = match wanting {
        Wanting::Everything => Scope::Everything,
        Wanting::Plan => Scope::Plan,
        Wanting::Search(name) => Scope::Search(name),
    };
    // The parser itself runs, on a world that only takes notes: so the two can't differ in what they ask for.
    searches(&Section::root(document.get_ref()), "", scope, &asked, &mut mistakes);
    Wanted {
        files: asked.files.into_inner().into_iter().collect(),
        secrets: asked.secrets.into_inner().into_iter().collect(),
    }
}

/// A stack that has nothing and notes what it is asked for.
#[derive(Default)]
struct Asked {
    files: RefCell<BTreeSet<String>>,
    secrets: RefCell<BTreeSet<String>>,
}

impl Environment for Asked {
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
