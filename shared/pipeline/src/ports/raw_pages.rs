use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stoop_domain::Time;

/// The most pages of a run that are recorded. Their times have some 50 KB then.
const PAGES_MAX: usize = 10_000;

/// The raw pages that a run read, so that an observation leads to the page that showed it: the page of its source and
/// time of sight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawPages {
    /// The source of their observations.
    pub source: String,
    /// Where they are: see [`Pages::folder_of`](super::Pages::folder_of).
    pub folder: String,
    /// When each was seen, by its number in [`Pages`](super::Pages) from 0: the `seen` of its observations. Stored as the
    /// first time and the milliseconds from each page to the next.
    #[serde(serialize_with = "write_times", deserialize_with = "read_times")]
    pub seen: Vec<Time>,
}

impl RawPages {
    /// Notes the next page. A run has more only if a source has more than 10,000 pages; those are not noted.
    pub(crate) fn note(&mut self, seen: Time) {
        if self.seen.len() < PAGES_MAX {
            self.seen.push(seen);
        }
    }
}

fn write_times<S: Serializer>(times: &[Time], serializer: S) -> Result<S::Ok, S::Error> {
    let before = std::iter::once(0).chain(times.iter().map(|time| time.ms()));
    serializer.collect_seq(times.iter().zip(before).map(|(time, before)| time.ms() - before))
}

fn read_times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Time>, D::Error> {
    let steps = Vec::<i64>::deserialize(deserializer)?;
    let times = steps.iter().scan(0_i64, |ms, step| {
        *ms = ms.saturating_add(*step);
        Some(Time::from_ms(*ms))
    });
    Ok(times.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn empty() -> RawPages {
        RawPages { source: "test".into(), folder: "raw/r1".into(), seen: Vec::new() }
    }

    #[test]
    fn times_are_stored_as_steps() {
        let mut pages = empty();
        for ms in [1_768_392_000_000, 1_768_392_000_412, 1_768_392_000_412] {
            pages.note(Time::from_ms(ms));
        }
        let text = serde_json::to_string(&pages).unwrap();
        assert_eq!(text, r#"{"source":"test","folder":"raw/r1","seen":[1768392000000,412,0]}"#);
        assert_eq!(serde_json::from_str::<RawPages>(&text).unwrap(), pages);
    }

    #[test]
    fn a_run_without_end_is_not_noted_without_end() {
        let mut pages = empty();
        for ms in 0..20_000 {
            pages.note(Time::from_ms(ms));
        }
        assert_eq!(pages.seen.len(), PAGES_MAX);
        assert_eq!(pages.seen.last(), Some(&Time::from_ms(9_999)));
    }
}
