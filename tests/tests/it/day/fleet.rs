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
    let plant = |n: u64| Plant { n, seed: Dice::new(seed ^ (n << 32)).roll(), start };
    for n in 0..6 {
        entries.push(plant(n).plain());
    }
    for n in 6..10 {
        entries.push(plant(n).trestle(n % 2 == 0, n > 7));
    }
    entries.extend(plant(10).mls_grid(&["Chicago", "Seattle", "Austin", "Boston"]));
    entries.extend(plant(14).mls_grid(&["Chicago", "Seattle"]));
    for n in 16..20 {
        entries.push(plant(n).bridge(n % 2 == 0));
    }
    for n in 20..23 {
        entries.push(plant(n).spark());
    }
    for n in 23..31 {
        entries.push(plant(n).zillow(n % 4 == 0, if n % 2 == 0 { 41 } else { 2 }));
    }
    for n in 31..37 {
        entries.push(plant(n).realtor(if n % 2 == 0 { "realty-in-us" } else { "us-real-estate" }, n % 3 == 0));
    }
    for n in 37..41 {
        entries.push(plant(n).rentcast(n % 2 == 0));
    }
    for n in 41..46 {
        entries.push(plant(n).avito(n % 2 == 0));
    }
    for n in 46..50 {
        entries.push(plant(n).mubawab());
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
        entries.push(plant(n).declared(pages, how));
    }
    if with_dead {
        let mut dead = plant(60);
        dead.seed = seed;
        entries.push(dead.dead());
    }
    entries
}

/// The ingredients of a search.
struct Plant {
    n: u64,
    seed: u64,
    start: Time,
}

/// How a site differs from others.
struct Ground {
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

impl Ground {
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
        let mut ground = Self::new(Dialect::Reso(site), homes);
        ground.faults.extend([Fault::LoopingLink, Fault::ForeignLink, Fault::EndlessLink]);
        ground
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

impl Plant {
    fn dice(&self, stream: u64) -> Dice {
        Dice::new(self.seed ^ stream)
    }

    fn homes(&self) -> u32 {
        60 + self.dice(1).below(60) as u32
    }

    /// The line to the site. Every tenth site is down for some hours of the day.
    fn line(&self, ground: Ground) -> Arc<Line> {
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
            faults: ground.faults,
            until: Some(self.start.plus_ms(Time::DAY_MS)),
            outages,
            lapses,
        };
        let market = SimulationConfig {
            past_ms: 3 * Time::DAY_MS,
            rent_permille: ground.rent_permille,
            morocco: ground.morocco,
            pace_percent: 1_200,
            clock_ahead_ms: CLOCKS_AHEAD_MS[self.n as usize % CLOCKS_AHEAD_MS.len()],
            noise: ground.noise,
            ..SimulationConfig::new(dice.roll(), self.start, ground.homes, ground.markets)
        };
        let config = SiteConfig {
            access: ground.access,
            limits: ground.limits,
            chaos,
            robots: ground.morocco.then(|| "User-agent: *\nDisallow: /admin\n".to_owned()),
            ..SiteConfig::new(ground.dialect)
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

    fn reso(&self, ground: Ground, params: &[(&str, &str)]) -> Entry {
        let line = self.line(ground);
        let source = self.built("reso", "/odata", params);
        self.entry(&line, source, &[5, 10, 15, 20, 30], Reports::Everything)
    }

    /// The standard: one site shows some changes late, one is queried for active listings only, one counts rows.
    fn plain(self) -> Entry {
        let mut site = ResoSite::new(Vendor::Plain);
        if self.n % 3 == 1 {
            site.paging = Paging::Skip;
        }
        let mut ground = Ground::reso(site, self.homes());
        if self.n % 3 == 2 {
            ground.noise.late_permille = 100;
        }
        if self.n != 4 {
            return self.reso(ground, &[("top", "40")]);
        }
        let entry = self.reso(ground, &[("top", "40"), ("filter", "StandardStatus eq 'Active'")]);
        Entry { shows: |offer| offer.status == Status::Active, ..entry }
    }

    fn trestle(self, replication: bool, client: bool) -> Entry {
        let limits = Limits {
            headers: QuotaHeaders::Trestle,
            ..Limits::requests(self.seed, &[(180, MINUTE_MS), (7_200, Time::HOUR_MS)])
        };
        let ground = Ground::reso(ResoSite::new(Vendor::Trestle), self.homes());
        let access = match client {
            false => Access::Token("t".into()),
            // Tokens of 50 minutes are renewed all day long.
            true => Access::Client(Client {
                token_path: "/oidc/connect/token".into(),
                id: "stoop".into(),
                secret: "s3cret".into(),
                scope: Some("api".into()),
                expires_in_s: 3_000,
            }),
        };
        let words = if replication { "true" } else { "false" };
        let mut params = vec![("dialect", "trestle"), ("top", "40"), ("replication", words)];
        match client {
            false => params.push(("token", "t")),
            true => params.extend([("client_id", "stoop"), ("client_secret", "s3cret")]),
        }
        Entry { replicates: replication, ..self.reso(Ground { access, limits, ..ground }, &params) }
    }

    /// Several searches of one system with one token.
    fn mls_grid(self, cities: &'static [&'static str]) -> Vec<Entry> {
        let mut limits = Limits::requests(self.seed, &[(2, 1_000), (7_200, Time::HOUR_MS), (40_000, Time::DAY_MS)]);
        limits.quotas.push(Quota::bytes(4_000_000_000, Time::HOUR_MS).sliding());
        limits.retry_after = false;
        limits.suspension = Some(Suspension { after_refusals: 3, for_ms: Time::HOUR_MS });
        let site = ResoSite { withdraws_after_ms: Some(6 * Time::HOUR_MS), ..ResoSite::new(Vendor::MlsGrid) };
        let ground = Ground::reso(site, 4 * self.homes());
        let markets = 3 * cities.len() as u32;
        let line = self.line(Ground { access: Access::Token("t".into()), limits, markets, ..ground });
        let searches = cities.iter().zip(self.n..).map(|(city, n)| {
            let filter = format!("OriginatingSystemName eq 'simulated' and City eq '{city}'");
            let params = [("dialect", "mlsgrid"), ("token", "t"), ("top", "40"), ("filter", &filter)];
            let city = format!("/{}/", city.to_lowercase());
            let homes = move |home: &Home| home.area.path.as_str().contains(&city);
            let like = Plant { n, seed: self.seed ^ n, start: self.start };
            let source = self.built("reso", "/odata", &params);
            let entry = like.entry(&line, source, &[5, 10, 15, 20], Reports::Everything);
            // All of them are searches of the first one's site.
            Entry {
                homes: Box::new(homes),
                source: Named::new(&self.host(), self.built("reso", "/odata", &params), &line),
                ..entry
            }
        });
        searches.collect()
    }

