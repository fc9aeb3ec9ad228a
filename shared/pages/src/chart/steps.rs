use maud::{Markup, html};
use stoop_domain::Time;

use super::scale::Scale;
use super::{Frame, coordinate};

/// A price from one time to another.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// `None`: not on offer, or without a price.
    pub(crate) price: Option<f64>,
    /// What the row of the table says.
    pub(crate) words: String,
}

/// What the price is compared with: a line between points in order.
pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) points: Vec<(Time, f64)>,
}

impl Beside {
    /// The value at a time: that of the last point before it, or of the first.
    fn at(&self, time: Time) -> Option<f64> {
        let after = self.points.partition_point(|(at, _)| *at <= time);
        self.points.get(after.saturating_sub(1)).map(|(_, value)| *value)
    }
}

/// A price over time as steps.
pub(crate) struct StepChart<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    /// In order.
    pub(crate) steps: Vec<Step>,
    pub(crate) beside: Option<Beside>,
    pub(crate) format: &'a dyn Fn(f64) -> String,
}

#[expect(clippy::cast_precision_loss, reason = "times on a picture")]
impl StepChart<'_> {
    /// The chart; a sentence instead without prices.
    pub(crate) fn draw(&self) -> Markup {
        let prices = || self.steps.iter().filter_map(|step| step.price);
        let ends = self.steps.first().zip(self.steps.last()).map(|(first, last)| (first.from.ms(), last.to.ms()));
        let Some((begin, end)) = ends.filter(|_| prices().next().is_some()) else {
            return html! { div { h2 { (self.title) } p class="empty" { "No price is known." } } };
        };
        let length = (end - begin).max(1) as f64;
        let x = |at: Time| (at.ms() - begin) as f64 / length;
        let others = self.beside.iter().flat_map(|beside| &beside.points);
        let scale = Scale::of(prices().chain(others.clone().map(|(_, value)| *value)), false, 0.0);
        let at = |time: Time, value: f64| format!("{} {}", coordinate(x(time)).0, coordinate(scale.share(value)).0);
        let line = others.map(|(time, value)| at(*time, *value)).collect::<Vec<_>>().join("L");
        let format = self.format;
        let (first, last) = (prices().next().map(format), prices().next_back().map(format));
        let frame = Frame {
            id: self.id,
            title: self.title,
            summary: format!("From {} to {}", first.unwrap_or_default(), last.unwrap_or_default()),
            keys: self.beside.iter().flat_map(|beside| [(1, "This home"), (2, &*beside.name)]).collect(),
            below: [0.0, 0.5, 1.0]
                .map(|share| (share, stoop_show::date(Time::from_ms(begin + (share * length).round() as i64))))
                .into(),
            download: None,
        };
        let rows = html! {
            @for step in &self.steps {
                tr data-x=(coordinate(x(step.from))) {
                    th scope="row" class="l" { (stoop_show::time(step.from)) }
                    td { (stoop_show::or_unknown(step.price.map(format))) }
                    @if let Some(beside) = &self.beside { td { (stoop_show::or_unknown(beside.at(step.from).map(format))) } }
                    td class="l" { (step.words) }
                }
            }
        };
        let plot = html! {
            @if !line.is_empty() { path class="line s2" d=(format!("M{line}")) {} }
            path class="line s1" d=(self.path(&scale, x)) {}
        };
        let heads: Vec<&str> =
            ["From", "Price"].into_iter().chain(self.beside.as_ref().map(|it| &*it.name)).chain(["What"]).collect();
        frame.draw(&scale, format, plot, &heads, rows)
    }

    fn path(&self, scale: &Scale, x: impl Fn(Time) -> f64) -> String {
        let mut d = String::new();
        let mut before: Option<f64> = None;
        for step in &self.steps {
            if let Some(price) = step.price {
                let [from, to] = [step.from, step.to].map(|at| coordinate(x(at)).0);
                let y = coordinate(scale.share(price)).0;
                d += &match before {
                    Some(_) => format!("H{from}V{y}H{to}"),
                    None => format!("M{from} {y}H{to}"),
                };
            }
            before = step.price;
        }
        d
    }
}
