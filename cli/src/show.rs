//! Text for terminals: sparklines, tables, pages and CSV. [`stoop_show`] formats their numbers.

mod page;
mod screen;
mod table;
mod words;

use stoop_domain::{Alert, AreaPath, Purpose};
use stoop_serve::area_name;

pub(crate) use page::Page;
pub(crate) use screen::Look;
pub(crate) use stoop_show::*;
pub(crate) use table::{Column, Table};
pub(crate) use words::{SafeText, cut};

/// Text from outside on one line, without whitespace used for layout.
pub(crate) fn plain(text: &str) -> String {
    let blanked = stoop_show::plain(text);
    blanked.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A series as one line of bars from its least to its greatest value; a gap for unknown values. A series longer than
/// `width` is thinned by averaging neighbours.
pub(crate) fn sparkline(series: &[Option<f64>], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let chunk = series.len().div_ceil(width.max(1)).max(1);
    let points: Vec<Option<f64>> = series.chunks(chunk).map(mean).collect();
    let known = || points.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let bar = |value: f64| {
        if high <= low {
            return BARS[3];
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
        let at = ((value - low) / (high - low) * 7.0).round() as usize;
        BARS[at.min(7)]
    };
    points.iter().map(|point| point.map_or(' ', bar)).collect()
}

/// An alert on one line of at most this width. A home's title is cut if it is too long.
pub(crate) fn alert_line(alert: &Alert, wide: usize) -> String {
    let currency = alert.market.currency;
    let drop = f64::from(alert.drop_bp) / 10_000.0;
    let [from, to] = [alert.from, alert.to].map(|amount| money(amount, currency));
    let term = if alert.market.purpose == Purpose::Rent { " a month" } else { "" };
    let mut line = format!("▼ {:>6}  {from} → {to}{term}  {}", percent(drop), place(&alert.market.area));
    if let Some(words) = alert.line.as_ref().or(alert.title.as_ref()) {
        line = cut(&format!("{line}  {}", plain(words)), wide);
    }
    match alert.url.as_deref().map(|url| format!("{line}  {}", plain(url))) {
        Some(whole) if cut(&whole, wide) == whole => whole,
        _ => line,
    }
}

/// A postal code or quarter with its city: `Seattle 98178`.
pub(crate) fn place(area: &AreaPath) -> String {
    let (name, levels) = (area.name(), area.levels());
    let city = area_name(&levels[..4].join("/"));
    if name == city || levels[3] == "-" { name } else { format!("{city} {name}") }
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let (sum, n) = values.iter().flatten().fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    (n > 0.0).then_some(sum / n)
}

#[cfg(test)]
mod tests;
