use std::cmp::Ordering;

use stoop_pipeline::serve::HomeSummary;

use crate::args::{Sort, WantedArgs};

/// Homes kept beyond those to show, before they are sorted and cut again.
const SPARE: usize = 4_096;

impl WantedArgs {
    /// Whether homes of more than one status are listed.
    pub(super) fn shows_status(&self) -> bool {
        self.all || !self.status.is_empty()
    }

    /// Whether amounts are compared, which needs a single currency.
    pub(super) fn compares_amounts(&self) -> bool {
        let by_amount = matches!(self.sort, Some(Sort::Price | Sort::PricePerArea));
        by_amount || self.min_price.is_some() || self.max_price.is_some()
    }

    /// Whether a home matches the options.
    pub(super) fn fits(&self, home: &HomeSummary) -> bool {
        let status = match self.status.as_slice() {
            [] => self.all || home.is_active(),
            some => some.iter().any(|status| status.as_str() == home.status),
        };
        let kind = self.types.is_empty() || home.property_type.is_some_and(|kind| self.types.contains(&kind));
        let beds = self.beds.is_none_or(|wanted| home.bedrooms.is_some_and(|n| (wanted.min..=wanted.max).contains(&n)));
        let from_min = self.min_price.is_none_or(|min| home.price.is_some_and(|price| price >= min));
        let to_max = self.max_price.is_none_or(|max| home.price.is_some_and(|price| price <= max));
        status && kind && beds && from_min && to_max
    }

    /// The requested order; ties by ID.
    fn compare(&self, a: &HomeSummary, b: &HomeSummary) -> Ordering {
        let ids = a.id.cmp(&b.id);
        let Some(sort) = self.sort else {
            return b.last_event_at.cmp(&a.last_event_at).then(ids);
        };
        if sort == Sort::Id {
            return if self.desc { ids.reverse() } else { ids };
        }
        let order = match (key(sort, a), key(sort, b)) {
            (Some(a), Some(b)) if self.desc => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            // Unknown values come last in either direction.
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        order.then(ids)
    }

    /// The order in words.
    pub(super) fn order(&self) -> String {
        match self.sort {
            None => "newest events first".to_owned(),
            Some(sort) => {
                let by = clap::ValueEnum::to_possible_value(&sort).map(|value| value.get_name().replace('-', " "));
                let first = if self.desc { "greatest" } else { "least" };
                format!("by {}, {first} first", by.unwrap_or_default())
            }
        }
    }
}

fn key(sort: Sort, home: &HomeSummary) -> Option<f64> {
    match sort {
        Sort::Price => home.price,
        Sort::PricePerArea => home.price_per_area,
        Sort::VsMarket => home.versus_market,
        Sort::Age => home.days_on_market.map(f64::from),
        Sort::Cut => home.last_change.as_ref().map(|change| -change.share).filter(|cut| *cut > 0.0),
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are exact")]
        Sort::Event => home.last_event_at.map(|at| at.ms() as f64),
        Sort::Beds => home.bedrooms.map(f64::from),
        Sort::Area => home.living_area,
        Sort::Id => None,
    }
}

/// The first homes in the requested order, in bounded memory.
pub(super) struct Firsts<'w> {
    wanted: &'w WantedArgs,
    limit: usize,
    kept: Vec<HomeSummary>,
    pub(super) total: usize,
}

impl<'w> Firsts<'w> {
    pub(super) fn new(wanted: &'w WantedArgs, limit: usize) -> Self {
        Self { wanted, limit, kept: Vec::new(), total: 0 }
    }

    pub(super) fn take(&mut self, home: HomeSummary) {
        if !self.wanted.fits(&home) {
            return;
        }
        self.total += 1;
        self.kept.push(home);
        if self.kept.len() >= self.limit.saturating_add(SPARE) {
            self.cut();
        }
    }

    pub(super) fn into_homes(mut self) -> Vec<HomeSummary> {
        self.cut();
        self.kept
    }

    fn cut(&mut self) {
        self.kept.sort_by(|a, b| self.wanted.compare(a, b));
        self.kept.truncate(self.limit);
    }
}
