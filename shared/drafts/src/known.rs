//! Constants of the whole sample: country, currency, purpose, each with its reason.

use super::DraftHints;
use super::amounts::amounts;
use super::beside::period_beside;
use super::column::{Column, ratio};
use super::countries;
use super::guess::{Chosen, shown};
use super::kinds;
use super::sample::Sample;
use super::vocabulary::field;
use stoop_domain::Currency;
use stoop_sources::origin;

/// A value for all rows and its reason.
pub(super) type Fact = (String, String);

/// Values that apply to every row.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) country: Option<Fact>,
    pub(super) currency: Option<Fact>,
    pub(super) purpose: Option<Fact>,
}

const GIVEN: &str = "As given.";

/// In these currencies, lower amounts are monthly rents and higher amounts are prices.
const RENT_MAX: f64 = 12_000.0;
const PRICE_MIN: f64 = 40_000.0;
const STRONG: [&str; 8] = ["USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD"];

impl Known {
    /// Finds country and currency before fields are assigned, because units depend on them.
    pub(super) fn of(sample: &Sample, hints: &DraftHints) -> Self {
        let country = match &hints.country {
            Some(code) => Some((code.to_ascii_uppercase(), GIVEN.to_owned())),
            None => country(sample, hints),
        };
        let currency = match &hints.currency {
            Some(code) => Some((code.to_ascii_uppercase(), GIVEN.to_owned())),
            None => currency(sample, country.as_ref()),
        };
        let country = country.or_else(|| {
            let (code, _) = currency.as_ref()?;
            Some((countries::country_of_currency(code)?.to_owned(), format!("Homes are priced in {code} there alone.")))
        });
        let purpose = hints.purpose.map(|purpose| (purpose.as_str().to_owned(), GIVEN.to_owned()));
        Self { country, currency, purpose }
    }

    /// The currency of the country, in which bare signs are to be read.
    pub(super) fn own_currency(&self) -> Option<Currency> {
        let own = self.country.as_ref().and_then(|(code, _)| countries::currency_of(code));
        own.or_else(|| self.money())
    }

    /// The currency of all prices, if it is known.
    pub(super) fn money(&self) -> Option<Currency> {
        self.currency.as_ref().and_then(|(code, _)| Currency::parse(code).ok())
    }

    /// Finds the purpose of all rows if no column contains it: from words in URLs and titles, the name of the price, or
    /// its size.
    pub(super) fn find_purpose(&mut self, sample: &Sample, hints: &DraftHints, chosen: &Chosen) {
        if self.purpose.is_none() {
            self.purpose = worded(sample, hints).or_else(|| priced(sample, chosen, self.currency.as_ref()));
        }
    }
}

/// Columns whose name suggests a field, the best first.
fn candidates<'s>(name: &str, sample: &'s Sample) -> Vec<&'s Column> {
    let Some(field) = field(name) else { return Vec::new() };
    let mut found: Vec<(i32, &Column)> = sample.columns.iter().map(|column| (field.likeness(column), column)).collect();
    found.retain(|(like, _)| *like >= 50);
    found.sort_by_key(|(like, column)| (-*like, column.name.as_str()));
    found.into_iter().map(|(_, column)| column).collect()
}

fn country(sample: &Sample, hints: &DraftHints) -> Option<Fact> {
    for column in candidates("country", sample) {
        let Some(code) = column.first().and_then(countries::country) else { continue };
        if column.all(|text| countries::country(text) == Some(code)) {
            let text = shown(column.first().unwrap_or_default());
            return Some((code.to_owned(), format!("{} is {text:?} in every row that has it.", column.name)));
        }
    }
    let zips = candidates("postal_code", sample)
        .into_iter()
        .any(|column| column.share(|text| text.len() >= 5 && text.bytes().take(5).all(|b| b.is_ascii_digit())) > 0.9);
    let states = candidates("region", sample).into_iter().find(|column| column.all(kinds::is_us_state));
    if let Some(column) = states.filter(|_| zips) {
        return Some(("US".to_owned(), format!("{} holds states of the United States.", column.name)));
    }
    let host =
        |url: &str| origin(url).and_then(|origin| Some(origin.split_once("://")?.1.split(':').next()?.to_owned()));
    let addresses = candidates("url", sample).into_iter().filter_map(Column::first).chain(hints.url.as_deref());
    addresses.filter_map(host).find_map(|host| {
        let code = countries::country_of_host(&host)?;
        Some((code.to_owned(), format!("Addresses are at {}.", shown(&host))))
    })
}

fn currency(sample: &Sample, country: Option<&Fact>) -> Option<Fact> {
    let prices = candidates("list_price", sample);
    let own = country.and_then(|(code, _)| countries::currency_of(code));
    // Of several amounts the one that is most like a price: `/expenses/currency` is that of the expenses.
    let is_beside = |column: &&Column| prices.first().is_none_or(|price| is_beside(&column.name, &price.name));
    for column in candidates("currency", sample).into_iter().filter(is_beside) {
        let Some(code) = column.first().and_then(|text| kinds::currency_named(text, own)) else { continue };
        if column.all(|text| kinds::currency_named(text, own) == Some(code)) {
            return Some((code.to_owned(), format!("{} is the same in every row that has it.", column.name)));
        }
    }
    if let Some(named) = named_by_price(&prices, own) {
        return Some(named);
    }
    if let Some((code, _)) = country
        && let Some(currency) = own.filter(|currency| countries::prices_in(code, currency.code()))
        && !says_unknown_money(sample, &prices, own)
    {
        return Some((currency.code().to_owned(), format!("That of {code}.")));
    }
    prices.into_iter().find_map(|column| {
        let found = amounts(column, own)?.currencies;
        let (code, _) = found.iter().max_by_key(|(_, count)| **count)?;
        Some((code.clone(), format!("Named in {}.", column.name)))
    })
}