    fn bridge(self, replication: bool) -> Entry {
        let limits = Limits {
            headers: QuotaHeaders::RateLimit,
            ..Limits::requests(self.seed, &[(334, MINUTE_MS), (5_000, Time::HOUR_MS)])
        };
        let mut ground = Ground::reso(ResoSite::new(Vendor::Bridge), self.homes());
        // Its own time moves with its database, so that late changes are found anyway.
        ground.noise.late_permille = 100;
        let ground = Ground { access: Access::Token("t".into()), limits, ..ground };
        let replication = if replication { "true" } else { "false" };
        let params = [("dialect", "bridge"), ("token", "t"), ("top", "40"), ("replication", replication)];
        self.reso(ground, &params)
    }

    fn spark(self) -> Entry {
        let ground = Ground::reso(ResoSite::new(Vendor::Spark), self.homes());
        let ground = Ground { access: Access::Token("t".into()), ..ground };
        self.reso(ground, &[("dialect", "spark"), ("token", "t"), ("top", "40")])
    }

    fn zillow(self, rent: bool, page_size: usize) -> Entry {
        let (status_type, purpose) = if rent { ("ForRent", Purpose::Rent) } else { ("ForSale", Purpose::Sale) };
        let limits = Limits { headers: QuotaHeaders::RapidApi, ..Limits::requests(self.seed, &[(5, 1_000)]) };
        let ground = Ground::new(Dialect::Zillow { page_size }, self.homes());
        let rent_permille = if rent { 700 } else { 100 };
        let line = self.line(Ground { access: key("x-rapidapi-key"), limits, rent_permille, ..ground });
        let params = [("key", "k"), ("location", "Chicago, IL"), ("status_type", status_type)];
        let entry = self.entry(&line, self.built("zillow", "", &params), &[30, 60], Reports::Zillow);
        Entry { homes: Box::new(move |home| home.purpose == purpose), shows: is_live, ..entry }
    }

