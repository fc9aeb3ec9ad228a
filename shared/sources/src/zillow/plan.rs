use std::fmt;

/// Prices in major units from `least` to `most`, inclusive. A bound of `None` is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) least: Option<u32>,
    pub(super) most: Option<u32>,
}

/// The remaining work of a scan, which is the cursor's whole position.
///
/// As text, separated by spaces: the page within the current price range; `t` and the total of the whole search; `x`
/// and the number of units beyond one per building; `lost` if something was not shown; the remaining ranges, the
/// current one first. Initial values are omitted: `3` is page 3 of the whole search; `2 t1094 300000-600000 600000-` is
/// page 2 of the homes from 300,000 to 600,000, before those from 600,000 up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ZillowPosition {
    pub(super) page: u32,
    pub(super) total: Option<u64>,
    pub(super) extra: u64,
    pub(super) lost: bool,
    /// Never empty; ascending, without gaps, up to the end of the whole search.
    ranges: Vec<Range>,
    whole: Range,
}

/// Maximum bound of a search or a split.
pub(super) const PRICE_MAX: u32 = 1_000_000_000;

/// Upper bound for the number of open ranges: splitting halves [`PRICE_MAX`] away long before.
const RANGES_MAX: usize = 96;

/// Upper bound for page numbers: a position with a larger one was made up.
const PAGE_MAX: u32 = 10_000;

impl Range {
    /// Splits the range into two that share one price, so that none is missed however the API treats its bounds. Two
    /// adjacent prices are separated; a single price and a range above all prices are not split: `None`. `middle` is a
    /// typical price: an open end is searched from there by doubling and halving; a closed range is split at its
    /// geometric mean, because prices are skewed.
    pub(super) fn halves(self, middle: u32) -> Option<(Self, Self)> {
        let low = self.least.unwrap_or(0);
        let at = match self.most {
            None if low < middle => middle,
            None if low <= PRICE_MAX / 2 => low * 2,
            None => return None,
            Some(high) if high <= low.max(1) => return None,
            Some(high) if low == 0 => (high / 2).min(middle),
            Some(high) if high - low == 1 => return Some((Self::of(low, low), Self::of(high, high))),
            Some(high) => {
                let mean = (u64::from(low) * u64::from(high)).isqrt();
                u32::try_from(mean).unwrap_or(high).clamp(low + 1, high - 1)
            }
        };
        Some((Self { most: Some(at), ..self }, Self { least: Some(at), ..self }))
    }

    const fn of(least: u32, most: u32) -> Self {
        Self { least: Some(least), most: Some(most) }
    }

    fn parse(text: &str) -> Option<Self> {
        let (least, most) = text.split_once('-')?;
        let bound = |text: &str| if text.is_empty() { Some(None) } else { number(text, PRICE_MAX).map(Some) };
        Some(Self { least: bound(least)?, most: bound(most)? })
    }

    fn is_ordered(self) -> bool {
        self.least.unwrap_or(0) <= self.most.unwrap_or(PRICE_MAX)
    }

    /// Whether `next` continues this range without a gap.
    fn leads_to(self, next: Self) -> bool {
        matches!((self.most, next.least), (Some(end), Some(start)) if start == end || start == end + 1)
    }
}

impl ZillowPosition {
    /// The first page of the whole search.
    pub(super) fn start(whole: Range) -> Self {
        Self { page: 1, total: None, extra: 0, lost: false, ranges: vec![whole], whole }
    }

    /// Parses a position of a search with the prices `whole`; `None` if this search did not make it.
    pub(super) fn parse(text: &str, whole: Range) -> Option<Self> {
        let mut words = text.split(' ').peekable();
        let page = number(words.next()?, PAGE_MAX).filter(|page| *page > 0)?;
        let mut position = Self { page, ..Self::start(whole) };
        if let Some(total) = words.next_if(|word| word.starts_with('t')) {
            position.total = Some(number(&total[1..], u64::MAX)?);
        }
        if let Some(extra) = words.next_if(|word| word.starts_with('x')) {
            position.extra = number(&extra[1..], u64::MAX)?;
        }
        position.lost = words.next_if(|word| *word == "lost").is_some();
        if words.peek().is_some() {
            position.ranges = words.take(RANGES_MAX + 1).map(Range::parse).collect::<Option<_>>()?;
        }
        (position.is_possible() && position.to_string() == text).then_some(position)
    }

