use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stoop_domain::{Alert, AlertId, Currency, Event, EventKind, Home, HomeId, Minor, PriceChange, Verdict};

use crate::plausible::suspicion;

/// All rules in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The price-drop rules; a drop that several of them fit raises one alert, by the first.
    pub drops: Vec<DropRule>,
    /// A change of less than this share of the price before is noise: no rule sees it. Hundredths of a
    /// percent.
    pub noise_bp: u32,
    /// A drop of this share or more is suspect. Hundredths of a percent.
    pub suspect_bp: u32,
}

/// A price drop that is worth telling: large enough by share or by amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropRule {
    /// The rule's name: part of every alert's id.
    pub name: String,
    /// At least this share of the price before, in hundredths of a percent.
    pub share_bp_min: Option<u32>,
    /// Or at least this amount, by currency.
    pub amount_min: BTreeMap<Currency, Minor>,
}

impl Default for Rules {
    /// A drop of at least 15 %; less than 0.5 % is noise, three quarters or more is suspect.
    fn default() -> Self {
        let drop = DropRule { name: "price-drop".into(), share_bp_min: Some(1_500), amount_min: BTreeMap::new() };
        Self { drops: vec![drop], noise_bp: 50, suspect_bp: 7_500 }
    }
}

impl Rules {
    /// The alerts for the change of a home from `old` to `new`, in order of time.
    ///
    /// A drop's identity is the home, the two prices, and how many times the home has made the very
    /// same step: not its time, which a late observation may move.
    #[must_use]
    pub fn judge(&self, id: &HomeId, old: Option<&Home>, new: &Home) -> Vec<Alert> {
        let events = new.history.events();
        let mut known: BTreeMap<PriceChange, u32> = BTreeMap::new();
        for event in old.map(|old| old.history.events()).unwrap_or_default() {
            if let Some(cut) = cut_of(&event) {
                *known.entry(cut).or_default() += 1;
            }
        }
        let mut seen: BTreeMap<PriceChange, u32> = BTreeMap::new();
        let mut alerts = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let Some(cut) = cut_of(event) else { continue };
            let times = seen.entry(cut).or_default();
            *times += 1;
            if *times <= known.get(&cut).copied().unwrap_or(0) {
                continue;
            }
            let Some(rule) = self.fits(event, cut) else { continue };
            let verdict = match suspicion(self.suspect_bp, &events[..place], event, cut) {
                None => Verdict::Alert,
                Some(why) => Verdict::Suspect(why),
            };
            alerts.push(Alert {
                id: alert_id(&rule.name, id, cut, *times),
                rule: rule.name.clone(),
                home: id.clone(),
                market: event.market.clone(),
                at: event.at,
                from: cut.from,
                to: cut.to,
                drop_bp: drop_bp(cut),
                title: new.card.title.clone(),
                line: new.card.line.clone(),
                url: new.card.url.clone(),
                verdict,
            });
        }
        alerts
    }

    fn fits(&self, event: &Event, cut: PriceChange) -> Option<&DropRule> {
        let bp = drop_bp(cut);
        if bp < self.noise_bp {
            return None;
        }
        let amount = cut.from.0 - cut.to.0;
        let enough = |rule: &&DropRule| {
            rule.share_bp_min.is_some_and(|min| bp >= min)
                || rule.amount_min.get(&event.market.currency).is_some_and(|min| amount >= min.0)
        };
        self.drops.iter().find(enough)
    }
}

fn cut_of(event: &Event) -> Option<PriceChange> {
    event.change.filter(|_| event.kind == EventKind::PriceCut)
}

/// The drop as hundredths of a percent of the price before, rounded down: 15 % is reached, never nearly.
pub(crate) fn drop_bp(change: PriceChange) -> u32 {
    let (from, to) = (i128::from(change.from.0), i128::from(change.to.0));
    if from <= 0 || to >= from {
        return 0;
    }
    u32::try_from((from - to) * 10_000 / from).unwrap_or(10_000)
}

