//! A queue that refuses tasks, or fails.

use super::*;

#[tokio::test]
async fn refused_tasks_are_sent_again_with_growing_pauses() {
    let bench = Bench::new();
    bench.line.sends_to_halve.store(3, Ordering::SeqCst);
    let planned = bench.tick(&many(16), minute(0)).await.unwrap();
    assert_eq!((planned.sent.len(), planned.refused.len()), (16, 0));
    assert_eq!(*bench.line.calls.lock().unwrap(), [16, 8, 4, 2], "only the refused ones");
    assert_eq!(*bench.clock.slept.lock().unwrap(), [200, 400, 800]);
    assert_eq!((bench.delivered().len(), bench.recorded().len()), (16, 16));
}

#[tokio::test]
async fn tasks_refused_to_the_end_are_not_recorded_and_stay_due() {
    let bench = Bench::new();
    bench.line.sends_to_halve.store(1, Ordering::SeqCst);
    let searches = many(2);
    // The first send accepts one of the two, every later one none.
    let refusing = Refusing(bench.line.clone());
    let planned = plan(&searches, &[], minute(0), &*bench.book, &refusing, &*bench.clock).await.unwrap();
    assert_eq!((names(&planned.sent), names(&planned.refused)), (vec!["zip-1"], vec!["zip-0"]));
    assert_eq!(bench.line.calls.lock().unwrap().len(), 6, "attempts are bounded");
    assert_eq!(bench.recorded().into_keys().collect::<Vec<_>>(), ["zip-1"]);
    let planned = bench.tick(&searches, minute(1)).await.unwrap();
    assert_eq!(names(&planned.sent), ["zip-0"]);
}

/// After its first send the queue refuses everything.
struct Refusing(Arc<Line>);

#[async_trait]
impl TaskQueue for Refusing {
    async fn send(&self, tasks: &[PollTask]) -> Result<Vec<usize>, PortError> {
        let refused = self.0.send(tasks).await;
        self.0.sends_to_refuse.store(usize::MAX, Ordering::SeqCst);
        if self.0.calls.lock().unwrap().len() == 6 {
            self.0.sends_to_refuse.store(0, Ordering::SeqCst);
        }
        refused
    }

    async fn continue_later(&self, next: &PollTask, delivery: &str) -> Result<(), PortError> {
        self.0.continue_later(next, delivery).await
    }
}

#[tokio::test]
async fn tasks_accepted_before_the_queue_failed_are_recorded() {
    let bench = Bench::new();
    bench.line.sends_to_halve.store(1, Ordering::SeqCst);
    bench.line.sends_to_fail.store(1, Ordering::SeqCst);
    let searches = many(4);
    assert!(bench.tick(&searches, minute(0)).await.is_err());
    assert_eq!(bench.recorded().into_keys().collect::<Vec<_>>(), ["zip-1", "zip-3"]);
    let planned = bench.tick(&searches, minute(1)).await.unwrap();
    assert_eq!(names(&planned.sent), ["zip-0", "zip-2"]);
    assert_eq!(bench.delivered().len(), 4);
}
