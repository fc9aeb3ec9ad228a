//! Compares two listings: what speaks for one home, and what excludes it.

use stoop_domain::PropertyType;

use crate::findings::{DOUBT_WEIGHT, Finding, Trait};
use crate::rulings::PairRuling;
use crate::street::StreetMatch;
use crate::traits::ListingTraits;

/// Why two listings cannot be of one home, whatever else agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Veto {
    /// The addresses name two units of a building.
    OtherUnit,
    /// The addresses name two floors.
    OtherFloor,
    /// The addresses name two numbers of a street, or two streets, unless they are one place.
    OtherAddress,
    /// The first prices are more than 30 % apart, or more than 15 % with another size or other rooms.
    OtherPrice,
    /// The headlines have two numbers of one agency.
    OtherReference,
    /// One is a home and the other land, commercial or a room.
    OtherUse,
    /// One source shows both at the same time, with another size, other rooms or another price.
    AtOnce,
    /// A person ruled that they are two homes.
    Ruled,
}

/// What comparing two listings found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// One finding for each trait that both listings have.
    pub findings: Vec<Finding>,
    /// What excludes that they are one home.
    pub veto: Option<Veto>,
    /// The sum of the weights that count, in tenths of a bit.
    pub weight: i32,
    /// What a person ruled, if one did: it counts more than all else.
    pub ruling: Option<PairRuling>,
}

/// What two listings share with so many others that it does not tell homes apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Common {
    /// The coordinates are those of a quarter, a postal code or a large building.
    pub coordinates: bool,
    /// The headline is what a portal makes of its fields.
    pub title: bool,
    /// Their source listed many others in their area on that day.
    pub listed: bool,
}

/// See [`Comparison::strength`].
const RULED_WEIGHT: i32 = 10_000;

impl Comparison {
    /// Compares two listings, of which many others share what `common` says.
    #[must_use]
    pub fn of(a: &ListingTraits, b: &ListingTraits, common: Common) -> Self {
        let found = [
            address(a, b),
            coordinates(a, b, common.coordinates),
            property_type(a, b),
            bedrooms(a, b),
            bathrooms(a, b),
            living_area(a, b),
            lot_area(a, b),
            year_built(a, b),
            price(a, b),
            title(a, b, common.title),
            same_reference(a, b).filter(|same| *same).map(|_| Finding::SameReference),
            listed(a, b, common.listed),
            source(a, b),
        ];
        let findings: Vec<Finding> = found.into_iter().flatten().collect();
        let says_building = findings
            .iter()
            .any(|finding| finding.of() == Trait::Address && finding.weight() > 0 && *finding != Finding::SameStreet);
        // The address says which building it is. That the building is there and of that age adds nothing, and homes of one
        // size in it have the same rooms.
        let repeats = |finding: &Finding| {
            let says_again = [
                Trait::Coordinates,
                Trait::YearBuilt,
                Trait::LotArea,
                Trait::Bedrooms,
                Trait::Bathrooms,
                Trait::PropertyType,
            ];
            says_building && finding.weight() > 0 && says_again.contains(&finding.of())
        };
        let weight: i32 = findings.iter().filter(|finding| !repeats(finding)).map(|finding| finding.weight()).sum();
        // What is missing is never a match: place and rooms alone join nothing, and neither does a building whose homes are
        // listed together.
        let counts = |finding: &&Finding| !says_building || **finding != Finding::ListedTogether;
        let identifies: u32 = findings.iter().filter(counts).map(|finding| finding.identifies()).sum();
        let weight = if identifies < 2 { weight.min(DOUBT_WEIGHT) } else { weight };
        Self { veto: veto(a, b, &findings), findings, weight, ruling: None }
    }

    /// How much speaks for one home: the weight, or more than all findings together if a person ruled so.
    #[must_use]
    pub fn strength(&self) -> i32 {
        if self.ruling == Some(PairRuling::OneHome) { RULED_WEIGHT } else { self.weight }
    }

