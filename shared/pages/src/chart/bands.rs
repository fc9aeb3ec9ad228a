use maud::{Markup, html};

use super::scale::Scale;
use super::{Frame, UNITS, coordinate, spread};

/// One band of a distribution.
pub(crate) struct Band {
    /// `$200,000 to $250,000`
    pub(crate) name: String,
    pub(crate) homes: i64,
    /// The homes of this band and of those before it, and where they are listed.
    pub(crate) up_to: i64,
    pub(crate) href: Option<String>,
}

/// How many homes are in each band of prices, and where the median lies.
pub(crate) struct BandChart<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) summary: String,
    /// Rising.
    pub(crate) bands: Vec<Band>,
    /// The names of the edges, and the bar that begins at the first of them.
    pub(crate) edges: Vec<String>,
    pub(crate) first_edge: usize,
    /// Its share of the width, and its name.
    pub(crate) median: Option<(f64, String)>,
}

#[expect(clippy::cast_precision_loss, reason = "counts of homes")]
impl BandChart<'_> {
    pub(crate) fn draw(&self) -> Markup {
        let width = 1.0 / self.bands.len().max(1) as f64;
        let scale = Scale::of(self.bands.iter().map(|band| band.homes as f64), true, 1.0);
        let edge = |at: usize| ((self.first_edge + at) as f64 * width, self.edges[at].clone());
        let median = self.median.as_ref().map(|(_, price)| format!("Median {price}"));
        let frame = Frame {
            id: self.id,
            title: self.title,
            summary: self.summary.clone(),
            keys: std::iter::once((1, "Homes")).chain(median.as_deref().map(|name| (2, name))).collect(),
            below: spread(self.edges.len(), 4).into_iter().map(|(_, at)| edge(at)).collect(),
            download: None,
        };
        let plot = html! {
            path class="f1" d=(self.bars(width, &scale)) {}
            @if let Some((share, _)) = &self.median { line class="line s2" x1=(coordinate(*share)) x2=(coordinate(*share)) y1="0" y2=(UNITS) {} }
        };
        let rows = html! {
            @for (n, band) in self.bands.iter().enumerate() {
                tr data-x=(coordinate((n as f64 + 0.5) * width)) {
                    th scope="row" class="l" { (band.name) }
                    td { (stoop_show::whole(band.homes)) }
                    td { @match &band.href { Some(href) => { a href=(href) { (stoop_show::whole(band.up_to)) } }, None => (stoop_show::whole(band.up_to)) } }
                }
            }
        };
        let format = |value: f64| format!("{value:.0}");
        frame.draw(&scale, &format, plot, &["Price", "Homes", "Up to here"], rows)
    }

    fn bars(&self, width: f64, scale: &Scale) -> String {
        let zero = coordinate(scale.share(0.0)).0;
        let mut d = String::new();
        for (n, band) in self.bands.iter().enumerate().filter(|(_, band)| band.homes > 0) {
            let [left, right] = [0.03, 0.97].map(|part| coordinate((n as f64 + part) * width).0);
            d += &format!("M{left} {zero}V{}H{right}V{zero}Z", coordinate(scale.share(band.homes as f64)).0);
        }
        d
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_counts_and_the_median_has_its_place() {
        let band = |name: &str, homes, up_to| Band { name: name.to_owned(), homes, up_to, href: None };
        let chart = BandChart {
            id: "asking",
            title: "Asking prices",
            summary: "6 homes".to_owned(),
            bands: vec![band("$0 to $5", 2, 2), band("$5 to $10", 4, 6)],
            edges: ["$0", "$5", "$10"].map(str::to_owned).into(),
            first_edge: 0,
            median: Some((0.75, "$7".to_owned())),
        };
        let page = chart.draw().into_string();
        let scale = Scale::of([2.0, 4.0].into_iter(), true, 1.0);
        let y = |value: f64| coordinate(scale.share(value)).0;
        assert!(page.contains(&format!("M15.0 {0}V{1}H485.0V{0}Z", y(0.0), y(2.0))), "{page}");
        assert!(page.contains(&format!("M515.0 {0}V{1}H985.0V{0}Z", y(0.0), y(4.0))), "{page}");
        assert!(page.contains("x1=\"750.0\" x2=\"750.0\"") && page.contains("Median $7"), "{page}");
        assert!(page.contains("<text class=\"inner\" x=\"50.00%\"") && page.contains(">$5</text>"), "{page}");
    }
}
