use stoop_domain::Time;

/// Language of a relative time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `il y a 5 heures`
    Fr,
    /// `5 hours ago`
    En,
}

/// Parses a relative time (`il y a 5 heures`, `hier`, `an hour ago`, `just now`) as a time before `now`. A month is 30
/// days and a year 365: the text is not more precise. Returns `None` if it is not understood.
#[must_use]
pub fn parse_relative(text: &str, language: Language, now: Time) -> Option<Time> {
    let lower = text.trim().to_lowercase();
    let ago = match language {
        Language::Fr => match lower.as_str() {
            "à l'instant" | "à l’instant" | "maintenant" | "aujourd'hui" | "aujourd’hui" => 0,
            "hier" => Time::DAY_MS,
            "avant-hier" => 2 * Time::DAY_MS,
            _ => span(lower.strip_prefix("il y a")?)?,
        },
        Language::En => match lower.as_str() {
            "just now" | "now" | "today" => 0,
            "yesterday" => Time::DAY_MS,
            _ => span(lower.strip_suffix("ago")?)?,
        },
    };
    Some(now.plus_ms(-ago))
}

/// Parses a count and a unit (`5 heures`, `une heure`, `an hour`) to milliseconds.
fn span(text: &str) -> Option<i64> {
    let mut words = text.split_whitespace();
    let count = match words.next()? {
        "un" | "une" | "a" | "an" | "one" => 1,
        digits if digits.len() <= 6 => digits.parse::<u32>().ok().map(i64::from)?,
        _ => return None,
    };
    let unit = match words.next()? {
        "s" | "sec" | "seconde" | "secondes" | "second" | "seconds" => Time::SECOND_MS,
        "min" | "minute" | "minutes" => 60 * Time::SECOND_MS,
        "h" | "heure" | "heures" | "hour" | "hours" => Time::HOUR_MS,
        "j" | "jour" | "jours" | "day" | "days" => Time::DAY_MS,
        "semaine" | "semaines" | "week" | "weeks" => 7 * Time::DAY_MS,
        "mois" | "month" | "months" => 30 * Time::DAY_MS,
        "an" | "ans" | "année" | "années" | "year" | "years" => 365 * Time::DAY_MS,
        _ => return None,
    };
    words.next().is_none().then_some(count * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_back_from_the_moment_of_seeing() {
        let now = Time::parse("2024-11-30T14:44:00Z").unwrap();
        let fr = |text| parse_relative(text, Language::Fr, now).map(|t| t.to_string());
        let en = |text| parse_relative(text, Language::En, now).map(|t| t.to_string());
        assert_eq!(fr("il y a 5 heures").as_deref(), Some("2024-11-30T09:44:00Z"));
        assert_eq!(fr("il y a 1 heure").as_deref(), Some("2024-11-30T13:44:00Z"));
        assert_eq!(fr("il y a une heure").as_deref(), Some("2024-11-30T13:44:00Z"));
        assert_eq!(fr("Il y a 34 minutes").as_deref(), Some("2024-11-30T14:10:00Z"));
        assert_eq!(fr("il y a 2 mois").as_deref(), Some("2024-10-01T14:44:00Z"));
        assert_eq!(fr("hier").as_deref(), Some("2024-11-29T14:44:00Z"));
        assert_eq!(en("4 hours ago").as_deref(), Some("2024-11-30T10:44:00Z"));
        assert_eq!(en("an hour ago").as_deref(), Some("2024-11-30T13:44:00Z"));
        assert_eq!(en("just now").as_deref(), Some("2024-11-30T14:44:00Z"));
    }

    #[test]
    fn other_words_are_not_understood() {
        let now = Time::from_ms(0);
        for text in ["", "il y a", "il y a longtemps", "il y a 5 lunes", "5 heures", "il y a 5 heures et 3 minutes"] {
            assert_eq!(parse_relative(text, Language::Fr, now), None, "{text}");
        }
        assert_eq!(parse_relative("99999999 years ago", Language::En, now), None);
    }
}
