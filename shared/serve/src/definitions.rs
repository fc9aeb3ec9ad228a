//! What Redfin, Zillow and Realtor.com would count: their figures of a month, from the histories of the same homes.
//!
//! The definitions are those of Redfin's *Data Center Metrics Definitions*, the notes of Zillow Research's *Housing
//! Data* and Realtor.com's *Residential Data Dictionary*. `docs/METRICS.md` says how each is read here.

#[cfg(test)]
mod laws;
mod month;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use stoop_domain::{Currency, Day};
use stoop_market::{Definition, Flows, THIN_SAMPLE, Window};

use super::{Figure, MarketView, MergedId};

pub use month::{Month, MonthError};
pub use tally::{Period, Tallies, Tally};

/// Whose definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The Data Center of Redfin.
    Redfin,
    /// Zillow Research.
    Zillow,
    /// The data library of Realtor.com.
    Realtor,
}

/// The figures of a provider and ours, for one purpose and currency of an area.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DefinedMarket {
    /// `us/wa/king:sale:USD`.
    pub id: String,
    /// `sale` or `rent`.
    pub purpose: &'static str,
    /// The currency of all prices.
    pub currency: Currency,
    /// In the order of the provider's table.
    pub figures: Vec<DefinedFigure>,
}

/// A figure of a provider beside our nearest one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DefinedFigure {
    /// The provider's name.
    pub figure: &'static str,
    /// Homes, or for a share 1 = 100 %. `None` for a share of nothing.
    pub value: Option<f64>,
    /// Whether the figure is a share, not a number of homes.
    pub is_share: bool,
    /// The homes that a share is of; `None` for a number of homes.
    pub sample: Option<i64>,
    /// Whether these are too few to say much ([`THIN_SAMPLE`]).
    pub thin: bool,
    /// The name of our nearest figure.
    pub our_figure: &'static str,
    /// What ours is taken over: the `close` of the period's last day, the `month`, or the `last_28_days` of it.
    pub our_window: &'static str,
    /// Our figure. `None` if it is unknown.
    pub ours: Option<f64>,
    /// Whether its sample is too small to say much.
    pub ours_thin: bool,
    /// What the provider's way leaves out or adds.
    pub note: &'static str,
}

/// A line of a provider's table.
struct Line {
    name: &'static str,
    value: fn(&Tally) -> Option<f64>,
    /// The homes that a share is of.
    of: Option<fn(&Tally) -> i64>,
    ours: Ours,
    note: &'static str,
}

