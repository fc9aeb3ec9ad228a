use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use stoop_domain::Time;
use stoop_embedded::Database;
use stoop_market::{Figures, Segment};
use stoop_pipeline::Measured;

use crate::show;

/// Markets shown at a time.
const MARKETS: usize = 12;

/// Lines that scroll, with a block below them that is drawn anew. Where standard output is no terminal,
/// the block is printed once, at the end.
pub(super) struct Screen {
    state: Mutex<State>,
    terminal: bool,
}

#[derive(Default)]
struct State {
    block: Vec<String>,
    /// Lines of the block that stand on the terminal now.
    drawn: usize,
    measured: Measured,
    alerts: u64,
    now: Option<Time>,
    markets: usize,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), terminal: std::io::stdout().is_terminal() }
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
            state.erase();
            println!("{line}");
            state.print();
        } else {
            println!("{line}");
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
        state.now = Some(now);
        state.markets = rows.len();
        let mut block = Vec::new();
        let heading = format!(
            "{:<28} {:<5} {:>6} {:>12} {:>9} {:>7} {:>7} {:>6}",
            "market", "", "active", "median", "age", "new 7d", "cuts 7d", "cut"
        );
        block.push(heading);
        for (market, figures) in rows.iter().take(MARKETS) {
            let name = format!("{} ({})", market.area.name(), market.area.levels()[3].replace('-', " "));
            block.push(format!(
                "{:<28} {:<5} {:>6} {:>12} {:>9} {:>7} {:>7} {:>6}",
                name,
                market.purpose.as_str(),
                figures.active,
                show::or_unknown(figures.median_price.map(|price| show::price(
                    price / 10_f64.powi(market.currency.minor_digits().cast_signed()),
                    market.currency
                ))),
                figures.median_age_days.map_or_else(|| "–".into(), |days| format!("{days:.0} d")),
                figures.last_7_days.new,
                figures.last_7_days.price_cuts,
                figures.cut_share.map_or_else(|| "–".into(), |share| format!("{:.0} %", share * 100.0)),
            ));
        }
        state.block = block;
        if self.terminal {
            state.erase();
            state.print();
        }
        Ok(())
    }

    /// Leaves the last block standing.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if !self.terminal {
            state.print();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the block off the terminal: up so many lines, clear what is below.
    fn erase(&mut self) {
        if self.drawn > 0 {
            print!("\x1b[{}A\x1b[J", self.drawn);
        }
        self.drawn = 0;
    }

    fn print(&mut self) {
        let Some(now) = self.now else { return };
        let Measured { observations, price_cuts, price_rises, .. } = self.measured;
        println!(
            "\n{}   {} observations, {} markets, {price_cuts} cuts, {price_rises} rises, {} alerts",
            show::time(now),
            show::count(observations),
            self.markets,
            self.alerts,
        );
        for line in &self.block {
            println!("{line}");
        }
        self.drawn = self.block.len() + 2;
        // A terminal that is gone is told by the signal that comes with it.
        drop(std::io::stdout().flush());
    }
}
