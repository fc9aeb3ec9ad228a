//! A fictional country, shown on loopback by sites of every kind that Stoop reads, each in its own dialect. For tests
//! of a configuration with a search of every kind.

mod kinds;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use kinds::{CountrySearch, EXPORTS, KEYS};
use kinds::{Coverage, WITHDRAWN_AFTER_MS, map_files, searches, sites};
use stoop_domain::{Phase, Status, Time};

use crate::config::SimulationConfig;
use crate::dialect::Dialect;
use crate::home::Offer;
use crate::portal::{Portal, PortalError};
use crate::render::write_row;
use crate::simulation::Simulation;
use crate::site::{ServedAnswers, Site};

/// MLS Grid reports withdrawn listings for a week.
const MOVING_MS_MAX: i64 = 6 * Time::DAY_MS;

/// Price in minor units, and status.
pub type ListedAs = (i64, Status);
/// The state of homes by ID.
pub type Homes = BTreeMap<String, ListedAs>;

/// A market, its sites and searches of them.
pub struct Country {
    /// In the order of the configuration.
    pub searches: Vec<CountrySearch>,
    market: Arc<Mutex<Simulation>>,
    sites: BTreeMap<&'static str, Portal>,
}

impl Country {
    /// Starts the sites on loopback. `now` is the clock, which must be that of the searches, and `key` gives the value
    /// in the configuration for one of [`KEYS`].
    ///
    /// # Errors
    /// If a site cannot listen.
    pub fn start(now: fn() -> Time, key: impl Fn(&str) -> String) -> Result<Self, PortalError> {
        // Everything must have happened by that clock; later times would be refused.
        let start = Time::from_ms((now().ms() / Time::HOUR_MS - 24 * 10) * Time::HOUR_MS);
        // Three American and three Moroccan cities with frequent events.
        let config = SimulationConfig {
            morocco: true,
            rent_permille: 300,
            pace_percent: 900,
            ..SimulationConfig::new(13, start, 640, 18).lively()
        };
        let market = Arc::new(Mutex::new(Simulation::new(config)));
        let mut portals = BTreeMap::new();
        for (name, config) in sites() {
            portals.insert(name, Portal::serve(Arc::new(Site::new(Arc::clone(&market), config)), now)?);
        }
        let searches = searches(|site| portals[site].url().to_owned(), key);
        Ok(Self { searches, market, sites: portals })
    }

    /// The configuration, with this poll interval for each search. The sites allow higher rates than real ones, so that
    /// tests do not wait between pages.
    pub fn configuration(&self, every: &str) -> String {
        let text = |search: &CountrySearch| {
            let has_own = search.toml.contains("limits = ") || search.toml.contains("files = ");
            let limits = if has_own { "" } else { "limits = [\"20/s\"]\n" };
            format!("[[search]]\nname = \"{}\"\nevery = \"{every}\"\n{limits}{}\n", search.name, search.toml)
        };
        self.searches.iter().map(text).collect()
    }

    /// Names and texts of the maps in the configuration.
    pub fn maps(&self) -> [(&'static str, String); 2] {
        map_files(self.sites["declared"].url())
    }

    /// A site by name.
    ///
    /// # Panics
    /// If there is no site with that name.
    #[must_use]
    pub fn site(&self, name: &str) -> &Portal {
        &self.sites[name]
    }

    /// The number of requests served by each site.
    #[must_use]
    pub fn served(&self) -> BTreeMap<&'static str, ServedAnswers> {
        self.sites.iter().map(|(name, site)| (*name, site.served())).collect()
    }

    /// The IDs of all homes in the source of a search.
    pub fn ids(&self, search: &CountrySearch) -> BTreeSet<String> {
        let dialect = self.dialect(search);
        self.market().all_homes().iter().map(|home| id(search, dialect.native_id(home))).collect()
    }

