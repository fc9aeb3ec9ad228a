mod portals;
mod reso;

use std::sync::{Arc, Mutex};

use stoop_dice::Dice;
use stoop_domain::{Currency, Phase, Purpose, Status, Time};
use stoop_simulation::{
    Access, Chaos, Client, Dialect, Fault, Home, JsonSite, Limits, Noise, Offer, Outage, Pages, Paging, Quota,
    QuotaHeaders, ResoSite, Simulation, SimulationConfig, Site, SiteConfig, Suspension, Vendor,
};
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Limit, Params, Source};

use super::network::Line;
use super::source::Named;

const MINUTE_MS: i64 = 60_000;

/// How far sites' clocks are ahead of ours, or behind.
const CLOCKS_AHEAD_MS: [i64; 7] = [0, 10 * MINUTE_MS, 0, -3 * MINUTE_MS, 14 * MINUTE_MS, 0, -5 * Time::HOUR_MS];

/// A search of the fleet: its source, its interval, and what it should find.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) source: Named,
    pub(crate) line: Arc<Line>,
    pub(crate) every_ms: i64,
    /// How long after the beginning of the day it is first polled.
    pub(crate) phase_ms: i64,
    pub(crate) full_scan_every_ms: i64,
    /// Limits instead of the source's own.
    pub(crate) limits: Option<Vec<Limit>>,
    pub(crate) reports: Reports,
    /// The homes that it selects.
    pub(crate) homes: Box<dyn Fn(&Home) -> bool + Send + Sync>,
    /// Which offers its site shows.
    pub(crate) shows: fn(&Offer) -> bool,
    /// It reads Trestle's replication.
    pub(crate) replicates: bool,
    /// Whether its site is down all day.
    pub(crate) is_dead: bool,
}

/// What a source reports about a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reports {
    /// Status, price, the previous price with its time, and the first one.
    Everything,
    /// Status, price, the previous price and its time.
    Zillow,
    /// Status, price, and the price before a cut.
    Realtor,
    /// The price and the previous one.
    PriceBefore,
    /// The price.
    Price,
}

/// Sixty searches, and optionally one more whose site is down all day. Each number determines a search; `seed`
/// determines them all.
pub(crate) fn fleet(seed: u64, start: Time, with_dead: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    let builder = |n: u64| EntryBuilder { n, seed: Dice::new(seed ^ (n << 32)).roll(), start };
    for n in 0..6 {
        entries.push(builder(n).plain());
    }
    for n in 6..10 {
        entries.push(builder(n).trestle(n % 2 == 0, n > 7));
    }
    entries.extend(builder(10).mls_grid(&["Chicago", "Seattle", "Austin", "Boston"]));
    entries.extend(builder(14).mls_grid(&["Chicago", "Seattle"]));
    for n in 16..20 {
        entries.push(builder(n).bridge(n % 2 == 0));
    }
    for n in 20..23 {
        entries.push(builder(n).spark());
    }
    for n in 23..31 {
        entries.push(builder(n).zillow(n % 4 == 0, if n % 2 == 0 { 41 } else { 2 }));
    }
    for n in 31..37 {
        entries.push(builder(n).realtor(if n % 2 == 0 { "realty-in-us" } else { "us-real-estate" }, n % 3 == 0));
    }
    for n in 37..41 {
        entries.push(builder(n).rentcast(n % 2 == 0));
    }
    for n in 41..46 {
        entries.push(builder(n).avito(n % 2 == 0));
    }
    for n in 46..50 {
        entries.push(builder(n).mubawab());
    }
    let pages = [
        (Pages::Number, "by = \"page\"\nsize = 20"),
        (Pages::Offset, "by = \"offset\"\nsize = 20"),
        (Pages::Cursor, "by = \"cursor\"\nnext = \"/cursor\""),
        (Pages::NextLink, "by = \"next-link\"\nnext = \"/next\""),
        (Pages::LinkHeader, "by = \"link-header\""),
    ];
    for n in 50..60 {
        let (pages, how) = pages[n as usize % pages.len()];
        entries.push(builder(n).declared(pages, how));
    }
    if with_dead {
        let mut dead = builder(60);
        dead.seed = seed;
        entries.push(dead.dead());
    }
    entries
}

/// Builds an entry.
struct EntryBuilder {
    n: u64,
    seed: u64,
    start: Time,
}

/// What differs between sites.
struct SiteOptions {
    dialect: Dialect,
    homes: u32,
    markets: u32,
    rent_permille: u32,
    morocco: bool,
    noise: Noise,
    access: Access,
    limits: Limits,
    faults: Vec<Fault>,
}

impl SiteOptions {
    /// A market of one city, without authentication.
    fn new(dialect: Dialect, homes: u32) -> Self {
        Self {
            dialect,
            homes,
            markets: 3,
            rent_permille: 200,
            morocco: false,
            noise: Noise { seen_again_permille: 50, cents_permille: 30, slips_permille: 10, late_permille: 0 },
            access: Access::Open,
            limits: Limits::default(),
            faults: vec![
                Fault::ServerError,
                Fault::Unavailable { retry_after_s: 20 },
                Fault::TooManyRequests { retry_after_s: 30 },
                Fault::Html,
                Fault::TruncatedJson,
                Fault::Hang { ms: 5_000 },
                Fault::Hang { ms: 90_000 },
                Fault::Drop,
                Fault::GarbageRow,
                Fault::WrongTotal,
                Fault::RepeatedPage,
            ],
        }
    }