/// Our nearest figure.
#[derive(Clone, Copy)]
enum Ours {
    /// A figure of the catalogue at the close of the last day.
    Close(&'static str),
    /// Events of the month.
    Month(&'static str, fn(&Flows) -> i64),
    /// A figure of the catalogue over the 28 days that end with the period.
    Days28(&'static str),
}

const NEW: Ours = Ours::Month("new", |flows| flows.new);
const PENDING: Ours = Ours::Month("pending", |flows| flows.pending);

const LISTED: &str = "counts listing dates: adds relisted homes and those found late; leaves out homes without a date \
                      that were there before the search";

const REDFIN: &[Line] = &[
    Line {
        name: "inventory",
        value: |tally| Some(whole(tally.active_at_end)),
        of: None,
        ours: Ours::Close("active"),
        note: "on the last day, as ours; both leave out homes under contract",
    },
    Line {
        name: "active_listings",
        value: |tally| Some(whole(tally.active)),
        of: None,
        ours: Ours::Close("active"),
        note: "adds homes that left during the month",
    },
    Line { name: "new_listings", value: |tally| Some(whole(tally.listed)), of: None, ours: NEW, note: LISTED },
    Line {
        name: "pending_sales",
        value: |tally| Some(whole(tally.pending_early)),
        of: None,
        ours: PENDING,
        note: "leaves out homes on the market for more than 90 days and a home's second contract",
    },
    Line {
        name: "price_drops",
        value: |tally| share(tally.cut_and_active, whole(tally.active)),
        of: Some(|tally| tally.active),
        ours: Ours::Days28("homes_cut_share"),
        note: "of all active listings; leaves out cuts of homes that were under contract all month",
    },
];

const ZILLOW: &[Line] = &[
    Line {
        name: "inventory",
        value: |tally| Some(whole(tally.active)),
        of: None,
        ours: Ours::Close("active"),
        note: "active at any time: adds homes that left during the month",
    },
    Line { name: "new_listings", value: |tally| Some(whole(tally.listed)), of: None, ours: NEW, note: LISTED },
    Line {
        name: "newly_pending_listings",
        value: |tally| Some(whole(tally.pending)),
        of: None,
        ours: PENDING,
        note: "leaves out a home's second contract",
    },
    Line {
        name: "share_of_listings_with_a_price_cut",
        value: |tally| share(tally.lower, whole(tally.active)),
        of: Some(|tally| tally.active),
        ours: Ours::Days28("homes_cut_share"),
        note: "compares the month's two ends: leaves out homes raised again, and homes listed or gone within the month",
    },
];

const REALTOR: &[Line] = &[
    Line {
        name: "active_listing_count",
        value: |tally| share(tally.active_days, whole(tally.days)),
        of: None,
        ours: Ours::Close("active"),
        note: "the mean of the month's days; ours is of the last",
    },
    Line {
        name: "pending_listing_count",
        value: |tally| share(tally.pending_days, whole(tally.days)),
        of: None,
        ours: Ours::Close("pending_stock"),
        note: "the mean of the month's days; ours is of the last",
    },
    Line {
        name: "pending_ratio",
        value: |tally| share(tally.pending_days, whole(tally.active_days)),
        of: Some(mean_active),
        ours: Ours::Close("pending_ratio"),
        note: "of both means; ours is of the last day",
    },
    Line { name: "new_listing_count", value: |tally| Some(whole(tally.listed)), of: None, ours: NEW, note: LISTED },
    Line {
        name: "price_reduced_count",
        value: |tally| Some(whole(tally.cut)),
        of: None,
        ours: Ours::Days28("homes_cut"),
        note: "of the month, not of 28 days; a home's second cut adds nothing, as in ours, and homes raised again stay in",
    },
    Line {
        name: "price_reduced_share",
        value: |tally| share(tally.cut * tally.days, whole(tally.active_days)),
        of: Some(mean_active),
        ours: Ours::Days28("homes_cut_share"),
        note: "of the mean active listings of a day: leaves out most homes that left, so that the share is higher",
    },
];

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Redfin, Self::Zillow, Self::Realtor];

    /// The name in arguments and JSON: `redfin`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redfin => "redfin",
            Self::Zillow => "zillow",
            Self::Realtor => "realtor",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redfin => "Redfin",
            Self::Zillow => "Zillow",
            Self::Realtor => "Realtor.com",
        }
    }

    /// The document with its definitions.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::Redfin => "Redfin, Data Center Metrics Definitions",
            Self::Zillow => "Zillow Research, Housing Data",
            Self::Realtor => "Realtor.com, Residential Data Dictionary",
        }
    }

    /// What of its way cannot be followed from listings.
    #[must_use]
    pub fn not_followed(self) -> &'static str {
        match self {
            Self::Redfin => {
                "Redfin counts the homes of the listing services it takes part in; here every observed home counts"
            }
            Self::Zillow => {
                "Zillow counts houses, condominiums and cooperatives with a county record, and smooths most series; \
                 here every observed home counts and nothing is smoothed"
            }
            Self::Realtor => {
                "Realtor.com removes duplicates between listing services, and until 2021 counted new and reduced \
                 listings of a typical week; here every observed home counts, over the month"
            }
        }
    }

    /// The figures of one purpose and currency. `ours` is our view of the same homes at the close of the period's last
    /// day, with closes of at least the period's days; `None` leaves our figures unknown.
    #[must_use]
    pub fn figures(self, tally: &Tally, period: Period, ours: Option<&MarketView>) -> Vec<DefinedFigure> {
        let lines = match self {
            Self::Redfin => REDFIN,
            Self::Zillow => ZILLOW,
            Self::Realtor => REALTOR,
        };
        let figure = |line: &Line| DefinedFigure {
            figure: line.name,
            value: (line.value)(tally).map(|value| rounded(value, line.of.is_some())),
            is_share: line.of.is_some(),
            sample: line.of.map(|of| of(tally)),
            thin: line.of.is_some_and(|of| of(tally) < THIN_SAMPLE),
            our_figure: line.ours.name(),
            our_window: line.ours.window(),
            ours: ours.and_then(|view| line.ours.of(view, period)),
            ours_thin: ours.is_some_and(|view| line.ours.is_thin(view)),
            note: line.note,
        };
        lines.iter().map(figure).collect()
    }

    /// The figures of an area: one entry for each purpose and currency among its homes. `path` is the area's, `ours`
    /// are our views of it.
    #[must_use]
    pub fn markets(
        self,
        path: &str,
        tallies: &BTreeMap<MergedId, Tally>,
        period: Period,
        ours: &[MarketView],
    ) -> Vec<DefinedMarket> {
        let market = |(id, tally): (&MergedId, &Tally)| {
            let (purpose, currency) = (id.purpose.as_str(), id.currency);
            let view = ours.iter().find(|view| view.purpose == purpose && view.currency == currency);
            let figures = self.figures(tally, period, view);
            DefinedMarket { id: format!("{path}:{purpose}:{currency}"), purpose, currency, figures }
        };
        tallies.iter().map(market).collect()
    }
}

