//! Events when the status of a home changes.

use stoop_domain::{Entry, EventKind, Exit, Facts, History, Purpose, Sighting, Status, Time};

use crate::support::{DAY, START, facts, in_area};

use Status::{Active, Closed, ComingSoon, Gone, Pending, Withdrawn};

/// A home with these facts from these days on.
fn home(seen: &[(i64, Facts)]) -> History {
    let mut history = History::default();
    for (day, facts) in seen {
        history.apply(Sighting::at(on(*day)), facts, None);
    }
    history
}

fn on(day: i64) -> Time {
    Time::from_ms(START + day * DAY)
}

fn kinds(seen: &[(i64, Status)]) -> Vec<EventKind> {
    let seen: Vec<_> = seen.iter().map(|(day, status)| (*day, facts(*status, 500))).collect();
    home(&seen).events().into_iter().map(|event| event.kind).collect()
}

#[test]
fn the_time_off_the_market_decides_the_kind_of_return() {
    use EventKind::{BackOnMarket, Gone as Left, New, Relisted};
    let back_after = |days: i64| kinds(&[(0, Active), (10, Gone), (10 + days, Active)]);
    assert_eq!(back_after(60), [New, Left, BackOnMarket]);
    assert_eq!(back_after(90), [New, Left, BackOnMarket]);
    assert_eq!(back_after(91), [New, Left, Relisted]);
    assert_eq!(back_after(100), [New, Left, Relisted]);
    assert_eq!(back_after(365), [New, Left, Relisted]);
    assert_eq!(back_after(366), [New, Left, New]);
    assert_eq!(back_after(4 * 365), [New, Left, New]);
}

#[test]
fn a_return_under_contract_after_long_begins_a_new_spell() {
    let seen = [(0, facts(Active, 500)), (10, facts(Gone, 500)), (110, facts(Pending, 400)), (115, facts(Active, 300))];
    let history = home(&seen);
    let steps = history.steps();
    let entries: Vec<_> = steps.iter().map(|step| step.entry).collect();
    assert_eq!(entries, [Some(Entry::New), None, None, Some(Entry::Relisted)]);
    assert_eq!((steps[2].spell.opened_at, steps[3].spell.opened_at), (on(110), on(110)));
    assert_eq!(steps[2].change, None, "another spell");
    assert_eq!(steps[3].change.map(|change| (change.from.0, change.to.0)), Some((400, 300)));
}

#[test]
fn gone_then_sold_is_one_exit_and_one_sale() {
    use EventKind::{Gone as Left, New, Sold};
    assert_eq!(kinds(&[(0, Active), (10, Gone), (20, Closed)]), [New, Left, Sold]);
    // The portal takes the sold listing down and shows it once more: that is not a second sale.
    assert_eq!(kinds(&[(0, Active), (10, Gone), (20, Closed), (30, Gone), (40, Closed)]), [New, Left, Sold]);
}

#[test]
fn a_sold_home_is_new_after_any_time() {
    use EventKind::{Closed as Sale, New, Sold};
    for days in [20, 60, 100, 200, 400, 2_000] {
        assert_eq!(kinds(&[(0, Active), (10, Closed), (10 + days, Active)]), [New, Sale, Sold, New], "{days}");
        let taken_down = kinds(&[(0, Active), (10, Closed), (12, Gone), (12 + days, Active)]);
        assert_eq!(taken_down, [New, Sale, Sold, New], "taken down for {days}");
    }
}

#[test]
fn the_first_status_decides_the_kind_of_the_first_entry() {
    use EventKind::{BackOnMarket, New, Relisted};
    assert_eq!(kinds(&[(0, Active)]), [New]);
    assert_eq!(kinds(&[(0, ComingSoon), (10, Active)]), [New]);
    assert_eq!(kinds(&[(0, Pending), (10, Active)]), [BackOnMarket]);
    assert_eq!(kinds(&[(0, Withdrawn), (10, Active)]), [BackOnMarket]);
    assert_eq!(kinds(&[(0, Withdrawn), (100, Active)]), [Relisted]);
    assert_eq!(kinds(&[(0, Closed), (100, Active)]), [New]);
    assert_eq!(kinds(&[(0, Closed), (10, Gone), (200, Active)]), [New]);
}

#[test]
fn coming_soon_after_active_is_off_the_market() {
    use EventKind::{BackOnMarket, Gone as Left, New, Relisted};
    assert_eq!(kinds(&[(0, Active), (10, ComingSoon), (20, Active)]), [New, Left, BackOnMarket]);
    assert_eq!(kinds(&[(0, Active), (10, ComingSoon), (200, Active)]), [New, Left, Relisted]);
}