    fn realtor(self, api: &str, rent: bool) -> Entry {
        let (name, purpose) = if rent { ("rent", Purpose::Rent) } else { ("sale", Purpose::Sale) };
        let limits = Limits { headers: QuotaHeaders::RapidApi, ..Limits::requests(self.seed, &[(5, 1_000)]) };
        let ground = Ground::new(Dialect::Realtor, self.homes());
        let rent_permille = if rent { 700 } else { 100 };
        let line = self.line(Ground { access: key("x-rapidapi-key"), limits, rent_permille, ..ground });
        let params =
            [("key", "k"), ("api", api), ("purpose", name), ("city", "Chicago"), ("state_code", "IL"), ("limit", "25")];
        let entry = self.entry(&line, self.built("realtor", "", &params), &[30, 60], Reports::Realtor);
        Entry { homes: Box::new(move |home| home.purpose == purpose), shows: is_live, ..entry }
    }

    fn rentcast(self, rent: bool) -> Entry {
        let (name, purpose) = if rent { ("rent", Purpose::Rent) } else { ("sale", Purpose::Sale) };
        let limits = Limits { retry_after: false, ..Limits::requests(self.seed, &[(20, 1_000)]) };
        let ground = Ground::new(Dialect::RentCast, self.homes());
        let rent_permille = if rent { 700 } else { 100 };
        let line = self.line(Ground { access: key("x-api-key"), limits, rent_permille, ..ground });
        let params = [("key", "k"), ("purpose", name), ("city", "Chicago"), ("state", "IL")];
        let entry = self.entry(&line, self.built("rentcast", "", &params), &[30, 60], Reports::Price);
        // A plan with more than 50 requests a month.
        let limits = Some(vec![Limit::per_second(20), Limit::per_month(1_000)]);
        Entry { limits, homes: Box::new(move |home| home.purpose == purpose), shows: is_live, ..entry }
    }

    /// Half of the market is in Morocco, and the sites there show nothing else.
    fn morocco(&self, dialect: Dialect) -> Ground {
        Ground { morocco: true, markets: 18, ..Ground::new(dialect, 2 * self.homes()) }
    }

    fn avito(self, data: bool) -> Entry {
        let limits = Limits::requests(self.seed, &[(30, MINUTE_MS)]);
        let line = self.line(Ground { limits, ..self.morocco(Dialect::Avito { data }) });
        let reports = if data { Reports::PriceBefore } else { Reports::Price };
        let entry = self.entry(&line, self.built("avito", "", &[]), &[30, 60], reports);
        Entry { homes: Box::new(is_sold_in_morocco), shows: is_live, ..entry }
    }

    fn mubawab(self) -> Entry {
        let limits = Limits::requests(self.seed, &[(30, MINUTE_MS)]);
        let line = self.line(Ground { limits, ..self.morocco(Dialect::Mubawab) });
        let entry = self.entry(&line, self.built("mubawab", "", &[]), &[30, 60], Reports::Price);
        Entry { homes: Box::new(is_sold_in_morocco), shows: is_live, ..entry }
    }

    fn declared(self, pages: Pages, how: &str) -> Entry {
        let limits = Limits::requests(self.seed, &[(120, MINUTE_MS)]);
        let ground = Ground::new(Dialect::Json(JsonSite::new(pages)), self.homes());
        let line = self.line(Ground { limits, ..ground });
        let source = self.map(how);
        Entry { shows: is_live, ..self.entry(&line, source, &[20, 30, 60], Reports::Everything) }
    }

    fn map(&self, how: &str) -> Box<dyn Source> {
        let fields = include_str!("../../../../maps/simulated.toml");
        let http = format!(
            "[read]\nrows = \"/data\"\n[http]\nurl = \"https://{}/homes\"\ncoverage = \"snapshot\"\npause_ms = 600\n\
             [http.pages]\n{how}\ntotal = \"/total\"\n",
            self.host()
        );
        let map = Map::parse(&format!("{fields}\n{http}"), "site.toml").unwrap_or_else(|error| panic!("{error}"));
        Box::new(HttpSource::new(&map, &Params::new()).unwrap())
    }

    /// Hangs until the client gives up, at every request of the day.
    fn dead(self) -> Entry {
        let site = Site::new(
            Arc::new(Mutex::new(Simulation::new(SimulationConfig::new(self.seed, self.start, 10, 1)))),
            SiteConfig {
                chaos: Chaos {
                    outages: vec![Outage {
                        from: self.start,
                        until: self.start.plus_ms(30 * Time::DAY_MS),
                        fault: Fault::Hang { ms: 3_600_000 },
                    }],
                    ..Chaos::default()
                },
                ..SiteConfig::new(Dialect::reso())
            },
        );
        let line = Arc::new(Line::new(Arc::new(site), (50, 500), self.seed));
        let source = self.built("reso", "/odata", &[]);
        let entry = self.entry(&line, source, &[5], Reports::Everything);
        Entry { is_dead: true, ..entry }
    }
}
