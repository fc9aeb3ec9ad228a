use std::sync::{Mutex, PoisonError};

use console::Term;
use stoop_domain::{Market, Time};
use stoop_embedded::Database;
use stoop_market::{Figures, Segment};
use stoop_pipeline::Measured;

use crate::out;
use crate::show::{self, Column, Look, Page, SafeText, Table, or_unknown};

/// Markets shown at a time.
const MARKETS: usize = 12;

/// Scrolling lines with a block below them that is redrawn. If standard output is not a terminal, the block is printed
/// once, at the end.
pub(super) struct Screen {
    state: Mutex<State>,
    terminal: bool,
}

#[derive(Default)]
struct State {
    block: Option<Page>,
    /// Lines of the block that are on the terminal now.
    drawn: usize,
    measured: Measured,
    alerts: u64,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), terminal: Term::stdout().is_term() }
    }

    /// Prints an alert above the block.
    pub(super) fn alert(&self, line: &str) {
        self.lock().alerts += 1;
        self.line(line);
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

    /// Draws the largest markets as they are now.
    pub(super) fn draw(&self, database: &Database, now: Time) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        for (market, cells) in database.cells_where(|_| true)? {
            let zone = market.area.country().zone;
            let figures = Figures::of(&cells, Segment::All, now, &zone);
            rows.push((market, figures));
        }
        rows.sort_by(|a, b| b.1.active.cmp(&a.1.active).then_with(|| a.0.cmp(&b.0)));
        let mut state = self.lock();
        let Measured { observations, price_cuts, price_rises, .. } = state.measured;
        let heading = format!(
            "{}   {} observations, {} markets, {price_cuts} cuts, {price_rises} rises, {} alerts",
            show::time(now),
            show::count(observations),
            rows.len(),
            state.alerts,
        );
        state.block = Some(block(&heading, &rows, Look::of_stdout()));
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

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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

/// The largest markets under a heading.
fn block(heading: &str, rows: &[(Market, Figures)], look: Look) -> Page {
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
    for (market, figures) in rows.iter().take(MARKETS) {
        let major = 10_f64.powi(market.currency.minor_digits().cast_signed());
        let median = figures.median_price.map(|price| show::price(price / major, market.currency));
        table.row([
            format!("{} ({})", market.area.name(), market.area.levels()[3].replace('-', " ")).into(),
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
    page
}

#[cfg(test)]
mod tests {
    use stoop_market::Cells;

    use super::*;

    #[test]
    fn the_block_is_as_wide_as_the_screen_at_most() {
        let market: Market = "us/il/cook/chicago/60602:sale:USD".parse().unwrap();
        let zone = market.area.country().zone;
        let figures = Figures::of(&Cells::default(), Segment::All, Time::default(), &zone);
        let heading = "2026-01-06 22:31   1,873 observations, 60 markets, 55 cuts, 11 rises, 5 alerts";
        for width in [40, 60, 80, 120] {
            let page = block(heading, &[(market.clone(), figures.clone())], Look { colours: false, width });
            let widest = page.as_str().lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width.into()), "{page}");
            assert!(page.as_str().contains("60602 (chicago)"), "{page}");
        }
    }
}
