//! Whose value a column has: the listing's own, or that of a person, a firm, an advert, another place or home.

use super::column::Column;
use super::measures::Measure;
use super::vocabulary::field;

/// Words, in a key or above it, for people and firms, and for marks and adverts of theirs.
const OTHERS: &str = "agency agencies agent agents agence agences agentur agenturen agenzia agencia agencias imobiliaria inmobiliaria \
     inmobiliarias agente agentes provider providers lister listers company companies customer customers advertiser \
     advertisers anbieter annonceur anunciante inserzionista inserent makler maklare makelaar makelaars megler maegler \
     mediador mediator broker brokers brokerage realtor realtors office offices seller sellers vendor vendors vendeur \
     verkaufer vendedor venditore owner owners eigentumer proprietaire propietario contact contacts kontakt kontakte \
     contatto contacto kontaktperson ansprechpartner user users member members developer developers builder builders promoter \
     promoteur promotor promotora bautrager entwickler branch branches team poster publisher school schools sponsor \
     sponsors partner partners badge badges banner banners logo logos avatar avatars icon icons insight insights scan \
     scans matterport campaign branding franchise franchises firm firma lessor landlord landlords salesperson \
     negotiator account accounts client clients holder taxpayer mail mailing billing remit biuro posrednik agentie agentia kantor \
     cabinet meklari makleri ured ureda agencija agencije agenta vlasnik prodavac societe konto mesit valitys own own1 own2 \
     ownr grantor grantee buyer buyers hirdeto pengiklan offeredby soldby 중개사 중개인 중개사무소";

/// Words that mean so only above a value: a key of that name may be the listing's own.
const OTHERS_ABOVE: &str = "project projects projekt projet projets promotion promotions advert adverts advertisement development \
     developments community communities similar related nearby comparable comparables comps recommended \
     recommendations suggestion suggestions alternatives neighbours neighbors history histories previous past \
     event events transport transports station stations poi pois commute mortgage mortgages estimate estimates \
     valuation valuations tax taxes viewing viewings inspection inspections openhouse openhouses open offered search query \
     request filters tracking analytics floorplan floorplans video videos tour tours brochure brochures document \
     documents organization organisation source sources";

fn is_one(word: &str, list: &str) -> bool {
    list.split_whitespace().any(|known| known == word)
}

/// The first word that says that a key belongs to another.
fn word_of(words: &[String], is_above: bool) -> Option<&str> {
    // `imageSources` are the listing's own.
    let is_own = words
        .iter()
        .any(|word| matches!(word.as_str(), "image" | "images" | "photo" | "photos" | "picture" | "pictures"));
    let other = |word: &&String| is_one(word, OTHERS) || (is_above && !is_own && is_one(word, OTHERS_ABOVE));
    words.iter().find(other).map(String::as_str)
}

/// Sets the owner of each column that is not the listing's own. A key around everything, such as `advert` around the
/// only price and the only address, is no owner.
pub(super) fn settle(columns: &mut [Column]) {
    let wrapper = wrapper(columns);
    for column in columns {
        let inside = wrapper.as_ref().filter(|wrapper| column.words.above.starts_with(wrapper)).map_or(0, Vec::len);
        let above = column.words.above[inside..].iter().find_map(|words| word_of(words, true));
        // A JSONPath names its key in quotes.
        let key = column.name.strip_prefix("$.").and_then(|path| path.split('\'').nth(1));
        let is_pointer = column.name.starts_with('/');
        let last = if is_pointer { column.name.rsplit('/').next().unwrap_or_default() } else { &column.name };
        let raw = key.unwrap_or(last);
        column.measure = Measure::of(&column.words, raw);
        column.owner = above.or_else(|| word_of(&column.words.last, false)).map(str::to_owned);
    }
}

/// The path of keys above all prices of the sample, if there is an address below it too.
fn wrapper(columns: &[Column]) -> Option<Vec<Vec<String>>> {
    let like = |name: &str, column: &Column| field(name).map_or(0, |field| field.named(column)) >= 60;
    let mut prices = columns.iter().filter(|column| like("list_price", column));
    let first = prices.next()?.words.above.clone();
    let shared = prices.fold(first, |shared, column| {
        let same = shared.iter().zip(&column.words.above).take_while(|(a, b)| a == b).count();
        shared[..same].to_vec()
    });
    let last = shared.iter().rposition(|words| word_of(words, true).is_some())?;
    let wrapper = shared[..=last].to_vec();
    let place = |column: &Column| ["line", "city", "postal_code"].iter().any(|name| like(name, column));
    let (inside, outside): (Vec<&Column>, Vec<&Column>) =
        columns.iter().filter(|column| place(column)).partition(|column| column.words.above.starts_with(&wrapper));
    (!inside.is_empty() && outside.is_empty()).then_some(wrapper)
}
