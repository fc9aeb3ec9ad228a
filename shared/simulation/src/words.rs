//! The fictional words of listings: streets, offices, remarks. None needs escaping in JSON.

pub(crate) static AMERICAN_STREETS: [&str; 24] = [
    "Alder Hollow Ave",
    "Bellwether St",
    "Birchmere Dr",
    "Calloway Ct",
    "Copper Lantern Ln",
    "Dovetail Rd",
    "Eastmarch Blvd",
    "Fernbank St",
    "Gristmill Way",
    "Halcyon Ave",
    "Ironbridge Rd",
    "Juniper Terrace Pl",
    "Kestrel Ct",
    "Larkrise St",
    "Millrace Dr",
    "Northlight Ave",
    "Orchard Gate Ln",
    "Pemberly St",
    "Quarry Hill Rd",
    "Ropewalk Ave",
    "Saltmarsh Dr",
    "Thistledown St",
    "Underhill Ter",
    "Wren Meadow Ln",
];

pub(crate) static MOROCCAN_STREETS: [&str; 12] = [
    "Rue des Amandiers",
    "Rue du Figuier",
    "Avenue des Mouettes",
    "Rue Oued Ziz",
    "Avenue du Phare",
    "Rue des Potiers",
    "Boulevard des Orangers",
    "Rue de la Source",
    "Rue Jbel Lakraa",
    "Avenue des Palmiers",
    "Impasse du Four",
    "Rue des Tisserands",
];

pub(crate) static OFFICES: [&str; 16] = [
    "Harbor and Pine Realty",
    "Northgate Homes Group",
    "Lantern Street Properties",
    "Blue Heron Brokers",
    "Cornerstone Row Realty",
    "Maple and Main Real Estate",
    "Keystone Porch Realty",
    "Front Stoop Residential",
    "Tall Window Properties",
    "Brickyard Realty Partners",
    "Sunward Homes",
    "Old Mill Real Estate",
    "Gatepost Residential",
    "Riverbend Brokerage",
    "Three Chimneys Realty",
    "Wayfarer Property Group",
];

pub(crate) static OPENINGS: [&str; 12] = [
    "Welcome home to this light-filled residence on a quiet, tree-lined block close to parks, shops and transit.",
    "Rare opportunity in one of the most sought-after parts of town, offered for the first time in over a decade.",
    "Thoughtfully renovated from top to bottom, with original character kept wherever it mattered most.",
    "Set back from the street behind a low brick wall, this home offers privacy without giving up convenience.",
    "A generous floor plan, tall windows and a layout that simply works make this an easy place to call home.",
    "Beautifully maintained and truly move-in ready, just minutes from downtown, schools and the river path.",
    "Corner setting with morning sun in the kitchen and evening sun on the deck; come and see it for yourself.",
    "Classic curb appeal outside, fresh and modern inside, with room to grow in every direction.",
    "Endless potential for the right buyer: solid bones, great location and priced to let you add your own touch.",
    "Tucked at the end of a cul-de-sac, this well-loved home backs onto open green space and mature trees.",
    "Bright, airy and wonderfully quiet, with storage everywhere you could wish for it and then some.",
    "Steps from the farmers market and the library, this is city living with a front porch and a garden gate.",
];

pub(crate) static MIDDLES: [&str; 12] = [
    " The kitchen has quartz counters, soft-close cabinets and a gas range, and opens to the dining area.",
    " Hardwood floors run through the main level, and the living room is warmed by a wood-burning fireplace.",
    " The primary suite has a walk-in closet and an updated bath with double vanity and a tiled shower.",
    " A finished lower level adds a family room, a home office and a second full bath for guests.",
    " Recent updates include the roof, the furnace, all windows and a tankless water heater.",
    " In-unit laundry, central air and a deeded parking space complete the picture.",
    " The fenced back yard has raised beds, a stone patio and space enough for a game of catch.",
    " High ceilings, exposed brick and oversized windows give the main room its unmistakable character.",
    " There is a mudroom by the side door, a walk-in pantry and a bonus room above the garage.",
    " Smart thermostat, new insulation and solar panels keep the running costs pleasantly low.",
    " The building offers a roof deck, a bicycle room and a friendly on-site manager.",
    " Two of the bedrooms share a balcony with a long view over the rooftops to the hills.",
];

pub(crate) static ENDINGS: [&str; 8] = [
    " Showings by appointment; please allow two hours notice.",
    " Open house this Saturday from eleven to one.",
    " Pre-inspected, with the report available on request.",
    " Flexible closing date; the owners have found their next home.",
    " Home warranty included for the first year.",
    " Buyer to verify measurements and schools.",
    " Do not miss it: homes on this block seldom come up.",
    " Sold as is; bring your ideas.",
];

/// Word number `n`, modulo the number of words.
pub(crate) fn nth(words: &'static [&'static str], n: u64) -> &'static str {
    let len = words.len() as u64;
    words[usize::try_from(n % len).unwrap_or(0)]
}