    /// Whether something in it alone tells the home from all others.
    pub(crate) fn is_strong(&self) -> bool {
        self.ruling == Some(PairRuling::OneHome) || self.findings.iter().any(|finding| finding.is_strong())
    }

    /// With what a person ruled on the pair.
    #[must_use]
    pub(crate) fn ruled(mut self, ruling: PairRuling) -> Self {
        self.ruling = Some(ruling);
        match ruling {
            PairRuling::OneHome => self.veto = None,
            PairRuling::TwoHomes => self.veto = Some(Veto::Ruled),
        }
        self
    }
}

fn veto(a: &ListingTraits, b: &ListingTraits, findings: &[Finding]) -> Option<Veto> {
    let differs = |a: Option<&str>, b: Option<&str>| a.zip(b).is_some_and(|(a, b)| a != b);
    let has = |wanted: &[Finding]| findings.iter().any(|finding| wanted.contains(finding));
    let streets = a.street.as_ref().zip(b.street.as_ref()).map(|(a, b)| a.compare(b));
    let other_layout =
        has(&[Finding::NearBedrooms, Finding::OtherBedrooms, Finding::OtherArea, Finding::OtherBathrooms]);
    let at_once = has(&[Finding::AtOnce]);
    let price = first_prices_apart(a, b);
    match () {
        () if differs(a.unit(), b.unit()) => Some(Veto::OtherUnit),
        () if differs(a.floor(), b.floor()) => Some(Veto::OtherFloor),
        () if matches!(streets, Some(StreetMatch::OtherNumber | StreetMatch::OtherPart)) => Some(Veto::OtherAddress),
        // A street has two names at times, and a corner house two streets, but then it stands where the other one does.
        () if streets == Some(StreetMatch::OtherStreet)
            && (numbers_differ(a, b) || have_other_names(a, b) && !has(&[Finding::Within20Metres])) =>
        {
            Some(Veto::OtherAddress)
        }
        () if same_reference(a, b) == Some(false) => Some(Veto::OtherReference),
        () if a.property_type.zip(b.property_type).is_some_and(|(a, b)| use_of(a) != use_of(b)) => Some(Veto::OtherUse),
        () if price.is_some_and(|apart| apart > 300 || apart > 150 && other_layout) => Some(Veto::OtherPrice),
        () if at_once && (other_layout || has(&[Finding::SimilarArea]) || price.is_some_and(|apart| apart > 0)) => {
            Some(Veto::AtOnce)
        }
        () => None,
    }
}

/// Homes, and what is never confused with them.
fn use_of(property_type: PropertyType) -> Option<PropertyType> {
    let is_other = matches!(
        property_type,
        PropertyType::Land | PropertyType::Farm | PropertyType::Commercial | PropertyType::Room
    );
    is_other.then_some(property_type)
}

/// Whether both addresses have a number, in streets of other names.
fn have_other_names(a: &ListingTraits, b: &ListingTraits) -> bool {
    a.street
        .as_ref()
        .zip(b.street.as_ref())
        .is_some_and(|(a, b)| a.number.is_some() && b.number.is_some() && a.has_another_name(b))
}

/// Whether both addresses have a number, and not the same.
fn numbers_differ(a: &ListingTraits, b: &ListingTraits) -> bool {
    let number = |it: &ListingTraits| it.street.as_ref().and_then(|street| street.number.clone());
    number(a).zip(number(b)).is_some_and(|(a, b)| a != b)
}

/// How far apart the first prices are, in thousandths of the higher one. `None` if one is unknown or they are of another
/// purpose or currency.
fn first_prices_apart(a: &ListingTraits, b: &ListingTraits) -> Option<i64> {
    if (a.purpose, a.currency) != (b.purpose, b.currency) {
        return None;
    }
    let (a, b) = (a.first_price?.0, b.first_price?.0);
    let high = i128::from(a.max(b).max(1));
    i64::try_from(i128::from(a.abs_diff(b)) * 1_000 / high).ok()
}

