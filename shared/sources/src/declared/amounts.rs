//! Reads and converts the amounts of a row.

use stoop_domain::{Currency, Minor, Purpose};

use super::cells::{Cells, RowCell, is_missing};
use super::follow::RecipeText;
use super::listing::style;
use super::plan::{Per, Recipe};
use super::row::{Pass, RowError};
use super::target::Target;
use crate::fields::shown;
use crate::text::{NumberStyle, Period, parse_floor, parse_money, parse_period, scaled};

/// An amount as its text has it, before it is converted.
struct Written {
    minor: Minor,
    currency: Currency,
    /// The period that the text names.
    period: Option<Period>,
}

impl<'s, C: Cells<'s>> Pass<'s, '_, C> {
    /// Reads an amount and its currency. `default` is the currency of an amount whose text names none.
    pub(super) fn amount(
        &mut self,
        target: Target,
        purpose: Purpose,
        default: Option<Currency>,
    ) -> Result<Option<(Minor, Currency)>, RowError> {
        let Some(recipe) = &self.plan.fields[target.index()] else { return Ok(None) };
        let per = self.period(target, recipe)?;
        self.value(target, |recipe, found| {
            let written = written(recipe, found, default)?;
            Ok((converted(recipe, &written, per.as_ref(), purpose, found)?, written.currency))
        })
    }

    /// Reads an amount that must be in `currency`.
    pub(super) fn other_price(
        &mut self,
        target: Target,
        purpose: Purpose,
        currency: Currency,
    ) -> Result<Option<Minor>, RowError> {
        let Some(recipe) = &self.plan.fields[target.index()] else { return Ok(None) };
        let per = self.period(target, recipe)?;
        self.value(target, |recipe, found| {
            let written = written(recipe, found, Some(currency))?;
            if written.currency != currency {
                return Err(format!("{:?} is not in {currency}", found.text));
            }
            converted(recipe, &written, per.as_ref(), purpose, found)
        })
    }

    /// The period that a field's `per` gives, or the text that names none.
    fn period(&self, target: Target, recipe: &Recipe) -> Result<Result<Period, String>, RowError> {
        let (slot, lookup) = match &recipe.conversion.per {
            Per::Always(period) => return Ok(Ok(*period)),
            Per::Column { slot, lookup } => (*slot, lookup),
        };
        let text = match self.cells.cell(slot)? {
            RowCell::Absent => return Ok(Ok(Period::Month)),
            RowCell::Text(text) if is_missing(&text) => return Ok(Ok(Period::Month)),
            RowCell::Text(text) => text,
            RowCell::Plain(text) | RowCell::Nested(text) => text.into(),
        };
        let own = lookup.iter().find(|(word, _)| **word == *text).map(|(_, period)| *period);
        let unknown =
            || format!("{:?} is no period known here: per of {} may have a lookup", shown(&text), target.name());
        Ok(own.or_else(|| parse_period(&text)).ok_or_else(unknown))
    }
}

/// Reads an amount as its text has it.
fn written(recipe: &Recipe, found: &RecipeText<'_>, default: Option<Currency>) -> Result<Written, String> {
    let style = style(recipe, found.plain);
    if let (NumberStyle::Plain, Some(currency)) = (style, default)
        && let Ok(minor) = Minor::parse_major(&found.text, currency)
    {
        return Ok(Written { minor, currency, period: None });
    }
    let parse = if recipe.conversion.takes_floor { parse_floor } else { parse_money };
    let money = parse(&found.text, style, default).map_err(|error| error.to_string())?;
    let currency = money.currency.or(default).ok_or("there is no currency, in the text or as a default")?;
    let minor = money.minor(currency).map_err(|error| error.to_string())?;
    Ok(Written { minor, currency, period: money.period })
}

/// Converts an amount by the field's factors, and that of a rent to a month.
fn converted(
    recipe: &Recipe,
    written: &Written,
    per: Result<&Period, &String>,
    purpose: Purpose,
    found: &RecipeText<'_>,
) -> Result<Minor, String> {
    let too_large = || format!("{:?} is too large an amount", found.text);
    let conversion = &recipe.conversion;
    let minor = match (conversion.times, conversion.divisor) {
        (1, 1) => written.minor,
        (times, divisor) => scaled(written.minor.0, times, divisor).map(Minor).ok_or_else(too_large)?,
    };
    if purpose == Purpose::Sale {
        return match written.period {
            None | Some(Period::Month) => Ok(minor),
            Some(period) => Err(format!("{:?} is for a {}, and the home is for sale", found.text, period.as_str())),
        };
    }
    match written.period.map_or_else(|| per.copied().map_err(Clone::clone), Ok)? {
        Period::Month => Ok(minor),
        Period::Day => Err(format!("{:?} is for a day: no rent by the month", found.text)),
        period => period.per_month(minor).ok_or_else(too_large),
    }
}
