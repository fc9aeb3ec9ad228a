use super::*;

/// A handle that only reads may give a sum again that it read before: only of the same commits.
#[test]
fn a_reader_sees_the_sums_of_the_commits_that_it_reads() {
    let folder = tempfile::TempDir::new().unwrap();
    let (writer, (path, data)) = (open(folder.path()), paths(folder.path()));
    let mut random = Dice::new(4);
    measure(&writer, &[sighting(&mut random, 0)]);
    let reader = Database::open_read(&path, &data).unwrap();
    let mut differed = 0;
    for today in 1..40 {
        let areas: Vec<WideArea> = plain(&writer).into_keys().collect();
        let read = |database: &Database, day_read: i64| -> Vec<Option<Wide>> {
            let one = |area| database.wide(area, day(day_read)).unwrap();
            areas.iter().map(one).collect()
        };
        let within = || {
            let before = read(&reader, today);
            let batch: Vec<_> = (0..random.below(12)).map(|_| sighting(&mut random, today)).collect();
            measure(&writer, &batch);
            if today % 3 == 0 {
                writer.roll_up(day(today), &|| false).unwrap();
            }
            assert_eq!(read(&reader, today), before, "a transaction has one moment");
            Ok::<_, PortError>(before)
        };
        let before = reader.reading(within).unwrap();
        let after = reader.reading(|| Ok::<_, PortError>([read(&reader, today), read(&reader, today)])).unwrap();
        let [first, again] = after;
        assert_eq!(first, read(&writer, today));
        assert_eq!(again, first);
        let other = reader.reading(|| Ok::<_, PortError>(read(&reader, today + 1))).unwrap();
        assert_eq!(other, read(&writer, today + 1), "another day is another sum");
        differed += usize::from(first != before);
    }
    assert!(differed > 20, "{differed}");
}
