//! Reads limits from the headers of an answer.

use stoop_domain::Time;

use crate::ports::HttpAnswer;

/// Maximum time to block an account until a server's window resets: a calendar month and a day.
const UNTIL_MAX_MS: i64 = 32 * Time::DAY_MS;

/// Maximum time to follow `Retry-After`. It is meant for a busy server; three years is a mistake, and one request per
/// day does no harm.
const RETRY_MAX_MS: i64 = Time::DAY_MS;

/// Larger numbers of seconds are times since the epoch; above a thousand times this, in milliseconds.
const EPOCH_MIN: f64 = 1_000_000_000.0;

/// Limits that an answer reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QuotaStatus {
    /// No request may be sent before this time.
    pub(super) blocked_until: Option<Time>,
    /// Requests left in the server's tightest window.
    pub(super) left: Option<u64>,
}

/// One window that a server reports.
#[derive(Clone, Copy, Debug)]
struct LimitWindow {
    left: Option<u64>,
    /// When it resets, by our clock.
    reset: Option<Time>,
}

/// Reads an answer's headers. `now` is when it was received.
///
/// A window with nothing left blocks until it resets, whatever the status. An answer that refuses (429, 503) blocks for
/// its `Retry-After`; without one, until the windows that may be the reason reset.
pub(super) fn reported(answer: &HttpAnswer, now: Time) -> QuotaStatus {
    let reader = QuotaHeaders { answer, now, date: answer.header("date").and_then(date) };
    let windows = reader.windows();
    let left = windows.iter().filter_map(|window| window.left).min();
    let refused = matches!(answer.status, 429 | 503);
    let used_up = |window: &&LimitWindow| match window.left {
        Some(left) => left == 0,
        None => refused,
    };
    let reset = windows.iter().filter(used_up).filter_map(|window| window.reset).max();
    let asked = if refused { answer.header("retry-after").and_then(|text| reader.retry_after(text)) } else { None };
    let asked = asked.map(|until| until.min(now.plus_ms(RETRY_MAX_MS)));
    // `Retry-After` is explicit; windows only suggest the reason.
    let until = if refused { asked.or(reset) } else { reset };
    let blocked_until = until.map(|until| until.clamp(now, now.plus_ms(UNTIL_MAX_MS)));
    QuotaStatus { blocked_until, left }
}

struct QuotaHeaders<'a> {
    answer: &'a HttpAnswer,
    now: Time,
    /// The server's `Date`, if present.
    date: Option<Time>,
}

