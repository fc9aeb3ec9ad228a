//! One vocabulary of the words for a status, for a purpose, and for both, in eleven languages.

use std::sync::LazyLock;

use super::styles::Style;
use super::words::folded;

/// What a word means: a status, and the purpose if the word says it.
struct Meaning {
    status: Option<&'static str>,
    purpose: Option<&'static str>,
    /// The words of each language, in the order of the languages, parted by commas.
    words: [&'static str; LANGUAGES],
}

/// English, French, German, Spanish, Italian, Portuguese, Dutch, Swedish, Norwegian, Danish, Polish.
const LANGUAGES: usize = 11;

const fn means(status: &'static str, purpose: &'static str, words: [&'static str; LANGUAGES]) -> Meaning {
    const fn some(text: &'static str) -> Option<&'static str> {
        if text.is_empty() { None } else { Some(text) }
    }
    Meaning { status: some(status), purpose: some(purpose), words }
}

const WORDS: &[Meaning] = &[
    means(
        "Active",
        "sale",
        [
            "for sale, sale, sales, listed for sale, forsale, active sale, sell, buy, to buy, sale listing, to be sold, residential sales, new homes, selling",
            "à vendre, vente, ventes, vendre, achat, acheter, en vente",
            "zu verkaufen, kauf, kaufen, verkauf, zum kauf, zum verkauf",
            "en venta, venta, ventas, comprar, se vende, compra",
            "in vendita, vendita, vendesi, vendite",
            "à venda, venda, vende-se, comprar casa",
            "te koop, koop, kopen, verkoop",
            "till salu, säljes, köpa, försäljning",
            "til salgs, selges",
            "til salg, sælges, salg",
            "na sprzedaż, sprzedaż",
        ],
    ),
    means(
        "Active",
        "rent",
        [
            "for rent, rent, rental, rentals, to rent, for lease, lease, residential lease, to let, letting, lettings, rental listing, forrent, \
             listed for rent, residential lettings",
            "à louer, location, locations, louer",
            "zu vermieten, miete, mieten, vermietung, zur miete",
            "en alquiler, alquiler, alquilar, renta, en renta, arriendo, en arriendo, se alquila",
            "in affitto, affitto, affittasi, locazione, affitti",
            "para arrendar, arrendamento, arrendar, aluguel, para alugar, alugar, aluga-se, locação",
            "te huur, huur, huren, verhuur",
            "uthyres, hyra, att hyra, hyresrätt",
            "til leie, leie, utleie",
            "til leje, leje, udlejning, udlejes",
            "do wynajęcia, na wynajem, wynajem",
        ],
    ),
    means(
        "Active",
        "",
        [
            "active, on market, available, online, listed, back on market, price change, price changed, price reduced, new, new listing, \
             relisted, published, current, live, on the market, marketing, on offer, open, for sale or rent, price drop, reduced, activated, onmarket, \
             offers invited, available now, to market",
            "actif, active, disponible, en ligne, publié, publiée, nouveau, baisse de prix, en cours",
            "aktiv, verfügbar, frei, online, veröffentlicht, neu, im angebot, offen",
            "activo, activa, disponible, publicado, publicada, nuevo, rebajado",
            "attivo, attiva, disponibile, pubblicato, libero, nuovo, online",
            "ativo, ativa, disponível, publicado, novo",
            "beschikbaar, actief, nieuw, nieuw in verkoop, open",
            "aktiv, tillgänglig, ny, publicerad",
            "aktiv, ledig, tilgjengelig, ny",
            "aktiv, ledig, ny, tilgængelig",
            "aktywne, aktywna, aktualne, dostępne, dostępny, wolne",
        ],
    ),
    means(
        "ActiveUnderContract",
        "",
        [
            "contingent, active under contract, active contingent, under offer, offer accepted taking backups, accepting backups, active with contract, \
             uo, underoffer, under option, active option contract, offer received, backup",
            "sous offre, offre en cours",
            "",
            "bajo oferta",
            "sotto offerta, proposta in corso",
            "com proposta",
            "onder bod",
            "",
            "",
            "",
            "",
        ],
    ),
    means(
        "Pending",
        "sale",
        [
            "sale agreed, sold stc, sstc, sold subject to contract, stc, subject to contract, exchanged, exchanged contracts, contracts exchanged, \
             contract exchanged, pending sale, sold subject to conclusion of missives, sstm, soldstc, sold conditionally, sale pending, conditional sale",
            "sous compromis, compromis signé, sous promesse, compromis",
            "",
            "",
            "compromesso, preliminare firmato",
            "",
            "verkocht onder voorbehoud, verkocht o.v.",
            "",
            "",
            "solgt betinget, under salg, købsaftale indgået",
            "",
        ],
    ),
    means(
        "Pending",
        "rent",
        [
            "let agreed, let stc, let subject to contract, application pending, deposit taken, letagreed, under application, holding deposit taken",
            "",
            "",
            "",
            "",
            "",
            "verhuurd onder voorbehoud",
            "",
            "",
            "",
            "",
        ],
    ),
    means(
        "Pending",
        "",
        [
            "pending, reserved, under contract, in contract, conditional, on deposit, deposit, undercontract, offer accepted, reserved subject to contract",
            "réservé, réservée, option, sous option",
            "reserviert, reserviert bis, in abwicklung",
            "reservado, reservada, apalabrado, arras",
            "riservato, in trattativa, trattativa, trattativa in corso, opzionato",
            "reservado, reservada, cpcv assinado",
            "gereserveerd, onder optie",
            "reserverad, under kontrakt, bokad",
            "reservert",
            "reserveret",
            "rezerwacja, zarezerwowane, zarezerwowany",
        ],
    ),
    means(
        "Closed",
        "sale",
        [
            "sold, recently sold, sold out, completed, past sale, sale completed, off market sold, sold prior, sold at auction",
            "vendu, vendue, vendus",
            "verkauft",
            "vendido, vendida",
            "venduto, venduta",
            "vendido, vendida",
            "verkocht",
            "såld, slutpris, sålt",
            "solgt",
            "solgt",
            "sprzedane, sprzedany, sprzedana",
        ],
    ),
    means(
        "Closed",
        "rent",
        [
            "rented, let, leased, tenanted, let out",
            "loué, louée",
            "vermietet",
            "alquilado, alquilada, arrendado, rentado",
            "affittato, affittata, locato",
            "arrendado, arrendada, alugado, alugada",
            "verhuurd",
            "uthyrd, uthyrt",
            "utleid",
            "udlejet",
            "wynajęte, wynajęty",
        ],
    ),
    means(
        "Closed",
        "",
        ["closed, settled", "", "abgeschlossen", "cerrado", "concluso", "", "", "avslutad", "", "", ""],
    ),
    means(
        "ComingSoon",
        "",
        [
            "coming soon, pre market, pre-market, premarket, prelisting, pre launch, upcoming, preview",
            "bientôt, prochainement, à venir",
            "demnächst, in vorbereitung, in kürze",
            "próximamente",
            "prossimamente",
            "brevemente, em breve",
            "binnenkort, verwacht, binnenkort in verkoop",
            "kommande, snart till salu",
            "kommer for salg, kommer snart",
            "kommer snart, kommende",
            "wkrótce",
        ],
    ),
    means(
        "Withdrawn",
        "",
        [
            "withdrawn, removed, listing removed, off market, offmarket, inactive, delisted, unavailable, not available, taken off, archived, \
             no longer available, unlisted, unpublished",
            "retiré, retirée, indisponible, inactif, archivé",
            "zurückgezogen, inaktiv, nicht verfügbar, deaktiviert, archiviert",
            "retirado, retirada, inactivo, no disponible, baja",
            "ritirato, non disponibile, inattivo, non attivo",
            "retirado, inativo, indisponível",
            "ingetrokken, inactief, niet beschikbaar",
            "återtagen, inaktiv, avpublicerad, borttagen",
            "trukket, inaktiv",
            "trukket, inaktiv, taget af markedet",
            "wycofane, nieaktywne, nieaktualne, archiwalne",
        ],
    ),
    means(
        "Expired",
        "",
        [
            "expired, lapsed",
            "expiré, expirée",
            "abgelaufen",
            "caducado, vencido",
            "scaduto",
            "expirado, caducado",
            "verlopen",
            "utgången",
            "utløpt",
            "udløbet",
            "wygasłe",
        ],
    ),
    means(
        "Canceled",
        "",
        [
            "canceled, cancelled, terminated",
            "annulé, annulée",
            "storniert",
            "cancelado",
            "annullato",
            "cancelado",
            "geannuleerd",
            "avbruten",
            "kansellert",
            "annulleret",
            "anulowane",
        ],
    ),
    means(
        "Hold",
        "",
        [
            "hold, on hold, temporarily off market, temp off market, suspended, paused, temporarily withdrawn",
            "suspendu",
            "pausiert",
            "pausado",
            "sospeso",
            "suspenso, em pausa",
            "",
            "pausad",
            "",
            "",
            "wstrzymane",
        ],
    ),
    means(
        "Delete",
        "",
        [
            "deleted, delete",
            "supprimé",
            "gelöscht",
            "eliminado",
            "eliminato, cancellato",
            "eliminado, apagado",
            "verwijderd",
            "raderad",
            "slettet",
            "slettet",
            "usunięte",
        ],
    ),
];

/// A word in comparable form, its meaning, and its language.
struct Worded {
    meaning: &'static Meaning,
    word: &'static str,
    folded: String,
    language: usize,
}

static ALL: LazyLock<Vec<Worded>> = LazyLock::new(|| {
    let words = |meaning: &'static Meaning| {
        meaning.words.iter().enumerate().flat_map(move |(language, words)| {
            let words = words.split(", ").filter(|word| !word.is_empty());
            words.map(move |word| Worded { meaning, word, folded: folded(word), language })
        })
    };
    WORDS.iter().flat_map(words).collect()
});

/// Returns the status with this name, as maps spell it.
pub(super) fn status(text: &str) -> Option<&'static str> {
    if let Some(status) = stoop_domain::Status::parse(text) {
        return Some(status.as_str());
    }
    found(text).and_then(|meaning| meaning.status)
}

/// Returns `sale` or `rent` if the word says it.
pub(super) fn purpose(text: &str) -> Option<&'static str> {
    found(text).and_then(|meaning| meaning.purpose)
}