/// Hashes rule, home and change. Lengths are part of what is hashed, so that no two lists run together.
fn alert_id(rule: &str, home: &HomeId, cut: PriceChange, times: u32) -> AlertId {
    let mut hasher = blake3::Hasher::new();
    for part in [rule, home.as_str()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.update(&cut.from.0.to_le_bytes());
    hasher.update(&cut.to.0.to_le_bytes());
    hasher.update(&times.to_le_bytes());
    AlertId(hasher.finalize().to_hex()[..32].to_owned())
}

#[cfg(test)]
mod tests {
    use stoop_domain::{Facts, Listing, Place, Purpose, Time};

    use super::*;

    const HOUR: i64 = 3_600_000;

    /// A home seen at these hours with these prices in dollars.
    fn home(prices: &[(i64, i64)]) -> Home {
        let mut home = Home::default();
        for (hour, dollars) in prices {
            let place = Place { postal_code: Some("98178".into()), ..Place::default() };
            let mut listing = Listing::new(Purpose::Sale, Currency::USD, place);
            listing.list_price = Some(Minor(dollars * 100));
            home.history.apply(Time::from_ms(hour * HOUR), &Facts::of(&listing).unwrap(), None);
        }
        home
    }

    fn judge(old: &[(i64, i64)], new: &[(i64, i64)]) -> Vec<Alert> {
        let id = HomeId("t/1".into());
        let old = (!old.is_empty()).then(|| home(old));
        Rules::default().judge(&id, old.as_ref(), &home(new))
    }

    #[test]
    fn fifteen_percent_is_told_and_a_hair_less_is_not() {
        let [alert] = &judge(&[(0, 100_000)], &[(0, 100_000), (1, 85_000)])[..] else { panic!("one alert") };
        assert_eq!((alert.drop_bp, &alert.verdict), (1_500, &Verdict::Alert));
        assert_eq!(judge(&[(0, 100_000)], &[(0, 100_000), (1, 85_001)]), []);
    }

    #[test]
    fn an_amount_may_be_enough_but_noise_never_is() {
        let mut rules = Rules::default();
        rules.drops[0].amount_min.insert(Currency::USD, Minor(100));
        let id = HomeId("t/1".into());
        let told = |new: &[(i64, i64)]| rules.judge(&id, None, &home(new)).len();
        assert_eq!(told(&[(0, 100_000), (1, 99_000)]), 1);
        assert_eq!(told(&[(0, 100_000), (1, 99_998)]), 0);
    }

    #[test]
    fn what_was_in_the_old_history_is_not_told_again() {
        assert_eq!(judge(&[(0, 100), (1, 80)], &[(0, 100), (1, 80), (2, 80)]), []);
        let again = judge(&[(0, 100), (1, 80), (2, 100)], &[(0, 100), (1, 80), (2, 100), (3, 80)]);
        assert_eq!(again.len(), 1, "the same step made a second time is a second change");
    }

    #[test]
    fn a_late_confirmation_that_moves_a_change_in_time_is_no_new_change() {
        assert_eq!(judge(&[(0, 100), (3, 80)], &[(0, 100), (2, 80), (3, 80)]), []);
    }

    #[test]
    fn ids_are_the_same_however_the_batches_were_cut() {
        let at_once = judge(&[], &[(0, 100), (1, 80), (2, 60)]);
        let first = judge(&[(0, 100)], &[(0, 100), (1, 80)]);
        let second = judge(&[(0, 100), (1, 80)], &[(0, 100), (1, 80), (2, 60)]);
        let ids = |alerts: &[Alert]| alerts.iter().map(|a| a.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&at_once), [ids(&first), ids(&second)].concat());
    }

    #[test]
    fn a_price_to_a_tenth_is_held_back() {
        let [alert] = &judge(&[], &[(0, 269_900), (1, 26_990)])[..] else { panic!("one") };
        assert!(matches!(&alert.verdict, Verdict::Suspect(why) if why.contains("a tenth")), "{:?}", alert.verdict);
    }

    #[test]
    fn a_drop_that_takes_back_a_fresh_doubling_is_held_back() {
        let [alert] = &judge(&[], &[(0, 690_000), (24, 1_390_000), (48, 690_000)])[..] else { panic!("one") };
        assert!(matches!(&alert.verdict, Verdict::Suspect(why) if why.contains("takes back")), "{:?}", alert.verdict);
        let [late] = &judge(&[], &[(0, 690_000), (24, 1_390_000), (24 * 40, 690_000)])[..] else { panic!("one") };
        assert_eq!(late.verdict, Verdict::Alert);
        let [mild] = &judge(&[], &[(0, 690_000), (24, 990_000), (48, 690_000)])[..] else { panic!("one") };
        assert_eq!(mild.verdict, Verdict::Alert, "a seller may try a higher price for a day");
        let [slip, real] = &judge(&[], &[(0, 200_000), (1, 20_000), (24, 200_000), (48, 160_000)])[..] else {
            panic!("two")
        };
        assert!(matches!(slip.verdict, Verdict::Suspect(_)));
        assert_eq!(real.verdict, Verdict::Alert, "a slip that was put right does not hide a real drop after it");
    }
}