impl QuotaHeaders<'_> {
    fn windows(&self) -> Vec<LimitWindow> {
        let mut windows = vec![
            // Trestle: numbers as text with decimals, times in milliseconds since the epoch.
            self.window("minute-quota-available", "minute-quota-resettime"),
            self.window("hour-quota-available", "hour-quota-resettime"),
            // Names in older IETF drafts.
            self.window("ratelimit-remaining", "ratelimit-reset"),
            self.window("x-ratelimit-remaining", "x-ratelimit-reset"),
        ];
        // RapidAPI: one window per metered object of a plan, including `requests`.
        for (name, _) in &self.answer.headers {
            if let Some(counted) = name.strip_prefix("x-ratelimit-").and_then(|rest| rest.strip_suffix("-remaining")) {
                windows.push(self.window(name, &format!("x-ratelimit-{counted}-reset")));
            }
        }
        windows.extend(self.answer.header("ratelimit").into_iter().flat_map(|text| self.members(text)));
        windows.retain(|window| window.left.is_some() || window.reset.is_some());
        windows
    }

    fn window(&self, left: &str, reset: &str) -> LimitWindow {
        LimitWindow {
            left: self.answer.header(left).and_then(count),
            reset: self.answer.header(reset).and_then(|text| self.moment(text)),
        }
    }

    /// Parses `RateLimit: "burst";r=0;t=30, "daily";r=90;t=4000`, or from an older draft `limit=100, remaining=0,
    /// reset=30`.
    fn members(&self, text: &str) -> Vec<LimitWindow> {
        let value = |part: &str, names: [&str; 2]| -> Option<String> {
            let (name, value) = part.split_once('=')?;
            names.contains(&name.trim()).then(|| value.trim().to_owned())
        };
        let window = |parts: &mut dyn Iterator<Item = &str>| {
            let mut window = LimitWindow { left: None, reset: None };
            for part in parts {
                window.left = value(part, ["r", "remaining"]).and_then(|text| count(&text)).or(window.left);
                window.reset = value(part, ["t", "reset"]).and_then(|text| self.moment(&text)).or(window.reset);
            }
            window
        };
        if text.contains("remaining") {
            return vec![window(&mut text.split([',', ';']))];
        }
        text.split(',').map(|member| window(&mut member.split(';'))).collect()
    }

    /// Parses `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
    fn retry_after(&self, text: &str) -> Option<Time> {
        self.moment(text).or_else(|| date(text).map(|at| self.on_our_clock(at)))
    }

    /// Parses seconds from now, or a time since the epoch.
    fn moment(&self, text: &str) -> Option<Time> {
        let number: f64 = text.trim().parse().ok().filter(|number: &f64| number.is_finite())?;
        if number < EPOCH_MIN {
            // Rounded up: a request within the last second would be too early.
            return Some(self.now.plus_ms((number.max(0.0) * 1_000.0).ceil() as i64));
        }
        let ms = if number < EPOCH_MIN * 1_000.0 { number * 1_000.0 } else { number };
        Some(self.on_our_clock(Time::from_ms(ms as i64)))
    }

    /// Converts a time of the server's clock, which may be fast or slow, to ours.
    fn on_our_clock(&self, at: Time) -> Time {
        // A date has whole seconds: it may be almost one second old.
        self.date.map_or(at, |date| self.now.plus_ms(at.ms() - date.ms()))
    }
}

fn date(text: &str) -> Option<Time> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Time::from_ms(parsed.as_millisecond()))
}

