//! Polls that take longer than their invocation: the deadline, limits, files of many pages.

use super::*;

#[tokio::test]
async fn a_poll_at_its_deadline_continues_in_another_message_until_it_is_complete() {
    let stage = Stage::new().await;
    stage.page_ms.store(200_000, Ordering::SeqCst);
    let (mut body, mut streamed, mut rounds) = (task(SEARCH), BTreeMap::<String, usize>::new(), 0);
    loop {
        rounds += 1;
        assert!(rounds < 20, "each round sees some pages");
        let id = format!("round-{rounds}");
        assert_eq!(stage.handle(json!({ "Records": [message(&id, SEARCH, &body)] })).await, nothing());
        for (home, count) in stage.streamed() {
            *streamed.entry(home).or_default() += count;
        }
        let counts = stage.counted();
        let sent = stage.aws.asked("SendMessage");
        assert_eq!(sent.len() as u64, count_of(&counts, "PollsPartial"));
        let Some(next) = sent.first() else { break };
        assert_eq!(next["MessageGroupId"], SEARCH);
        assert!(next["MessageDeduplicationId"].as_str().is_some_and(|id| id.len() == 64));
        body = next["MessageBody"].as_str().unwrap().to_owned();
        let next: PollTask = serde_json::from_str(&body).unwrap();
        assert_eq!((next.search.as_str(), next.due_at), (SEARCH, minute(0)), "the same task");
        assert_eq!(next.continuation.unwrap().number, rounds);
        assert_eq!(stage.last_poll().await.goes_on, Some(minute(0)));
    }
    let whole = Stage::new().await;
    whole.take_one(&task(SEARCH)).await;
    assert!(rounds > 2, "{rounds}");
    assert_eq!(streamed, whole.streamed(), "like one long poll, each once");
}

/// The configuration of the samples' search with its own limits.
fn limited(stage: &Stage, limits: &str) -> Uploads {
    Uploads::accepted(&stage.search(SEARCH, "").replace("source", &format!("limits = '{limits}'\nsource")))
}

#[tokio::test]
async fn a_poll_without_time_to_wait_for_its_limits_continues_in_another_message() {
    let mut stage = Stage::new().await;
    stage.uploads = limited(&stage, "1/m");
    assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
    assert_eq!((stage.counted()["PollsPartial"], stage.aws.asked("SendMessage").len()), (1, 1));
    let seen = stage.streamed().len();
    stage.handle(json!({ "Records": [message("two", SEARCH, &task(SEARCH))] })).await;
    assert_eq!(stage.counted()["PollsComplete"], 1);
    let whole = Stage::new().await;
    whole.take_one(&task(SEARCH)).await;
    assert_eq!(seen + stage.streamed().len(), whole.streamed().len(), "none is lost or repeated");
    let run = stage.bench.database.runs(9).unwrap().pop().unwrap();
    assert!(run.message.unwrap().contains("the limit of 1 request a minute is used up, until 2026-01-05T00:04:"));
}

#[tokio::test]
async fn a_poll_with_a_long_wait_is_left_to_the_schedule() {
    let mut stage = Stage::new().await;
    stage.uploads = limited(&stage, "2/h");
    for (polls, requests) in [(1, 2), (2, 2)] {
        assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
        assert_eq!(stage.portal.served().requests, requests, "poll {polls}");
    }
    let counts = stage.counted();
    assert_eq!((counts["PollsPartial"], count_of(&counts, "PollsFailed")), (2, 0));
    assert_eq!(stage.aws.asked("SendMessage").len(), 0);
}

#[tokio::test]
async fn files_that_take_longer_than_a_timeout_are_read_by_several_invocations() {
    let mut stage = Stage::without_searches(None).await;
    let search = format!("[[search]]\nname = '{SEARCH}'\nsource = 'maps/mls.toml'\nfiles = 'in/*.csv'\n");
    stage.uploads = Uploads::accepted(&search).with_file("maps/mls.toml", MAP);
    let folder = stage.bench.path().join("in");
    std::fs::create_dir(&folder).unwrap();
    for (name, homes) in [("a.csv", 0..3_500), ("b.csv", 3_000..4_000)] {
        let rows: String = homes.map(|home| format!("{home},500000\n")).collect();
        std::fs::write(folder.join(name), format!("id,price\n{rows}")).unwrap();
    }
    stage.files.page_ms.store(200_000, Ordering::SeqCst);
    let (mut body, mut streamed, mut rounds) = (task(SEARCH), BTreeMap::<String, usize>::new(), 0);
    loop {
        rounds += 1;
        assert!(rounds < 20, "each round reads some rows");
        assert_eq!(
            stage.handle(json!({ "Records": [message(&format!("m{rounds}"), SEARCH, &body)] })).await,
            nothing()
        );
        for (home, count) in stage.streamed() {
            *streamed.entry(home).or_default() += count;
        }
        let sent = stage.aws.asked("SendMessage");
        let Some(next) = sent.first() else { break };
        body = next["MessageBody"].as_str().unwrap().to_owned();
    }
    assert!(rounds > 2, "{rounds}");
    assert_eq!((streamed.len(), streamed.values().max()), (4_000, Some(&1)), "every home once");
    assert!(stage.counted().contains_key("PollsComplete"));
}

#[tokio::test]
async fn a_poll_whose_continuation_fails_is_redelivered() {
    let stage = Stage::new().await;
    stage.page_ms.store(200_000, Ordering::SeqCst);
    stage.aws.down("SendMessage", true);
    assert_eq!(stage.take_one(&task(SEARCH)).await, ["one"]);
    let counts = stage.counted();
    assert_eq!((counts["PollsFailed"], counts["PollsPartial"]), (1, 1));
    assert_eq!(stage.brought_back(), [("one".to_owned(), 30)]);
}
