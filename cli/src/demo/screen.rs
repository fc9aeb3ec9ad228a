use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use console::Term;
use stoop_domain::{Alert, Market, Time};
use stoop_embedded::Database;
use stoop_market::{Figures, Segment};
use stoop_pipeline::Measured;

use super::clock::days;
use crate::out;
use crate::show::{self, Column, Look, Page, SafeText, Table, or_unknown};

/// Markets shown at a time.
const MARKETS: usize = 12;

/// The length of the bar that shows how much of the past is there.
const BAR: usize = 30;

/// Scrolling lines with a block below them that is redrawn: first the progress of the past, then the largest markets of
/// the cities; last in it is where the pages are. If standard output is not a terminal, progress is a few lines, and the markets are printed
/// once, at the end.
pub(super) struct Screen {
    state: Mutex<ScreenState>,
    terminal: bool,
    /// The address of the pages, if they are served.
    pages: Option<String>,
}

#[derive(Default)]
struct ScreenState {
    block: Option<Page>,
    /// Lines of the block that are on the terminal now.
    drawn: usize,
    measured: Measured,
    alerts: u64,
    /// Quarters of the past that a line was printed about.
    quarters: i64,
}

impl Screen {
    pub(super) fn new(pages: Option<String>) -> Self {
        Self { state: Mutex::default(), terminal: Term::stdout().is_term(), pages }
    }

    /// Prints an alert above the block.
    pub(super) fn alert(&self, alert: &Alert) {
        self.lock().alerts += 1;
        let when = show::date(alert.at);
        let width = out::line_width().saturating_sub(when.chars().count() + 2);
        self.line(&format!("{when}  {}", show::alert_line(alert, width)));
    }

    /// Prints a line above the block.
    pub(super) fn line(&self, line: &str) {
        let mut state = self.lock();
        if self.terminal {
            state.redraw(Some(line));
        } else {
            out::line(line);
        }
    }

    pub(super) fn count(&self, measured: &Measured) {
        self.lock().measured.add(measured);
    }

    /// Shows that the past between two times is filled up to a third one.
    pub(super) fn fill(&self, from: Time, at: Time, until: Time) {
        let mut state = self.lock();
        let (done, all) = (days(from, at), days(from, until).max(1));
        if self.terminal {
            state.block = Some(progress(done, all, at, self.pages.as_deref(), Look::of_stdout()));
            state.redraw(None);
        } else if done * 4 / all > state.quarters && done < all {
            state.quarters = done * 4 / all;
            out::line(&format!("  {}: {done} of {all} days", show::date(at)));
        }
    }

    /// Removes the block from the terminal.
    pub(super) fn clear(&self) {
        let mut state = self.lock();
        if self.terminal && state.drawn > 0 {
            out::redraw(state.drawn, None, &Page::new(Look::of_stdout()));
        }
        (state.block, state.drawn) = (None, 0);
    }

    /// Draws the largest markets of the cities as they are now.
    pub(super) fn draw(&self, database: &Database, now: Time) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        for (market, cells) in database.cells_where(|_| true)? {
            let zone = market.area.country().zone;
            let figures = Figures::of(&cells, Segment::All, now, &zone);
            rows.push((market, figures));
        }
        let markets = rows.len();
        let rows = largest(rows);
        let mut state = self.lock();
        let Measured { observations, price_cuts, price_rises, .. } = state.measured;
        let heading = format!(
            "{}   {} observations, {} markets, {}, {}, {}",
            show::time(now),
            show::count(observations),
            markets,
            show::plural(u64::try_from(price_cuts).unwrap_or(0), "cut"),
            show::plural(u64::try_from(price_rises).unwrap_or(0), "rise"),
            show::plural(state.alerts, "alert"),
        );
        let pages = self.pages.as_deref().filter(|_| self.terminal);
        state.block = Some(block(&heading, &rows, pages, Look::of_stdout()));
        if self.terminal {
            state.redraw(None);
        }
        Ok(())
    }

    /// Leaves the last block on the terminal.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if !self.terminal {
            state.redraw(None);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ScreenState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ScreenState {
    /// Replaces the block, and prints a line above it.
    fn redraw(&mut self, line: Option<&str>) {
        let Some(block) = &self.block else {
            line.map(out::line);
            return;
        };
        out::redraw(self.drawn, line, block);
        self.drawn = block.as_str().lines().count();
    }
}

/// The progress of the past, and where the pages are meanwhile.
fn progress(done: i64, all: i64, at: Time, pages: Option<&str>, look: Look) -> Page {
    let filled = usize::try_from(done.clamp(0, all)).unwrap_or(0) * BAR / usize::try_from(all.max(1)).unwrap_or(1);
    let bar = "█".repeat(filled) + &"░".repeat(BAR - filled);
    let mut page = Page::new(look);
    page.gap().line([format!("{bar}  {}, day {done} of {all}", show::date(at)).into()]);
    page.gap();
    if let Some(pages) = pages {
        page.line([
            "Pages: ".into(),
            SafeText::from(pages).bold(),
            "  already show what is there.  Ctrl-C stops.".into(),
        ]);
    }
    page
}