#[test]
fn a_switch_from_sale_to_rent_is_gone_there_and_new_here() {
    let rent = in_area("Alfama", Purpose::Rent, Active, 2);
    let home = home(&[(0, facts(Active, 500)), (10, rent.clone()), (20, facts(Active, 400))]);
    let reported: Vec<_> = home.events().into_iter().map(|event| (event.kind, event.market)).collect();
    let sale = facts(Active, 500).market;
    let expected = [
        (EventKind::New, sale.clone()),
        (EventKind::Gone, sale.clone()),
        (EventKind::New, rent.market.clone()),
        (EventKind::Gone, rent.market),
        (EventKind::New, sale),
    ];
    assert_eq!(reported, expected);
}

#[test]
fn a_home_that_goes_under_contract_on_other_terms_is_pending_there() {
    use EventKind::{Closed as Sale, Gone as Left, New, Pending as Contract, Sold};
    let then = |status| {
        let home = home(&[(0, facts(Active, 500)), (10, in_area("Alfama", Purpose::Rent, status, 2))]);
        home.events().into_iter().map(|event| (event.kind, event.market.purpose)).collect::<Vec<_>>()
    };
    let (sale, rent) = (Purpose::Sale, Purpose::Rent);
    assert_eq!(then(Pending), [(New, sale), (Contract, sale)]);
    assert_eq!(then(Closed), [(New, sale), (Sale, sale), (Sold, rent)]);
    assert_eq!(then(Withdrawn), [(New, sale), (Left, sale)]);
    assert_eq!(then(Active), [(New, sale), (Left, sale), (New, rent)]);
}

#[test]
fn a_move_is_an_exit_there_and_an_entry_here_with_the_price_change() {
    let there = in_area("Baixa", Purpose::Sale, Active, 400);
    let home = home(&[(0, facts(Active, 500)), (10, there.clone())]);
    let step = home.steps().pop().unwrap();
    assert_eq!((step.exit, step.entry), (Some(Exit::MovedOut), Some(Entry::MovedIn)));
    assert_eq!(step.change.map(|change| (change.from.0, change.to.0)), Some((500, 400)));
    assert_eq!(step.spell.opened_at, on(0));
    let reported: Vec<_> = home.events().into_iter().map(|event| (event.kind, event.market)).collect();
    assert_eq!(reported[1..3], [(EventKind::MovedOut, facts(Active, 1).market), (EventKind::MovedIn, there.market)]);
}

#[test]
fn a_home_in_the_first_scan_is_initial() {
    let first = |sighting: Sighting, listed: Option<Time>| {
        let mut history = History::default();
        history.apply(sighting, &facts(Active, 500), listed);
        history.events()[0].kind
    };
    assert_eq!(first(Sighting::at(on(0)), None), EventKind::New);
    assert_eq!(first(Sighting { initial: true, ..Sighting::at(on(0)) }, None), EventKind::Initial);
    assert_eq!(first(Sighting::at(on(0)), Some(on(-7))), EventKind::New);
    assert_eq!(first(Sighting::at(on(0)), Some(on(-8))), EventKind::Initial);
    // A later observation of an earlier time shows that it came on the market then.
    let mut history = History::default();
    history.apply(Sighting { initial: true, ..Sighting::at(on(0)) }, &facts(Active, 500), None);
    history.apply(Sighting::at(on(-3)), &facts(Active, 500), None);
    let reported: Vec<_> = history.events().into_iter().map(|event| (event.kind, event.at)).collect();
    assert_eq!(reported, [(EventKind::New, on(-3))]);
}

#[test]
fn a_sale_has_its_day_if_the_day_is_possible() {
    let sold = |close: i64, seen: &[(i64, Status)]| {
        let mut history = History::default();
        for (day, status) in seen {
            let mut facts = facts(*status, 500);
            facts.close_date = Some(on(close).day_in(&jiff::tz::TimeZone::UTC));
            history.apply(Sighting::at(on(*day)), &facts, None);
        }
        let sold: Vec<_> = history.steps().into_iter().filter_map(|step| step.sold).collect();
        let day = |sold: &stoop_domain::Sold| sold.on.map(|on| i64::from(on.0) - START / DAY);
        sold.iter().map(day).collect::<Vec<_>>()
    };
    assert_eq!(sold(15, &[(0, Active), (20, Closed)]), [Some(15)]);
    assert_eq!(sold(40, &[(0, Active), (20, Closed)]), [None]);
    assert_eq!(sold(-20_000, &[(0, Active), (20, Closed)]), [None]);
    assert_eq!(sold(15, &[(20, Closed)]), [Some(15)]);
    assert_eq!(sold(-20_000, &[(20, Closed)]), [] as [Option<i64>; 0]);
    assert_eq!(sold(40, &[(20, Closed)]), [] as [Option<i64>; 0]);
}
