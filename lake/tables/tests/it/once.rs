use proptest::prelude::*;
use stoop_lake_tables::Lake;

use crate::support::{chunk, ingest, ingest_keeping, lines, rows, run};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any order, any files, any repetition, whatever fits in memory.
    #[test]
    fn the_rows_are_those_of_the_set_of_observations(
        objects in proptest::collection::vec(proptest::collection::vec(0_u32..60, 1..25), 1..6),
        kept in 0_usize..80,
    ) {
        let mut set: Vec<u32> = objects.iter().flatten().copied().collect();
        set.sort_unstable();
        set.dedup();
        let [as_they_come, sorted] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let name = |at: usize| format!("lake/observations/dt=2026-03-01/{at}");
        let chunks: Vec<_> = objects
            .iter()
            .enumerate()
            .map(|(at, numbers)| (name(at), chunk(&name(at), &lines(numbers.iter().copied()))))
            .collect();
        let counts = run(async {
            let lake = Lake::folder(as_they_come.path()).unwrap();
            let counts = ingest_keeping(&lake, &chunks, kept).await.unwrap().counts();
            // A second run finds nothing to do, whatever else was delivered again.
            prop_assert_eq!(ingest(&lake, &chunks).await.unwrap().counts(), stoop_lake_tables::IngestCounts::default());
            Ok(counts)
        })?;
        let all = [("one".to_owned(), chunk("one", &lines(set.iter().copied())))];
        run(ingest(&Lake::folder(sorted.path()).unwrap(), &all)).unwrap();
        let found = rows(as_they_come.path(), "observations");
        prop_assert_eq!(&found, &rows(sorted.path(), "observations"));
        prop_assert_eq!(found.len(), set.len());
        prop_assert_eq!(counts.added, set.len() as u64);
        prop_assert_eq!(counts.added + counts.repeated, counts.lines);
        prop_assert_eq!(rows(as_they_come.path(), "bronze").len(), objects.len());
    }
}