impl Ours {
    fn name(self) -> &'static str {
        match self {
            Self::Close(name) | Self::Month(name, _) | Self::Days28(name) => name,
        }
    }

    fn window(self) -> &'static str {
        match self {
            Self::Close(_) => "close",
            Self::Month(..) => "month",
            Self::Days28(_) => Window::Days28.as_str(),
        }
    }

    /// The figure of the catalogue; `None` for events of a month.
    fn catalogued(self) -> Option<Figure> {
        let (name, window) = match self {
            Self::Close(name) => (name, None),
            Self::Days28(name) => (name, Some(Window::Days28)),
            Self::Month(..) => return None,
        };
        let is_it = |figure: &&Definition| figure.name == name && figure.is_of_windows() == window.is_some();
        Figure::of_definition(Definition::all().find(is_it)?, window)
    }

    fn is_thin(self, view: &MarketView) -> bool {
        self.catalogued().is_some_and(|figure| figure.is_thin(&view.figures))
    }

    fn of(self, view: &MarketView, period: Period) -> Option<f64> {
        match self {
            Self::Close(_) | Self::Days28(_) => self.catalogued()?.of(&view.figures).ok()?,
            Self::Month(_, count) => {
                // A series begins with the first observed day; before it nothing happened.
                let days: Vec<String> = (period.from.0..=period.until.0).map(|day| Day(day).to_string()).collect();
                let of_month = view.days.iter().filter(|day| days.contains(&day.day));
                Some(whole(of_month.map(|day| count(&day.flows)).sum()))
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of homes or days")]
fn whole(count: i64) -> f64 {
    count as f64
}

/// The mean of the homes active at the close of each day.
fn mean_active(tally: &Tally) -> i64 {
    tally.active_days / tally.days.max(1)
}

/// `None` of nothing.
fn share(part: i64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| whole(part) / of)
}

/// Shares to four digits, as in all views; homes to one, as a mean has parts.
fn rounded(value: f64, is_share: bool) -> f64 {
    let parts = if is_share { 10_000.0 } else { 10.0 };
    (value * parts).round() / parts
}
