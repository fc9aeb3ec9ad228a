//! SplitMix64 (Steele, Lea, Flood 2014) and distributions, in integers only: floating-point logarithms differ in their
//! last bit between platforms, and one bit gives a different market.

/// A stream of pseudo-random numbers. Equal seeds give equal streams in all versions.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Stream number `stream` of `seed`. Streams are independent.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = Self(seed);
        let a = mixed.next();
        Self(a ^ Self(stream.wrapping_mul(0xD134_2543_DE82_EF95)).next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 if `bound` is 0. The bias of the multiplication is below 2^-32 for all bounds used
    /// here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high.abs_diff(low) + 1).cast_signed()
    }

    /// True with a probability of `permille` / 1,000.
    pub(crate) fn chance(&mut self, permille: u32) -> bool {
        self.below(1_000) < u64::from(permille)
    }

    /// One of `choices`, which must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let i = self.below(choices.len() as u64);
        choices[usize::try_from(i).unwrap_or(0)]
    }

    /// The waiting time to the next event of a Poisson process with this mean: `-ln(u) * mean`, with the logarithm
    /// computed bit by bit.
    pub(crate) fn exponential(&mut self, mean: i64) -> i64 {
        let u = self.next() | 1;
        let zeros = u.leading_zeros();
        // The mantissa in [1, 2) with 31 binary digits. Each squaring gives one digit of its logarithm.
        let mut m = (u << zeros) >> 32;
        let mut log2 = 0_u64;
        for _ in 0..16 {
            m = (m * m) >> 31;
            log2 <<= 1;
            if m >= 1 << 32 {
                log2 |= 1;
                m >>= 1;
            }
        }
        let minus_log2 = (u64::from(zeros + 1) << 16) - log2;
        const LN_2: u64 = 45_426;
        let wide = i128::from(mean) * i128::from(minus_log2) * i128::from(LN_2);
        i64::try_from(wide >> 32).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // The published reference values for seed 1234567.
        let mut random = Random(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn waiting_times_have_mean_and_spread_of_a_poisson_process() {
        let mut random = Random::new(1, 2);
        let waits: Vec<i64> = (0..100_000).map(|_| random.exponential(1_000_000)).collect();
        let mean = waits.iter().sum::<i64>() / 100_000;
        assert!((990_000..1_010_000).contains(&mean), "{mean}");
        // A share of e^-1 of the waits is longer than the mean.
        let longer = waits.iter().filter(|wait| **wait > 1_000_000).count();
        assert!((36_300..37_300).contains(&longer), "{longer}");
        assert!(waits.iter().all(|wait| *wait >= 0));
    }

    #[test]
    fn numbers_stay_in_their_bounds() {
        let mut random = Random::new(3, 0);
        for _ in 0..10_000 {
            assert!(random.below(7) < 7);
            assert!((-3..=3).contains(&random.between(-3, 3)));
        }
        assert_eq!(random.below(0), 0);
    }
}
