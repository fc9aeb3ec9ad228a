//! Chance in tests: equal seeds give equal numbers, in every version and on every computer, so that a seed in a failed
//! test's name is all that it takes to see it fail again. Crates of random numbers keep their streams for a while only.
//!
//! The simulation has a generator of its own: its streams are stored facts.

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug, Default)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x5851_F42D_4C95_7F2D)
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`.
    ///
    /// # Panics
    /// When there is none.
    pub fn below<N: TryFrom<u64> + TryInto<u64>>(&mut self, bound: N) -> N {
        let bound: u64 = bound.try_into().ok().filter(|bound| *bound > 0).expect("a number below which there is one");
        N::try_from(self.roll() % bound).ok().expect("a number is of the type of those above it")
    }

    /// True in one of `n` cases.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// True in `permille` of a thousand cases.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// One of these.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_are_what_they_always_were() {
        // The reference values of SplitMix64 for seed 1234567, as published with the algorithm.
        let mut dice = Dice(1_234_567);
        assert_eq!([dice.roll(), dice.roll()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
        let mut dice = Dice::new(7);
        let rolled: Vec<i64> = (0..8).map(|_| dice.below(100)).collect();
        assert_eq!(rolled, [16, 0, 28, 86, 58, 6, 1, 49]);
    }

    #[test]
    fn every_number_below_comes() {
        let mut dice = Dice::new(1);
        let mut counts = [0; 6];
        (0..6_000).for_each(|_| counts[dice.below(6_usize)] += 1);
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
        let mut dice = Dice::new(2);
        let (ones, rare) = (0..10_000)
            .fold((0, 0), |(ones, rare), _| (ones + i32::from(dice.one_in(10)), rare + i32::from(dice.chance(5))));
        assert!((900..1_100).contains(&ones) && (25..80).contains(&rare), "{ones} {rare}");
        assert_eq!(Dice::new(3).pick(&["only"]), "only");
    }
}
