//! Every kind of source: a site on loopback that speaks its dialect, and searches of it.

use stoop_domain::{Currency, Purpose, Time};

use crate::dialect::{Dialect, JsonSite, Pages, ResoSite, Vendor};
use crate::home::Home;
use crate::site::{Access, Client, SiteConfig};

/// The folder of the exported files, relative to the root of files.
pub const EXPORTS: &str = "exports/";
/// How long a listing that is off the market stays visible at MLS Grid.
pub(super) const WITHDRAWN_AFTER_MS: i64 = 6 * Time::HOUR_MS;
/// A robots.txt that allows Stoop.
const ROBOTS: &str = "User-agent: *\nDisallow: /admin\n";
/// The keys of the sites, by their names in the configuration.
pub const KEYS: [(&str, &str); 7] = [
    ("trestle", "s3cret"),
    ("mlsgrid", "m"),
    ("bridge", "b"),
    ("spark", "s"),
    ("rapidapi", "r"),
    ("rentcast", "c"),
    ("homes", "h"),
];

/// A search and its expected results.
pub struct CountrySearch {
    pub name: &'static str,
    /// The first half of the IDs of its homes.
    pub source: &'static str,
    /// The site whose dialect gives the second half.
    pub(super) site: &'static str,
    pub(super) coverage: Coverage,
    pub(super) asks: fn(&Home) -> bool,
    /// Its parameters in `stoop.toml`, other than name and poll interval.
    pub(super) toml: String,
}

/// What a source shows of the listings of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coverage {
    /// Everything that was ever listed, with its status.
    Whole,
    /// The same, and what is withdrawn.
    Withdrawals,
    /// What is on the market, with its status. A listing that is not shown any more is gone.
    OnMarket,
    /// The same without a status.
    Prices,
    /// The same, but a missing listing is not gone: ads move from page to page.
    Ads,
}