    /// A RESO site, whose links can be wrong as well.
    fn reso(site: ResoSite, homes: u32) -> Self {
        let mut options = Self::new(Dialect::Reso(site), homes);
        options.faults.extend([Fault::LoopingLink, Fault::ForeignLink, Fault::EndlessLink]);
        options
    }
}

fn key(header: &str) -> Access {
    Access::Key { header: header.into(), value: "k".into() }
}

fn is_live(offer: &Offer) -> bool {
    matches!(offer.status.phase(), Phase::Active | Phase::Pending)
}

fn is_sold_in_morocco(home: &Home) -> bool {
    home.purpose == Purpose::Sale && home.currency() == Currency::MAD
}

impl EntryBuilder {
    fn dice(&self, stream: u64) -> Dice {
        Dice::new(self.seed ^ stream)
    }

    fn homes(&self) -> u32 {
        80 + self.dice(1).below(60) as u32
    }

    /// The line to the site. Every tenth site is down for some hours of the day.
    fn line(&self, options: SiteOptions) -> Arc<Line> {
        let mut dice = self.dice(2);
        let outages = if self.n % 10 == 3 {
            let from = self.start.plus_ms(Time::HOUR_MS * dice.below(16) as i64);
            let until = from.plus_ms(Time::HOUR_MS * (2 + dice.below(5)) as i64);
            let fault = dice.pick(&[Fault::Drop, Fault::ServerError, Fault::Hang { ms: 60_000 }]);
            vec![Outage { from, until, fault }]
        } else {
            Vec::new()
        };
        let lapses = self.lapses(&mut self.dice(4));
        let chaos = Chaos {
            seed: dice.roll(),
            permille: 15 + dice.below(30) as u32,
            faults: options.faults,
            until: Some(self.start.plus_ms(Time::DAY_MS)),
            outages,
            lapses,
        };
        let market = SimulationConfig {
            past_ms: 3 * Time::DAY_MS,
            rent_permille: options.rent_permille,
            morocco: options.morocco,
            pace_percent: 2_400,
            price_changes_percent: 400,
            clock_ahead_ms: CLOCKS_AHEAD_MS[self.n as usize % CLOCKS_AHEAD_MS.len()],
            noise: options.noise,
            ..SimulationConfig::new(dice.roll(), self.start, options.homes, options.markets).lively()
        };
        let config = SiteConfig {
            access: options.access,
            limits: options.limits,
            chaos,
            robots: options.morocco.then(|| "User-agent: *\nDisallow: /admin\n".to_owned()),
            ..SiteConfig::new(options.dialect)
        };
        let site = Site::new(Arc::new(Mutex::new(Simulation::new(market))), config);
        // Requests of several pollers overtake each other by less than the poller's margin of 300 ms.
        let least = 5 + dice.below(600);
        Arc::new(Line::new(Arc::new(site), (least, least + dice.below(280)), dice.roll()))
    }

    /// Three of ten lose their listings for hours of the day: all of them, half of them, or all of them repeatedly.
    /// Never for so long that the loss is confirmed, which takes 6 hours for slightly more than a fifth, and 24 for
    /// all.
    fn lapses(&self, dice: &mut Dice) -> Vec<Outage> {
        let from = self.start.plus_ms(Time::HOUR_MS * (1 + dice.below(6)) as i64);
        let lasts = |hours: usize| from.plus_ms(Time::HOUR_MS * hours as i64);
        match self.n % 10 {
            5 => vec![Outage { from, until: lasts(2 + dice.below(12)), fault: Fault::Empty }],
            6 => vec![Outage { from, until: lasts(2 + dice.below(4)), fault: Fault::HalfForgotten }],
            7 => {
                let turn = |n: i64| from.plus_ms(n * 40 * MINUTE_MS);
                (0..8).map(|n| Outage { from: turn(2 * n), until: turn(2 * n + 1), fault: Fault::Empty }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn entry(&self, line: &Arc<Line>, source: Box<dyn Source>, minutes: &[i64], reports: Reports) -> Entry {
        let mut dice = self.dice(3);
        let every_ms = dice.pick(minutes) * MINUTE_MS;
        Entry {
            name: format!("search-{:02}", self.n),
            source: Named::new(&self.host(), source, line),
            line: Arc::clone(line),
            every_ms,
            phase_ms: dice.below(every_ms as usize) as i64,
            full_scan_every_ms: (3 + dice.below(6)) as i64 * Time::HOUR_MS,
            limits: None,
            reports,
            homes: Box::new(|_| true),
            shows: |_| true,
            replicates: false,
            is_dead: false,
        }
    }

    fn host(&self) -> String {
        format!("site-{:02}.test", self.n)
    }

    fn built(&self, kind: &str, base: &str, params: &[(&str, &str)]) -> Box<dyn Source> {
        let mut params: Params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        params.insert("url".into(), format!("https://{}{base}", self.host()));
        stoop_sources::build(kind, &params).unwrap_or_else(|error| panic!("{kind}: {error}"))
    }
}
