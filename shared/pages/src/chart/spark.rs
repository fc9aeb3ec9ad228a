use maud::{Markup, html};

const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 24.0;
/// Room for the thickness of the line.
const MARGIN: f64 = 2.0;

/// A line without axes, for a row of a table. The number beside it says what it shows.
pub(crate) fn sparkline(values: &[Option<f64>]) -> Markup {
    let known = || values.iter().flatten().copied();
    let (low, high) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if known().count() < 2 {
        return html! {};
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of days")]
    let x = |at: usize| MARGIN + at as f64 / (values.len() - 1) as f64 * (WIDTH - 2.0 * MARGIN);
    let y = |value: f64| match high > low {
        true => MARGIN + (high - value) / (high - low) * (HEIGHT - 2.0 * MARGIN),
        false => HEIGHT / 2.0,
    };
    let mut d = String::new();
    let mut is_open = false;
    for (at, value) in values.iter().enumerate() {
        if let Some(value) = value {
            d += &format!("{}{:.1} {:.1}", if is_open { 'L' } else { 'M' }, x(at), y(*value));
        }
        is_open = value.is_some();
    }
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" aria-hidden="true" { path class="line s1" d=(d) {} }
    }
}
