//! Converts the cells of a row to a listing.

use std::borrow::Cow;

use stoop_domain::{
    Address, Area, Currency, HOME_FIELDS, HomeKind, HomeValue, Listing, Minor, Purpose, Reason, RefusedValue, Status,
    Time,
};

use super::cells::{Cells, RowCell};
use super::follow::RecipeText;
use super::plan::{FieldOrigin, KnownValue, Recipe};
use super::row::{Pass, RowContent, RowError};
use super::target::{Target, TargetKind};
use super::values;
use crate::raws::LIST_BYTES_MAX;
use crate::text::{NumberStyle, parse_area};

/// List prices and close price.
struct Prices {
    currency: Currency,
    list_price: Option<Minor>,
    close_price: Option<Minor>,
}

impl<'s, C: Cells<'s>> Pass<'s, '_, C> {
    /// Whether a `[[skip]]` rule skips this row.
    pub(super) fn is_skipped(&self) -> Result<bool, RowError> {
        for condition in &self.plan.skips {
            if self.holds(condition)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the whole row.
    pub(super) fn parts(&mut self) -> Result<RowContent, RowError> {
        let native_id = self.text(Target::NATIVE_ID)?.ok_or_else(|| self.missing(Target::NATIVE_ID))?;
        let native_id = values::native_id(native_id)
            .map_err(|detail| RowError::new(Reason::BadValue, format!("native_id {detail}")))?;
        let at = self.observed_at()?;
        let seen = at.unwrap_or(self.now);
        let purpose = self.purpose()?;
        let status = self.status()?;
        let Prices { currency, list_price, close_price } = self.prices(purpose, status)?;
        let address = self.address()?;
        let mut listing = Listing::new(purpose, currency, address);
        listing.status = status;
        listing.list_price = list_price;
        listing.close_price = close_price;
        if status == Status::Closed {
            listing.close_date = self.time(Target::CLOSE_DATE, seen)?.map(|at| at.day_in(&self.plan.zone));
        }
        listing.original_list_price = self.other_price(Target::ORIGINAL_LIST_PRICE, purpose, currency)?;
        listing.previous_list_price = self.other_price(Target::PREVIOUS_LIST_PRICE, purpose, currency)?;
        listing.price_changed_at = self.time(Target::PRICE_CHANGED_AT, seen)?;
        listing.listed_at = self.time(Target::LISTED_AT, seen)?;
        for (row, field) in HOME_FIELDS.iter().enumerate() {
            if let Some(value) = self.home_value(Target::of_home(row), field.kind, currency)? {
                (field.set)(&mut listing, value);
            }
        }
        let details = &mut listing.details;
        details.title = self.text(Target::TITLE)?;
        details.description = self.text(Target::DESCRIPTION)?;
        details.seller = self.text(Target::SELLER)?;
        details.agency = self.text(Target::AGENCY)?;
        details.images = self.list(Target::IMAGES)?;
        details.amenities = self.list(Target::AMENITIES)?;
        details.url = self.text(Target::URL)?;
        Ok(RowContent { native_id, at, listing, refused: std::mem::take(&mut self.refused) })
    }

    fn address(&mut self) -> Result<Address, RowError> {
        Ok(Address {
            line: self.text(Target::LINE)?,
            neighbourhood: self.text(Target::NEIGHBOURHOOD)?,
            city: self.text(Target::CITY)?,
            county: self.text(Target::COUNTY)?,
            region: self.text(Target::REGION)?,
            postal_code: self.text(Target::POSTAL_CODE)?,
            country: self.text(Target::COUNTRY)?.or_else(|| self.plan.country.clone()),
            latitude_e6: self.value(Target::LATITUDE, |_, found| values::degrees(&found.text))?,
            longitude_e6: self.value(Target::LONGITUDE, |_, found| values::degrees(&found.text))?,
            derived: false,
        })
    }

    pub(super) fn observed_at(&mut self) -> Result<Option<Time>, RowError> {
        if self.plan.fields[Target::OBSERVED_AT.index()].is_none() {
            return Ok(None);
        }
        let at = self.time(Target::OBSERVED_AT, self.now)?;
        at.map(Some).ok_or_else(|| self.missing(Target::OBSERVED_AT))
    }

    fn purpose(&mut self) -> Result<Purpose, RowError> {
        let found = self.value(Target::PURPOSE, |_, found| match named(TargetKind::Purpose, found)? {
            KnownValue::Purpose(purpose) => Ok(purpose),
            _ => Err(NOT_NAMED.to_owned()),
        })?;
        found.or(self.plan.purpose).ok_or_else(|| self.missing(Target::PURPOSE))
    }

    fn status(&mut self) -> Result<Status, RowError> {
        if self.plan.fields[Target::STATUS.index()].is_none() {
            return Ok(Status::Active);
        }
        let found = self.value(Target::STATUS, |_, found| match named(TargetKind::Status, found)? {
            KnownValue::Status(status) => Ok(status),
            _ => Err(NOT_NAMED.to_owned()),
        })?;
        found.ok_or_else(|| self.missing(Target::STATUS))
    }

    fn home_value(
        &mut self,
        target: Target,
        kind: HomeKind,
        currency: Currency,
    ) -> Result<Option<HomeValue>, RowError> {
        Ok(match kind {
            HomeKind::PropertyType => self
                .value(target, |_, found| match named(TargetKind::PropertyType, found)? {
                    KnownValue::PropertyType(kind) => Ok(kind),
                    _ => Err(NOT_NAMED.to_owned()),
                })?
                .map(HomeValue::PropertyType),
            HomeKind::Count => self.value(target, |_, found| values::count(&found.text))?.map(HomeValue::Count),
            HomeKind::Hundredths => self
                .value(target, |recipe, found| values::hundredths(&found.text, style(recipe, found.plain)))?
                .map(HomeValue::Hundredths),
            HomeKind::Area => self.area(target)?.map(HomeValue::Area),
            HomeKind::Year => self.value(target, |_, found| values::year(&found.text))?.map(HomeValue::Year),
            HomeKind::Fee => self.fee(target, currency)?.map(HomeValue::Fee),
            HomeKind::Flag => self.flag(target)?.map(HomeValue::Flag),
        })
    }

    /// Reads what may be shown. A word that cannot be read is a no.
    fn flag(&mut self, target: Target) -> Result<Option<bool>, RowError> {
        let refused = self.refused.len();
        let flag = self.value(target, |_, found| values::flag(&found.text))?;
        Ok(if self.refused.len() > refused { Some(false) } else { flag })
    }

    /// Reads the prices and the currency, which a price's text may name. In a row that is not closed, sale fields
    /// belong to an earlier sale and are ignored.
    fn prices(&mut self, purpose: Purpose, status: Status) -> Result<Prices, RowError> {
        let field = self.value(Target::CURRENCY, |_, found| match named(TargetKind::Currency, found)? {
            KnownValue::Currency(currency) => Ok(currency),
            _ => Err(NOT_NAMED.to_owned()),
        })?;
        let default = field.or(self.plan.currency);
        let asked = self.amount(Target::LIST_PRICE, purpose, default)?;
        let list_price = asked.map(|(minor, _)| minor);
        let of_list_price = asked.map(|(_, currency)| currency);
        if status != Status::Closed {
            let currency = of_list_price.or(default).ok_or_else(|| self.no_currency())?;
            return Ok(Prices { currency, list_price, close_price: None });
        }
        if let Some(currency) = of_list_price {
            return Ok(Prices {
                currency,
                list_price,
                close_price: self.other_price(Target::CLOSE_PRICE, purpose, currency)?,
            });
        }
        let paid = self.amount(Target::CLOSE_PRICE, purpose, default)?;
        let currency = paid.map(|(_, currency)| currency).or(default).ok_or_else(|| self.no_currency())?;
        Ok(Prices { currency, list_price: None, close_price: paid.map(|(minor, _)| minor) })
    }

    /// Why the currency is unknown: the price that should name it cannot be read, or nothing names it.
    fn no_currency(&self) -> RowError {
        match self.refused.last() {
            Some(RefusedValue { reason, detail }) => RowError::new(*reason, detail.as_str()),
            None => self.missing(Target::CURRENCY),
        }
    }

    /// Reads a monthly fee. Zero means that there is none, or that it is unknown.
    fn fee(&mut self, target: Target, currency: Currency) -> Result<Option<Minor>, RowError> {
        // A fee has a period like a rent, whatever the purpose.
        Ok(self.other_price(target, Purpose::Rent, currency)?.filter(|fee| fee.0 > 0))
    }

    fn area(&mut self, target: Target) -> Result<Option<Area>, RowError> {
        let area = self.value(target, |recipe, found| {
            if found.plain {
                let plain = Area::parse(&found.text, recipe.unit.unit).map_err(|error| error.to_string())?;
                let too_large = || format!("{:?} is too large an area", found.text);
                return plain.map(|area| recipe.unit.of(area.ten_thousandths).ok_or_else(too_large)).transpose();
            }
            parse_area(&found.text, area_style(recipe), recipe.unit).map_err(|error| error.to_string())
        })?;
        Ok(area.flatten())
    }

    fn time(&mut self, target: Target, seen: Time) -> Result<Option<Time>, RowError> {
        let zone = &self.plan.zone;
        self.value(target, |recipe, found| values::time(&found.text, &recipe.when, zone, seen))
    }

    fn text(&mut self, target: Target) -> Result<Option<String>, RowError> {
        match self.find(target) {
            Ok(found) => Ok(found.map(|found| found.text.into_owned())),
            Err(error) => self.left_out(target, error),
        }
    }

    /// The value of a field that cannot be read: unknown, and reported unless the field is lenient.
    ///
    /// # Errors
    /// If it says which home it is, and the field is not lenient.
    pub(super) fn left_out<T: Default>(&mut self, target: Target, error: RowError) -> Result<T, RowError> {
        let is_lenient = self.plan.fields[target.index()].as_ref().is_some_and(|recipe| recipe.lenient);
        match error {
            _ if is_lenient => {}
            error if target.identifies() => return Err(error),
            RowError { reason, detail } => self.refused.push(RefusedValue { reason, detail }),
        }
        Ok(T::default())
    }

    /// Reads a list: an array of texts, a text split at `split`, or a single text.
    fn list(&mut self, target: Target) -> Result<Vec<String>, RowError> {
        let Some(recipe) = self.recipe(target)? else { return Ok(Vec::new()) };
        if let FieldOrigin::Columns(slots) = &recipe.origin {
            for (i, slot) in slots.iter().enumerate() {
                let cells = match (self.cells.cell(*slot)?, self.cells.several(*slot)?) {
                    (RowCell::Absent, _) => continue,
                    (RowCell::Nested(raw), None) => vec![RowCell::Nested(raw)],
                    (RowCell::Nested(_), Some(cells)) => cells,
                    (_, Some(cells)) if cells.len() > 1 && self.nothing_in(&slots[..i])? => cells,
                    // A single text is read like any field.
                    _ => continue,
                };
                return match self.texts(target, recipe, cells) {
                    Ok(texts) => Ok(texts),
                    Err(error) => self.left_out(target, error),
                };
            }
        }
        let found = match self.find(target) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Vec::new()),
            Err(error) => return self.left_out(target, error),
        };
        Ok(match &recipe.split {
            Some(split) => {
                let parts = found.text.split(&**split).map(str::trim);
                parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
            }
            None => vec![found.text.into_owned()],
        })
    }

