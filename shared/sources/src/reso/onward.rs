use stoop_domain::Time;

use crate::link;
use crate::port::ReadError;

/// Whether a link counts rows (`$skip=200`) instead of naming a position (`$skiptoken`). A row that changes while such
/// pages are read moves to the end, and an unread row shifts to a page already read. Vendors also limit `$skip`: Bridge
/// to 10,000 rows, Trestle to a million.
pub(super) fn counts_rows(link: &str) -> bool {
    has(link, "skip") && !has(link, "skiptoken")
}

/// Whether the server made the link and encoded its position in it.
pub(super) fn names_a_place(link: &str) -> bool {
    ["skip", "skiptoken", "next"].iter().any(|name| has(link, name))
}

fn has(link: &str, wanted: &str) -> bool {
    let query = link.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|part| {
        let name = part.split('=').next().unwrap_or(part);
        let name = name.strip_prefix("%24").or_else(|| name.strip_prefix('$')).unwrap_or(name);
        name.eq_ignore_ascii_case(wanted)
    })
}

/// The time from which a scan in order of time can continue without counting rows: that of the page's last row, if the
/// page is sorted and not all of one time.
pub(super) fn from_time(times: &[Option<Time>]) -> Option<Time> {
    let last = (*times.last()?)?;
    let known: Vec<Time> = times.iter().copied().flatten().collect();
    (known.is_sorted() && known[0] < last).then_some(last)
}

/// Resolves a `nextLink` of the page at `current`. A relative link is relative to the service's base (as OData
/// defines), unless it is a query only.
pub(super) fn follow(base: &str, current: &str, link: &str) -> Result<String, ReadError> {
    let root = format!("{base}/");
    let next = link::follow(base, if link.trim_start().starts_with('?') { current } else { &root }, link)?;
    if next == current {
        return Err(ReadError::BadLink("leads back to the page it stands on".into()));
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_count_rows_differ_from_those_with_a_position() {
        for link in ["?$skip=200", "https://e.example/P?$top=5&%24skip=10", "Property?$filter=a+eq+1&$Skip=5"] {
            assert!(counts_rows(link), "{link}");
        }
        for link in [
            "P?$skiptoken=x",
            "P?$skip=20&$skiptoken=x",
            "P?$filter=Remarks eq '$skip=1'",
            "P?next=$skip",
            "P",
            "P?$top=skip",
        ] {
            assert!(!counts_rows(link), "{link}");
        }
    }

    #[test]
    fn a_page_goes_on_from_its_last_time_only_if_it_is_in_order() {
        let at = |seconds: &[i64]| -> Vec<Option<Time>> {
            seconds.iter().map(|s| (*s >= 0).then(|| Time::from_ms(s * 1_000))).collect()
        };
        let from = |seconds: &[i64]| from_time(&at(seconds)).map(|time| time.ms() / 1_000);
        assert_eq!(from(&[1, 2, 2]), Some(2));
        assert_eq!(from(&[-1, -1, 1, 2]), Some(2), "rows without a time come first");
        assert_eq!(from(&[1, 2, -1]), None, "or last, and then there may be more of them");
        assert_eq!(from(&[2, 2]), None, "a page all of one time: more of it may follow");
        assert_eq!(from(&[2, 1, 3]), None);
        assert_eq!(from(&[]), None);
    }
}
