//! Searches of portals, of listing APIs, and of sites that a map describes.

use super::*;

impl EntryBuilder {
    pub(super) fn zillow(self, rent: bool, page_size: usize) -> Entry {
        let (status_type, purpose) = if rent { ("ForRent", Purpose::Rent) } else { ("ForSale", Purpose::Sale) };
        let limits = Limits { headers: QuotaHeaders::RapidApi, ..Limits::requests(self.seed, &[(5, 1_000)]) };
        let options = SiteOptions::new(Dialect::Zillow { page_size }, self.homes());
        let rent_permille = if rent { 700 } else { 100 };
        let line = self.line(SiteOptions { access: key("x-rapidapi-key"), limits, rent_permille, ..options });
        let params = [("key", "k"), ("location", "Chicago, IL"), ("status_type", status_type)];
        let entry = self.entry(&line, self.built("zillow", "", &params), &[30, 60], Reports::Zillow);
        Entry { homes: Box::new(move |home| home.purpose == purpose), shows: is_live, ..entry }
    }

    pub(super) fn realtor(self, api: &str, rent: bool) -> Entry {
        let (name, purpose) = if rent { ("rent", Purpose::Rent) } else { ("sale", Purpose::Sale) };
        let limits = Limits { headers: QuotaHeaders::RapidApi, ..Limits::requests(self.seed, &[(5, 1_000)]) };
        let options = SiteOptions::new(Dialect::Realtor, self.homes());
        let rent_permille = if rent { 700 } else { 100 };
        let line = self.line(SiteOptions { access: key("x-rapidapi-key"), limits, rent_permille, ..options });
        let params =
            [("key", "k"), ("api", api), ("purpose", name), ("city", "Chicago"), ("state_code", "IL"), ("limit", "25")];
        let entry = self.entry(&line, self.built("realtor", "", &params), &[30, 60], Reports::Realtor);
        Entry { homes: Box::new(move |home| home.purpose == purpose), shows: is_live, ..entry }
    }

    pub(super) fn rentcast(self, rent: bool) -> Entry {
        let (name, purpose) = if rent { ("rent", Purpose::Rent) } else { ("sale", Purpose::Sale) };
        let limits = Limits { retry_after: false, ..Limits::requests(self.seed, &[(20, 1_000)]) };
        let options = SiteOptions::new(Dialect::RentCast, self.homes());
        let rent_permille = if rent { 700 } else { 100 };
        let line = self.line(SiteOptions { access: key("x-api-key"), limits, rent_permille, ..options });
        let params = [("key", "k"), ("purpose", name), ("city", "Chicago"), ("state", "IL")];
        let entry = self.entry(&line, self.built("rentcast", "", &params), &[30, 60], Reports::Price);
        // A plan with more than 50 requests a month.
        let limits = Some(vec![Limit::per_second(20), Limit::per_month(1_000)]);
        Entry { limits, homes: Box::new(move |home| home.purpose == purpose), shows: is_live, ..entry }
    }

    /// Half of the market is in Morocco, and the sites there show nothing else.
    fn morocco(&self, dialect: Dialect) -> SiteOptions {
        SiteOptions { morocco: true, markets: 18, ..SiteOptions::new(dialect, 2 * self.homes()) }
    }

    pub(super) fn avito(self, data: bool) -> Entry {
        let limits = Limits::requests(self.seed, &[(30, MINUTE_MS)]);
        let line = self.line(SiteOptions { limits, ..self.morocco(Dialect::Avito { data }) });
        let reports = if data { Reports::PriceBefore } else { Reports::Price };
        let entry = self.entry(&line, self.built("avito", "", &[]), &[30, 60], reports);
        Entry { homes: Box::new(is_sold_in_morocco), shows: is_live, ..entry }
    }

    pub(super) fn mubawab(self) -> Entry {
        let limits = Limits::requests(self.seed, &[(30, MINUTE_MS)]);
        let line = self.line(SiteOptions { limits, ..self.morocco(Dialect::Mubawab) });
        let entry = self.entry(&line, self.built("mubawab", "", &[]), &[30, 60], Reports::Price);
        Entry { homes: Box::new(is_sold_in_morocco), shows: is_live, ..entry }
    }

    pub(super) fn declared(self, pages: Pages, how: &str) -> Entry {
        let limits = Limits::requests(self.seed, &[(120, MINUTE_MS)]);
        let options = SiteOptions::new(Dialect::Json(JsonSite::new(pages)), self.homes());
        let line = self.line(SiteOptions { limits, ..options });
        let source = self.map(how);
        Entry { shows: is_live, ..self.entry(&line, source, &[20, 30, 60], Reports::Everything) }
    }

    fn map(&self, how: &str) -> Box<dyn Source> {
        let fields = include_str!("../../../../../maps/simulated.toml");
        let http = format!(
            "[read]\nrows = \"/data\"\n[http]\nurl = \"https://{}/homes\"\ncoverage = \"snapshot\"\npause_ms = 600\n\
             [http.pages]\n{how}\ntotal = \"/total\"\n",
            self.host()
        );
        let map = Map::parse(&format!("{fields}\n{http}"), "site.toml").unwrap_or_else(|error| panic!("{error}"));
        Box::new(HttpSource::new(&map, &Params::new()).unwrap())
    }
}
