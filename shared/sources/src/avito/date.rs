use stoop_domain::Time;

/// Reads a French "il y a ...": subtracts it from `now` and truncates to its unit, so "il y a 2 heures" at 13:31 is
/// 11:00. For days and longer units the result is midnight UTC; a month is 30 days, a year 365. Returns `None` if the
/// words are not understood.
pub(crate) fn ago(text: &str, now: Time) -> Option<Time> {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    let mut words = text.split_whitespace();
    let first = words.next()?;
    match first {
        "hier" => return Some(back(now, 1, Time::DAY_MS)),
        "aujourd'hui" => return Some(back(now, 0, Time::DAY_MS)),
        "maintenant" => return Some(back(now, 0, MINUTE_MS)),
        "à" if words.next()?.starts_with("l'instant") => return Some(back(now, 0, MINUTE_MS)),
        "il" if words.next() == Some("y") && words.next() == Some("a") => {}
        _ => return None,
    }
    let number = words.next()?;
    let count: i64 = match number {
        "un" | "une" => 1,
        "quelques" => 0,
        digits => digits.parse().ok().filter(|count| *count >= 0)?,
    };
    let (step_ms, cut_ms) = match words.next()?.trim_end_matches(['s', '.']) {
        "instant" | "seconde" | "sec" => (Time::SECOND_MS, MINUTE_MS),
        "minute" | "min" | "mn" => (MINUTE_MS, MINUTE_MS),
        "heure" | "h" => (Time::HOUR_MS, Time::HOUR_MS),
        "jour" | "j" => (Time::DAY_MS, Time::DAY_MS),
        "semaine" | "sem" => (7 * Time::DAY_MS, Time::DAY_MS),
        // The plural `s` has been stripped from "mois".
        "moi" => (30 * Time::DAY_MS, Time::DAY_MS),
        "an" | "année" => (365 * Time::DAY_MS, Time::DAY_MS),
        _ => return None,
    };
    let then = now.ms().checked_sub(count.checked_mul(step_ms)?)?;
    Some(cut(then, cut_ms))
}

const MINUTE_MS: i64 = 60 * Time::SECOND_MS;

fn back(now: Time, steps: i64, step_ms: i64) -> Time {
    cut(now.ms() - steps * step_ms, step_ms)
}

fn cut(ms: i64, unit_ms: i64) -> Time {
    Time::from_ms(ms.div_euclid(unit_ms).saturating_mul(unit_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        let now = Time::parse("2024-09-26T13:31:40Z").unwrap();
        ago(text, now).map(|time| time.to_string()).unwrap_or_default()
    }

    #[test]
    fn relative_french_times_count_from_the_reading() {
        for (text, want) in [
            ("il y a 6 minutes", "2024-09-26T13:25:00Z"),
            ("Il y a une minute", "2024-09-26T13:30:00Z"),
            ("il y a 2 heures", "2024-09-26T11:00:00Z"),
            ("il y a 1 jour", "2024-09-25T00:00:00Z"),
            ("il y a 3 semaines", "2024-09-05T00:00:00Z"),
            ("il y a 8 mois", "2024-01-30T00:00:00Z"),
            ("il y a un mois", "2024-08-27T00:00:00Z"),
            ("il y a 5 ans", "2019-09-28T00:00:00Z"),
            ("il y a un an", "2023-09-27T00:00:00Z"),
            ("il y a quelques instants", "2024-09-26T13:31:00Z"),
            ("à l'instant", "2024-09-26T13:31:00Z"),
            ("À l’instant", "2024-09-26T13:31:00Z"),
            ("hier", "2024-09-25T00:00:00Z"),
            ("aujourd'hui", "2024-09-26T00:00:00Z"),
        ] {
            assert_eq!(at(text), want, "{text}");
        }
    }

    #[test]
    fn other_words_are_not_guessed_at() {
        for text in
            ["", "demain", "il y a", "il y a 3", "il y a -3 jours", "il y a 9 lunes", "il y a 9999999999999999 ans"]
        {
            assert_eq!(at(text), "", "{text}");
        }
    }
}