fn address(a: &ListingTraits, b: &ListingTraits) -> Option<Finding> {
    let (one, other) = (a.street.as_ref()?, b.street.as_ref()?);
    let both_say_unit = one.unit.is_some() && one.unit == other.unit;
    let is_house = |it: &ListingTraits| {
        matches!(
            it.property_type,
            Some(PropertyType::SingleFamilyResidence | PropertyType::Townhouse | PropertyType::ManufacturedHome)
        )
    };
    // Two houses without a unit are the house. Two flats without a unit may be any two flats.
    let is_whole_house = one.unit.is_none() && other.unit.is_none() && is_house(a) && is_house(b);
    Some(match one.compare(other) {
        StreetMatch::Number if both_say_unit => Finding::SameUnit,
        StreetMatch::Number if is_whole_house => Finding::SameHouse,
        StreetMatch::Number => Finding::SameBuilding,
        StreetMatch::Misspelt if both_say_unit => Finding::MisspeltUnit,
        StreetMatch::Misspelt if is_whole_house => Finding::MisspeltHouse,
        StreetMatch::Misspelt => Finding::MisspeltBuilding,
        StreetMatch::Street => Finding::SameStreet,
        StreetMatch::OtherNumber | StreetMatch::OtherStreet | StreetMatch::OtherPart => Finding::OtherStreet,
    })
}

fn coordinates(a: &ListingTraits, b: &ListingTraits, is_common: bool) -> Option<Finding> {
    let (one, other) = (a.coordinates?, b.coordinates?);
    if is_common {
        return (one == other).then_some(Finding::CommonCoordinates);
    }
    Some(match metres(one, other) {
        0..=20 => Finding::Within20Metres,
        21..=100 => Finding::Within100Metres,
        101..=300 => Finding::Within300Metres,
        301..=1_000 => Finding::Within1000Metres,
        _ => Finding::FurtherApart,
    })
}

/// The distance in metres, on a sphere, up to a few kilometres. The cosine is Bhaskara's approximation, which every
/// computer gives alike.
fn metres(a: (i32, i32), b: (i32, i32)) -> i64 {
    // A degree of latitude is 111,195 m.
    let (north, east) = (i64::from(a.0) - i64::from(b.0), i64::from(a.1) - i64::from(b.1));
    let latitude = i64::from(a.0.midpoint(b.0)) / 1_000;
    let squared = latitude * latitude / 1_000_000;
    let cosine = (32_400 - 4 * squared) * 10_000 / (32_400 + squared);
    let (north, east) = (north * 111_195 / 1_000_000, east * 111_195 / 1_000_000 * cosine / 10_000);
    (north * north + east * east).isqrt()
}

fn property_type(a: &ListingTraits, b: &ListingTraits) -> Option<Finding> {
    let (one, other) = (a.property_type?, b.property_type?);
    let kind = |property_type| match property_type {
        PropertyType::Apartment | PropertyType::Condominium => 0,
        PropertyType::Townhouse | PropertyType::SingleFamilyResidence | PropertyType::MultiFamily => 1,
        _ => 2,
    };
    Some(match () {
        () if one == other => Finding::SameType,
        () if kind(one) < 2 && kind(one) == kind(other) => Finding::KindredType,
        () if one == PropertyType::Other || other == PropertyType::Other => Finding::KindredType,
        // A condominium can be a row house.
        () if kind(one) < 2 && kind(other) < 2 && [one, other].contains(&PropertyType::Townhouse) => {
            Finding::KindredType
        }
        () => Finding::OtherType,
    })
}

fn bedrooms(a: &ListingTraits, b: &ListingTraits) -> Option<Finding> {
    Some(match a.bedrooms?.abs_diff(b.bedrooms?) {
        0 => Finding::SameBedrooms,
        1 => Finding::NearBedrooms,
        _ => Finding::OtherBedrooms,
    })
}

