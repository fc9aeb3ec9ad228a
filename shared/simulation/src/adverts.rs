//! Homes that several portals show, each in its own words, with the truth of which adverts are of one home.
//!
//! The rates are those that a linker of listings must stand: see [`Adverts::of`].

use std::sync::Arc;

use stoop_domain::{
    Address, Area, AreaUnit, Currency, Listing, Minor, Observation, PropertyType, Purpose, Status, Time, Watch,
};

use crate::random::Random;

mod words;

/// How the portals of a country tell where a home is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressCustom {
    /// With street, number and unit, as in the United States.
    Numbered,
    /// With the quarter alone, as in Morocco.
    Quarter,
}

/// One advert: what a portal shows of a home, from its first to its last day.
#[derive(Clone, Debug)]
pub struct Advert {
    /// The number of the home that it is of: the truth.
    pub home: u32,
    /// Whether the home is one of a building with several.
    pub in_building: bool,
    /// The first and the last sighting.
    pub observations: Vec<Observation>,
}

/// A home as it is.
struct TrueHome {
    number: u32,
    quarter: usize,
    building: Option<u32>,
    street: usize,
    house: i64,
    unit: Option<String>,
    property_type: PropertyType,
    bedrooms: u8,
    bathrooms: u16,
    /// In square feet or square metres.
    area: i64,
    lot: Option<i64>,
    year: i16,
    /// In millionths of a degree.
    coordinates: (i32, i32),
    price: i64,
}

/// A generator of adverts. Equal seeds give equal adverts.
pub struct Adverts {
    random: Random,
    custom: AddressCustom,
    next_id: u64,
    adverts: Vec<Advert>,
}

