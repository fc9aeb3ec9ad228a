//! Gathering and storing in large commits gives the result of a measurer with small ones.

use stoop_pipeline::Gatherer;
use stoop_pipeline::ports::Change;

use super::*;

/// Passes the batches to a gatherer, each with its fault, and commits after the given batches.
async fn gathered(
    batches: &[Vec<Observation>],
    store_after: &[bool],
    faults: &[u8],
    open_max: usize,
) -> (Bench, Measured) {
    let bench = Bench::new();
    let mut gatherer = Gatherer::new(&bench.store).with_open_homes(open_max);
    let mut total = Measured::default();
    // Observations since the last commit: passed again if anything fails.
    let mut waiting: Vec<Observation> = Vec::new();
    for (i, batch) in batches.iter().enumerate() {
        match faults.get(i) {
            Some(0) => bench.store.fail_commits(1),
            Some(1) => bench.store.conflict_commits(1),
            Some(2) => bench.store.lose_answers(1),
            Some(3) => bench.store.fail_reads(1),
            _ => {}
        }
        waiting.extend_from_slice(batch);
        let mut failed = 0;
        let mut more = |error: &dyn std::fmt::Display| {
            failed += 1;
            assert!(failed < 10, "one fault only: {error}");
        };
        if gatherer.gather(batch).await.is_err() {
            while let Err(error) = gatherer.gather(&waiting).await {
                more(&error);
            }
        }
        if i + 1 == batches.len() || store_after.get(i).copied().unwrap_or(false) {
            let measured = loop {
                match gatherer.commit().await {
                    Ok(measured) => break measured,
                    Err(error) => {
                        more(&error);
                        while let Err(error) = gatherer.gather(&waiting).await {
                            more(&error);
                        }
                    }
                }
            };
            total.add(&measured);
            waiting.clear();
            assert_eq!(gatherer.bytes(), 0, "nothing waits any more");
        }
    }
    (bench, total)
}

/// The counts of a measurer on the batches, and the resulting change feed.
async fn measured(batches: &[Vec<Observation>]) -> (Bench, Measured) {
    let bench = Bench::new();
    let mut measurer = Measurer::new(&bench.store);
    let mut total = Measured::default();
    for batch in batches {
        total.add(&measurer.measure(batch).await.unwrap());
    }
    (bench, total)
}

#[tokio::test]
async fn nothing_is_stored_before_a_commit_and_then_everything() {
    let batch = a_batch();
    let (bench, by_measurer) = measured(std::slice::from_ref(&batch)).await;
    let other = Bench::new();
    let mut gatherer = Gatherer::new(&other.store);
    let mut bytes = 0;
    for part in batch.chunks(7) {
        gatherer.gather(part).await.unwrap();
        assert!(gatherer.bytes() > bytes, "waiting bytes are counted");
        bytes = gatherer.bytes();
    }
    assert_eq!(other.image(), Image::default());
    assert_eq!(other.database.counts().unwrap().observations, 0);
    assert_eq!(gatherer.commit().await.unwrap(), by_measurer);
    assert_eq!(other.image(), bench.image());
    assert_eq!(other.database.changes(0, usize::MAX).unwrap(), bench.database.changes(0, usize::MAX).unwrap());
    other.verify();

    let stored = other.database.counts().unwrap();
    gatherer.gather(&batch).await.unwrap();
    let again = gatherer.commit().await.unwrap();
    assert!(again.changed_nothing(), "{again:?}");
    assert_eq!(again.duplicates, batch.len() as u64);
    assert_eq!(other.database.counts().unwrap(), stored);
    assert_eq!(gatherer.commit().await.unwrap(), Measured::default());
}