    /// Whether the ranges are ascending, without gaps, and within the search's prices.
    fn is_possible(&self) -> bool {
        let (Some(first), Some(last)) = (self.ranges.first(), self.ranges.last()) else { return false };
        let begins = first.least.unwrap_or(0) >= self.whole.least.unwrap_or(0)
            && (first.least.is_some() || self.whole.least.is_none());
        self.ranges.len() <= RANGES_MAX
            && begins
            && last.most == self.whole.most
            && self.ranges.iter().all(|range| range.is_ordered())
            && self.ranges.windows(2).all(|pair| pair[0].leads_to(pair[1]))
    }

    /// The current price range.
    pub(super) fn range(&self) -> Range {
        self.ranges[0]
    }

    /// Whether the range is still the whole search.
    pub(super) fn is_whole(&self) -> bool {
        self.ranges == [self.whole]
    }

    /// Goes to the first page of the cheaper half of the current range. `false` if it cannot be split, or if splitting
    /// was given up.
    pub(super) fn split(&mut self, middle: u32) -> bool {
        if (self.lost && self.is_whole()) || self.ranges.len() >= RANGES_MAX {
            return false;
        }
        let Some((cheap, dear)) = self.range().halves(middle) else { return false };
        self.page = 1;
        self.ranges.splice(0..1, [cheap, dear]);
        true
    }

    /// Gives up splitting: the API ignores the bounds, so that it returns the whole search.
    pub(super) fn unsplit(&mut self) {
        self.lost = true;
        self.ranges = vec![self.whole];
    }

