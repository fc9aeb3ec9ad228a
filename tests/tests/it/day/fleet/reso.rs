//! Searches of RESO sites.

use super::*;

impl EntryBuilder {
    fn reso(&self, options: SiteOptions, params: &[(&str, &str)]) -> Entry {
        let line = self.line(options);
        let source = self.built("reso", "/odata", params);
        self.entry(&line, source, &[5, 10, 15, 20, 30], Reports::Everything)
    }

    /// The standard: one site shows some changes late, one is queried for active listings only, one counts rows.
    pub(super) fn plain(self) -> Entry {
        let mut site = ResoSite::new(Vendor::Plain);
        if self.n % 3 == 1 {
            site.paging = Paging::Skip;
        }
        let mut options = SiteOptions::reso(site, self.homes());
        if self.n % 3 == 2 {
            options.noise.late_permille = 100;
        }
        if self.n != 4 {
            return self.reso(options, &[("top", "40")]);
        }
        let entry = self.reso(options, &[("top", "40"), ("filter", "StandardStatus eq 'Active'")]);
        Entry { shows: |offer| offer.status == Status::Active, ..entry }
    }

    pub(super) fn trestle(self, replication: bool, client: bool) -> Entry {
        let limits = Limits {
            headers: QuotaHeaders::Trestle,
            ..Limits::requests(self.seed, &[(180, MINUTE_MS), (7_200, Time::HOUR_MS)])
        };
        let options = SiteOptions::reso(ResoSite::new(Vendor::Trestle), self.homes());
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
        Entry { replicates: replication, ..self.reso(SiteOptions { access, limits, ..options }, &params) }
    }

    /// Several searches of one system with one token.
    pub(super) fn mls_grid(self, cities: &'static [&'static str]) -> Vec<Entry> {
        let mut limits = Limits::requests(self.seed, &[(2, 1_000), (7_200, Time::HOUR_MS), (40_000, Time::DAY_MS)]);
        limits.quotas.push(Quota::bytes(4_000_000_000, Time::HOUR_MS).sliding());
        limits.retry_after = false;
        limits.suspension = Some(Suspension { after_refusals: 3, for_ms: Time::HOUR_MS });
        let site = ResoSite { withdraws_after_ms: Some(6 * Time::HOUR_MS), ..ResoSite::new(Vendor::MlsGrid) };
        let options = SiteOptions::reso(site, 4 * self.homes());
        let markets = 3 * cities.len() as u32;
        let line = self.line(SiteOptions { access: Access::Token("t".into()), limits, markets, ..options });
        let searches = cities.iter().zip(self.n..).map(|(city, n)| {
            let filter = format!("OriginatingSystemName eq 'simulated' and City eq '{city}'");
            let params = [("dialect", "mlsgrid"), ("token", "t"), ("top", "40"), ("filter", &filter)];
            let city = format!("/{}/", city.to_lowercase());
            let homes = move |home: &Home| home.area.path.as_str().contains(&city);
            let like = EntryBuilder { n, seed: self.seed ^ n, start: self.start };
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

    pub(super) fn bridge(self, replication: bool) -> Entry {
        let limits = Limits {
            headers: QuotaHeaders::RateLimit,
            ..Limits::requests(self.seed, &[(334, MINUTE_MS), (5_000, Time::HOUR_MS)])
        };
        let mut options = SiteOptions::reso(ResoSite::new(Vendor::Bridge), self.homes());
        // Its own time moves with its database, so that late changes are found anyway.
        options.noise.late_permille = 100;
        let options = SiteOptions { access: Access::Token("t".into()), limits, ..options };
        let replication = if replication { "true" } else { "false" };
        let params = [("dialect", "bridge"), ("token", "t"), ("top", "40"), ("replication", replication)];
        self.reso(options, &params)
    }

    pub(super) fn spark(self) -> Entry {
        let options = SiteOptions::reso(ResoSite::new(Vendor::Spark), self.homes());
        let options = SiteOptions { access: Access::Token("t".into()), ..options };
        self.reso(options, &[("dialect", "spark"), ("token", "t"), ("top", "40")])
    }

    /// Hangs until the client gives up, at every request of the day.
    pub(super) fn dead(self) -> Entry {
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
