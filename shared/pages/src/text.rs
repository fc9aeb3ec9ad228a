//! Small pieces of HTML: amounts, changes, times and links.

use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use stoop_domain::{Currency, HomeId, Time};
use stoop_market::Definition;
use stoop_serve::{ComparableView, ConfidenceInterval, YieldLevelView, area_name};

/// Everything that has no meaning in a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// The page of an area. `terms` are those of its market: `sale`, and a currency.
pub(crate) fn area_href(path: &str, purpose: &str, currency: Currency) -> String {
    format!("/areas/{}?for={purpose}&currency={currency}", encoded(path.trim_end_matches('/')))
}

/// The page of a home.
pub(crate) fn home_href(id: &HomeId) -> String {
    format!("/homes/{}", encoded(id.as_str()))
}

/// A text in a path, percent-encoded; its slashes stay.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A time, absolute; the script makes it relative where `is_ago`.
pub(crate) fn time(at: Time, is_ago: bool) -> Markup {
    html! { time datetime=(at) data-ago[is_ago] { (stoop_show::time(at)) " UTC" } }
}

/// A time to come, absolute; the script says in how long, or how late it is.
pub(crate) fn next(at: Time) -> Markup {
    html! { time datetime=(at) data-next { (stoop_show::time(at)) " UTC" } }
}

/// A relative change with its sign, coloured by its direction.
pub(crate) fn change(share: Option<f64>) -> Markup {
    match share {
        None => html! { (stoop_show::UNKNOWN) },
        Some(share) => html! { span class=[direction(share)] { (signed(share)) } },
    }
}

/// A relative change with its 95 % interval: grey, with the words "no clear change", if 0 is in it.
pub(crate) fn noisy_change(share: Option<f64>, interval: Option<ConfidenceInterval>) -> Markup {
    let (Some(known), Some(interval)) = (share, interval) else { return change(share) };
    match interval.contains(0.0) {
        true => {
            html! { span class="noise" title=(format!("no clear change: {}", reach(interval))) { (signed(known)) } }
        }
        false => html! { span class=[direction(known)] title=(reach(interval)) { (signed(known)) } },
    }
}

/// How far chance reaches to either side of a change: ` ± 2.1`.
pub(crate) fn margin(interval: Option<ConfidenceInterval>) -> Markup {
    html! { @if let Some(interval) = interval { span class="note" { " ± " (format!("{:.1}", interval.reach() * 100.0)) } } }
}

/// A 95 % interval of a change, in words: `between −4.1 and −0.3 %`.
pub(crate) fn reach(ConfidenceInterval { low, high }: ConfidenceInterval) -> String {
    let digits = |share: f64| minus(&format!("{:+.1}", share * 100.0));
    format!("between {} and {} %", digits(low), digits(high))
}

/// What a home is compared with: `12 other homes of its kind in 98101 and 240 in King County`.
pub(crate) fn compared_with(like: &ComparableView) -> String {
    let here = match like.homes {
        0 => "no other home".to_owned(),
        homes => plural(usize::try_from(homes).unwrap_or_default(), "other home"),
    };
    let around = like
        .around
        .as_ref()
        .map(|path| format!(" and {} in {}", stoop_show::whole(like.homes_around), area_name(path)));
    format!("{here} of its kind ({}) in its market{}", like.words, around.unwrap_or_default())
}

/// An interval of a figure, in words: `between $398,000 and $412,000`; of too few homes, that it is not known.
pub(crate) fn between(interval: Option<ConfidenceInterval>, shown: impl Fn(f64) -> String) -> String {
    match interval {
        Some(ConfidenceInterval { low, high }) => format!("between {} and {}", shown(low), shown(high)),
        None => "of too few homes to say how sure".to_owned(),
    }
}

/// An interval, in brackets.
pub(crate) fn range(interval: ConfidenceInterval, shown: impl Fn(f64) -> String) -> String {
    let [low, high] = [interval.low, interval.high].map(shown);
    if low == high { String::new() } else { format!("({low} to {high})") }
}

/// The areas that a yield is made of, with what each weighs.
pub(crate) fn levels(levels: &[YieldLevelView]) -> String {
    let weighed = levels.iter().filter(|level| level.weight > 0.0);
    let words = weighed.map(|level| {
        let share = if level.weight > 0.995 { String::new() } else { format!("{:.0} % ", level.weight * 100.0) };
        let [sale, rent] = [level.sale_homes, level.rent_homes].map(stoop_show::whole);
        format!("{share}{} ({sale} for sale, {rent} for rent)", area_name(&level.area))
    });
    words.collect::<Vec<String>>().join(", ")
}

/// A text with a minus sign (U+2212) for each hyphen.
pub(crate) fn minus(text: &str) -> String {
    text.replace('-', "−")
}

/// A relative change with its sign: `−4.2 %`.
pub(crate) fn signed(share: f64) -> String {
    minus(&stoop_show::change(share))
}

fn direction(share: f64) -> Option<&'static str> {
    match share {
        share if share <= -0.000_5 => Some("fall"),
        share if share >= 0.000_5 => Some("rise"),
        _ => None,
    }
}

/// A statistic in major units; a dash if it is unknown.
pub(crate) fn price(major: Option<f64>, currency: Currency) -> String {
    stoop_show::or_unknown(major.map(|major| stoop_show::price(major, currency)))
}

/// A share; a dash if it is unknown.
pub(crate) fn percent(share: Option<f64>) -> String {
    stoop_show::or_unknown(share.map(stoop_show::percent))
}

/// A figure's label that leads to its definition; its meaning is the link's title.
pub(crate) fn defined(figure: &'static str, label: &str) -> Markup {
    let meaning = Definition::all().find(|definition| definition.name == figure).map(|definition| definition.meaning);
    html! { a href=(format!("/definitions#{figure}")) title=[meaning] { (label) } }
}

/// Whether a home is for sale or for rent, in words.
pub(crate) fn offer(purpose: &str) -> &'static str {
    if purpose == "rent" { "for rent" } else { "for sale" }
}

/// `1 home`, `2 homes`.
pub(crate) fn plural(number: usize, one: &str) -> String {
    stoop_show::plural(number as u64, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_a_sign_and_a_direction() {
        assert_eq!(change(Some(-0.042)).into_string(), "<span class=\"fall\">−4.2 %</span>");
        assert_eq!(change(Some(0.003)).into_string(), "<span class=\"rise\">+0.3 %</span>");
        assert_eq!(change(Some(0.0)).into_string(), "<span>0.0 %</span>");
        assert_eq!(change(None).into_string(), "–");
    }

    #[test]
    fn a_path_cannot_leave_its_attribute() {
        assert_eq!(encoded("us/il/~caf\u{e9} \"x\""), "us/il/~caf%C3%A9%20%22x%22");
        assert_eq!(home_href(&HomeId("kc/1?a#b".into())), "/homes/kc/1%3Fa%23b");
    }
}