impl Adverts {
    /// The adverts of `homes` homes in two years. Forty in a hundred homes are on two to five portals, a third are in
    /// buildings of several units with few layouts; of the adverts of units 5 % leave out the unit, of all 10 % misspell the
    /// street, 20 % round the coordinates to 100 m, and 10 % give an area that is off by 3 to 9 %. A third of the homes come
    /// again under new IDs. Portals have their own abbreviations, delays, agents and headlines; a tenth of the prices on a
    /// second portal differ, half of the headlines are what a portal makes of its fields, and two in a hundred rooms, years and
    /// lots are wrong.
    #[must_use]
    pub fn of(seed: u64, custom: AddressCustom, homes: u32) -> Vec<Advert> {
        let stream = 77 + custom as u64;
        let mut adverts = Self { random: Random::new(seed, stream), custom, next_id: 1_000, adverts: Vec::new() };
        let mut number = 0;
        while number < homes {
            let quarter = adverts.below(10);
            if adverts.random.chance(97) {
                for home in adverts.building(number, quarter) {
                    number += 1;
                    adverts.show(&home);
                }
            } else {
                let home = adverts.house(number, quarter);
                number += 1;
                adverts.show(&home);
            }
        }
        adverts.adverts
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.below(bound as u64)).unwrap_or(0)
    }

    fn is_numbered(&self) -> bool {
        self.custom == AddressCustom::Numbered
    }

    fn place(&mut self, quarter: usize) -> (i32, i32) {
        let (latitude, longitude) = words::centre(self.is_numbered(), quarter);
        let mut near = |centre: i32| centre + i32::try_from(self.random.between(-12_000, 12_000)).unwrap_or(0);
        (near(latitude), near(longitude))
    }

    fn house(&mut self, number: u32, quarter: usize) -> TrueHome {
        let bedrooms = self.random.pick(&[2, 3, 3, 3, 4, 4, 5]);
        let per_bedroom = self.random.between(430, 640);
        let size = i64::from(bedrooms) * per_bedroom;
        let property_type = if self.is_numbered() {
            self.random.pick(&[
                PropertyType::SingleFamilyResidence,
                PropertyType::SingleFamilyResidence,
                PropertyType::SingleFamilyResidence,
                PropertyType::Townhouse,
            ])
        } else {
            self.random.pick(&[PropertyType::Apartment, PropertyType::Apartment, PropertyType::SingleFamilyResidence])
        };
        let area = if self.is_numbered() { size } else { size / 14 };
        let coordinates = self.place(quarter);
        TrueHome {
            number,
            quarter,
            building: None,
            street: self.below(words::STREETS.len()),
            house: self.random.between(1, 1_999),
            unit: None,
            property_type,
            bedrooms,
            bathrooms: self.random.pick(&[100, 150, 200, 200, 250, 300]),
            area,
            lot: Some(area * self.random.between(15, 60) / 10).filter(|_| property_type != PropertyType::Apartment),
            year: i16::try_from(self.random.between(1920, 2022)).unwrap_or(2000),
            coordinates,
            price: self.price(area),
        }
    }

    /// A building of four to forty units with two to six layouts, of which some are for sale in these two years.
    fn building(&mut self, first: u32, quarter: usize) -> Vec<TrueHome> {
        let mut layouts = Vec::new();
        for _ in 0..self.random.between(2, 6) {
            let bedrooms = self.random.pick(&[0, 1, 1, 2, 2, 3]);
            let area = (i64::from(bedrooms) + 1) * self.random.between(310, 520);
            layouts.push((
                bedrooms,
                if self.is_numbered() { area } else { area / 10 },
                self.random.pick(&[100_u16, 100, 200]),
            ));
        }
        let (street, house, coordinates) =
            (self.below(words::STREETS.len()), self.random.between(1, 1_999), self.place(quarter));
        let year = i16::try_from(self.random.between(1950, 2023)).unwrap_or(2000);
        let sold = self.random.between(2, 8);
        let mut homes: Vec<TrueHome> = Vec::new();
        for _ in 0..sold {
            let (floor, door) = (self.random.between(1, 9), self.random.between(1, 8));
            let unit = if house % 2 == 0 {
                format!("{floor}{door:02}")
            } else {
                format!("{floor}{}", char::from(b'A' + u8::try_from(door - 1).unwrap_or(0)))
            };
            if homes.iter().any(|home| home.unit.as_ref() == Some(&unit)) {
                continue;
            }
            let (bedrooms, area, bathrooms) = self.random.pick(&layouts);
            homes.push(TrueHome {
                number: first + u32::try_from(homes.len()).unwrap_or(0),
                quarter,
                building: Some(first),
                street,
                house,
                unit: Some(unit),
                property_type: if self.is_numbered() { PropertyType::Condominium } else { PropertyType::Apartment },
                bedrooms,
                bathrooms,
                area,
                lot: None,
                year,
                coordinates,
                price: self.price(area),
            });
        }
        homes
    }

    /// A price as people ask it: whole thousands, often ending in 9, in Morocco tens of thousands.
    fn price(&mut self, area: i64) -> i64 {
        if self.is_numbered() {
            let price = area * self.random.between(180, 420) / 1_000;
            if self.random.chance(400) { price / 10 * 10 + 9 } else { price / 5 * 5 + 5 }
        } else {
            let price = area * self.random.between(7_000, 17_000) / 10_000;
            (if self.random.chance(600) { (price / 5 + 1) * 5 } else { price + 1 }) * 10
        }
    }

    /// The stays of a home on the market, each on its portals.
    fn show(&mut self, home: &TrueHome) {
        let mut from = self.random.between(0, 600);
        let stays = if self.random.chance(330) { 2 } else { 1 };
        let mut price = home.price;
        for _ in 0..stays {
            let until = from + self.random.between(20, 90);
            let portals =
                if self.random.chance(400) { usize::try_from(self.random.between(2, 5)).unwrap_or(2) } else { 1 };
            let first = self.below(5);
            let headline = self.headline(home);
            for at in 0..portals {
                let delay = if at == 0 { 0 } else { self.random.between(0, 5) };
                // Another agent, or a portal that is late.
                let is_other = at > 0 && self.random.chance(100);
                let asked = if is_other { price * self.random.between(97, 103) / 100 } else { price };
                let headline = if self.random.chance(600) { headline.clone() } else { self.headline(home) };
                self.advertise(home, (first + at) % 5, from + delay, until + delay, asked, headline);
            }
            from = until + self.random.between(10, 200);
            price = price * self.random.between(90, 104) / 100;
        }
    }

    fn headline(&mut self, home: &TrueHome) -> String {
        if self.random.chance(500) {
            let place = if self.is_numbered() {
                words::AMERICAN_PLACES[home.quarter].0
            } else {
                words::MOROCCAN_PLACES[home.quarter].1
            };
            let kind = home.property_type.words();
            return format!("{kind} for sale with {} bedrooms in {place}", home.bedrooms);
        }
        let mut words: Vec<&str> = Vec::new();
        for _ in 0..self.random.between(4, 7) {
            words.push(self.random.pick(&words::HEADLINES));
        }
        words.join(" ")
    }

    fn advertise(&mut self, home: &TrueHome, portal: usize, from: i64, until: i64, price: i64, headline: String) {
        self.next_id += 1 + self.random.below(7);
        let currency = if self.is_numbered() { Currency::USD } else { Currency::MAD };
        let mut listing = Listing::new(Purpose::Sale, currency, self.address(home, portal));
        listing.status = Status::Active;
        listing.list_price = Some(Minor(price * 100_000));
        listing.property_type = Some(self.type_at(home, portal));
        // A den is a bedroom to some, and a half bath none.
        listing.bedrooms = Some(home.bedrooms + u8::from(self.random.chance(20)));
        let bathrooms = home.bathrooms + if self.random.chance(20) { 50 } else { 0 };
        listing.bathrooms_hundredths = (!self.random.chance(100)).then_some(bathrooms);
        let off = self.random.chance(100).then(|| self.random.pick(&[-90, -70, -50, -40, 40, 50, 70, 90]));
        let area = home.area + home.area * off.unwrap_or(0) / 1_000;
        let unit = if self.is_numbered() { AreaUnit::SquareFeet } else { AreaUnit::SquareMeters };
        let size = |area: i64| Area::of(u32::try_from(area).unwrap_or(1), unit);
        listing.living_area = (!self.random.chance(30)).then(|| size(area));
        let lot = home.lot.map(|lot| if self.random.chance(20) { lot * 11 / 10 } else { lot });
        listing.lot_area = lot.filter(|_| !self.random.chance(400)).map(size);
        let year = home.year - if self.random.chance(20) { 3 } else { 0 };
        listing.year_built = (!self.random.chance(if self.is_numbered() { 250 } else { 700 })).then_some(year);
        listing.details.title = Some(headline);
        let start = Time::from_ms(1_704_067_200_000);
        let observe = |day: i64| {
            let at = start.plus_ms(day * Time::DAY_MS);
            Observation {
                source: Arc::from(words::PORTALS[portal]),
                native_id: self.next_id.to_string(),
                at,
                seen: at,
                seq: 0,
                versioned: false,
                initial: false,
                watch: Watch::Once,
                listing: listing.clone(),
            }
        };
        let observations = vec![observe(from), observe(until)];
        self.adverts.push(Advert { home: home.number, in_building: home.building.is_some(), observations });
    }

    /// Portals do not name types alike.
    fn type_at(&self, home: &TrueHome, portal: usize) -> PropertyType {
        match home.property_type {
            PropertyType::Condominium if portal == 1 || portal == 4 => PropertyType::Apartment,
            PropertyType::Townhouse if portal == 2 => PropertyType::SingleFamilyResidence,
            other => other,
        }
    }

    fn address(&mut self, home: &TrueHome, portal: usize) -> Address {
        let round = |degrees: i32| (degrees + 500).div_euclid(1_000) * 1_000;
        let exact = home.coordinates;
        let coordinates = if self.random.chance(200) { (round(exact.0), round(exact.1)) } else { exact };
        let mut address = Address::default();
        if self.is_numbered() {
            let (city, region, postal_code) = words::AMERICAN_PLACES[home.quarter];
            address.city = Some(city.to_owned());
            address.region = Some(region.to_owned());
            address.postal_code = Some(postal_code.to_owned());
            address.country = Some("US".to_owned());
            address.line = Some(self.line(home, portal));
        } else {
            let (city, quarter) = words::MOROCCAN_PLACES[home.quarter];
            address.city = Some(city.to_owned());
            address.neighbourhood = Some(quarter.to_owned());
            address.country = Some("MA".to_owned());
        }
        let coordinates = match (self.custom, portal) {
            (AddressCustom::Numbered, _) => Some(coordinates),
            // One portal tells the place, two that of the quarter, two none.
            (AddressCustom::Quarter, 0) => Some(coordinates),
            (AddressCustom::Quarter, 1 | 2) => Some(words::centre(false, home.quarter)),
            (AddressCustom::Quarter, _) => None,
        };
        (address.latitude_e6, address.longitude_e6) = coordinates.unzip();
        address
    }

    /// Street, number and unit in the words of a portal.
    fn line(&mut self, home: &TrueHome, portal: usize) -> String {
        let (direction, name, kind) = words::STREETS[home.street];
        let mut name = name.to_owned();
        if self.random.chance(100) {
            name = self.misspelt(&name);
        }
        let is_short = portal.is_multiple_of(2);
        let (direction, kind) = if is_short { (direction.0, kind.0) } else { (direction.1, kind.1) };
        let house = home.house;
        let mut line = [house.to_string(), direction.to_owned(), name, kind.to_owned()]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        if let Some(unit) = home.unit.as_ref().filter(|_| !self.random.chance(50)) {
            let unit = match portal {
                0 => format!(" #{unit}"),
                1 => format!(", Apt {unit}"),
                2 => format!(" Unit {unit}"),
                3 => format!(" {unit}"),
                _ => format!(" APT. {unit}"),
            };
            line.push_str(&unit);
        }
        if portal == 4 { line.to_uppercase() } else { line }
    }

    /// A letter is left out, doubled or swapped with the next one.
    fn misspelt(&mut self, name: &str) -> String {
        let mut letters: Vec<char> = name.chars().collect();
        let at = 1 + self.below(letters.len().saturating_sub(2).max(1));
        match self.random.below(3) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, letters[at]),
            _ if at + 1 < letters.len() => letters.swap(at, at + 1),
            _ => {}
        }
        letters.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// In thousandths.
    fn share<T>(of: &[T], is: impl Fn(&&T) -> bool) -> usize {
        of.iter().filter(is).count() * 1_000 / of.len()
    }

    #[test]
    fn adverts_have_the_promised_rates() {
        let adverts = Adverts::of(9, AddressCustom::Numbered, 6_000);
        let mut homes: BTreeMap<u32, Vec<&Advert>> = BTreeMap::new();
        adverts.iter().for_each(|advert| homes.entry(advert.home).or_default().push(advert));
        let homes: Vec<Vec<&Advert>> = homes.into_values().collect();
        let listing = |advert: &Advert| advert.observations[0].listing.clone();
        assert!((300..370).contains(&share(&homes, |home| home[0].in_building)));
        // The first stay: adverts that begin within five days of the first.
        let portals = |home: &[&Advert]| -> usize {
            let first = home[0].observations[0].at.ms();
            let stay = home.iter().filter(|it| it.observations[0].at.ms() - first <= 5 * Time::DAY_MS);
            stay.map(|it| it.observations[0].source.clone()).collect::<BTreeSet<_>>().len()
        };
        assert!((370..430).contains(&share(&homes, |home| portals(home) > 1)));
        assert!(homes.iter().all(|home| (1..=5).contains(&portals(home))));
        let in_buildings: Vec<&Advert> = adverts.iter().filter(|advert| advert.in_building).collect();
        let says_unit = |advert: &&&Advert| {
            let line = listing(advert).address.line.unwrap_or_default();
            line.split_whitespace().last().is_some_and(|last| last.contains(|c: char| c.is_ascii_digit()))
        };
        assert!((930..970).contains(&share(&in_buildings, says_unit)));
        let is_rounded = |advert: &&Advert| listing(advert).address.latitude_e6.is_some_and(|it| it % 1_000 == 0);
        assert!((180..220).contains(&share(&adverts, is_rounded)));
        assert!(Adverts::of(9, AddressCustom::Quarter, 50).iter().all(|advert| listing(advert).address.line.is_none()));
    }
}