/// The largest market of each city for sale, then for rent.
fn largest(mut rows: Vec<(Market, Figures)>) -> Vec<(Market, Figures)> {
    rows.sort_by(|a, b| b.1.active.cmp(&a.1.active).then_with(|| a.0.cmp(&b.0)));
    let mut cities = BTreeSet::new();
    rows.retain(|(market, _)| cities.insert((market.purpose, market.area.levels()[..4].join("/"))));
    rows.sort_by_key(|(market, _)| market.purpose);
    rows.truncate(MARKETS);
    rows
}

/// Markets under a heading, and where the pages are.
fn block(heading: &str, rows: &[(Market, Figures)], pages: Option<&str>, look: Look) -> Page {
    let mut table = Table::new([
        Column::left("market"),
        Column::left("for").optional(5),
        Column::right("active"),
        Column::right("median"),
        Column::right("age").optional(2),
        Column::right("new 7 d").optional(4),
        Column::right("cuts 7 d").optional(3),
        Column::right("cut"),
    ]);
    for (market, figures) in rows {
        let major = 10_f64.powi(market.currency.minor_digits().cast_signed());
        let median = figures.median_price.map(|price| show::price(price / major, market.currency));
        table.row([
            show::place(&market.area).into(),
            market.purpose.as_str().into(),
            show::whole(figures.active).into(),
            or_unknown(median).into(),
            or_unknown(figures.median_age_days.map(|days| format!("{days:.0} d"))).into(),
            show::whole(figures.last_7_days.new).into(),
            show::whole(figures.last_7_days.price_cuts).into(),
            or_unknown(figures.cut_share.map(|share| format!("{:.0} %", share * 100.0))).into(),
        ]);
    }
    let mut page = Page::new(look);
    page.gap().line([SafeText::from(heading).bold()]).table(table);
    if let Some(pages) = pages {
        page.gap().line(["Pages: ".into(), SafeText::from(pages).bold(), "  Ctrl-C stops.".into()]);
    }
    page
}

#[cfg(test)]
mod tests {
    use stoop_market::Cells;

    use super::*;

    #[track_caller]
    fn fits(page: &Page, width: u16) {
        let widest = page.as_str().lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width.into()), "{page}");
    }

    #[test]
    fn the_block_is_as_wide_as_the_screen_at_most() {
        let market: Market = "us/il/cook/chicago/60602:sale:USD".parse().unwrap();
        let zone = market.area.country().zone;
        let figures = Figures::of(&Cells::default(), Segment::All, Time::default(), &zone);
        let heading = "2026-01-06 22:31   1,873 observations, 60 markets, 55 cuts, 11 rises, 5 alerts";
        for width in [40, 60, 80, 120] {
            let look = Look { colours: false, width };
            let page = block(heading, &[(market.clone(), figures.clone())], Some("http://127.0.0.1:8317/"), look);
            fits(&page, width);
            assert!(page.as_str().contains("Chicago 60602"), "{page}");
            let last = page.as_str().rsplit("\n\n").next().unwrap();
            assert!(last.starts_with("Pages: http://127.0.0.1:8317/"), "{page}");
        }
        let unserved = block(heading, &[(market, figures)], None, Look { colours: false, width: 80 });
        assert!(!unserved.as_str().contains("Pages"), "{unserved}");
    }

    #[test]
    fn each_city_has_its_largest_market_of_either_purpose() {
        let row = |market: &str, active| {
            let market: Market = market.parse().unwrap();
            let zone = market.area.country().zone;
            (market, Figures { active, ..Figures::of(&Cells::default(), Segment::All, Time::default(), &zone) })
        };
        let rows = vec![
            row("us/il/cook/chicago/60602:rent:USD", 7),
            row("us/il/cook/chicago/60602:sale:USD", 3),
            row("us/il/cook/chicago/60601:sale:USD", 5),
            row("us/tx/travis/austin/78701:sale:USD", 9),
        ];
        let shown: Vec<String> = largest(rows).iter().map(|(market, _)| market.to_string()).collect();
        assert_eq!(
            shown,
            [
                "us/tx/travis/austin/78701:sale:USD",
                "us/il/cook/chicago/60601:sale:USD",
                "us/il/cook/chicago/60602:rent:USD"
            ]
        );
    }

    #[test]
    fn the_progress_is_as_wide_as_the_screen_at_most_and_says_where_the_pages_are() {
        let at = Time::parse("2026-03-14T00:00:00Z").unwrap();
        for (width, done) in [(40, 0), (80, 63), (120, 126)] {
            let page = progress(done, 126, at, Some("http://127.0.0.1:8318/"), Look { colours: false, width });
            fits(&page, width);
            assert!(page.as_str().contains(&format!("day {done} of 126")), "{page}");
            assert!(page.as_str().contains("http://127.0.0.1:8318/"), "{page}");
            assert_eq!(page.as_str().matches('█').count(), usize::try_from(done).unwrap() * BAR / 126);
        }
    }
}