    /// Texts of a list's cells: array items as is, other cells through the recipe.
    fn texts(&mut self, target: Target, recipe: &'s Recipe, cells: Vec<RowCell<'s>>) -> Result<Vec<String>, RowError> {
        let mut texts = Vec::with_capacity(cells.len());
        for cell in cells {
            let found = match cell {
                RowCell::Absent => None,
                RowCell::Text(text) => self.through(target, recipe, text, false),
                RowCell::Plain(text) => self.through(target, recipe, Cow::Borrowed(text), true),
                RowCell::Nested(raw) => {
                    if raw.len() > LIST_BYTES_MAX {
                        let why = format!("a list of {} bytes; at most {LIST_BYTES_MAX} are read", raw.len());
                        return Err(self.bad(target, &why));
                    }
                    let read = serde_json::from_str::<Vec<Option<String>>>(raw);
                    let read = read.map_err(|error| self.bad(target, &format!("no list of texts: {error}")))?;
                    texts.extend(read.into_iter().flatten().filter(|text| !text.is_empty()));
                    None
                }
            };
            texts.extend(found.map(|found| found.text.into_owned()));
        }
        Ok(texts)
    }

    fn nothing_in(&self, slots: &[u16]) -> Result<bool, RowError> {
        for slot in slots {
            if !matches!(self.cells.cell(*slot)?, RowCell::Absent) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Parses a field's text with `read`. An unreadable value is unknown, or refuses the row.
    pub(super) fn value<T>(
        &mut self,
        target: Target,
        read: impl FnOnce(&'s Recipe, &RecipeText<'s>) -> Result<T, String>,
    ) -> Result<Option<T>, RowError> {
        let Some(recipe) = &self.plan.fields[target.index()] else { return Ok(None) };
        let found = match self.find(target) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(error) => return self.left_out(target, error),
        };
        match read(recipe, &found) {
            Ok(value) => Ok(Some(value)),
            Err(_) if recipe.lenient => Ok(None),
            Err(problem) => self.left_out(target, self.bad(target, &problem)),
        }
    }
}

const NOT_NAMED: &str = "no such value";

/// Returns an enum value; values that the map contains are already parsed.
fn named(kind: TargetKind, found: &RecipeText<'_>) -> Result<KnownValue, String> {
    if found.known == KnownValue::No { values::known(kind, &found.text) } else { Ok(found.known) }
}

pub(super) fn style(recipe: &Recipe, plain: bool) -> NumberStyle {
    if plain { NumberStyle::Plain } else { recipe.number }
}

/// Areas have a decimal point or thousands separators and are rarely bare: `En` reads both.
fn area_style(recipe: &Recipe) -> NumberStyle {
    if recipe.number == NumberStyle::Plain { NumberStyle::En } else { recipe.number }
}
