//! Words of street addresses, with one form for each.

/// Types of streets: USPS Publication 28, appendix C1, as far as addresses use them, and those of other languages.
const TYPES: &[(&str, &[&str])] = &[
    ("aly", &["alley", "allee", "ally", "aly"]),
    ("ave", &["avenue", "av", "ave", "aven", "avn", "avenida", "avda", "avd", "avenu"]),
    ("bnd", &["bend", "bnd"]),
    ("blvd", &["boulevard", "blvd", "bld", "boul", "bd", "bvd", "bulevar", "boulv"]),
    ("br", &["branch", "br"]),
    ("byp", &["bypass", "byp"]),
    ("calle", &["calle", "c", "cl", "carrer"]),
    ("cir", &["circle", "cir", "circ", "circl", "crcl"]),
    ("cl", &["close"]),
    ("cmn", &["common", "cmn"]),
    ("cor", &["corner", "cor"]),
    ("cres", &["crescent", "cres", "crsent", "crescnt"]),
    ("cswy", &["causeway", "cswy"]),
    ("ct", &["court", "ct", "crt"]),
    ("ctr", &["center", "centre", "ctr", "cntr"]),
    ("cv", &["cove", "cv"]),
    ("dr", &["drive", "dr", "drv", "driv"]),
    ("est", &["estate", "est"]),
    ("expy", &["expressway", "expy", "expw"]),
    ("ext", &["extension", "ext"]),
    ("frwy", &["freeway", "fwy", "frwy"]),
    ("gdns", &["gardens", "gdns", "gdn", "garden"]),
    ("gln", &["glen", "gln"]),
    ("grn", &["green", "grn"]),
    ("grv", &["grove", "grv", "grov"]),
    ("hbr", &["harbor", "harbour", "hbr"]),
    ("hwy", &["highway", "hwy"]),
    ("hl", &["hill", "hl"]),
    ("hls", &["hills", "hls"]),
    ("holw", &["hollow", "holw"]),
    ("hts", &["heights", "hts", "ht"]),
    ("imp", &["impasse", "imp"]),
    ("is", &["island", "isl"]),
    ("jct", &["junction", "jct"]),
    ("knl", &["knoll", "knl"]),
    ("lk", &["lake", "lk"]),
    ("ln", &["lane", "ln"]),
    ("lndg", &["landing", "lndg"]),
    ("loop", &["loop", "lp"]),
    ("mall", &["mall"]),
    ("mdws", &["meadows", "mdws", "meadow", "mdw"]),
    ("mews", &["mews"]),
    ("mnr", &["manor", "mnr"]),
    ("pass", &["pass", "passage", "psge"]),
    ("path", &["path"]),
    ("pike", &["pike"]),
    ("pkwy", &["parkway", "pkwy", "pky", "pkw", "prkwy"]),
    ("pl", &["place", "pl", "plaza", "plz", "platz", "praca", "piazza"]),
    ("pt", &["point", "pt"]),
    ("quai", &["quai"]),
    ("rd", &["road", "rd"]),
    ("rdg", &["ridge", "rdg"]),
    ("row", &["row"]),
    ("rte", &["route", "rte", "rt"]),
    ("rue", &["rue"]),
    ("rua", &["rua"]),
    ("run", &["run"]),
    ("shr", &["shore", "shr", "shores", "shrs"]),
    ("spg", &["spring", "spg", "springs", "spgs"]),
    ("sq", &["square", "sq", "sqr"]),
    ("st", &["street", "st", "str", "strt"]),
    ("ter", &["terrace", "ter", "terr"]),
    ("tpke", &["turnpike", "tpke", "trnpk"]),
    ("trce", &["trace", "trce"]),
    ("trl", &["trail", "trl", "tr"]),
    ("ul", &["ulica", "ul"]),
    ("via", &["via", "viale"]),
    ("vis", &["vista", "vis"]),
    ("vw", &["view", "vw"]),
    ("walk", &["walk"]),
    ("way", &["way", "wy"]),
    ("xing", &["crossing", "xing"]),
];

/// Types that stand before the name: *rue de la Paix*, *calle Mayor*, *Avenue B*.
const BEFORE_NAME: &[&str] =
    &["ave", "blvd", "calle", "imp", "pass", "pl", "quai", "rte", "rue", "rua", "ul", "via", "aly"];

const DIRECTIONS: &[(&str, &[&str])] = &[
    ("n", &["north", "n"]),
    ("e", &["east", "e"]),
    ("s", &["south", "s"]),
    ("w", &["west", "w"]),
    ("ne", &["northeast", "ne"]),
    ("nw", &["northwest", "nw"]),
    ("se", &["southeast", "se"]),
    ("sw", &["southwest", "sw"]),
];

/// Words before a unit's number or letter: USPS Publication 28, appendix C2, and those of other languages.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "#", "apartment", "apt", "appt", "appartement", "apto", "apartamento", "condo", "condominium", "departamento", "depto", "dept",
    "door", "flat", "homesite", "lgh", "lokal", "lot", "phase", "piso", "plot", "porte", "rm", "room", "site", "slip", "space", "spc",
    "ste", "suite", "top", "tur", "tuer", "u", "unit", "unt", "wohnung", "whg",
];