fn bathrooms(a: &ListingTraits, b: &ListingTraits) -> Option<Finding> {
    Some(match a.bathrooms?.abs_diff(b.bathrooms?) {
        0 => Finding::SameBathrooms,
        1..=100 => Finding::NearBathrooms,
        _ => Finding::OtherBathrooms,
    })
}

/// How far apart two areas are, in thousandths of the larger one.
fn apart(a: u64, b: u64) -> u64 {
    a.abs_diff(b) * 1_000 / a.max(b).max(1)
}

fn living_area(a: &ListingTraits, b: &ListingTraits) -> Option<Finding> {
    let (one, other) = (a.living_area?, b.living_area?);
    // Multiples of ten square metres or of a hundred square feet.
    let less = one.min(other);
    let square_feet = (less + 5) * 10_000 / 92_903;
    let is_round = less % 1_000 == 0 || square_feet % 100 == 0;
    Some(match apart(one, other) {
        0..=5 if is_round => Finding::SameRoundArea,
        0..=5 => Finding::SameOddArea,
        6..=30 => Finding::NearArea,
        31..=120 => Finding::SimilarArea,
        _ => Finding::OtherArea,
    })
}

fn lot_area(a: &ListingTraits, b: &ListingTraits) -> Option<Finding> {
    Some(if apart(a.lot_area?, b.lot_area?) <= 20 { Finding::SameLot } else { Finding::OtherLot })
}

fn year_built(a: &ListingTraits, b: &ListingTraits) -> Option<Finding> {
    Some(if a.year_built?.abs_diff(b.year_built?) <= 1 { Finding::SameYear } else { Finding::OtherYear })
}

fn price(a: &ListingTraits, b: &ListingTraits) -> Option<Finding> {
    let apart = first_prices_apart(a, b)?;
    let price = a.first_price?.0;
    Some(match apart {
        _ if a.first_price == b.first_price => {
            if significant_digits(price) <= 2 {
                Finding::SameRoundPrice
            } else {
                Finding::SameOddPrice
            }
        }
        0..=30 => Finding::NearPrice,
        31..=100 => Finding::SimilarPrice,
        _ => Finding::OtherPrice,
    })
}

/// The digits of a number without its trailing zeros.
fn significant_digits(mut number: i64) -> u32 {
    while number != 0 && number % 10 == 0 {
        number /= 10;
    }
    number.unsigned_abs().checked_ilog10().map_or(0, |digits| digits + 1)
}

fn title(a: &ListingTraits, b: &ListingTraits, is_common: bool) -> Option<Finding> {
    let (least, most) = (a.title.len().min(b.title.len()), a.title.len().max(b.title.len()));
    if least < 3 {
        return None;
    }
    let shared = a.title.iter().filter(|word| b.title.binary_search(word).is_ok()).count();
    Some(match () {
        () if shared == most && is_common => Finding::CommonTitle,
        () if shared == most => Finding::SameTitle,
        () if shared * 3 >= (least + most - shared) * 2 => Finding::SimilarTitle,
        () => Finding::OtherTitle,
    })
}

/// Whether both headlines have the same number of an agency. `None` if one has none, or they are of another form.
fn same_reference(a: &ListingTraits, b: &ListingTraits) -> Option<bool> {
    let ((letters, number), (others, other)) = (a.reference.as_ref()?, b.reference.as_ref()?);
    (letters == others && number.len() == other.len()).then_some(number == other)
}

fn listed(a: &ListingTraits, b: &ListingTraits, is_common: bool) -> Option<Finding> {
    if is_common || a.source() == b.source() || a.purpose != b.purpose {
        return None;
    }
    Some(if a.listed?.abs_diff(b.listed?) <= 7 { Finding::ListedTogether } else { Finding::ListedApart })
}

fn source(a: &ListingTraits, b: &ListingTraits) -> Option<Finding> {
    if a.source() != b.source() || a.purpose != b.purpose {
        return None;
    }
    Some(if a.overlaps(b) { Finding::AtOnce } else { Finding::OneAfterTheOther })
}