/// Parses a number of requests; negative means none left.
fn count(text: &str) -> Option<u64> {
    let number: f64 = text.trim().parse().ok().filter(|number: &f64| number.is_finite())?;
    Some(number.max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_768_392_000;

    fn read(status: u16, headers: &[(&str, &str)]) -> QuotaStatus {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        reported(&HttpAnswer { status, headers, body: Vec::new() }, Time::from_ms(NOW_S * 1_000))
    }

    /// Milliseconds until requests are allowed again.
    fn blocked_ms(status: u16, headers: &[(&str, &str)]) -> Option<i64> {
        read(status, headers).blocked_until.map(|until| until.ms() - NOW_S * 1_000)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_only_a_refusal_has_it() {
        assert_eq!(blocked_ms(429, &[("retry-after", "45")]), Some(45_000));
        assert_eq!(blocked_ms(503, &[("retry-after", " 0.5 ")]), Some(500));
        assert_eq!(blocked_ms(429, &[("retry-after", "Wed, 14 Jan 2026 12:01:00 GMT")]), Some(60_000));
        assert_eq!(blocked_ms(429, &[("retry-after", "Wed, 14 Jan 2026 11:00:00 GMT")]), Some(0), "over already");
        assert_eq!(blocked_ms(429, &[("retry-after", "-3")]), Some(0));
        assert_eq!(blocked_ms(200, &[("retry-after", "45")]), None);
        for rubbish in ["", "soon", "NaN", "inf"] {
            assert_eq!(blocked_ms(429, &[("retry-after", rubbish)]), None, "{rubbish}");
        }
        for long in ["99999999", "99999999999999999", "Wed, 14 Jan 2099 12:01:00 GMT"] {
            assert_eq!(blocked_ms(429, &[("retry-after", long)]), Some(RETRY_MAX_MS), "a day at most");
        }
        let month = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "99999999")];
        assert_eq!(blocked_ms(200, &month), Some(UNTIL_MAX_MS), "a window may be that of a month");
    }

    #[test]
    fn a_server_with_another_clock_is_understood_by_its_date() {
        let headers = [("date", "Wed, 14 Jan 2026 14:00:00 GMT"), ("retry-after", "Wed, 14 Jan 2026 14:00:30 GMT")];
        assert_eq!(blocked_ms(429, &headers), Some(30_000));
        let at = ((NOW_S + 7_200 + 90) * 1_000).to_string();
        let headers = [("date", "Wed, 14 Jan 2026 14:00:00 GMT"), ("hour-quota-resettime", &*at)];
        assert_eq!(blocked_ms(429, &headers), Some(90_000));
    }

    #[test]
    fn trestles_quotas_are_obeyed() {
        let reset = ((NOW_S + 600) * 1_000).to_string();
        let said = [("minute-quota-limit", "180.0"), ("hour-quota-limit", "7200.0"), ("hour-quota-resettime", &*reset)];
        assert_eq!(blocked_ms(429, &said), Some(600_000));
        assert_eq!(read(200, &said), QuotaStatus::default(), "it comes with every answer");
        let used_up = [("hour-quota-available", "0.0"), ("hour-quota-resettime", &*reset)];
        assert_eq!(blocked_ms(200, &used_up), Some(600_000), "before the first 429");
        let left = [("hour-quota-available", "12.0"), ("hour-quota-resettime", &*reset)];
        assert_eq!(read(200, &left), QuotaStatus { blocked_until: None, left: Some(12) });
        assert_eq!(blocked_ms(429, &left), None, "another limit was the reason");
    }

    #[test]
    fn rapidapis_windows_are_obeyed_each_for_itself() {
        let month = [
            ("x-ratelimit-requests-limit", "50"),
            ("x-ratelimit-requests-remaining", "0"),
            ("x-ratelimit-requests-reset", "86400"),
            ("x-ratelimit-rapid-free-plans-hard-limit-remaining", "499999"),
            ("x-ratelimit-rapid-free-plans-hard-limit-reset", "1200000"),
        ];
        let expected = QuotaStatus { blocked_until: Some(Time::from_ms((NOW_S + 86_400) * 1_000)), left: Some(0) };
        assert_eq!(read(200, &month), expected);
        let second = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1"),
            ("x-ratelimit-requests-remaining", "37"),
            ("x-ratelimit-requests-reset", "2000000"),
        ];
        assert_eq!(blocked_ms(429, &second), Some(1_000), "of the month there is enough left");
        assert_eq!(read(200, &[("x-ratelimit-requests-remaining", "-3")]).left, Some(0), "overdrawn");
    }

    #[test]
    fn the_drafts_of_the_ietf_are_understood_old_and_new() {
        let old = [("ratelimit-limit", "100"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "50")];
        assert_eq!(blocked_ms(200, &old), Some(50_000));
        assert_eq!(blocked_ms(200, &[("ratelimit", "limit=100, remaining=0, reset=50")]), Some(50_000));
        let new = "\"burst\";r=0;t=5, \"daily\";r=90;t=4000";
        assert_eq!(read(200, &[("ratelimit", new)]).left, Some(0));
        assert_eq!(blocked_ms(200, &[("ratelimit", new)]), Some(5_000));
        assert_eq!(blocked_ms(200, &[("ratelimit", "\"daily\";r=90;t=4000")]), None);
        let epoch = (NOW_S + 30).to_string();
        assert_eq!(blocked_ms(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &epoch)]), Some(30_000));
        for rubbish in ["", ";;,,", "r", "r=;t=", "=", "\"a\";r=x;t=y", "remaining"] {
            assert_eq!(read(429, &[("ratelimit", rubbish)]), QuotaStatus::default(), "{rubbish}");
        }
    }
}
