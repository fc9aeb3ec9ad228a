//! Portals, streets and places of the adverts. The places are real, so that the gazetteer knows them; the streets are not.

pub(super) const PORTALS: [&str; 5] = ["alder", "birch", "cedar", "doyen", "elm"];

pub(super) const AMERICAN_PLACES: [(&str, &str, &str); 10] = [
    ("Chicago", "IL", "60614"),
    ("Chicago", "IL", "60657"),
    ("Seattle", "WA", "98103"),
    ("Seattle", "WA", "98115"),
    ("Austin", "TX", "78704"),
    ("Boston", "MA", "02118"),
    ("Denver", "CO", "80205"),
    ("Denver", "CO", "80211"),
    ("Atlanta", "GA", "30307"),
    ("Phoenix", "AZ", "85016"),
];

pub(super) const MOROCCAN_PLACES: [(&str, &str); 10] = [
    ("Casablanca", "Maarif"),
    ("Casablanca", "Gauthier"),
    ("Casablanca", "Bourgogne"),
    ("Casablanca", "Ain Diab"),
    ("Casablanca", "Racine"),
    ("Rabat", "Agdal"),
    ("Rabat", "Hay Riad"),
    ("Marrakech", "Gueliz"),
    ("Marrakech", "Hivernage"),
    ("Agadir", "Hay Mohammadi"),
];

/// The middle of a quarter or a postal code, in millionths of a degree.
pub(super) fn centre(is_numbered: bool, quarter: usize) -> (i32, i32) {
    let american = [
        (41_922_000, -87_653_000),
        (41_940_000, -87_653_000),
        (47_671_000, -122_342_000),
        (47_685_000, -122_297_000),
        (30_243_000, -97_765_000),
        (42_338_000, -71_070_000),
        (39_759_000, -104_966_000),
        (39_768_000, -105_020_000),
        (33_770_000, -84_336_000),
        (33_502_000, -112_031_000),
    ];
    let moroccan = [
        (33_577_000, -7_636_000),
        (33_590_000, -7_629_000),
        (33_600_000, -7_640_000),
        (33_595_000, -7_670_000),
        (33_588_000, -7_640_000),
        (34_002_000, -6_850_000),
        (33_960_000, -6_870_000),
        (31_636_000, -8_010_000),
        (31_622_000, -8_013_000),
        (30_420_000, -9_570_000),
    ];
    if is_numbered { american[quarter] } else { moroccan[quarter] }
}

/// A word of an address, short and in full.
type Forms = (&'static str, &'static str);

/// Direction, name and type of a street.
#[rustfmt::skip]
pub(super) const STREETS: [(Forms, &str, Forms); 40] = [
    (("N", "North"), "Bellwether", ("St", "Street")), (("S", "South"), "Bellwether", ("St", "Street")),
    (("", ""), "Bellwether", ("Ct", "Court")), (("", ""), "Copper Lantern", ("Ln", "Lane")),
    (("W", "West"), "Calloway", ("Ave", "Avenue")), (("E", "East"), "Calloway", ("Ave", "Avenue")),
    (("", ""), "Saint Florian", ("Pl", "Place")), (("", ""), "Old Orchard", ("Rd", "Road")),
    (("", ""), "14th", ("St", "Street")), (("", ""), "15th", ("St", "Street")),
    (("", ""), "16th", ("Ave", "Avenue")), (("NW", "Northwest"), "27th", ("Ave", "Avenue")),
    (("", ""), "Fernbank", ("Dr", "Drive")), (("", ""), "Fernbrook", ("Dr", "Drive")),
    (("", ""), "Larkrise", ("St", "Street")), (("", ""), "Larkspur", ("St", "Street")),
    (("", ""), "Millrace", ("Blvd", "Boulevard")), (("", ""), "Millbrook", ("Blvd", "Boulevard")),
    (("N", "North"), "Thistledown", ("Ter", "Terrace")), (("", ""), "Quarry Hill", ("Rd", "Road")),
    (("", ""), "Eastmarch", ("Way", "Way")), (("", ""), "Westmarch", ("Way", "Way")),
    (("", ""), "Ironbridge", ("Rd", "Road")), (("", ""), "Kestrel", ("Cir", "Circle")),
    (("", ""), "Pemberly", ("Pkwy", "Parkway")), (("", ""), "Wren Meadow", ("Trl", "Trail")),
    (("S", "South"), "Halcyon", ("Ave", "Avenue")), (("N", "North"), "Halcyon", ("Ave", "Avenue")),
    (("", ""), "Gristmill", ("Xing", "Crossing")), (("", ""), "Dovetail", ("Sq", "Square")),
    (("", ""), "Saltmarsh", ("Cv", "Cove")), (("", ""), "Underhill", ("Ln", "Lane")),
    (("", ""), "Ropewalk", ("Aly", "Alley")), (("", ""), "Juniper", ("St", "Street")),
    (("", ""), "Alder", ("St", "Street")), (("", ""), "Elder", ("St", "Street")),
    (("", ""), "Linden", ("Ave", "Avenue")), (("", ""), "Lindon", ("Ct", "Court")),
    (("", ""), "Northlight", ("Ave", "Avenue")), (("E", "East"), "Birchmere", ("Hts", "Heights")),
];

#[rustfmt::skip]
pub(super) const HEADLINES: [&str; 40] = [
    "bright", "spacious", "renovated", "modern", "charming", "corner", "quiet", "sunny", "balcony", "terrace", "garden",
    "garage", "parking", "view", "central", "family", "home", "flat", "kitchen", "open", "plan", "near", "station", "school",
    "park", "new", "floors", "high", "ceilings", "walk", "transit", "luxury", "cosy", "investment", "rare", "elevator", "secure",
    "residence", "standing", "fireplace",
];
