//! Secrets that are missing, expired or wrong.

use super::*;

#[tokio::test]
async fn a_missing_or_unavailable_secret_fails_the_poll_and_the_schedule_retries() {
    let stage = Stage::with_token("hush").await;
    assert_eq!(stage.handle(sample("sqs.json")).await, nothing());
    assert_eq!((stage.counted()["PollsFailed"], stage.streamed().len()), (1, 0));
    assert_eq!(stage.aws.asked("GetSecretValue"), [json!({ "SecretId": "stoop/test/mls" })]);
    assert_eq!(stage.portal.served().requests, 0, "no request without a key");

    stage.aws.keep_secret("stoop/test/mls", "hush");
    stage.aws.down("GetSecretValue", true);
    assert_eq!(stage.handle(sample("sqs.json")).await, nothing());
    assert_eq!(stage.counted()["PollsFailed"], 1);
    stage.aws.down("GetSecretValue", false);
    assert_eq!(stage.handle(sample("sqs.json")).await, nothing());
    assert_eq!(stage.counted()["PollsComplete"], 1);
}

#[tokio::test]
async fn an_expired_key_is_read_again_and_a_wrong_one_fails_the_poll() {
    let stage = Stage::with_token("new").await;
    stage.aws.keep_secret("stoop/test/mls", "old");
    assert_eq!(stage.handle(sample("sqs.json")).await, nothing());
    assert_eq!((stage.counted()["PollsFailed"], stage.aws.asked("GetSecretValue").len()), (1, 1));

    // A minute later the key was rotated; this environment has cached the old one.
    stage.clock.pass(60_000);
    stage.aws.keep_secret("stoop/test/mls", "new");
    assert_eq!(stage.handle(sample("sqs.json")).await, nothing());
    let counts = stage.counted();
    assert_eq!((counts["PollsComplete"], count_of(&counts, "PollsFailed")), (1, 0));
    assert_eq!((stage.portal.served().unauthorized, stage.aws.asked("GetSecretValue").len()), (2, 1));
}