/// Words before a building's number, which is part of the unit.
const BUILDINGS: &[&str] =
    &["bldg", "building", "bloc", "block", "imm", "immeuble", "portal", "stiege", "tower", "tour", "trlr", "villa"];

/// Words that are a unit of their own.
const UNIT_NAMES: &[(&str, &[&str])] = &[
    ("bsmt", &["basement", "bsmt"]),
    ("coach", &["coach", "carriage"]),
    ("frnt", &["front", "frnt"]),
    ("garage", &["garage"]),
    ("garden", &["garden", "gdn"]),
    ("left", &["left"]),
    ("lowr", &["lower", "lowr"]),
    ("ph", &["penthouse", "ph"]),
    ("rear", &["rear"]),
    ("right", &["right"]),
    ("top", &["top"]),
    ("uppr", &["upper", "uppr"]),
];

const FLOORS: &[&str] = &["floor", "flr", "fl", "etage", "stock", "og", "obergeschoss", "planta", "andar"];

/// Words for the ground floor.
const GROUND_FLOORS: &[&str] = &["rdc", "erdgeschoss", "eg"];

/// Words before a house number.
const NUMBERS: &[&str] = &["no", "nr", "numero", "num", "n\u{b0}", "n\u{ba}"];

/// Words in a name that some leave out.
const SMALL: &[&str] = &[
    "de", "du", "des", "la", "le", "les", "l", "d", "of", "the", "del", "da", "do", "dos", "das", "di", "della", "el",
    "al",
];

const ORDINALS: &[&str] = &[
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];

/// What a source writes in place of an address that it does not tell.
const WITHHELD: &[&str] = &[
    "on request",
    "upon request",
    "undisclosed",
    "not disclosed",
    "withheld",
    "confidential",
    "auf anfrage",
    "sur demande",
    "a consultar",
    "po box",
    "p.o. box",
    "tbd",
    "unknown",
    "no address",
    "not available",
    "unavailable",
    "to be announced",
    "address hidden",
];

/// Roads with a number: the words that introduce it, longest first, and the one form.
const NUMBERED_ROADS: &[(&[&str], &str)] = &[
    (&["farm", "to", "market", "road"], "fm"),
    (&["farm", "to", "market"], "fm"),
    (&["united", "states", "highway"], "ushwy"),
    (&["us", "highway"], "ushwy"),
    (&["us", "hwy"], "ushwy"),
    (&["us", "route"], "ushwy"),
    (&["us", "rte"], "ushwy"),
    (&["u", "s", "highway"], "ushwy"),
    (&["u", "s", "hwy"], "ushwy"),
    (&["state", "highway"], "hwy"),
    (&["state", "hwy"], "hwy"),
    (&["state", "route"], "hwy"),
    (&["state", "rte"], "hwy"),
    (&["state", "road"], "hwy"),
    (&["state", "rd"], "hwy"),
    (&["county", "highway"], "cr"),
    (&["county", "hwy"], "cr"),
    (&["county", "road"], "cr"),
    (&["county", "rd"], "cr"),
    (&["co", "rd"], "cr"),
    (&["highway"], "hwy"),
    (&["hwy"], "hwy"),
    (&["interstate"], "i"),
    (&["fm"], "fm"),
    (&["sr"], "hwy"),
    (&["sh"], "hwy"),
    (&["cr"], "cr"),
    (&["us"], "ushwy"),
];

/// Words that portals make headlines of: they say what the type, the rooms and the purpose say.
#[rustfmt::skip]
const TRADE: &[&str] = &[
    // English
    "and", "apartment", "area", "bath", "bathroom", "bathrooms", "baths", "bed", "bedroom", "bedrooms", "beds", "condo", "condominium",
    "family", "flat", "floor", "for", "home", "house", "listing", "living", "lot", "new", "rent", "rental", "room", "rooms", "sale",
    "single", "sqft", "square", "studio", "the", "townhouse", "unit", "villa", "with",
    // French
    "acheter", "appart", "appartement", "appartements", "avec", "bain", "chambre", "chambres", "dans", "des", "louer", "location",
    "maison", "metres", "neuf", "piece", "pieces", "pour", "salon", "situe", "superficie", "surface", "sur", "une", "vendre", "vente",
    // German
    "haus", "immobilie", "kaufen", "kauf", "mieten", "miete", "mietwohnung", "mit", "und", "wohnung", "zimmer", "zur", "zum",
    // Spanish, Portuguese, Italian
    "affitto", "alquiler", "apartamento", "arrendar", "camere", "casa", "con", "dormitorios", "habitaciones", "locali", "moradia",
    "para", "piso", "quartos", "venda", "vendita", "venta",
    // Arabic
    "\u{634}\u{642}\u{629}", "\u{634}\u{642}\u{642}", "\u{644}\u{644}\u{628}\u{64a}\u{639}", "\u{644}\u{644}\u{643}\u{631}\u{627}\u{621}",
];

