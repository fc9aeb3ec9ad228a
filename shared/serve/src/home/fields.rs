use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use stoop_domain::{Area, AreaUnit, Currency, HOME_FIELDS, Home, HomeField, HomeValue};

use super::super::unit_name;

/// The fields that describe a home itself. In JSON each has a member of its name, `null` if it is unknown: areas in the
/// unit of the home's country, amounts in major units.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldsView {
    values: [Option<HomeValue>; HOME_FIELDS.len()],
    /// The currency of amounts.
    pub currency: Currency,
    /// The unit of area of the home's country.
    pub area_unit: AreaUnit,
}

impl FieldsView {
    pub(super) fn of(home: &Home, currency: Currency, area_unit: AreaUnit) -> Self {
        Self { values: home.values(), currency, area_unit }
    }

    /// The known fields with their values as sources gave them.
    pub fn known(&self) -> impl Iterator<Item = (&'static HomeField, HomeValue)> {
        HOME_FIELDS.iter().zip(self.values).filter_map(|(field, value)| Some((field, value?)))
    }

    /// One of the values as people read it, in the units of the home's country: `1,225 sqft`, `$312.50 per month`.
    #[must_use]
    pub fn text(&self, value: HomeValue) -> String {
        match value {
            HomeValue::PropertyType(kind) => kind.words().to_owned(),
            HomeValue::Count(count) => count.to_string(),
            HomeValue::Hundredths(hundredths) => (f64::from(hundredths) / 100.0).to_string(),
            HomeValue::Area(area) => stoop_show::area(area.in_unit(self.area_unit), unit_name(self.area_unit)),
            HomeValue::Year(year) => year.to_string(),
            HomeValue::Fee(fee) => format!("{} per month", stoop_show::money(fee, self.currency)),
            HomeValue::Flag(flag) => stoop_show::yes_or_no(flag).to_owned(),
        }
    }
}

impl Serialize for FieldsView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(HOME_FIELDS.len()))?;
        for (field, value) in HOME_FIELDS.iter().zip(self.values) {
            map.serialize_key(field.name)?;
            match value {
                None => map.serialize_value(&())?,
                Some(HomeValue::PropertyType(kind)) => map.serialize_value(kind.as_str())?,
                Some(HomeValue::Count(count)) => map.serialize_value(&count)?,
                Some(HomeValue::Hundredths(hundredths)) => map.serialize_value(&(f64::from(hundredths) / 100.0))?,
                Some(HomeValue::Area(area)) => map.serialize_value(&area_in(area, self.area_unit))?,
                Some(HomeValue::Year(year)) => map.serialize_value(&year)?,
                Some(HomeValue::Fee(fee)) => map.serialize_value(&fee.major_f64(self.currency))?,
                Some(HomeValue::Flag(flag)) => map.serialize_value(&flag)?,
            }
        }
        map.end()
    }
}

/// An area in `unit`, to a hundredth.
pub(super) fn area_in(area: Area, unit: AreaUnit) -> f64 {
    (area.in_unit(unit) * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use stoop_domain::{Address, HomeKind, Listing, Minor, Observation, PropertyType, Purpose, Time};

    use super::*;

    /// A home in the United States with one field, or none.
    fn home(field: Option<(&HomeField, HomeValue)>) -> FieldsView {
        let (country, postal_code) = (Some("US".to_owned()), Some("98178".to_owned()));
        let address = Address { country, postal_code, ..Address::default() };
        let mut listing = Listing::new(Purpose::Rent, Currency::USD, address);
        if let Some((field, value)) = field {
            (field.set)(&mut listing, value);
        }
        let mut home = Home::default();
        home.apply(&Observation::new("kc", "1", Time::default(), listing));
        FieldsView::of(&home, Currency::USD, AreaUnit::SquareFeet)
    }

    #[test]
    fn every_field_is_a_member_in_units_of_the_country() {
        for field in &HOME_FIELDS {
            let (value, shown) = match field.kind {
                HomeKind::PropertyType => (HomeValue::PropertyType(PropertyType::Farm), "Farm".into()),
                HomeKind::Count => (HomeValue::Count(3), 3.into()),
                HomeKind::Hundredths => (HomeValue::Hundredths(250), 2.5.into()),
                HomeKind::Area => (HomeValue::Area(Area::of(2, AreaUnit::Acres)), 87_120.0.into()),
                HomeKind::Year => (HomeValue::Year(1962), 1962.into()),
                HomeKind::Fee => (HomeValue::Fee(Minor(31_250)), 312.5.into()),
                HomeKind::Flag => (HomeValue::Flag(true), true.into()),
            };
            let view = home(Some((field, value)));
            assert!(view.known().map(|(field, value)| (field.name, value)).eq([(field.name, value)]));
            let json = serde_json::to_value(&view).unwrap();
            for other in &HOME_FIELDS {
                let expected = if other.name == field.name { &shown } else { &serde_json::Value::Null };
                assert_eq!(json.get(other.name), Some(expected), "{}", other.name);
            }
        }
    }

    #[test]
    fn unknown_fields_are_null() {
        let json = serde_json::to_value(home(None)).unwrap();
        assert_eq!(json.as_object().unwrap().len(), HOME_FIELDS.len());
        assert!(json.as_object().unwrap().values().all(serde_json::Value::is_null));
    }
}
