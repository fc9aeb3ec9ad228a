//! The words for statuses and purposes in eleven languages.

/// What a word means: a status, and the purpose if the word says it.
pub(super) struct Meaning {
    pub(super) status: Option<&'static str>,
    pub(super) purpose: Option<&'static str>,
    /// The words of each language, in the order of the languages, parted by commas.
    pub(super) words: [&'static str; LANGUAGES],
}

/// English, French, German, Spanish, Italian, Portuguese, Dutch, Swedish, Norwegian, Danish, Polish
/// (with words of more languages for purposes).
pub(super) const LANGUAGES: usize = 11;

const fn means(status: &'static str, purpose: &'static str, words: [&'static str; LANGUAGES]) -> Meaning {
    const fn some(text: &'static str) -> Option<&'static str> {
        if text.is_empty() { None } else { Some(text) }
    }
    Meaning { status: some(status), purpose: some(purpose), words }
}

pub(super) const WORDS: &[Meaning] = &[
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
            "na sprzedaż, sprzedaż, prodej, na prodej, satılık, de vânzare, vânzare, vânzări, eladó, eladás, cần bán, bán, dijual, jual, 매매, למכירה, מכירה, продаж, продажа, продам, prodazha, продава, prodaja, prodajem, prodaje se, na prodaju, predaj, na predaj, parduodama, pardavimas, pārdod, pārdošana, müük, müüa, πώληση, πωλείται, προς πώληση, للبيع, بيع, 出售, 售, 売買, ขาย",
        ],
    ),
    means(
        "Active",
        "rent",
        [
            "for rent, rent, rental, rentals, to rent, for lease, lease, residential lease, to let, letting, lettings, lease out, leaseout, rental listing, forrent, \
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
            "do wynajęcia, na wynajem, wynajem, pronájem, k pronájmu, kiralık, de închiriat, închiriere, închirieri, kiadó, cho thuê, cần thuê, \
             disewakan, disewa, sewa, 월세, להשכרה, השכרה, оренда, аренда, сдам, arenda, под наем, найем, najam, iznajmljivanje, izdavanje, izdaje se, oddaja, oddam, prenájom, na prenájom, nuomojama, nuoma, izīrē, īrē, üür, üürile anda, ενοικίαση, ενοικιάζεται, προς ενοικίαση, للإيجار, للايجار, إيجار, ايجار, 出租, 租, 賃貸, ให้เช่า",
        ],
    ),
    means(
        "Active",
        "",
        [
            "active, on market, available, online, listed, back on market, price change, price changed, price reduced, new, new listing, \
             relisted, published, current, live, on the market, marketing, on offer, open, for sale or rent, price drop, reduced, activated, onmarket, \
             offers invited, available now, to market, in stock, instock, limited availability, limitedavailability",
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
            "sold, recently sold, sold out, soldout, past sale, sale completed, off market sold, sold prior, sold at auction",
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
            "coming soon, pre market, pre-market, premarket, prelisting, pre launch, upcoming, preview, pre order, preorder, pre sale, presale",
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
             no longer available, unlisted, unpublished, discontinued, out of stock, outofstock",
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