/// Whether a column beside the price is called like a currency and names one that is not known.
fn says_unknown_money(sample: &Sample, prices: &[&Column], own: Option<Currency>) -> bool {
    let unknown = |text: &str| text.chars().any(char::is_alphabetic) && kinds::currency_named(text, own).is_none();
    let is_beside = |column: &Column| prices.first().is_some_and(|price| is_beside(&column.name, &price.name));
    let mut columns = candidates("currency", sample).into_iter();
    columns.any(|column| column.is_scalar() && is_beside(column) && column.texts().any(unknown))
}

/// Whether a currency is that of a price: beside it or above. `/fees/currency` is that of the fees.
pub(super) fn is_beside(currency: &str, price: &str) -> bool {
    let place = |name: &str| {
        let list = name.strip_prefix("$.").map(|path| path.split('[').next().unwrap_or_default().replace('.', "/"));
        match list {
            Some(list) => format!("/{list}/"),
            None => name.rsplit_once('/').map_or(String::new(), |(above, _)| format!("{above}/")).replace("/0/", "/"),
        }
    };
    place(price).starts_with(&place(currency))
}

/// The currency that the names of all prices say.
fn named_by_price(prices: &[&Column], own: Option<Currency>) -> Option<Fact> {
    let values: Vec<&&Column> = prices.iter().filter(|column| amounts(column, own).is_some()).collect();
    let is_other = |column: &Column| !column.measure.currencies.is_empty();
    let first = values.first().filter(|_| values.iter().all(|column| is_other(column)))?;
    let code = match (&first.measure.currencies[..], own) {
        ([code], _) => code,
        (codes, Some(own)) => codes.iter().find(|code| **code == own.code())?,
        _ => return None,
    };
    Some(((*code).to_owned(), format!("The name of {} says it.", shown(&first.name))))
}

fn worded(sample: &Sample, hints: &DraftHints) -> Option<Fact> {
    let said = |purpose: &str, place: String| Some((purpose.to_owned(), place));
    if let Some(purpose) = hints.url.as_deref().and_then(kinds::purpose_in) {
        return said(purpose, "The address of the request speaks of it.".to_owned());
    }
    let fields = ["url", "property_type", "title"].map(|name| candidates(name, sample));
    for column in fields.into_iter().flatten() {
        for purpose in ["rent", "sale"] {
            if column.is_scalar() && column.share(|text| kinds::purpose_in(text) == Some(purpose)) > 0.9 {
                return said(purpose, format!("{} speaks of it in {}.", column.name, share_of(column, purpose)));
            }
        }
    }
    None
}

fn share_of(column: &Column, purpose: &str) -> String {
    let count = column.texts().filter(|text| kinds::purpose_in(text) == Some(purpose)).count();
    format!("{count} of {} rows", column.cells.len())
}

fn priced(sample: &Sample, chosen: &Chosen, currency: Option<&Fact>) -> Option<Fact> {
    let price = chosen.sure.iter().find(|guess| guess.field == "list_price")?;
    let column = sample.columns.iter().find(|column| price.columns.contains(&column.name))?;
    if let Some(purpose) = column.purpose {
        return Some((purpose.as_str().to_owned(), format!("{} has the prices for it.", column.name)));
    }
    let found = amounts(column, currency.and_then(|(code, _)| Currency::parse(code).ok()))?;
    let rents = [
        "rent",
        "rents",
        "loyer",
        "miete",
        "kaltmiete",
        "warmmiete",
        "nettokaltmiete",
        "mietpreis",
        "alquiler",
        "renta",
        "affitto",
        "canone",
        "huurprijs",
        "hyra",
        "leie",
        "husleje",
        "arrendamento",
        "aluguel",
    ];
    if let Some(period) = column.measure.period {
        return Some(("rent".to_owned(), format!("{} is by the {}.", column.name, period.as_str())));
    }
    if let Some((beside, _)) = period_beside(column, &sample.columns)
        && beside.scalars() * 10 >= column.scalars() * 9
    {
        return Some(("rent".to_owned(), format!("{} says for how long {} is.", beside.name, column.name)));
    }
    if found.periodic || column.words.have(&rents) {
        return Some(("rent".to_owned(), format!("{} is a rent.", column.name)));
    }
    if !currency.is_some_and(|(code, _)| STRONG.contains(&code.as_str())) {
        return None;
    }
    let factor = column.measure.factor();
    let high = ratio(found.values.iter().filter(|value| **value * factor >= PRICE_MIN).count(), found.values.len());
    let low = ratio(found.values.iter().filter(|value| **value * factor <= RENT_MAX).count(), found.values.len());
    if high > 0.9 {
        Some(("sale".to_owned(), "Prices are too high for rents.".to_owned()))
    } else if low > 0.9 {
        Some(("rent".to_owned(), "Prices are too low for homes: rents by the month.".to_owned()))
    } else {
        None
    }
}
