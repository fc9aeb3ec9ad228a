use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const MLS_GRID: [Limit; 4] =
    [Limit::per_second(2), Limit::per_hour(7_200), Limit::per_day(40_000), Limit::bytes_per_hour(4_000_000_000)];

fn at(ms: i64) -> Time {
    Time::from_ms(1_768_392_000_000 + ms)
}

/// Books at the first possible time, however late.
fn book(account: &mut Account, limits: &[Limit], now: Time) -> Booking {
    let mut now = now;
    loop {
        match account.book(limits, now, None) {
            Ok(booking) => return booking,
            Err(held) => now = held.until,
        }
    }
}

/// One event of an account: its delay, clock, request duration and outcome.
#[derive(Clone, Copy, Debug)]
struct Step {
    after_ms: i64,
    skew_ms: i64,
    on_its_way_ms: i64,
    patience_ms: i64,
    fate: u8,
    bytes_percent: u64,
}

fn step(longest_ms: i64) -> impl Strategy<Value = Step> {
    let after = prop_oneof![4 => Just(0), 4 => 0..longest_ms / 20 + 2, 1 => 0..longest_ms * 2];
    let patience = prop_oneof![3 => Just(WAIT_MAX_MS), 1 => 0..WAIT_MAX_MS];
    // Together no more than the margin of the shortest window.
    (after, -70..70_i64, 0..150_i64, patience, 0..20_u8, 0..100_u64).prop_map(
        |(after_ms, skew_ms, on_its_way_ms, patience_ms, fate, bytes_percent)| Step {
            after_ms,
            skew_ms,
            on_its_way_ms,
            patience_ms,
            fate,
            bytes_percent,
        },
    )
}

fn limits() -> impl Strategy<Value = Vec<Limit>> {
    let requests =
        (1..30_u64, prop_oneof![Just(1_000_u64), Just(3_000), 700..5_000_u64, Just(60_000), Just(3_600_000)]);
    let bytes = (2..20_u64, prop_oneof![Just(60_000_u64), Just(3_600_000)]);
    let requests = requests.prop_map(|(most, per_ms)| Limit { of: Metered::Requests, most, per_ms });
    let bytes = bytes.prop_map(|(most, per_ms)| Limit { of: Metered::Bytes, most: most * ANSWER_BYTES, per_ms });
    (vec(requests, 1..4), vec(bytes, 0..2)).prop_map(|(requests, bytes)| [requests, bytes].concat())
}

/// Arrival times and sizes in bytes.
type Log = Vec<(i64, u64)>;

/// Runs the steps and returns the server's log.
fn play(limits: &[Limit], steps: &[Step], restarts: bool) -> Log {
    let mut account = Account::default();
    let mut now_ms = 0;
    let mut log = Log::new();
    let mut under_way: Vec<(Booking, u64)> = Vec::new();
    for step in steps {
        now_ms += step.after_ms;
        if restarts && step.fate == 0 {
            account = Account::from_json(&account.to_json()).unwrap();
        }
        let now = at(now_ms + step.skew_ms);
        let until = now.plus_ms(step.patience_ms);
        match account.book(limits, now, Some(until)) {
            Err(held) => assert!(held.until > until && !held.why.is_empty()),
            Ok(booking) => {
                assert!(booking.at >= now && booking.at <= until);
                if step.fate == 1 {
                    account.take_back(booking);
                    continue;
                }
                let bytes = booking.bytes * step.bytes_percent / 100;
                // Each poller waits by its own clock.
                let sent_ms = now_ms + (booking.at.ms() - now.ms());
                log.push((sent_ms + step.on_its_way_ms, bytes));
                under_way.push((booking, bytes));
            }
        }
        if step.fate >= 2 {
            // Several requests are in flight at a time.
            for (booking, bytes) in under_way.drain(..under_way.len() / 2) {
                account.settle(booking, bytes);
            }
        }
    }
    log.sort_unstable();
    log
}

