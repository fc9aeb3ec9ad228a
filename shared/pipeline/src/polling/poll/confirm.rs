//! When an unchanged listing is sent again.
//!
//! The poller sends changes. With changes alone a price has one sighting, and a listing that is still there looks like
//! one that was not seen for a year. So an unchanged listing on the market is sent again, as an ordinary observation,
//! once in each interval of whole UTC days ([`Watch::confirmed_every`]). A listing with a doubtful price is sent again
//! on the next UTC day (ADR 0034).

use stoop_domain::{Address, AreaPath, Doubt, Listing, Minor, Phase, Time, Watch};
use stoop_sources::Coverage;

/// How a source of this coverage is watched if it is polled repeatedly.
pub(super) fn watch_of(coverage: Coverage) -> Watch {
    match coverage {
        Coverage::Snapshot => Watch::Complete,
        Coverage::Changes => Watch::Repeated,
    }
}

/// Whether a confirmation is due of a listing that was sent `last` and is now `seen` unchanged. `doubtful` is whether
/// [`doubtful_since`] returns a time.
///
/// All listings of a market are due on the same days, which depend on the market's name, so that its state is not
/// written every day.
pub(super) fn is_due(listing: &Listing, doubtful: bool, watch: Watch, last: Time, seen: Time) -> bool {
    let Some(interval) = watch.confirmed_every() else { return false };
    let (last, today) = (utc_day(last), utc_day(seen));
    // If the clock was set back, `last` is in the future.
    if today <= last || !matches!(listing.status.phase(), Phase::Active | Phase::Pending) {
        return false;
    }
    if doubtful || today - last >= interval {
        return true;
    }
    let offset = i64::from(hash_of_area(listing).as_bytes()[0]) % interval;
    let turn = |day: i64| (day + offset).div_euclid(interval);
    turn(today) > turn(last)
}

/// A hash of the source's own names of the area, because the poller has no gazetteer. If a source names an area in two
/// ways, the homes of its market are due on two days.
fn hash_of_area(listing: &Listing) -> blake3::Hash {
    let Address { country, region, county, city, neighbourhood, postal_code, .. } = &listing.address;
    let narrow = postal_code.as_deref().or(neighbourhood.as_deref());
    let words = AreaPath::of([country.as_deref(), region.as_deref(), county.as_deref(), city.as_deref(), narrow]);
    let words = words.as_ref().map_or("", AreaPath::as_str);
    blake3::hash(format!("{words}:{}:{}", listing.purpose.as_str(), listing.currency).as_bytes())
}

/// Since when the price of a sent listing is doubtful. The index knows only the price sent `before`, and since when
/// that was doubtful. So it may call a price doubtful that follows a doubtful one; then the listing is sent once too
/// often.
pub(super) fn doubtful_since(before: Option<(Option<Minor>, Option<Time>)>, now: &Listing, seen: Time) -> Option<Time> {
    let (price, since) = before.unwrap_or_default();
    let same = price == now.list_price;
    match since {
        Some(since) if same => (utc_day(seen) <= utc_day(since)).then_some(since),
        Some(_) => Some(seen),
        None if same && before.is_some() => None,
        None => now.list_price.and_then(|to| Doubt::of(price, to, now.currency)).map(|_| seen),
    }
}

fn utc_day(time: Time) -> i64 {
    time.ms().div_euclid(Time::DAY_MS)
}

#[cfg(test)]
mod tests {
    use stoop_domain::{Address, Currency, Purpose, Status};

    use super::*;

    fn home(city: &str, price: i64) -> Listing {
        let address = Address { city: Some(city.into()), country: Some("US".into()), ..Address::default() };
        let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
        listing.list_price = Some(Minor(price));
        listing
    }

    fn hour(hour: i64) -> Time {
        Time::from_ms(1_768_003_200_000 + hour * Time::HOUR_MS)
    }

    /// The hours at which a listing that is polled every hour is sent once more.
    fn sent(city: &str, coverage: Coverage, days: i64) -> Vec<i64> {
        let listing = home(city, 50_000_000);
        let mut last = hour(5);
        let mut sent = Vec::new();
        for now in 6..days * 24 {
            if is_due(&listing, false, watch_of(coverage), last, hour(now)) {
                last = hour(now);
                sent.push(now);
            }
        }
        sent
    }

    #[test]
    fn unchanged_for_forty_days_it_is_sent_on_the_first_poll_of_every_third_or_eleventh() {
        let mut days = std::collections::BTreeSet::new();
        for city in ["Chicago", "Boston", "Denver", "Austin", "Reno", "Mesa"] {
            for (coverage, interval) in [(Coverage::Changes, 3), (Coverage::Snapshot, 11)] {
                let sent = sent(city, coverage, 40);
                let (least, most) = (39 / interval, 39 / interval + 1);
                assert!((least..=most).contains(&(sent.len() as i64)), "{city}: {sent:?}");
                assert!(sent[0] <= interval * 24, "{sent:?}");
                assert!(sent.iter().all(|hour| hour % 24 == 0), "{sent:?}");
                assert!(sent.windows(2).all(|pair| pair[1] - pair[0] == interval * 24), "{sent:?}");
                days.insert((interval, sent[0] / 24));
            }
        }
        assert!(days.len() > 5, "markets are spread over days: {days:?}");
    }

    #[test]
    fn listings_off_the_market_are_not_confirmed_and_a_clock_behind_waits() {
        let mut listing = home("Chicago", 50_000_000);
        let due = |listing: &Listing, now| is_due(listing, true, Watch::Repeated, hour(240), hour(now));
        assert!(due(&listing, 264) && due(&listing, 24_000));
        assert!(!due(&listing, 263) && !due(&listing, 10), "the same day, and ten days back");
        for (status, is) in [(Status::Pending, true), (Status::Closed, false), (Status::Withdrawn, false)] {
            listing.status = status;
            assert_eq!(due(&listing, 300), is, "{status:?}");
        }
    }

    #[test]
    fn a_price_is_doubtful_until_it_is_sent_on_another_day() {
        let since = |before: Option<(i64, Option<i64>)>, price, now| {
            let before = before.map(|(price, since)| (Some(Minor(price)), since.map(hour)));
            doubtful_since(before, &home("Chicago", price), hour(now))
        };
        assert_eq!(since(None, 50_000_000, 3), None);
        assert_eq!(since(None, 9_999_999_900, 3), Some(hour(3)));
        assert_eq!(since(Some((50_000_000, None)), 45_000_000, 3), None);
        assert_eq!(since(Some((50_000_000, None)), 5_000_000, 3), Some(hour(3)));
        assert_eq!(since(Some((5_000_000, Some(3))), 5_000_000, 23), Some(hour(3)), "the same day");
        assert_eq!(since(Some((5_000_000, Some(3))), 5_000_000, 24), None);
        assert_eq!(since(Some((5_000_000, Some(3))), 4_900_000, 30), Some(hour(30)), "still far below the first");
        assert_eq!(since(Some((5_555_500, None)), 5_555_500, 30), None, "sent on two days already");
    }
}
