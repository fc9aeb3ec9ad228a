use std::sync::Arc;

use stoop_pipeline::ports::{Account, Budgets};

/// Concurrent pollers of one record, and how often each changes it.
const POLLERS: i64 = 20;
const CHANGES: i64 = 5;

/// A record identified by a number.
fn record(number: i64) -> Account {
    let json = format!(
        r#"{{"format":1,"latest_ms":{number},"answer_bytes":4711,"rings":[["requests",7200,3600000,17,11,[1,0,40]]]}}"#
    );
    Account::from_json(&json).unwrap()
}

fn number(record: &Account) -> i64 {
    let json: serde_json::Value = serde_json::from_str(&record.to_json()).unwrap();
    json["latest_ms"].as_i64().unwrap()
}

/// The contract of [`Budgets`].
pub async fn budgets_conformance<B: Budgets + ?Sized + 'static>(budgets: Arc<B>) {
    let (account, other) = ("api.test:8080#0a1b2c3d4e5f", "api.test:8080#ffffffffffff");
    let load = async |account: &str| budgets.load(account).await.unwrap();
    let save = async |account: &str, n: i64, version: u64| budgets.save(account, &record(n), version).await.unwrap();
    assert_eq!(load(account).await, (Account::default(), 0), "an account that was never asked is fresh");

    assert!(save(account, 1, 0).await);
    assert_eq!(load(account).await, (record(1), 1), "a loaded record equals the saved one");
    for overtaken in [0, 2, 7] {
        assert!(!save(account, 9, overtaken).await, "a record of another version is not stored");
    }
    assert!(!save(other, 9, 1).await, "nor one of a version that never was");
    assert_eq!(load(account).await, (record(1), 1), "and changes nothing");
    assert!(save(account, 2, 1).await);
    assert!(save(account, 2, 2).await, "the same again is stored again");
    assert_eq!(load(account).await, (record(2), 3));
    assert_eq!(load(other).await, (Account::default(), 0), "accounts do not mix");

    let pollers: Vec<_> = (0..POLLERS).map(|_| tokio::spawn(count_up(Arc::clone(&budgets), other))).collect();
    for poller in pollers {
        poller.await.unwrap();
    }
    let (record, version) = load(other).await;
    assert_eq!((number(&record), version), (POLLERS * CHANGES, (POLLERS * CHANGES).cast_unsigned()), "none was lost");
}

/// Adds one several times, retrying after conflicts.
async fn count_up<B: Budgets + ?Sized>(budgets: Arc<B>, account: &str) {
    for _ in 0..CHANGES {
        let mut conflicts = 0;
        loop {
            let (read, version) = budgets.load(account).await.unwrap();
            tokio::task::yield_now().await;
            if budgets.save(account, &record(number(&read) + 1), version).await.unwrap() {
                break;
            }
            conflicts += 1;
            // Each is because another one has counted.
            assert!(conflicts <= POLLERS * CHANGES, "{conflicts} conflicts, and no end");
        }
    }
}