/// Checks that no interval of a limit's length exceeds the limit, wherever it begins.
fn check(limit: Limit, log: &Log) {
    for (place, (first, _)) in log.iter().enumerate() {
        let within = log[place..].iter().take_while(|(at, _)| at - first < limit.per_ms.cast_signed());
        let sum: u64 = within.map(|(_, bytes)| if limit.of == Metered::Bytes { *bytes } else { 1 }).sum();
        assert!(sum <= limit.most, "{sum} of {limit} from {first}: {log:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_interval_of_time_sees_more_than_a_limit((limits, steps) in limits().prop_flat_map(|limits| {
        let longest = limits.iter().map(|limit| limit.per_ms).max().unwrap_or(1).cast_signed();
        (Just(limits), vec(step(longest), 1..200))
    })) {
        let log = play(&limits, &steps, true);
        for limit in &limits {
            check(*limit, &log);
        }
        prop_assert_eq!(log, play(&limits, &steps, false), "a restart changes nothing");
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}", part in 0..400_usize, byte in any::<u8>()) {
        drop(Account::from_json(&text));
        let mut account = Account::default();
        let booked = account.book(&MLS_GRID, at(0), None);
        prop_assert!(booked.is_ok());
        let mut json = account.to_json().into_bytes();
        let place = part % json.len();
        json[place] = byte;
        if let Ok(mut read) = Account::from_json(&String::from_utf8_lossy(&json)) {
            // Booking terminates, whatever numbers the record contains.
            drop(read.book(&MLS_GRID, at(0), None));
            drop(read.left(at(0)));
        }
    }
}

/// Number of requests in so many windows of a limit by a caller that never stops.
fn made_in(limit: Limit, windows: u64) -> u64 {
    let mut account = Account::default();
    let end = at((limit.per_ms * windows).cast_signed());
    let (mut now, mut made) = (at(0), 0);
    loop {
        now = book(&mut account, &[limit], now).at;
        if now >= end {
            return made;
        }
        made += 1;
    }
}

#[test]
fn little_of_a_limit_is_wasted() {
    let share = |limit: Limit| {
        let made = made_in(limit, 40);
        (made as f64 / (40 * limit.most) as f64 * 100.0).round() as u32
    };
    let shares = [
        Limit::per_second(2),
        Limit::pause(3_000),
        Limit::per_minute(180),
        Limit::per_hour(7_200),
        Limit::per_month(50),
    ]
    .map(share);
    assert!(shares[0] >= 74 && shares[1] >= 85 && shares[2..].iter().all(|share| *share >= 93), "{shares:?}");
}

