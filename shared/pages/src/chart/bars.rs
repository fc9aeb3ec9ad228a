use maud::{Markup, html};

use super::scale::Scale;
use super::{Frame, UNITS, coordinate, spread};

/// One colour of the bars.
pub(crate) struct BarSeries<'a> {
    pub(crate) name: &'a str,
    /// 1 to 4: its colour.
    pub(crate) class: u8,
    /// Whether it grows down from zero: what leaves.
    pub(crate) is_down: bool,
    /// A count for each day.
    pub(crate) counts: Vec<i64>,
}

/// Counts per day as bars: what comes above zero, what goes below.
pub(crate) struct Bars<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    /// The days, oldest first.
    pub(crate) days: Vec<&'a str>,
    pub(crate) stacks: Vec<BarSeries<'a>>,
    pub(crate) download: Option<String>,
}

#[expect(clippy::cast_precision_loss, reason = "counts of homes")]
impl Bars<'_> {
    /// The chart; a sentence instead if nothing happened.
    pub(crate) fn draw(&self) -> Markup {
        let total = |stack: &BarSeries<'_>| stack.counts.iter().sum::<i64>();
        if self.stacks.iter().all(|stack| total(stack) == 0) {
            return html! { div { h2 { (self.title) } p class="empty" { "None in these days." } } };
        }
        let sums = |down: bool| {
            let stacks = move || self.stacks.iter().filter(move |stack| stack.is_down == down);
            (0..self.days.len()).map(move |day| stacks().filter_map(|stack| stack.counts.get(day)).sum::<i64>() as f64)
        };
        let scale = Scale::of(sums(false).chain(sums(true).map(|sum| -sum)), true, 1.0);
        let summary: Vec<String> =
            self.stacks.iter().map(|stack| format!("{} {}", stack.name, stoop_show::whole(total(stack)))).collect();
        let frame = Frame {
            id: self.id,
            title: self.title,
            summary: format!("In {} days: {}", self.days.len(), summary.join(", ")),
            keys: self.stacks.iter().map(|stack| (stack.class, stack.name)).collect(),
            below: spread(self.days.len(), 4)
                .into_iter()
                .map(|(share, at)| (share, self.days[at].to_owned()))
                .collect(),
            download: self.download.clone(),
        };
        let width = 1.0 / self.days.len().max(1) as f64;
        let plot = html! {
            @for stack in &self.stacks {
                path class=(format!("f{}", stack.class)) d=(self.bars(stack, width, &scale)) {}
            }
        };
        let heads: Vec<&str> = std::iter::once("Day").chain(self.stacks.iter().map(|stack| stack.name)).collect();
        let rows = html! {
            @for (n, day) in self.days.iter().enumerate() {
                tr data-x=(format!("{:.1}", (n as f64 + 0.5) * width * UNITS)) {
                    th scope="row" class="l" { (day) }
                    @for stack in &self.stacks { td { (stoop_show::whole(stack.counts.get(n).copied().unwrap_or_default())) } }
                }
            }
        };
        let format = |value: f64| format!("{:.0}", value.abs());
        frame.draw(&scale, &format, plot, &heads, rows)
    }

    /// The bars of one colour, on those of the colours before it.
    fn bars(&self, stack: &BarSeries<'_>, width: f64, scale: &Scale) -> String {
        let before = self.stacks.iter().take_while(|other| !std::ptr::eq(*other, stack));
        let below: Vec<&BarSeries<'_>> = before.filter(|other| other.is_down == stack.is_down).collect();
        let sign = if stack.is_down { -1.0 } else { 1.0 };
        let mut d = String::new();
        for (day, count) in stack.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let base: i64 = below.iter().filter_map(|other| other.counts.get(day)).sum();
            let (from, to) = (sign * base as f64, sign * (base + count) as f64);
            let [left, right] = [0.1, 0.9].map(|part| coordinate((day as f64 + part) * width).0);
            let [from, to] = [from, to].map(|value| coordinate(scale.share(value)).0);
            d += &format!("M{left} {from}V{to}H{right}V{from}Z");
        }
        d
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stand_on_each_other_and_what_leaves_hangs_below_zero() {
        let stack = |name, class, is_down, counts: &[i64]| BarSeries { name, class, is_down, counts: counts.to_vec() };
        let chart = Bars {
            id: "flows",
            title: "Flows",
            days: vec!["2026-01-01"],
            stacks: vec![stack("new", 1, false, &[2]), stack("back", 2, false, &[3]), stack("gone", 3, true, &[5])],
            download: None,
        };
        let page = chart.draw().into_string();
        let scale = Scale::of([5.0, -5.0].into_iter(), true, 1.0);
        let y = |value: f64| coordinate(scale.share(value)).0;
        assert!(page.contains(&format!("M100.0 {}V{}H900.0V{}Z", y(0.0), y(2.0), y(0.0))), "{page}");
        assert!(page.contains(&format!("M100.0 {}V{}H900.0V{}Z", y(2.0), y(5.0), y(2.0))), "{page}");
        assert!(page.contains(&format!("M100.0 {}V{}H900.0V{}Z", y(0.0), y(-5.0), y(0.0))), "{page}");
        assert!(page.contains("In 1 days: new 2, back 3, gone 5"), "{page}");
    }
}