    /// Goes to the first page of the next range; `false` if there is none.
    pub(super) fn next_range(&mut self) -> bool {
        if self.ranges.len() == 1 {
            return false;
        }
        self.ranges.remove(0);
        self.page = 1;
        true
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(least) = self.least {
            write!(f, "{least}")?;
        }
        f.write_str("-")?;
        if let Some(most) = self.most {
            write!(f, "{most}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ZillowPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.page)?;
        if let Some(total) = self.total {
            write!(f, " t{total}")?;
        }
        if self.extra > 0 {
            write!(f, " x{}", self.extra)?;
        }
        if self.lost {
            f.write_str(" lost")?;
        }
        if !self.is_whole() {
            for range in &self.ranges {
                write!(f, " {range}")?;
            }
        }
        Ok(())
    }
}

/// Parses a number of decimal digits up to `most`.
fn number<T: std::str::FromStr + PartialOrd>(text: &str, most: T) -> Option<T> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && *number <= most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIDDLE: u32 = 300_000;
    const OPEN: Range = Range { least: None, most: None };

    fn range(text: &str) -> Range {
        Range::parse(text).unwrap()
    }

    fn halves(text: &str) -> String {
        range(text).halves(MIDDLE).map_or("-".into(), |(cheap, dear)| format!("{cheap} {dear}"))
    }

    #[test]
    fn open_ends_are_doubled_and_halved_and_the_rest_is_cut_at_the_geometric_mean() {
        assert_eq!(halves("-"), "-300000 300000-");
        assert_eq!(halves("300000-"), "300000-600000 600000-");
        assert_eq!(halves("-300000"), "-150000 150000-300000");
        assert_eq!(halves("100000-"), "100000-300000 300000-");
        assert_eq!(halves("0-2000000"), "0-300000 300000-2000000");
        assert_eq!(halves("100000-400000"), "100000-200000 200000-400000");
    }

    #[test]
    fn neighbours_are_parted_and_a_single_price_is_not_cut() {
        assert_eq!(halves("500-502"), "500-501 501-502");
        assert_eq!(halves("500-501"), "500-500 501-501");
        assert_eq!(halves("500-500"), "-");
        assert_eq!(halves("-1"), "-", "a greatest price of 0 may mean none to the API");
        assert_eq!(halves("600000000-"), "-", "nothing is sold there");
    }

    #[test]
    fn a_position_is_as_short_as_what_it_has_to_say() {
        let mut position = ZillowPosition::start(OPEN);
        assert_eq!(position.to_string(), "1");
        position.total = Some(1_094);
        assert!(position.split(MIDDLE));
        position.page = 2;
        assert_eq!(position.to_string(), "2 t1094 -300000 300000-");
        position.extra = 3;
        position.lost = true;
        assert!(position.next_range());
        assert_eq!(position.to_string(), "1 t1094 x3 lost 300000-");
        assert!(!position.next_range());
        position.unsplit();
        assert_eq!(position.to_string(), "1 t1094 x3 lost");
        assert!(!position.split(MIDDLE), "it was tried");
    }

    #[test]
    fn a_position_that_was_tampered_with_is_refused() {
        let bounded = range("100000-800000");
        for text in ["1", "20", "3 t1094 x2 lost 100000-200000 200000-800000", "1 150000-800000", "1 t5 9-9 10-800000"]
        {
            let within = text != "1 t5 9-9 10-800000";
            assert_eq!(ZillowPosition::parse(text, bounded).is_some(), within, "{text}");
        }
        for text in [
            "",
            " 1",
            "0",
            "01",
            "+1",
            "-1",
            "1 ",
            "99999999999",
            "20000",
            "1 t",
            "1 t-5",
            "1 x0",
            "1 tt5",
            "1 lost lost",
            "1 lost t5",
            "1 100000-800000",
            "1 100000-",
            "1 -800000",
            "1 50000-800000",
            "1 100000-200000",
            "1 100000-200000 300000-800000",
            "1 200000-100000 100000-800000",
            "1 100000-200000 200000-900000",
            "1 100000-0200000 200000-800000",
            "1 100000-200000  200000-800000",
            "1&minPrice=0",
        ] {
            assert_eq!(ZillowPosition::parse(text, bounded), None, "{text}");
        }
        let many = format!("1{} 100000-800000", " 100000-100000".repeat(RANGES_MAX));
        assert_eq!(ZillowPosition::parse(&many, bounded), None);
    }

    fn ranges() -> impl Strategy<Value = Range> {
        let bound = || prop::option::of(prop_oneof![0..3_u32, 0..1_000_000_u32, 0..=PRICE_MAX]);
        (bound(), bound()).prop_map(|(a, b)| match (a, b) {
            (Some(a), Some(b)) => Range::of(a.min(b), a.max(b)),
            (least, most) => Range { least, most },
        })
    }

    proptest! {
        #[test]
        fn no_price_falls_between_two_halves(range in ranges(), price in 0..=PRICE_MAX, middle in 1..2_000_000_u32) {
            let within = |range: Range| range.least.is_none_or(|least| least <= price)
                && range.most.is_none_or(|most| price <= most);
            if let Some((cheap, dear)) = range.halves(middle) {
                prop_assert_eq!(within(range), within(cheap) || within(dear));
                prop_assert!(cheap != range && dear != range, "each is smaller");
                prop_assert!(cheap.is_ordered() && dear.is_ordered() && cheap.leads_to(dear));
                prop_assert_eq!((cheap.least, dear.most), (range.least, range.most));
            }
        }

        /// Whichever part is too large at each step, the plan terminates and stays short.
        #[test]
        fn splitting_ends_soon_and_its_position_reads_back(
            whole in ranges(),
            middle in prop_oneof![Just(2_000), Just(300_000)],
            price in prop_oneof![0..3_u32, 1..5_000_000_u32, 0..=PRICE_MAX],
        ) {
            let mut position = ZillowPosition { total: Some(20_000), ..ZillowPosition::start(whole) };
            let mut steps = 0;
            loop {
                let text = position.to_string();
                prop_assert!(text.len() < 1_000, "{}", text);
                prop_assert_eq!(ZillowPosition::parse(&text, whole), Some(position.clone()));
                let dearer = position.range().most.is_some_and(|most| most < price);
                let goes_on = if dearer { position.next_range() } else { position.split(middle) };
                if !goes_on {
                    break;
                }
                steps += 1;
                prop_assert!(steps < 200);
            }
        }

        #[test]
        fn any_text_is_a_position_that_reads_back_or_none(text in "[0-9tx lost-]{0,30}") {
            if let Some(position) = ZillowPosition::parse(&text, OPEN) {
                prop_assert_eq!(position.to_string(), text);
            }
        }
    }
}
