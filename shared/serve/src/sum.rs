use jiff::tz::TimeZone;
use stoop_domain::{Day, Time};
use stoop_market::{
    AVERAGE_DAYS, Cell, Cells, Close, Figures, HORIZON_DAYS, KindPrices, LogPrices, PooledMedians, PriceRange,
    RepeatPairs, Segment, WIDE_SERIES_DAYS, Wide, asking_prices, closes, first_day, log_prices, opened_by,
    pooled_medians, repeat_pairs,
};

/// Whether the events of the last 24 hours are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// They are.
    Known,
    /// A market of the sum no longer has hours.
    Unknown,
}

/// The input of figures.
#[derive(Clone, Copy, Debug)]
pub enum Sum<'s> {
    /// The state of a market, or the sum of several.
    Whole(&'s Cells),
    /// The stored sum of a wide area: for the times and series that it covers.
    Wide(&'s Wide, Hours),
}

impl Sum<'_> {
    pub(super) fn figures(self, segment: Segment, now: Time, zone: &TimeZone) -> Figures {
        match self {
            Self::Whole(cells) => Figures::of(cells, segment, now, zone),
            Self::Wide(wide, hours) => {
                let figures = wide.figures(segment, now, zone);
                let last_24_hours = figures.last_24_hours.filter(|_| hours == Hours::Known);
                Figures { last_24_hours, ..figures }
            }
        }
    }

    pub(super) fn asking_prices(self, today: Day) -> Vec<PriceRange> {
        match self {
            Self::Whole(cells) => asking_prices(cells, today),
            Self::Wide(wide, _) => wide.asking_prices(today),
        }
    }

    /// The homes on offer at the end of `today` whose spell opened by each of these days.
    pub(super) fn opened_by(self, today: Day, days: &[Day]) -> Vec<i64> {
        match self {
            Self::Whole(cells) => opened_by(cells, today, days),
            Self::Wide(wide, ..) => wide.opened_by(today, days),
        }
    }

    /// List prices by kind of home at the end of `today`.
    pub(super) fn kind_prices(self, today: Day) -> KindPrices {
        match self {
            Self::Whole(cells) => KindPrices::of(cells, today),
            Self::Wide(wide, ..) => wide.kind_prices(today),
        }
    }

    /// How many days before a day of a series it is known as well, at least.
    pub(super) fn days_kept(self) -> i32 {
        match self {
            Self::Whole(_) => HORIZON_DAYS,
            Self::Wide(..) => i32::from(WIDE_SERIES_DAYS) + AVERAGE_DAYS[AVERAGE_DAYS.len() - 1],
        }
    }

    pub(super) fn segments(self) -> Vec<Segment> {
        match self {
            Self::Whole(cells) => cells.segments(),
            Self::Wide(wide, ..) => wide.segments(),
        }
    }

    pub(super) fn cells(self) -> Vec<Cell> {
        match self {
            Self::Whole(cells) => cells.cells(),
            Self::Wide(wide, ..) => wide.cells(),
        }
    }

    pub(super) fn first_day(self) -> Option<Day> {
        match self {
            Self::Whole(cells) => first_day(cells),
            Self::Wide(wide, ..) => wide.first_day(),
        }
    }

    pub(super) fn closes(self, from: Day, until: Day) -> Vec<Close> {
        match self {
            Self::Whole(cells) => closes(cells, Segment::All, from, until),
            Self::Wide(wide, ..) => wide.closes(from, until),
        }
    }

    pub(super) fn pooled_medians(self, from: Day, until: Day) -> Vec<PooledMedians> {
        match self {
            Self::Whole(cells) => pooled_medians(cells, Segment::All, from, until),
            Self::Wide(wide, ..) => wide.pooled_medians(from, until),
        }
    }

    /// The log prices of these days, which must be in order.
    pub(super) fn log_prices(self, days: &[Day]) -> Vec<LogPrices> {
        match self {
            Self::Whole(cells) => log_prices(cells, days),
            Self::Wide(wide, ..) => wide.log_prices(days),
        }
    }

    /// The pairs of first asking prices with a second one of the month of `since` or later, until a day.
    pub(super) fn repeat_pairs(self, since: Day, until: Day) -> RepeatPairs {
        match self {
            Self::Whole(cells) => repeat_pairs(cells, since, until),
            Self::Wide(wide, ..) => wide.repeat_pairs(since, until),
        }
    }

    /// The first day with its own figures; `None` if all days have them.
    pub(super) fn covered_from(self) -> Option<Day> {
        match self {
            Self::Whole(cells) => cells.horizon().map(|horizon| horizon.days),
            Self::Wide(..) => None,
        }
    }
}