    /// The state that a search must know now if it knew `before`.
    pub fn knows(&self, search: &CountrySearch, before: &Homes) -> Homes {
        let mut shown = self.shown(search, &self.market());
        // A source that shows only what can be viewed never reports earlier withdrawals.
        shown.retain(|id, (_, status)| *status != Status::Delete || before.contains_key(id));
        let is_gone = matches!(search.coverage, Coverage::OnMarket | Coverage::Prices);
        for (id, (price, status)) in before {
            let missed = (*price, if is_gone { Status::Gone } else { *status });
            shown.entry(id.clone()).or_insert(missed);
        }
        shown
    }

    /// The export for the search `exports`: a JSON line for each home on the market.
    pub fn export(&self) -> String {
        let market = self.market();
        let exports = self.searches.iter().find(|search| search.name == "exports").expect("it is among them");
        let mut lines = Vec::new();
        for (home, offer) in market.homes().filter(|(home, offer)| (exports.asks)(home) && is_live(offer.status)) {
            write_row(&mut lines, home, offer);
            lines.push(b'\n');
        }
        String::from_utf8(lines).expect("JSON is text")
    }

    /// Advances the clock until, of the homes that each search knew, one is cheaper and another has left the market.
    pub fn move_on(&self, known: &BTreeMap<&'static str, Homes>) {
        let mut market = self.market();
        let end = market.now().plus_ms(MOVING_MS_MAX);
        let still = |market: &Simulation| {
            let still =
                |search: &&CountrySearch| !has_moved(search.coverage, &known[search.name], &self.shown(search, market));
            self.searches.iter().filter(still).map(|search| search.name).collect::<Vec<_>>()
        };
        while !still(&market).is_empty() {
            assert!(market.now() < end, "too few events with this seed: {:?}", still(&market));
            let next = market.now().plus_ms(Time::HOUR_MS);
            market.advance(next);
        }
    }

    /// The homes that a search's site shows for it.
    fn shown(&self, search: &CountrySearch, market: &Simulation) -> Homes {
        let dialect = self.dialect(search);
        let rows = market.shown_after(None).filter(|(home, _)| (search.asks)(home));
        let shown_as = rows.filter_map(|(home, offer)| Some((home, shown_as(search.coverage, offer, market.now())?)));
        shown_as.map(|(home, shown_as)| (id(search, dialect.native_id(home)), shown_as)).collect()
    }

    fn market(&self) -> MutexGuard<'_, Simulation> {
        // A panic with the lock held has already failed the test.
        self.market.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dialect(&self, search: &CountrySearch) -> &Dialect {
        &self.sites[search.site].site().config().dialect
    }
}

fn id(search: &CountrySearch, native_id: String) -> String {
    format!("{}/{native_id}", search.source)
}

/// The state of a home with this offer in the source. `None` if it is not shown.
fn shown_as(coverage: Coverage, offer: &Offer, now: Time) -> Option<ListedAs> {
    let is_live = is_live(offer.status);
    let is_withdrawn = !is_live && offer.status_changed_at.plus_ms(WITHDRAWN_AFTER_MS) <= now;
    let status = match coverage {
        Coverage::Withdrawals if is_withdrawn => Status::Delete,
        Coverage::Whole | Coverage::Withdrawals => offer.status,
        Coverage::OnMarket => is_live.then_some(offer.status)?,
        Coverage::Prices | Coverage::Ads => is_live.then_some(Status::Active)?,
    };
    Some((offer.list_price.0, status))
}

/// Whether a known home is cheaper now, and another has left the market in the way that the source reports it.
fn has_moved(coverage: Coverage, known: &Homes, shown: &Homes) -> bool {
    let mut cheaper = known.iter().filter_map(|(id, shown_as)| Some((shown_as.0, shown.get(id)?.0)));
    let has_left = |(id, (_, before)): (&String, &ListedAs)| match shown.get(id) {
        Some((_, now)) if coverage == Coverage::Withdrawals => is_live(*before) && *now == Status::Delete,
        Some((_, now)) => is_live(*before) && !is_live(*now),
        None => true,
    };
    cheaper.any(|(before, now)| now < before) && known.iter().any(has_left)
}

fn is_live(status: Status) -> bool {
    matches!(status.phase(), Phase::Active | Phase::Pending)
}
