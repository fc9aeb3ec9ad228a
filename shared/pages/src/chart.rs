//! Charts as SVG: drawn here, coloured by the style sheet, each with its values in a table behind it.
//!
//! The inner `svg` has the width of the page, and its lines keep their thickness; text stands outside of it, at
//! percentages, and keeps its size.

mod bands;
mod bars;
mod line;
mod scale;
mod spark;
mod steps;

use maud::{Markup, PreEscaped, html};

pub(crate) use bands::{Band, BandChart};
pub(crate) use bars::{BarSeries, Bars};
pub(crate) use line::{LineChart, Series};
pub(crate) use spark::sparkline;
pub(crate) use steps::{Beside, Step, StepChart};

use scale::Scale;

/// The coordinates of the inner `svg`, in both directions.
const UNITS: f64 = 1_000.0;
/// The height of a chart on the page, of its plot, and of the room above for the label of a line at the top, in CSS
/// pixels.
const HEIGHT: u32 = 244;
const PLOT: u32 = 208;
const ABOVE: u32 = 12;

/// The parts that every chart has.
struct Frame<'a> {
    /// Unique on its page.
    id: &'a str,
    title: &'a str,
    /// What a reader who sees no picture should know first.
    summary: String,
    /// The keys of the series: their class and name.
    keys: Vec<(u8, &'a str)>,
    /// The labels below, with their share of the width.
    below: Vec<(f64, String)>,
    /// A download of the values.
    download: Option<String>,
}

impl Frame<'_> {
    /// The chart around its inner parts; `format` is that of the numbers beside the scale, `rows` are the rows of the table.
    fn draw(
        &self,
        scale: &Scale,
        format: &dyn Fn(f64) -> String,
        plot: Markup,
        heads: &[&str],
        rows: Markup,
    ) -> Markup {
        let y = |value: f64| f64::from(ABOVE) + scale.share(value) * f64::from(PLOT);
        html! {
            div class="chart" id=(self.id) data-chart tabindex="0" role="group" aria-label=(format!("{}. {}", self.title, self.summary)) {
                header {
                    h2 { (self.title) }
                    @if self.keys.len() > 1 {
                        ul class="keys" {
                            @for (class, name) in &self.keys {
                                li { svg aria-hidden="true" viewBox="0 0 14 8" { rect class=(format!("f{class}")) width="14" height="8" rx="2" {} } (name) }
                            }
                        }
                    }
                }
                svg class="plot" height=(HEIGHT) role="img" aria-label=(self.summary) {
                    svg viewBox=(format!("0 0 {UNITS} {UNITS}")) y=(ABOVE) width="100%" height=(PLOT) preserveAspectRatio="none" overflow="visible" {
                        @for tick in scale.ticks() {
                            line class=(if tick == 0.0 { "axis" } else { "grid" }) x1="0" x2=(UNITS) y1=(coordinate(scale.share(tick))) y2=(coordinate(scale.share(tick))) {}
                        }
                        (plot)
                        line class="mark" hidden x1="0" x2="0" y1="0" y2=(UNITS) {}
                    }
                    @for tick in scale.ticks() {
                        text x="-6" y=(format!("{:.1}", y(tick) + 4.0)) text-anchor="end" { (format(tick)) }
                    }
                    @for (n, (share, label)) in self.below.iter().enumerate() {
                        text class=[(n > 0 && n + 1 < self.below.len()).then_some("inner")] x=(percent(*share)) y=(HEIGHT - 6) text-anchor=(anchor(*share)) { (label) }
                    }
                }
                p class="tip" aria-live="polite" hidden {}
                div class="behind" {
                    details id=(format!("{}-table", self.id)) {
                        summary { "Table" }
                        div class="scroll" tabindex="0" role="region" aria-label=(format!("{}: values", self.title)) {
                            table data-points {
                                thead { tr { @for (n, head) in heads.iter().enumerate() { th scope="col" class=[(n == 0).then_some("l")] { (head) } } } }
                                tbody { (rows) }
                            }
                        }
                    }
                    @if let Some(link) = &self.download { a href=(link) download { "Download CSV" } }
                }
            }
        }
    }
}

/// A share of the plot as a coordinate of the inner `svg`.
fn coordinate(share: f64) -> PreEscaped<String> {
    PreEscaped(format!("{:.1}", share * UNITS))
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// Labels at the edges stay inside.
fn anchor(share: f64) -> &'static str {
    match share {
        share if share < 0.04 => "start",
        share if share > 0.96 => "end",
        _ => "middle",
    }
}

/// At most `most` of `n` positions, the first and last among them, as evenly as they fit.
#[expect(clippy::cast_precision_loss, reason = "a number of days")]
fn spread(n: usize, most: usize) -> Vec<(f64, usize)> {
    let Some(last) = n.checked_sub(1) else { return Vec::new() };
    let parts = (most - 1).min(last);
    let at = |part: usize| (last * part).checked_div(parts).unwrap_or(0);
    (0..=parts).map(|part| (at(part) as f64 / last.max(1) as f64, at(part))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_spread_from_the_first_to_the_last_position() {
        let at = |n, most| spread(n, most).into_iter().map(|(_, at)| at).collect::<Vec<_>>();
        assert!(at(0, 4).is_empty());
        assert_eq!(at(1, 4), [0]);
        assert_eq!(at(2, 4), [0, 1]);
        assert_eq!(at(91, 4), [0, 30, 60, 90]);
        assert!(spread(91, 4).iter().all(|(share, _)| (0.0..=1.0).contains(share)));
    }
}
