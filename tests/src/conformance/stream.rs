use std::sync::Arc;

use stoop_pipeline::ports::{Stream, StreamReader};

use crate::made::minute;

/// The contract of [`Stream`]. `read` returns every record (key, bytes) that is or was on the stream, in the order of
/// delivery.
pub async fn stream_conformance<S: Stream + ?Sized>(stream: Arc<S>, read: impl AsyncFn() -> Vec<(String, Vec<u8>)>) {
    assert_eq!(stream.put(&[]).await.unwrap(), Vec::<usize>::new(), "nothing can always be put");

    let mut expected: Vec<(String, Vec<u8>)> = Vec::new();
    for batch in 0..3_u8 {
        let key = |i: u8| if i.is_multiple_of(2) { "even" } else { "odd" };
        let records: Vec<_> = (0..40).map(|i| (key(i).to_owned(), vec![batch, i, 0, b'\n', 0xff])).collect();
        put_all(&*stream, records.clone()).await;
        expected.extend(records);
    }
    let delivered = read().await;
    for key in ["even", "odd"] {
        let of = |records: &[(String, Vec<u8>)]| -> Vec<Vec<u8>> {
            let mut seen: Vec<Vec<u8>> = Vec::new();
            // At least once: a repetition is fine, a wrong order is not.
            for (_, body) in records.iter().filter(|(of, _)| of == key) {
                if !seen.contains(body) {
                    seen.push(body.clone());
                }
            }
            seen
        };
        assert_eq!(of(&delivered), of(&expected), "the records of one key arrive, in their order");
    }

    let largest = vec![7; stream.record_bytes_max()];
    put_all(&*stream, vec![("big".into(), largest.clone())]).await;
    assert!(read().await.iter().any(|(_, body)| *body == largest), "a record as large as allowed arrives");

    let before = read().await.len();
    let mut too_large = largest;
    too_large.push(7);
    let refused = stream.put(&[("big".into(), too_large)]).await;
    assert!(refused.is_err(), "a record that is too large is an error, not a refusal");
    assert_eq!(read().await.len(), before, "and nothing of it arrives");
}

/// The contract of [`StreamReader`].
pub async fn stream_reader_conformance<S: Stream + StreamReader>(stream: Arc<S>) {
    assert_eq!(stream.records(9).await.unwrap(), [], "an empty stream");
    assert_eq!(stream.newest_sighting().await.unwrap(), None);
    put_all(&*stream, (0..5).map(|i| ("key".into(), vec![i])).collect()).await;
    let bodies = |records: &[(i64, Vec<u8>)]| records.iter().map(|(_, body)| body[0]).collect::<Vec<_>>();
    let first = stream.records(3).await.unwrap();
    assert_eq!(bodies(&first), [0, 1, 2]);
    assert!(first.is_sorted_by(|a, b| a.0 < b.0), "{first:?}");
    assert_eq!(stream.records(3).await.unwrap(), first, "reading removes nothing");
    stream.remove(first[1].0).await.unwrap();
    let rest = stream.records(9).await.unwrap();
    assert_eq!((bodies(&rest), rest[0].0), (vec![2, 3, 4], first[2].0), "the others have the positions they had");
    stream.remove(rest[2].0).await.unwrap();
    put_all(&*stream, vec![("key".into(), vec![5])]).await;
    let last = stream.records(9).await.unwrap();
    assert!(bodies(&last) == [5] && last[0].0 > rest[2].0, "positions are not used again: {last:?}");
    for at in [minute(1), minute(0)] {
        stream.keep_newest_sighting(at).await.unwrap();
        assert_eq!(stream.newest_sighting().await.unwrap(), Some(at), "as it was recorded");
    }
}

/// Puts refused records again, in order, like the poller.
async fn put_all<S: Stream + ?Sized>(stream: &S, mut records: Vec<(String, Vec<u8>)>) {
    for _ in 0..10 {
        let refused = stream.put(&records).await.unwrap();
        records = refused.into_iter().map(|i| records[i].clone()).collect();
        if records.is_empty() {
            return;
        }
    }
    panic!("{} records are still refused after ten attempts", records.len());
}