/// Whether a word of a headline says what other fields say.
pub(crate) fn is_trade(word: &str) -> bool {
    TRADE.contains(&word)
}

fn one_form(table: &[(&'static str, &[&str])], word: &str) -> Option<&'static str> {
    table.iter().find(|(_, forms)| forms.contains(&word)).map(|(form, _)| *form)
}

/// The one form of a type of street: `st` for *street* and *str*.
pub(crate) fn street_type(word: &str) -> Option<&'static str> {
    one_form(TYPES, word)
}

/// Whether streets of this type also have it before their name.
pub(crate) fn stands_before_name(street_type: &str) -> bool {
    BEFORE_NAME.contains(&street_type)
}

/// Whether streets of this type never have it after their name.
pub(crate) fn only_before_name(street_type: &str) -> bool {
    ["calle", "rue", "rua", "quai", "ul", "via"].contains(&street_type)
}

/// The one form of a direction: `nw` for *northwest*.
pub(crate) fn direction(word: &str) -> Option<&'static str> {
    one_form(DIRECTIONS, word)
}

/// Whether the word introduces the number of a unit.
pub(crate) fn introduces_unit(word: &str) -> bool {
    UNITS.contains(&word)
}

/// Whether the word introduces the number of a building.
pub(crate) fn introduces_building(word: &str) -> bool {
    BUILDINGS.contains(&word)
}

/// The one form of a word that is a unit of its own, like *penthouse*.
pub(crate) fn unit_name(word: &str) -> Option<&'static str> {
    one_form(UNIT_NAMES, word)
}

pub(crate) fn is_floor(word: &str) -> bool {
    FLOORS.contains(&word)
}

pub(crate) fn is_ground_floor(word: &str) -> bool {
    GROUND_FLOORS.contains(&word)
}

/// Whether the word introduces a house number.
pub(crate) fn introduces_number(word: &str) -> bool {
    NUMBERS.contains(&word)
}

pub(crate) fn is_small(word: &str, country: &str) -> bool {
    match country {
        "US" | "CA" | "GB" | "IE" | "AU" | "NZ" => matches!(word, "of" | "the"),
        _ => SMALL.contains(&word),
    }
}

/// The number that a word says: `one` to `twelve` and Roman numerals up to `x`, as units have them.
pub(crate) fn number_word(word: &str) -> Option<usize> {
    let english = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let roman = ["", "ii", "iii", "iv", "", "vi", "vii", "viii", "ix"];
    let at = |words: &[&str]| words.iter().position(|it| *it == word).map(|at| at + 1);
    at(&english).or_else(|| at(&roman))
}

/// Whether it is the code of a state of the United States, which names its highways: *IL-12*.
fn is_state(word: &str) -> bool {
    const STATES: &str = "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or \
                          pa ri sc sd tn tx ut vt va wa wv wi wy dc";
    word.len() == 2 && STATES.split_whitespace().any(|state| state == word)
}

/// Whether these letters before a hyphen and a number name a road, not a unit.
pub(crate) fn begins_road(word: &str) -> bool {
    is_state(word) || matches!(word, "us" | "sr" | "cr" | "fm" | "sh" | "i" | "rt")
}

/// `5` for *5th*, *fifth* and *5e*, which is a unit where nobody counts so.
pub(crate) fn ordinal(word: &str, country: &str) -> Option<String> {
    if let Some(at) = ORDINALS.iter().position(|name| *name == word) {
        return Some((at + 1).to_string());
    }
    if word == "mlk" {
        return Some("martinlutherking".to_owned());
    }
    if let Some(at) = word.strip_prefix("twenty").and_then(|rest| ORDINALS[..9].iter().position(|name| *name == rest)) {
        return Some((at + 21).to_string());
    }
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ends: &[&str] = match country {
        "FR" | "MA" | "BE" | "CH" | "CA" | "LU" | "TN" | "DZ" => &["st", "nd", "rd", "th", "e", "er", "eme", "ere"],
        _ => &["st", "nd", "rd", "th"],
    };
    let is_ordinal =
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && ends.contains(&&word[digits.len()..]);
    is_ordinal.then(|| digits.to_owned())
}

/// Whether the source only says that it does not tell the address.
pub(crate) fn is_withheld(line: &str) -> bool {
    WITHHELD.iter().any(|words| line.contains(words))
}

/// A road with a number at the beginning of these words: its one form and how many words introduce it.
pub(crate) fn numbered_road(words: &[String]) -> Option<(&'static str, usize)> {
    let is_digit = |c: char| c.is_ascii_digit();
    if let [state, number, ..] = words
        && is_state(state)
        && number.starts_with(is_digit)
    {
        return Some(("hwy", 1));
    }
    let (forms, form) = NUMBERED_ROADS.iter().find(|(forms, _)| {
        words.len() > forms.len()
            && forms.iter().zip(words).all(|(form, word)| form == word)
            && words[forms.len()].starts_with(|c: char| c.is_ascii_digit())
    })?;
    Some((form, forms.len()))
}