#[tokio::test]
async fn the_change_feed_has_only_homes_with_two_prices() {
    let mut pending = observation("pending", 60, 500_000);
    pending.listing.status = Status::Pending;
    let batches = [
        ["cut", "pending", "same"].map(|id| observation(id, 0, 500_000)).to_vec(),
        vec![observation("cut", 60, 400_000), pending, observation("same", 60, 500_000)],
    ];
    for (bench, counts) in [measured(&batches).await, gathered(&batches, &[true], &[], 2).await] {
        assert_eq!((counts.new, counts.changed), (3, 2));
        let changes = bench.database.changes(0, usize::MAX).unwrap();
        let message: Vec<_> =
            changes.iter().map(|(_, Change { home, old, .. })| (home.as_str(), old.is_some())).collect();
        assert_eq!(message, [("avito/cut", true)], "with the image of before");
        bench.verify();
    }
}

#[tokio::test]
async fn a_concurrent_writer_is_not_overwritten_and_counted_once() {
    let batch = a_batch();
    let want = clean(&batch).await;
    let bench = Bench::new();
    let (mut gatherer, mut measurer) = (Gatherer::new(&bench.store), Measurer::new(&bench.store));
    let mut total = Measured::default();
    for part in batch.chunks(10) {
        let (mine, its) = part.split_at(part.len() / 2);
        gatherer.gather(mine).await.unwrap();
        // Both have one of them: it is a duplicate for the later one.
        gatherer.gather(&its[..1]).await.unwrap();
        total.add(&measurer.measure(its).await.unwrap());
        total.add(&gatherer.commit().await.unwrap());
    }
    assert!(total.conflicts > 1, "{total:?}");
    let twice = batch.chunks(10).count() as u64;
    assert_eq!((total.observations, total.duplicates, total.new), (batch.len() as u64 + twice, twice, 24));
    assert_eq!(bench.image(), want);
    bench.verify();
}

#[tokio::test]
async fn many_held_observations_are_measured_again_after_a_conflict() {
    let all: Vec<_> = (0..40_000).map(|n| observation(&format!("h{}", n % 50), n, 900_000 - n % 3)).collect();
    let (bench, by_measurer) = measured(std::slice::from_ref(&all)).await;
    let other = Bench::new();
    let mut gatherer = Gatherer::new(&other.store);
    for part in all.chunks(512) {
        gatherer.gather(part).await.unwrap();
    }
    other.store.conflict_commits(1);
    let counts = gatherer.commit().await.unwrap();
    assert_eq!((counts.conflicts, counts.observations), (1, by_measurer.observations));
    assert_eq!(other.image(), bench.image());
    other.verify();
}

#[tokio::test]
async fn an_overfull_id_is_rejected_as_by_a_measurer() {
    let bench = Bench::new();
    let all: Vec<_> = (0..70).map(|n| observation("id", n, 100_000 + n)).collect();
    let mut gatherer = Gatherer::new(&bench.store);
    let mut total = Measured::default();
    for part in all.chunks(30) {
        gatherer.gather(part).await.unwrap();
        total.add(&gatherer.commit().await.unwrap());
    }
    bench.verify();
    assert_eq!((total.homes_overfull, total.observations), (1, 70));
    assert_eq!(gatherer.take_overfull(all[0].at).len(), 1);
    assert_eq!(gatherer.take_overfull(all[0].at), []);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn gathering_equals_measuring(
        seeds in prop::collection::vec(seed(0..900 * DAY), 1..40),
        cuts in prop::collection::vec(0..12_usize, 0..8),
        store_after in prop::collection::vec(any::<bool>(), 0..8),
        faults in prop::collection::vec(0..8_u8, 0..8),
        open_max in 0..5_usize,
    ) {
        let observations = grown(&seeds);
        let batches = cut(&observations, &cuts);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (bench, by_measurer) = measured(std::slice::from_ref(&observations)).await;
            let (other, counts) = gathered(&batches, &store_after, &[], open_max).await;
            other.verify();
            assert_eq!(other.image(), bench.image());
            assert_eq!(counts, by_measurer);
            let (other, _) = gathered(&batches, &store_after, &faults, open_max).await;
            other.verify();
            assert_eq!(other.image(), bench.image());
        });
    }
}