#[test]
fn who_books_comes_up_in_turn_and_hears_what_stands_against_it() {
    let mut account = Account::default();
    let limits = [Limit::per_second(2), Limit::per_hour(5)];
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(account.book(&limits, at(0), Some(at(60_000))).unwrap().at.ms() - at(0).ms());
    }
    assert!(times[..2] == [0, 0] && times.is_sorted() && times[2] >= 1_300 && times[4] >= 2_600, "{times:?}");
    let held = account.book(&limits, at(10), Some(at(60_000))).unwrap_err();
    assert_eq!(held.why, "the limit of 5 requests an hour is used up");
    assert!((at(3_600_000)..at(3_600_000 + 240_000)).contains(&held.until), "{}", held.until);
    assert_eq!(account.left(at(10)).iter().map(|(_, left)| *left).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn the_stricter_of_two_searches_counts_until_nobody_names_it_for_an_hour() {
    let mut account = Account::default();
    let (strict, wide) = ([Limit::per_day(3)], [Limit::per_day(1_000)]);
    for i in 0..3 {
        account.book(if i == 0 { &strict } else { &wide }, at(i), Some(at(1_000))).unwrap();
    }
    assert!(account.book(&wide, at(5), Some(at(1_000))).is_err());
    assert!(account.book(&[], at(5), Some(at(1_000))).is_err(), "nor may who names none");
    let later = STRICT_MS + 10;
    assert!(account.book(&strict, at(later), Some(at(later))).is_err(), "it was named again");
    assert!(account.book(&wide, at(later + 10), Some(at(later + 10))).is_err());
    let later = 2 * later;
    assert!(account.book(&wide, at(later), Some(at(later))).is_ok());
    assert_eq!(account.left(at(later)), [(wide[0], 996)], "what was asked before still counts");
}

#[test]
fn a_limit_that_is_new_to_an_account_knows_what_was_asked_before() {
    let mut account = Account::default();
    for i in 0..30 {
        account.book(&[Limit::per_day(1_000)], at(i * 1_000), None).unwrap();
    }
    let limits = [Limit::per_day(1_000), Limit::per_hour(40)];
    account.book(&limits, at(40_000), None).unwrap();
    let left: Vec<u64> = account.left(at(40_000)).iter().map(|(_, left)| *left).collect();
    assert_eq!(left, [9, 969]);
    let limits = [Limit::per_day(1_000), Limit::per_hour(40), Limit::per_month(100)];
    account.book(&limits, at(50_000), None).unwrap();
    assert_eq!(account.left(at(50_000))[2].1, 68);
}

#[test]
fn the_account_is_blocked_for_as_long_as_the_server_asks() {
    let mut account = Account::default();
    account.block(at(90_000), "status 429: the server asks to wait");
    account.block(at(10_000), "sooner");
    let held = account.book(&[], at(0), Some(at(60_000))).unwrap_err();
    assert_eq!(held, OverBudget { until: at(90_000), why: "status 429: the server asks to wait".into() });
    assert_eq!(account.book(&[], at(0), Some(at(120_000))).unwrap().at, at(90_000));
    assert!(account.blocks(at(89_999)) && !account.blocks(at(90_000)));
}

#[test]
fn answers_count_with_what_they_brought_and_are_expected_to_be_no_smaller() {
    let limits = [Limit { of: Metered::Bytes, most: 10_000_000, per_ms: 3_600_000 }];
    let mut account = Account::default();
    let booking = account.book(&limits, at(0), Some(at(0))).unwrap();
    assert_eq!(account.left(at(0))[0].1, 10_000_000 - ANSWER_BYTES);
    account.settle(booking, 4_000_000);
    assert_eq!(account.left(at(0))[0].1, 6_000_000);
    let booking = account.book(&limits, at(0), Some(at(0))).unwrap();
    assert_eq!(account.left(at(0))[0].1, 2_000_000, "the next is taken to be as large");
    account.settle(booking, 0);
    assert_eq!(account.left(at(0))[0].1, 6_000_000, "it failed");
    for _ in 0..100 {
        let booking = account.book(&limits, at(0), Some(at(0))).unwrap();
        account.settle(booking, 1_000);
    }
    assert!(account.answer_bytes < 20_000, "{}", account.answer_bytes);

    // An amount above the limit passes once nothing else counts, rather than never.
    account.answer_bytes = 50_000_000;
    let late = book(&mut account, &limits, at(0));
    assert!(late.at >= at(3_600_000));
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_anybody() {
    let limits = [Limit::per_minute(10)];
    let mut account = Account::default();
    let year = 365 * Time::DAY_MS;
    for _ in 0..10 {
        account.book(&limits, at(year), Some(at(year))).unwrap();
    }
    account.block(at(year + 30_000), "wait");
    let held = account.book(&limits, at(0), Some(at(0))).unwrap_err();
    assert!(held.until > at(59_000) && held.until < at(70_000), "{}: what was asked still counts", held.until);
}

#[test]
fn a_record_of_mls_grids_limits_fits_into_a_kilobyte() {
    let mut account = Account::default();
    // Every part of every window is filled.
    let mut now = at(0);
    for _ in 0..25_000 {
        let booking = book(&mut account, &MLS_GRID, now);
        account.settle(booking, 900_000);
        now = booking.at;
    }
    account.block(at(1_000_000_000), &"w".repeat(WHY_MAX));
    let json = account.to_json();
    assert!(json.len() < 900, "{} bytes: {json}", json.len());
    assert_eq!(Account::from_json(&json).unwrap(), account);
}

#[test]
fn a_record_of_another_format_is_refused() {
    let newer = Account { format: 2, ..Account::default() }.to_json();
    let message = Account::from_json(&newer).unwrap_err().to_string();
    assert_eq!(message, "the record has format 2; this program reads format 1: update Stoop");
}
