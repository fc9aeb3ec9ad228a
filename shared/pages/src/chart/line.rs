use maud::{Markup, html};

use super::scale::Scale;
use super::{Frame, coordinate, spread};

/// One line of a chart.
pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    /// 1 to 4: its colour.
    pub(crate) class: u8,
    /// Drawn thin, behind the others.
    pub(crate) is_faint: bool,
    /// A value for each day; `None` leaves a gap.
    pub(crate) values: Vec<Option<f64>>,
    /// Where each value may lie instead, as a band behind the line; empty for none.
    pub(crate) band: Vec<Option<(f64, f64)>>,
}

/// Lines over days.
pub(crate) struct LineChart<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    /// The days, oldest first.
    pub(crate) days: Vec<&'a str>,
    pub(crate) series: Vec<Series<'a>>,
    /// Whether the scale begins at zero, with the space below the first line filled.
    pub(crate) from_zero: bool,
    /// The least step between ticks; 0 for any.
    pub(crate) least_step: f64,
    /// A value.
    pub(crate) format: &'a dyn Fn(f64) -> String,
    /// A round number of the scale, which is exact; as a value if not given.
    pub(crate) tick: Option<&'a dyn Fn(f64) -> String>,
    pub(crate) download: Option<String>,
}

impl LineChart<'_> {
    /// The chart; a sentence instead if nothing is known.
    pub(crate) fn draw(&self) -> Markup {
        let known = || self.series.iter().flat_map(|series| series.values.iter().flatten().copied());
        if known().next().is_none() {
            return html! { div { h2 { (self.title) } p class="empty" { "Nothing is known yet." } } };
        }
        let ends =
            self.series.iter().flat_map(|series| series.band.iter().flatten().flat_map(|(low, high)| [*low, *high]));
        let scale = Scale::of(known().chain(ends), self.from_zero, self.least_step);
        let frame = Frame {
            id: self.id,
            title: self.title,
            summary: self.summary(),
            keys: self.series.iter().map(|series| (series.class, series.name)).collect(),
            below: spread(self.days.len(), 4)
                .into_iter()
                .map(|(share, at)| (share, self.days[at].to_owned()))
                .collect(),
            download: self.download.clone(),
        };
        let plot = html! {
            @if let Some(first) = self.series.first().filter(|_| self.from_zero) {
                path class="area" d=(under(&first.values, &scale)) {}
            }
            @for series in self.series.iter().filter(|series| !series.band.is_empty()) {
                path class=(format!("band f{}", series.class)) d=(band(&series.band, &scale)) {}
            }
            @for series in self.series.iter().filter(|series| series.is_faint).chain(self.series.iter().filter(|series| !series.is_faint)) {
                path class=(format!("line s{}{}", series.class, if series.is_faint { " faint" } else { "" })) d=(path(&series.values, &scale)) {}
            }
        };
        let heads: Vec<&str> = std::iter::once("Day").chain(self.series.iter().map(|series| series.name)).collect();
        let rows = html! {
            @for (n, day) in self.days.iter().enumerate() {
                tr {
                    th scope="row" class="l" { (day) }
                    @for series in &self.series { td { (series.values.get(n).copied().flatten().map_or_else(|| stoop_show::UNKNOWN.to_owned(), self.format)) } }
                }
            }
        };
        frame.draw(&scale, self.tick.unwrap_or(self.format), plot, &heads, rows)
    }

    /// The first and last known value of the first line.
    fn summary(&self) -> String {
        let Some(series) = self.series.iter().find(|series| series.values.iter().any(Option::is_some)) else {
            return String::new();
        };
        let mut known = self.days.iter().zip(&series.values).filter_map(|(day, value)| Some((*day, (*value)?)));
        let Some((first_day, first)) = known.next() else { return String::new() };
        let (last_day, last) = known.next_back().unwrap_or((first_day, first));
        let format = self.format;
        format!("{}: {} on {first_day}, {} on {last_day}", series.name, format(first), format(last))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of days")]
fn x(at: usize, n: usize) -> f64 {
    if n < 2 { 0.0 } else { at as f64 / (n - 1) as f64 }
}

/// The connected parts of a line: positions and values.
fn parts(values: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let mut parts: Vec<Vec<(usize, f64)>> = vec![Vec::new()];
    for (at, value) in values.iter().enumerate() {
        match (value, parts.last_mut()) {
            (Some(value), Some(part)) => part.push((at, *value)),
            (None, Some(part)) if !part.is_empty() => parts.push(Vec::new()),
            _ => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// A line through the known values. A single value is a line too short to see but for its round ends.
fn path(values: &[Option<f64>], scale: &Scale) -> String {
    let mut d = String::new();
    for part in parts(values) {
        for (n, (at, value)) in part.iter().enumerate() {
            let (command, x) = (if n == 0 { 'M' } else { 'L' }, coordinate(x(*at, values.len())).0);
            d += &format!("{command}{x} {}", coordinate(scale.share(*value)).0);
            if part.len() == 1 {
                d += "h0.1";
            }
        }
    }
    d
}

/// The space between the ends of a band, over the days that have both.
fn band(ends: &[Option<(f64, f64)>], scale: &Scale) -> String {
    let [low, high] = [|ends: (f64, f64)| ends.0, |ends: (f64, f64)| ends.1]
        .map(|of: fn((f64, f64)) -> f64| ends.iter().map(|both| both.map(of)).collect::<Vec<_>>());
    let point = |(at, value): &(usize, f64)| {
        format!("{} {}", coordinate(x(*at, ends.len())).0, coordinate(scale.share(*value)).0)
    };
    let mut d = String::new();
    for (above, below) in parts(&high).iter().zip(parts(&low)) {
        let around = above.iter().chain(below.iter().rev()).map(point).collect::<Vec<_>>();
        d += &format!("M{}Z", around.join("L"));
    }
    d
}

/// The space below the known values, down to zero.
fn under(values: &[Option<f64>], scale: &Scale) -> String {
    let zero = coordinate(scale.share(0.0)).0;
    let mut d = String::new();
    for part in parts(values) {
        let ends = part.first().zip(part.last());
        let Some(((first, _), (last, _))) = ends else { continue };
        d += &format!("M{} {zero}", coordinate(x(*first, values.len())).0);
        for (at, value) in &part {
            d += &format!("L{} {}", coordinate(x(*at, values.len())).0, coordinate(scale.share(*value)).0);
        }
        d += &format!("L{} {zero}Z", coordinate(x(*last, values.len())).0);
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_goes_along_the_upper_ends_and_back_along_the_lower_ones() {
        let scale = Scale::of([0.0, 10.0].into_iter(), true, 0.0);
        let d = band(&[Some((1.0, 9.0)), Some((2.0, 8.0)), None, Some((3.0, 7.0))], &scale);
        assert_eq!((d.matches('M').count(), d.matches('Z').count(), d.matches('L').count()), (2, 2, 4), "{d}");
        assert_eq!(band(&[None, None], &scale), "");
    }

    #[test]
    fn a_gap_in_the_values_is_a_gap_in_the_line() {
        let values = [Some(1.0), Some(2.0), None, Some(2.0)];
        let scale = Scale::of(values.into_iter().flatten(), false, 0.0);
        let d = path(&values, &scale);
        assert_eq!(d.matches('M').count(), 2, "{d}");
        assert_eq!(d.matches('L').count(), 1, "{d}");
        assert_eq!(path(&[None, None], &scale), "");
    }
}