/// The sites by name.
pub(super) fn sites() -> [(&'static str, SiteConfig); 10] {
    let key = |header: &str, value: &str| Access::Key { header: header.into(), value: value.into() };
    let token = |token: &str| Access::Token(token.into());
    let client = Access::Client(Client {
        token_path: "/oidc/connect/token".into(),
        id: "stoop".into(),
        secret: "s3cret".into(),
        scope: Some("api".into()),
        expires_in_s: 3_000,
    });
    let reso = |vendor| Dialect::Reso(ResoSite::new(vendor));
    let grid = ResoSite { withdraws_after_ms: Some(WITHDRAWN_AFTER_MS), ..ResoSite::new(Vendor::MlsGrid) };
    let json = Dialect::Json(JsonSite::new(Pages::Cursor));
    [
        ("trestle", reso(Vendor::Trestle), client),
        ("mlsgrid", Dialect::Reso(grid), token("m")),
        ("bridge", reso(Vendor::Bridge), token("b")),
        ("spark", reso(Vendor::Spark), token("s")),
        ("zillow", Dialect::Zillow { page_size: 10 }, key("x-rapidapi-key", "r")),
        ("realtor", Dialect::Realtor, key("x-rapidapi-key", "r")),
        ("rentcast", Dialect::RentCast, key("x-api-key", "c")),
        ("avito", Dialect::Avito { data: true }, Access::Open),
        ("mubawab", Dialect::Mubawab, Access::Open),
        ("declared", json, key("x-api-key", "h")),
    ]
    .map(|(name, dialect, access)| {
        (name, SiteConfig { access, robots: Some(ROBOTS.into()), ..SiteConfig::new(dialect) })
    })
}

/// The searches of sites at these URLs. `key` gives the value in the configuration for a key.
pub(super) fn searches(url: impl Fn(&str) -> String, key: impl Fn(&str) -> String) -> Vec<CountrySearch> {
    let mut searches = feeds(&url, &key);
    searches.extend(portals(&url, &key));
    searches.extend(maps(&key));
    searches
}

/// The maps of a generic JSON API at this URL, and of exported files.
pub(super) fn map_files(url: &str) -> [(&'static str, String); 2] {
    let fields = include_str!("../../../../maps/simulated.toml");
    let named = |name: &str| fields.replace("name = \"simulated\"", &format!("name = \"{name}\""));
    let http = format!(
        "[read]\nrows = \"/data\"\n[http]\nurl = \"{url}/homes\"\ncoverage = \"snapshot\"\npause_ms = 100\n\
         [http.headers]\nX-Api-Key = \"{{key}}\"\n\
         [http.pages]\nby = \"cursor\"\nnext = \"/cursor\"\ntotal = \"/total\"\n"
    );
    [("maps/declared.toml", format!("{}\n{http}", named("declared"))), ("maps/exports.toml", named("exports"))]
}

/// RESO feeds.
fn feeds(url: &impl Fn(&str) -> String, key: &impl Fn(&str) -> String) -> Vec<CountrySearch> {
    let feed = |name: &'static str, coverage, filter: &str, params: &str| {
        let asks = if filter.contains("Seattle") { in_seattle } else { in_austin };
        let toml = format!(
            "source = \"reso\"\n[search.params]\nurl = \"{}/odata\"\ndialect = \"{name}\"\nname = \"{name}\"\n\
             filter = \"{filter}\"\ntop = 30\n{params}\n",
            url(name)
        );
        CountrySearch { name, source: name, site: name, coverage, asks, toml }
    };
    let trestle = format!("client_id = \"stoop\"\nclient_secret = {}\nreplication = \"true\"", key("trestle"));
    let token = |name| format!("token = {}", key(name));
    let grid = "OriginatingSystemName eq 'simulated' and City eq 'Austin'";
    vec![
        feed("trestle", Coverage::Whole, "City eq 'Seattle'", &trestle),
        feed("mlsgrid", Coverage::Withdrawals, grid, &token("mlsgrid")),
        feed("bridge", Coverage::Whole, "City eq 'Seattle'", &token("bridge")),
        feed("spark", Coverage::Whole, "City eq 'Austin'", &token("spark")),
    ]
}

/// Portals for people.
fn portals(url: &impl Fn(&str) -> String, key: &impl Fn(&str) -> String) -> Vec<CountrySearch> {
    let portal = |name, site, coverage, asks, keys: &str, params: &str| {
        let toml = format!("source = \"{site}\"\n{keys}\n[search.params]\nurl = \"{}\"\n{params}\n", url(site));
        CountrySearch { name, source: site, site, coverage, asks, toml }
    };
    let rapid = |params: &str| format!("{params}\nkey = {}", key("rapidapi"));
    // The default limits are those of the free plan, which allows fewer than two polls a day.
    let plan = "limits = [\"20/s\"]";
    let rentcast = format!("city = \"Seattle\"\nstate = \"WA\"\nlimit = 10\nkey = {}", key("rentcast"));
    vec![
        portal("zillow-com1", "zillow", Coverage::OnMarket, sold_in_seattle, "", &rapid("location = \"Seattle, WA\"")),
        portal(
            "zillow56",
            "zillow",
            Coverage::OnMarket,
            sold_in_austin,
            "",
            &rapid("api = \"zillow56\"\nlocation = \"Austin, TX\""),
        ),
        portal(
            "realty-in-us",
            "realtor",
            Coverage::OnMarket,
            sold_in_seattle,
            "",
            &rapid("city = \"Seattle\"\nstate_code = \"WA\"\nlimit = 10"),
        ),
        portal(
            "us-real-estate",
            "realtor",
            Coverage::OnMarket,
            let_in_austin,
            "",
            &rapid("api = \"us-real-estate\"\npurpose = \"rent\"\ncity = \"Austin\"\nstate_code = \"TX\"\nlimit = 4"),
        ),
        portal("rentcast", "rentcast", Coverage::Prices, sold_in_seattle, plan, &rentcast),
        portal("avito", "avito", Coverage::Ads, sold_in_morocco, "enabled = true", ""),
        portal("mubawab", "mubawab", Coverage::Ads, sold_in_morocco, "enabled = true", ""),
    ]
}

/// Sources that are declared by maps.
fn maps(key: &impl Fn(&str) -> String) -> [CountrySearch; 2] {
    let http = format!("source = \"maps/declared.toml\"\nparams = {{ key = {} }}\n", key("homes"));
    let files = format!("source = \"maps/exports.toml\"\nfiles = \"{EXPORTS}\"\ncoverage = \"snapshot\"\n");
    let search = |name, asks, toml| CountrySearch {
        name,
        source: name,
        site: "declared",
        coverage: Coverage::OnMarket,
        asks,
        toml,
    };
    [search("declared", in_america as fn(&Home) -> bool, http), search("exports", in_seattle, files)]
}

fn is_in(city: &str, home: &Home) -> bool {
    home.area.path.as_str().contains(city)
}

fn in_seattle(home: &Home) -> bool {
    is_in("/seattle/", home)
}

fn in_austin(home: &Home) -> bool {
    is_in("/austin/", home)
}

fn in_america(home: &Home) -> bool {
    home.currency() == Currency::USD
}

fn sold_in_seattle(home: &Home) -> bool {
    in_seattle(home) && home.purpose == Purpose::Sale
}

fn sold_in_austin(home: &Home) -> bool {
    in_austin(home) && home.purpose == Purpose::Sale
}

fn let_in_austin(home: &Home) -> bool {
    in_austin(home) && home.purpose == Purpose::Rent
}

fn sold_in_morocco(home: &Home) -> bool {
    home.currency() == Currency::MAD && home.purpose == Purpose::Sale
}
