use std::borrow::Cow;
use std::ops::RangeInclusive;

use percent_encoding::percent_decode_str;
use stoop_domain::{Currency, Market, PropertyType, Purpose, Status, Time};
use stoop_market::{Definition, Window};

use super::error::ApiError;
use crate::{Breakdown, HomePosition, HomeSort, SortBy, WantedHomes, bedrooms};
use stoop_pipeline::WideLevel;

/// A query's parameters, taken one by one. Mistakes are collected and returned together.
pub(super) struct Params {
    given: Vec<(String, String)>,
    mistakes: Vec<String>,
}

/// The longest value in a message, in characters.
const SHOWN_CHARS: usize = 80;
const AREA_CHARS_MAX: usize = 200;
/// How many areas are compared.
const COMPARED: RangeInclusive<usize> = 2..=8;
/// Stored sums have the days of little more than a year.
const CHANGE_DAYS_MAX: i32 = 365;

impl Params {
    /// Parses `a=1&b=2`, percent-encoded, `+` for a space. A parameter that is not `accepted`, or is given twice, is a
    /// mistake.
    pub(super) fn read(query: &str, accepted: &[&str]) -> Self {
        Self::read_with_list(query, accepted, "")
    }

    /// Like [`Params::read`], where one parameter may be given several times.
    pub(super) fn read_with_list(query: &str, accepted: &[&str], list: &str) -> Self {
        let mut params = Self { given: Vec::new(), mistakes: Vec::new() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let spaced = [name, value].map(|text| text.replace('+', " "));
            let [Some(name), Some(value)] = [&spaced[0], &spaced[1]].map(|text| percent_decoded(text)) else {
                params.mistakes.push(format!("{}: percent-encoded text is not UTF-8", shown(name)));
                continue;
            };
            if !accepted.contains(&&*name) {
                let accepted = if accepted.is_empty() { "none".to_owned() } else { accepted.join(", ") };
                params.mistakes.push(format!("{}: not a parameter here; accepted: {accepted}", shown(&name)));
            } else if params.has(&name) && name != list {
                params.mistakes.push(format!("{name}: given twice; accepted: once"));
            } else {
                params.given.push((name.into_owned(), value.into_owned()));
            }
        }
        params
    }

    /// The parameter as parsed by `read`; `None` if it is not given.
    fn take<T>(&mut self, name: &str, accepted: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let at = self.given.iter().position(|(known, _)| known == name)?;
        let (_, value) = self.given.swap_remove(at);
        let found = read(value.trim());
        if found.is_none() {
            self.mistakes.push(format!("{name}: {}; accepted: {accepted}", shown(&value)));
        }
        found
    }

    /// A whole number from 1 to `max`; the default is `default`.
    pub(super) fn count(&mut self, name: &str, default: u16, max: u16) -> u16 {
        let read = |text: &str| text.parse().ok().filter(|count| (1..=max).contains(count));
        self.take(name, &format!("a whole number from 1 to {max}"), read).unwrap_or(default)
    }

    /// The areas to compare.
    pub(super) fn areas(&mut self) -> Vec<String> {
        let is_area_param = |(name, _): &(String, String)| name == "area";
        let (areas, rest) = std::mem::take(&mut self.given).into_iter().partition(is_area_param);
        self.given = rest;
        let areas: Vec<String> =
            Vec::from_iter(areas).into_iter().map(|(_, area): (_, String)| area.trim().to_owned()).collect();
        if !COMPARED.contains(&areas.len()) {
            let (least, most) = COMPARED.into_inner();
            self.mistakes.push(format!("area: given {} times; accepted: {least} to {most} times", areas.len()));
        }
        areas.iter().for_each(|area| self.check_area(area));
        areas
    }

    pub(super) fn part(&mut self) -> Option<Breakdown> {
        let read = |text: &str| Breakdown::ALL.into_iter().find(|part| part.as_str() == text);
        self.take("by", &Breakdown::ALL.map(Breakdown::as_str).join(", "), read)
    }

