//! Finds a home by its address.

use stoop_domain::{Home, HomeId, Market};
use stoop_embedded::Database;
use stoop_serve::{AddressFit, AddressQuery};

use super::super::each_home;
use crate::failure::usage;
use crate::show;

/// The most homes of one address to list.
const LISTED_MAX: usize = 20;

/// Homes that match equally well; the first few, in order of ID.
#[derive(Default)]
struct Fitting {
    fit: Option<AddressFit>,
    homes: Vec<(HomeId, Home)>,
    total: usize,
}

/// The home at an address: searched in the area that the address names, otherwise among all homes.
pub(super) fn find(database: &Database, text: &str) -> anyhow::Result<(HomeId, Home)> {
    let nobody = || {
        usage(format!(
            "there is no home at {text:?} here; accepted: SOURCE/ID, the part behind the slash, or an address as its listing \
             has it, like \"5500 S Norfolk St, Seattle\"; `stoop homes AREA` lists those of an area"
        ))
    };
    let markets = database.market_ids()?;
    let address = AddressQuery::read(text, &markets).ok_or_else(nobody)?;
    let mut found = Fitting::default();
    // All pages must show the same state.
    database.reading(|| {
        for market in address.markets() {
            each_home(
                |after, most| database.homes_of(&market, after, most),
                |id, home| found.take(&address, id, home),
            )?;
        }
        if found.homes.is_empty() {
            each_home(|after, most| database.homes_after(after, most), |id, home| found.take(&address, id, home))?;
        }
        anyhow::Ok(())
    })?;
    if found.total > 1 {
        return Err(usage(found.listed(text)));
    }
    found.homes.pop().ok_or_else(nobody)
}

impl Fitting {
    /// Keeps a home that matches at least as well as those before it.
    fn take(&mut self, address: &AddressQuery, id: HomeId, home: Home) {
        let market: Option<&Market> = home.history.current().map(|facts| &facts.market);
        let Some(fit) = home.line().zip(market).and_then(|(line, market)| address.fits(line, market)) else { return };
        if self.fit.is_none_or(|known| fit < known) {
            *self = Self { fit: Some(fit), ..Self::default() };
        }
        if self.fit == Some(fit) {
            self.total += 1;
            if self.homes.len() < LISTED_MAX {
                self.homes.push((id, home));
            }
        }
    }

    fn listed(&self, text: &str) -> String {
        let mut listed = format!("{} homes fit {text:?}; say which:", show::count(self.total as u64));
        for (id, home) in &self.homes {
            let area = home.history.current().map(|facts| facts.market.area.as_str()).unwrap_or_default();
            let line = home.line().unwrap_or_default();
            listed += &format!("\n  {}  {}, {area}", show::plain(id.as_str()), show::plain(line));
        }
        if self.total > self.homes.len() {
            listed += &format!("\n  … and {} more", show::count((self.total - self.homes.len()) as u64));
        }
        listed
    }
}