fn found(text: &str) -> Option<&'static Meaning> {
    let words = folded(text);
    let exact = ALL.iter().find(|worded| worded.folded == words);
    // "onMarket", "soldSTC" and "forSale" are written as one word.
    let joined = || {
        let one = words.replace(' ', "");
        ALL.iter().find(|worded| worded.folded.contains(' ') && worded.folded.replace(' ', "") == one)
    };
    exact.or_else(joined).map(|worded| worded.meaning)
}

/// Returns all names of statuses that a column with these texts may contain, in the same style: a sample of homes on
/// offer does not show them, but later rows will.
pub(super) fn statuses_like(texts: &[&str]) -> Vec<(String, &'static str)> {
    written_like(texts, |meaning| meaning.status)
}

/// Like [`statuses_like`] for purposes: a column with `Sale` may also contain `Lease`.
pub(super) fn purposes_like(texts: &[&str]) -> Vec<(String, &'static str)> {
    written_like(texts, |meaning| meaning.purpose)
}

fn written_like(texts: &[&str], of: fn(&Meaning) -> Option<&'static str>) -> Vec<(String, &'static str)> {
    let seen: Vec<String> = texts.iter().map(|text| folded(text)).collect();
    let known = || ALL.iter().filter(|worded| of(worded.meaning).is_some());
    let is_seen = |language: usize| known().any(|worded| worded.language == language && seen.contains(&worded.folded));
    let mut languages: Vec<usize> = (0..LANGUAGES).filter(|language| is_seen(*language)).collect();
    if languages.is_empty() || languages.contains(&0) {
        languages = vec![0];
    }
    let styles = Style::of(texts);
    let mut found: Vec<(String, &'static str)> = Vec::new();
    for worded in known().filter(|worded| languages.contains(&worded.language)) {
        for style in &styles {
            let text = style.write(worded.word);
            if let Some(meaning) = of(worded.meaning)
                && !found.iter().any(|(known, _)| *known == text)
            {
                found.push((text, meaning));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_countries_mean_what_they_mean() {
        for (text, wanted) in [
            ("FOR_SALE", "Active sale"),
            ("FOR_RENT", "Active rent"),
            ("sale", "Active sale"),
            ("Sold STC", "Pending sale"),
            ("SSTC", "Pending sale"),
            ("Sold Subject To Contract", "Pending sale"),
            ("Exchanged", "Pending sale"),
            ("Under Offer", "ActiveUnderContract -"),
            ("Let Agreed", "Pending rent"),
            ("current", "Active -"),
            ("offmarket", "Withdrawn -"),
            ("leased", "Closed rent"),
            ("soldSTC", "Pending sale"),
            ("Réservé", "Pending -"),
            ("Sous compromis", "Pending sale"),
            ("verkauft", "Closed sale"),
            ("vermietet", "Closed rent"),
            ("En venta", "Active sale"),
            ("alquilado", "Closed rent"),
            ("in vendita", "Active sale"),
            ("Venduto", "Closed sale"),
            ("trattativa", "Pending -"),
            ("à venda", "Active sale"),
            ("arrendado", "Closed rent"),
            ("te koop", "Active sale"),
            ("Onder bod", "ActiveUnderContract -"),
            ("verkocht onder voorbehoud", "Pending sale"),
            ("verhuurd", "Closed rent"),
            ("till salu", "Active sale"),
            ("såld", "Closed sale"),
            ("kommande", "ComingSoon -"),
            ("til salgs", "Active sale"),
            ("solgt", "Closed sale"),
            ("udlejet", "Closed rent"),
            ("na sprzedaż", "Active sale"),
        ] {
            let found = format!("{} {}", status(text).unwrap_or("-"), purpose(text).unwrap_or("-"));
            assert_eq!(found, wanted, "{text}");
        }
        assert_eq!((status("TX"), purpose("TX"), status("")), (None, None, None));
    }

    #[test]
    fn a_word_of_two_languages_has_one_meaning() {
        for (at, worded) in ALL.iter().enumerate() {
            let same = |other: &&Worded| other.folded == worded.folded && other.meaning.status != worded.meaning.status;
            assert!(ALL[..at].iter().find(same).is_none(), "{} means two things", worded.word);
        }
    }

    #[test]
    fn statuses_are_written_as_the_column_writes_them() {
        let like = |texts: &[&str], text: &str| {
            let found = statuses_like(texts);
            found.iter().find(|(known, _)| known == text).map(|(_, status)| *status)
        };
        assert_eq!(like(&["Active"], "Sold"), Some("Closed"));
        assert_eq!(like(&["Active"], "Coming Soon"), Some("ComingSoon"));
        assert_eq!(like(&["Active"], "Coming soon"), Some("ComingSoon"));
        assert_eq!(like(&["Active"], "ComingSoon"), Some("ComingSoon"));
        assert_eq!(like(&["for_sale"], "coming_soon"), Some("ComingSoon"));
        assert_eq!((like(&["for_sale"], "coming soon"), like(&["for_sale"], "Sold")), (None, None));
        assert_eq!(like(&["ACTIVE", "OFF MARKET"], "UNDER CONTRACT"), Some("Pending"));
        assert_eq!(like(&["à vendre"], "loué"), Some("Closed"));
        assert_eq!(like(&["à vendre"], "sold"), None, "in the languages of the column");
        assert!(statuses_like(&["ON_HOLD"]).iter().all(|(text, meaning)| status(text) == Some(meaning)));
    }

    #[test]
    fn names_are_those_that_maps_accept() {
        assert!(WORDS.iter().filter_map(|word| word.status).all(|name| stoop_domain::Status::parse(name).is_some()));
        assert!(WORDS.iter().filter_map(|word| word.purpose).all(|name| matches!(name, "sale" | "rent")));
    }
}