    /// A window of days, by their number.
    pub(super) fn window(&mut self) -> Option<Window> {
        let days = |window: Window| window.span().to_string();
        let read = |text: &str| Window::OF_DAYS.into_iter().find(|window| days(*window) == text);
        self.take("window", &Window::OF_DAYS.map(days).join(", "), read)
    }

    /// Figures by their names, separated by commas.
    pub(super) fn definitions(&mut self, name: &str) -> Option<Vec<&'static Definition>> {
        let named = |name: &str| Definition::all().find(|figure| figure.name == name.trim());
        let names: Vec<&str> = Definition::all().map(|figure| figure.name).collect();
        self.take(name, &names.join(", "), |text| text.split(',').map(named).collect())
    }

    /// A whole number, 0 or more.
    pub(super) fn at_least(&mut self, name: &str) -> Option<i64> {
        let read = |text: &str| text.parse().ok().filter(|least| *least >= 0);
        self.take(name, "a whole number, 0 or more", read)
    }

    pub(super) fn level(&mut self) -> Option<WideLevel> {
        let accepted = WideLevel::ALL.map(WideLevel::as_str).join(", ");
        let read = |text: &str| WideLevel::ALL.into_iter().find(|level| level.as_str() == text);
        self.take("level", &accepted, read)
    }

    pub(super) fn sort(&mut self) -> Option<SortBy> {
        self.take("sort", &SortBy::names(), SortBy::named)
    }

    /// The days before for which a change is requested.
    pub(super) fn change(&mut self) -> Option<i32> {
        let read = |text: &str| text.parse().ok().filter(|days| (1..=CHANGE_DAYS_MAX).contains(days));
        self.take("change", &format!("a whole number of days from 1 to {CHANGE_DAYS_MAX}"), read)
    }

    /// Whether it is given and not yet taken.
    pub(super) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(known, _)| known == name)
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.take(name, "true or false", |text| text.parse().ok()).unwrap_or(false)
    }

    /// A time, or a date, which means its midnight in UTC.
    pub(super) fn moment(&mut self, name: &str) -> Option<Time> {
        let accepted = "a date like 2026-01-13 or a moment like 2026-01-13T10:51:00Z";
        self.take(name, accepted, |text| Time::parse_moment(text).ok())
    }

    pub(super) fn purpose(&mut self) -> Option<Purpose> {
        let read = |text: &str| [Purpose::Sale, Purpose::Rent].into_iter().find(|purpose| purpose.as_str() == text);
        self.take("purpose", "sale or rent", read)
    }

    pub(super) fn currency(&mut self) -> Option<Currency> {
        self.take("currency", "a code of three letters like USD", |text| Currency::parse(text).ok())
    }

    pub(super) fn cursor(&mut self) -> Option<Market> {
        self.take("cursor", "the `next` of the previous response", |text| text.parse().ok())
    }

    /// Which homes are wanted, and in what order; the default is active ones, newest event first.
    pub(super) fn wanted_homes(&mut self) -> WantedHomes {
        let default = WantedHomes::default();
        let open: Vec<Status> = Status::ALL.into_iter().filter(|status| status.is_open()).collect();
        let accepted = open.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(", ");
        let status = |text: &str| open.iter().find(|status| status.as_str() == text).copied();
        let statuses = self.take("status", &accepted, |text| text.split(',').map(|name| status(name.trim())).collect());
        let kind = |text: &str| PropertyType::ALL.into_iter().find(|kind| kind.as_str() == text);
        let kinds = PropertyType::ALL.map(PropertyType::as_str).join(", ");
        let types = self.take("type", &kinds, |text| text.split(',').map(|name| kind(name.trim())).collect());
        let amount = |text: &str| text.parse().ok().filter(|amount: &f64| amount.is_finite() && *amount >= 0.0);
        let (min_price, max_price) = (
            self.take("min_price", "an amount in major units, 0 or more", amount),
            self.take("max_price", "an amount in major units, 0 or more", amount),
        );
        if let (Some(min), Some(max)) = (min_price, max_price)
            && min > max
        {
            self.mistakes.push(format!("min_price: {min} is more than max_price, {max}; accepted: at most as much"));
        }
        let sorts = HomeSort::ALL.map(HomeSort::as_str).join(", ");
        let sort = self.take("sort", &sorts, |text| HomeSort::ALL.into_iter().find(|sort| sort.as_str() == text));
        if sort.is_none() && self.has("desc") {
            self.mistakes.push("desc: nothing is sorted; accepted: together with sort".to_owned());
        }
        let desc = self.flag("desc");
        WantedHomes {
            statuses: statuses.or(default.statuses),
            types: types.unwrap_or_default(),
            beds: self.take("beds", "a number like 3, two like 2-4, or 3+", bedrooms),
            min_price,
            max_price,
            sort: sort.unwrap_or(default.sort),
            desc: desc || sort.is_none(),
        }
    }

    /// The position in a list of homes.
    pub(super) fn position(&mut self) -> Option<HomePosition> {
        self.take("cursor", "the `next` of the previous response", HomePosition::parse)
    }

    pub(super) fn area(&mut self) -> Option<String> {
        let accepted = format!("a path like us/wa/king or a name, of at most {AREA_CHARS_MAX} characters");
        self.take("area", &accepted, |text| is_area(text).then(|| text.to_owned()))
    }

    /// The area in the request's path.
    pub(super) fn area_of_path(&mut self, area: &str) -> String {
        self.check_area(area);
        area.to_owned()
    }

    fn check_area(&mut self, area: &str) {
        if !is_area(area) {
            let accepted = format!("accepted: at most {AREA_CHARS_MAX} characters");
            self.mistakes.push(format!("area: {}; {accepted}", shown(area)));
        }
    }

    pub(super) fn mistake(&mut self, mistake: &str) {
        self.mistakes.push(mistake.to_owned());
    }

    /// Returns all mistakes, if there are any.
    pub(super) fn done(self) -> Result<(), ApiError> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(ApiError::parameters(self.mistakes)) }
    }
}

