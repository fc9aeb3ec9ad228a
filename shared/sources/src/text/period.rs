use stoop_domain::Minor;

/// The period that a rent or a fee is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A day or a night: no rent by the month can be made of it, as such homes are not let for a month.
    Day,
    Week,
    /// Two weeks.
    Fortnight,
    Month,
    Quarter,
    /// Six months.
    HalfYear,
    Year,
}

/// The words of each period, in lower case, as columns and portals write them.
const WORDS: [(Period, &str); 7] = [
    (
        Period::Day,
        "day, daily, per day, a day, night, nightly, per night, a night, pn, pppn, tag, pro tag, nacht, pro nacht, jour, par jour, nuit, par nuit, \
         dia, por dia, noche, por noche, giorno, notte",
    ),
    (
        Period::Week,
        "week, weekly, per week, a week, pw, p/w, p.w., p.w, ppw, pppw, wk, per wk, woche, wochentlich, wöchentlich, pro woche, semaine, par semaine, \
         semana, por semana, settimana, per weekly",
    ),
    (Period::Fortnight, "fortnight, fortnightly, per fortnight, biweekly, two weeks, 2 weeks, every two weeks"),
    (
        Period::Month,
        "month, monthly, per month, a month, pm, p/m, p.m., p.m, pcm, p.c.m., ppcm, mo, mo., mth, mnth, m., per calendar month, \
         per monthly, calendar month, mois, par mois, mensuel, monat, monatlich, pro monat, im monat, mtl., mtl, mes, al mes, por mes, mensual, \
         mese, al mese, mensile, mês, por mês, ao mês, mensal, maand, per maand, pm., p.mnd, p/mnd, mnd, per mnd, manad, månad, per månad, i månaden, \
         måned, pr. måned, maned, miesiąc, miesiecznie, miesięcznie, mies., mies, za miesiąc, měsíc, za měsíc, mesic, aylik, aylık, شهري, 月",
    ),
    (
        Period::Quarter,
        "quarter, quarterly, per quarter, quartal, pro quartal, vierteljährlich, trimestre, par trimestre, trimestral",
    ),
    (
        Period::HalfYear,
        "half-year, half year, half yearly, half-yearly, semi annual, semi-annual, semiannually, semestre, halbjahr, halbjährlich, semestral",
    ),
    (
        Period::Year,
        "year, yearly, per year, a year, per annum, annum, annual, annually, pa, p.a., p.a, p/a, yr, per yr, per yearly, jahr, jährlich, jahrlich, \
         pro jahr, im jahr, an, par an, annuel, année, annee, año, ano, al año, por año, anual, anno, all'anno, annuale, jaar, per jaar, år, per år, \
         rok, rocznie, yillik, yıllık, سنوي",
    ),
];

/// Returns the period that a text names, in any case: `weekly`, `pcm`, `per annum`, `im Monat`.
#[must_use]
pub fn parse_period(text: &str) -> Option<Period> {
    let text = text.trim().trim_start_matches('/').trim().to_lowercase().replace('_', " ");
    let known = |(period, words): &(Period, &str)| words.split(", ").any(|word| word == text).then_some(*period);
    WORDS.iter().find_map(known)
}

/// The words of all periods, each with its period.
pub(super) fn words() -> impl Iterator<Item = (&'static str, Period)> {
    WORDS.iter().flat_map(|(period, words)| words.split(", ").map(|word| (word, *period)))
}

impl Period {
    /// Returns an amount for this period as one for a month: a year has 12 months, 4 quarters, 52 weeks. Rounds half
    /// away from zero. `None` for [`Period::Day`], or if it does not fit in 64 bits.
    #[must_use]
    pub fn per_month(self, amount: Minor) -> Option<Minor> {
        let (times, divisor) = match self {
            Self::Day => return None,
            Self::Week => (52, 12),
            Self::Fortnight => (26, 12),
            Self::Month => return Some(amount),
            Self::Quarter => (1, 3),
            Self::HalfYear => (1, 6),
            Self::Year => (1, 12),
        };
        scaled(amount.0, times, divisor).map(Minor)
    }

    /// The name in maps.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Fortnight => "fortnight",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::HalfYear => "half-year",
            Self::Year => "year",
        }
    }
}

/// `amount` times a fraction, rounded half away from zero; `None` if it does not fit in 64 bits.
pub(crate) fn scaled(amount: i64, times: i64, divisor: i64) -> Option<i64> {
    let product = i128::from(amount).checked_mul(i128::from(times))?;
    let divisor = i128::from(divisor);
    if divisor <= 0 {
        return None;
    }
    let half = if product < 0 { -divisor } else { divisor };
    i64::try_from((product * 2 + half) / (divisor * 2)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_known_in_many_languages() {
        for (text, period) in [
            ("Weekly", Period::Week),
            ("pw", Period::Week),
            ("PCM", Period::Month),
            ("per_month", Period::Month),
            ("Yearly", Period::Year),
            ("per annum", Period::Year),
            ("im Monat", Period::Month),
            ("/mois", Period::Month),
            ("daily", Period::Day),
            ("fortnightly", Period::Fortnight),
        ] {
            assert_eq!(parse_period(text), Some(period), "{text}");
        }
        assert_eq!((parse_period("sale"), parse_period("")), (None, None));
        let all: Vec<_> = words().collect();
        for (at, (word, period)) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|(other, _)| other != word), "{word} is there twice, once as {period:?}");
        }
    }

    #[test]
    fn a_year_has_twelve_months_and_fifty_two_weeks() {
        let month = |period: Period, cents| period.per_month(Minor(cents)).map(|minor| minor.0);
        assert_eq!(month(Period::Week, 65_000), Some(281_667));
        assert_eq!(month(Period::Fortnight, 130_000), Some(281_667));
        assert_eq!(month(Period::Year, 9_500_000), Some(791_667));
        assert_eq!(month(Period::Quarter, 300), Some(100));
        assert_eq!((month(Period::Month, 7), month(Period::Day, 7)), (Some(7), None));
        assert_eq!(month(Period::Week, i64::MAX), None);
        assert_eq!((scaled(-5, 1, 2), scaled(5, 1, 2), scaled(5, 1, 0)), (Some(-3), Some(3), None));
    }
}
