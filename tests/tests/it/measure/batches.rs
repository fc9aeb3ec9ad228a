//! Any cut of a sequence of observations into batches, with any faults.

use super::*;

/// The state after these batches, each with the fault before it, if any.
fn stored(batches: &[Vec<Observation>], items_max: usize, faults: &[u8]) -> Image {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let bench = Bench::new();
        bench.store.limit_items(items_max);
        let mut measurer = Measurer::new(&bench.store);
        for (i, batch) in batches.iter().enumerate() {
            match faults.get(i) {
                Some(0) => bench.store.fail_commits(1),
                Some(1) => bench.store.conflict_commits(1),
                Some(2) => bench.store.lose_answers(1),
                Some(3) => bench.store.fail_reads(1),
                _ => {}
            }
            let mut failed = 0;
            while let Err(error) = measurer.measure(batch).await {
                failed += 1;
                assert!(failed < 10, "one fault only: {error}");
            }
        }
        bench.verify();
        bench.image()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    // Over three months of more than 400 days ago, the fold advances twice.
    #[test]
    fn any_cut_of_a_sequence_with_any_faults_gives_the_state_of_one_batch(
        seeds in prop::collection::vec(seed(0..90 * DAY), 1..40),
        cuts in prop::collection::vec(0..12_usize, 0..6),
        faults in prop::collection::vec(0..8_u8, 7),
    ) {
        let all = grown(&seeds);
        let want = stored(std::slice::from_ref(&all), 100, &[]);
        prop_assert_eq!(stored(&cut(&all, &cuts), 8, &faults), want);
    }

    #[test]
    fn over_years_neither_order_nor_repetition_matters(
        (seeds, mixed) in prop::collection::vec(seed(0..900 * DAY), 1..30).prop_flat_map(|seeds| {
            let twice = [seeds.clone(), seeds.clone()].concat();
            (Just(seeds), Just(twice).prop_shuffle())
        }),
        cuts in prop::collection::vec(0..12_usize, 0..6),
    ) {
        let want = stored(&[grown(&seeds)], 100, &[]);
        prop_assert_eq!(stored(&cut(&grown(&mixed), &cuts), 8, &[]), want);
    }
}