/// Names are compared with those of every market, letter by letter; this bounds their length.
fn is_area(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= AREA_CHARS_MAX
}

fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((cut, _)) => format!("{:?}...", &value[..cut]),
        None => format!("{value:?}"),
    }
}

/// Decodes `%C3%A9` to `é`; `None` if the result is not UTF-8. A `%` without two hexadecimal digits is kept: some
/// gateways pass on decoded paths.
pub(super) fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_decoded() {
        let decoded =
            ["us%2Fwa", "%C3%89vian", "100%", "%zz", "%%41", "%e", "a+b"].map(|text| percent_decoded(text).unwrap());
        assert_eq!(decoded, ["us/wa", "Évian", "100%", "%zz", "%A", "%e", "a+b"]);
        assert_eq!(percent_decoded("%ff"), None);
        assert_eq!(percent_decoded("%C3"), None);
    }

    #[test]
    fn mistakes_are_reported_all_at_once() {
        let mut params =
            Params::read("days=x&dais=3&days=4&purpose=buy&currency=MAD&&x=%ff", &["days", "purpose", "currency"]);
        assert_eq!((params.count("days", 90, 400), params.purpose()), (90, None));
        assert_eq!(params.currency(), Some(Currency::MAD));
        assert_eq!(
            params.mistakes,
            [
                r#""dais": not a parameter here; accepted: days, purpose, currency"#,
                "days: given twice; accepted: once",
                r#""x": percent-encoded text is not UTF-8"#,
                r#"days: "x"; accepted: a whole number from 1 to 400"#,
                r#"purpose: "buy"; accepted: sale or rent"#,
            ]
        );
        assert!(params.done().is_err());
    }
}
