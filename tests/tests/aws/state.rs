//! `stoop-aws`: a stack that is pulled, verified, compared, and recomputed into other tables.

mod merging;
mod polls;
mod script;
mod sums;
mod town;

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::Blob;
use stoop_aws::NoLake;
use stoop_aws_cli::{Stack, compare, load, pull};
use stoop_domain::Observation;
use stoop_embedded::Verified;
use stoop_rules::Rules;
use stoop_tests::made;

use crate::dynamo::faults::{Fault, Faults};
use crate::dynamo::{MemoryLake, Noon, Tables, clients};
use town::{Item, MARKET, Town, batches, key, measure, object, pair, verify};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn bytes(value: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

#[tokio::test]
async fn a_pulled_stack_equals_the_state_of_its_lake() {
    let town = Town::new().await;
    let pulled = town.pull().await;
    assert_eq!((pulled.wrong, pulled.wrongs), (0, Vec::new()));
    let all = batches().concat();
    let objects = batches().len() as u64;
    assert_eq!((pulled.objects, pulled.objects_new), (objects, objects));
    assert_eq!(pulled.observations, all.len() as u64 + objects, "a line of each came twice");
    assert_eq!((pulled.homes, pulled.markets, pulled.alerts), (403, 1, 2));
    let parts = town.tables.parts(&MARKET.parse().unwrap()).await;
    assert!(parts.len() > 1, "there is a base: {parts:?}");
    assert!(!town.tables.archive_parts(&MARKET.parse().unwrap()).await.is_empty(), "there is an archive");

    let found = verify(&town.pulled());
    assert_eq!(found.differences, Vec::<String>::new());
    let Verified { observations, homes, markets, alerts, alerts_unchecked, alerts_complete, .. } = found;
    assert_eq!((observations, homes, markets, alerts), (pulled.observations, 403, 1, 2));
    assert_eq!((alerts_unchecked, alerts_complete), (0, true));

    // Only new objects of the lake are read.
    let more = vec![made::observation("new", 20_000 * 1_440, 650_000)];
    measure(&*town.tables.store(&Arc::new(MemoryLake::default())), std::slice::from_ref(&more)).await;
    assert_eq!(town.pull().await.homes, 404);
    let found = verify(&town.pulled()).differences;
    assert!(found.contains(&"home avito/new is stored, but no observation of it is".to_owned()), "{found:?}");
    town.bucket.put(&key(objects as usize), object(&more)).await;
    let pulled = town.pull().await;
    assert_eq!((pulled.objects, pulled.objects_new, pulled.wrong), (objects + 1, 1, 0));
    assert_eq!(verify(&town.pulled()).differences, Vec::<String>::new());
    town.delete().await;
}

#[tokio::test]
async fn errors_of_the_lake_are_reported_each_time() {
    let town = Town::new().await;
    let mut damaged = object(&[made::observation("a", 1, 650_000)]);
    damaged.extend(object(&[made::observation("b", 1, 650_000)]).split_at(30).0);
    town.bucket.put(&key(20), damaged).await;
    town.bucket.put(&key(21), b"{\"v\":99}\nnothing\n".to_vec()).await;
    for _ in 0..2 {
        let pulled = town.pull().await;
        assert_eq!(pulled.wrong, 2, "{:?}", pulled.wrongs);
        assert!(pulled.wrongs[0].contains(&format!("{}: 1 lines cannot be read, the first: line 2", key(20))));
        assert!(pulled.wrongs[1].contains(&format!("{}: 2 lines cannot be read, the first: line 1", key(21))));
    }
    let found = verify(&town.pulled()).differences;
    assert_eq!(found[0], "home avito/a has observations, but is not stored");

    town.bucket.put(&key(0), object(&[made::observation("a", 1, 650_000)])).await;
    town.bucket.client.delete_object().bucket(&town.bucket.name).key(key(1)).send().await.unwrap();
    let wrongs = town.pull().await.wrongs.join("\n");
    assert!(wrongs.contains(&format!("{} has changed since it was pulled", key(0))), "{wrongs}");
    assert!(wrongs.contains(&format!("{} was pulled and no longer exists", key(1))), "{wrongs}");
    town.delete().await;
}

#[tokio::test]
async fn a_folder_with_other_content_is_not_changed() {
    let town = Town::new().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter"), "dear").unwrap();
    let error = pull(&clients(), folder.path(), &town.stack(), &|_| {}).await.unwrap_err();
    assert!(error.to_string().contains("has other content"), "{error}");

    let own = tempfile::tempdir().unwrap();
    let paths = (own.path().join("stoop.db"), own.path().join("stoop-data"));
    let database = stoop_embedded::Database::open(&paths.0, &paths.1).unwrap();
    measure(&*database, &[vec![made::observation("mine", 0, 1)]]).await;
    drop(database);
    let error = pull(&clients(), own.path(), &town.stack(), &|_| {}).await.unwrap_err();
    assert!(format!("{error:#}").contains("it has a state of its own"), "{error:#}");
    assert_eq!(verify(own.path()).differences, Vec::<String>::new());
    town.delete().await;
}

/// The errors found in a stack with one changed item, which is restored afterwards.
async fn finds(town: &Town, table: &str, what: &str, before: &Item, after: Option<Item>, expected: &str) {
    match &after {
        Some(after) => town.put(table, after.clone()).await,
        None => town.remove(table, before).await,
    }
    let mut found = town.pull().await.wrongs;
    found.extend(verify(&town.pulled()).differences);
    assert!(found.iter().any(|difference| difference.contains(expected)), "{what}: {found:#?}");
    if let Some(after) = after {
        town.remove(table, &after).await;
    }
    town.put(table, before.clone()).await;
}

fn with(item: &Item, name: &str, value: AttributeValue) -> Option<Item> {
    let mut item = item.clone();
    item.insert(name.into(), value);
    Some(item)
}

fn without(item: &Item, name: &str) -> Option<Item> {
    let mut item = item.clone();
    item.remove(name).unwrap();
    Some(item)
}

#[tokio::test]
async fn every_alteration_of_a_home_is_found() {
    let town = Town::new().await;
    let table = town.tables.homes.clone();
    let home = town.items(&table, "id", "avito/8").await.remove(0);
    let other = town.items(&table, "id", "avito/9").await.remove(0);
    let cases: [(&str, Option<Item>, &str); 14] = [
        ("another body", with(&home, "body", other["body"].clone()), "the history of home avito/8 differs"),
        ("no home", with(&home, "body", bytes(&[2, 3])), "home avito/8 cannot be read"),
        ("no body", without(&home, "body"), "home avito/8: the item has no attribute `body` that is binary"),
        ("market", with(&home, "market", text("ma/-/-/rabat/-:sale:MAD")), "the column market of home avito/8 differs"),
        ("status", with(&home, "status", text("Closed")), "the column status of home avito/8 differs"),
        ("list_price", with(&home, "list_price", number(1)), "the column list_price of home avito/8 differs"),
        ("no list_price", without(&home, "list_price"), "the column list_price of home avito/8 differs"),
        ("seen_at", with(&home, "seen_at", number(1)), "the column last_seen of home avito/8 differs"),
        (
            "a price in words",
            with(&home, "list_price", text("1")),
            "home avito/8: the item has no attribute `list_price`",
        ),
        (
            "open_in",
            with(&home, "open_in", text("ma/-/-/rabat/-:sale:MAD")),
            "home avito/8: its attribute `open_in` is",
        ),
        ("no open_in", without(&home, "open_in"), "home avito/8: its attribute `open_in` is None"),
        ("no notable", without(&home, "notable"), "home avito/8: it has no attribute `notable`"),
        ("no version", without(&home, "version"), "home avito/8: the item has no attribute `version`"),
        ("gone", None, "home avito/8 has observations, but is not stored"),
    ];
    for (what, after, expected) in cases {
        finds(&town, &table, what, &home, after, expected).await;
    }
    let invented = with(&home, "id", text("avito/none")).unwrap();
    town.put(&table, invented.clone()).await;
    town.pull().await;
    assert_eq!(verify(&town.pulled()).differences, ["home avito/none is stored, but no observation of it is"]);
    town.remove(&table, &invented).await;
    assert_eq!(town.pull().await.wrong, 0);
    assert_eq!(verify(&town.pulled()).differences, Vec::<String>::new(), "all is as it was");
    town.delete().await;
}

#[tokio::test]
async fn every_alteration_of_a_market_is_found() {
    let town = Town::new().await;
    let table = town.tables.markets.clone();
    let parts = town.items(&table, "market", MARKET).await;
    let is_head = |item: &&Item| item["part"] == text("head");
    let head = parts.iter().find(is_head).unwrap().clone();
    let chunk = parts.iter().find(|item| !is_head(item)).unwrap().clone();
    let piece = town.items(&table, "market", &format!("archive:{MARKET}")).await.remove(0);
    let nothing = zstd::bulk::compress(&stoop_market::Cells::default().to_bytes(), 3).unwrap();
    let mut figures = head["figures"].as_m().unwrap().clone();
    figures.insert("active".into(), number(77));
    let elsewhere = "ma/-/-/rabat/-:sale:MAD";
    let cases: [(&str, &Item, Option<Item>, String); 14] = [
        ("no tail", &head, with(&head, "tail", bytes(&[])), format!("market {MARKET} differs")),
        ("a damaged tail", &head, with(&head, "tail", bytes(b"x")), format!("the head of market {MARKET}: the tail")),
        ("version", &head, with(&head, "version", number(1)), format!("the head of market {MARKET}: its version is 1")),
        (
            "figures",
            &head,
            with(&head, "figures", AttributeValue::M(figures)),
            format!("the head of market {MARKET}: its attribute figures.active differs"),
        ),
        ("no figures", &head, without(&head, "figures"), "its attribute figures differs: stored none".into()),
        ("kind", &head, without(&head, "kind"), "its attribute kind differs: stored none".into()),
        ("area", &head, with(&head, "area", text("ma")), "its attribute area differs".into()),
        ("as_of", &head, without(&head, "as_of"), "it has no attribute `as_of` that is a moment".into()),
        ("another base", &chunk, with(&chunk, "body", bytes(&nothing)), format!("market {MARKET} differs")),
        ("a damaged base", &chunk, with(&chunk, "body", bytes(b"x")), "its base: the chunks".into()),
        ("no base", &chunk, None, format!("market {MARKET} is stored without a state")),
        (
            "another archive",
            &piece,
            with(&piece, "body", bytes(&nothing)),
            format!("the archive of market {MARKET} differs"),
        ),
        ("no archive", &piece, None, "its archive: 0 of the 1 chunks".into()),
        ("gone", &head, None, format!("market {MARKET} has homes, but is not stored")),
    ];
    for (what, before, after, expected) in cases {
        finds(&town, &table, what, before, after, &expected).await;
    }
    let invented = with(&without(&head, "base").unwrap(), "market", text(elsewhere)).unwrap();
    town.put(&table, invented.clone()).await;
    town.pull().await;
    let found = verify(&town.pulled()).differences.join("\n");
    assert!(found.contains(&format!("market {elsewhere} differs")), "{found}");
    town.remove(&table, &invented).await;
    assert_eq!(town.pull().await.wrong, 0);
    assert_eq!(verify(&town.pulled()).differences, Vec::<String>::new(), "all is as it was");
    town.delete().await;
}

#[tokio::test]
async fn every_alteration_of_an_alert_is_found() {
    let town = Town::new().await;
    let table = town.tables.alerts.clone();
    let all = town.items(&table, "verdict", "alert").await;
    let alert = all[0].clone();
    let id = alert["id"].as_s().unwrap().clone();
    let body = alert["body"].as_s().unwrap();
    let mut cheaper: serde_json::Value = serde_json::from_str(body).unwrap();
    cheaper["to"] = serde_json::json!(1);
    let home = cheaper["home"].as_str().unwrap().to_owned();
    let rules = alert["rules"].as_s().unwrap();
    let rules_item = town.items(&table, "id", rules).await.remove(0);
    let other_rules = serde_json::to_string(&Rules { noise_bp: 51, ..Rules::default() }).unwrap();
    let cases: [(&str, &Item, Option<Item>, String); 10] = [
        (
            "another price",
            &alert,
            with(&alert, "body", text(&cheaper.to_string())),
            format!("the alert {id} of home {home} differs"),
        ),
        ("verdict", &alert, with(&alert, "verdict", text("suspect")), format!("the columns of the alert {id} differ")),
        (
            "at",
            &alert,
            with(&alert, "at", text("2026-01-14T00:00:00.000Z")),
            format!("the columns of the alert {id} differ"),
        ),
        ("day", &alert, with(&alert, "day", text("2026-01-01")), format!("alert {id}: it is listed under the day")),
        (
            "another's body",
            &alert,
            with(&alert, "body", all[1]["body"].clone()),
            format!("the columns of the alert {id}"),
        ),
        ("gone", &alert, None, format!("the alert {id} of home {home} is not in the ledger")),
        (
            "other rules",
            &alert,
            with(&alert, "rules", text("x")),
            format!("the rules that alert {id} was judged by are not stored"),
        ),
        ("no rules", &rules_item, None, format!("the rules that alert {id} was judged by are not stored")),
        (
            "changed rules",
            &rules_item,
            with(&rules_item, "body", text(&other_rules)),
            "has other rules than its name".into(),
        ),
        (
            "invented",
            &alert,
            with(&alert, "id", text("price-drop/avito/8/1")),
            "columns of the alert price-drop/avito/8/1".into(),
        ),
    ];
    for (what, before, after, expected) in cases {
        finds(&town, &table, what, before, after, &expected).await;
    }
    assert_eq!(town.pull().await.wrong, 0);
    assert_eq!(verify(&town.pulled()).differences, Vec::<String>::new(), "all is as it was");
    town.delete().await;
}

/// A store as in `stoop-aws load`.
fn quiet(tables: &Tables, client: aws_sdk_dynamodb::Client) -> stoop_aws::DynamoStore {
    let lake = Arc::new(NoLake);
    stoop_aws::DynamoStore::new(client, &tables.homes, &tables.markets, lake, Arc::new(Noon)).quiet()
}

/// The result of `compare` with other tables.
async fn compared(town: &Town, tables: &Tables) -> Vec<String> {
    let compared = compare(&clients(), &town.pulled(), &pair(tables), &|_| {}).await.unwrap();
    assert_eq!(compared.wrongs, Vec::<String>::new());
    compared.in_words()
}

const EQUAL: &str = "equal: 403 homes and 1 markets";

#[tokio::test]
async fn a_loaded_lake_gives_the_same_state_without_alerts() {
    let town = Town::new().await;
    town.pull().await;
    let beside = Tables::new().await;
    let lines = compared(&town, &beside).await;
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with("403 homes are only in the folder, the first: avito/0"), "{lines:?}");
    assert!(lines[3].starts_with("2 alerts are only in the folder"), "{lines:?}");

    let store = quiet(&beside, beside.client.clone());
    let run = async || load(&store, &town.pulled(), &pair(&beside), "this", &|| false, &|_| {}).await.unwrap();
    let loaded = run().await;
    assert_eq!((loaded.parts, loaded.parts_before, loaded.measured.new), (1, 0, 403));
    assert_eq!(compared(&town, &beside).await, [EQUAL]);
    let homes = beside.client.scan().table_name(&beside.homes).send().await.unwrap().items.unwrap();
    assert!(homes.iter().all(|home| home["notable"] == AttributeValue::Bool(false)));

    // Twice: the second call has nothing to do, and another program finds everything as it would compute it.
    assert_eq!((run().await.parts_before, run().await.measured.observations), (1, 0));
    let again = load(&store, &town.pulled(), &pair(&beside), "other", &|| false, &|_| {}).await.unwrap();
    assert_eq!((again.parts_before, again.measured.new, again.measured.changed), (0, 0, 0));
    let after = beside.client.scan().table_name(&beside.homes).send().await.unwrap().items.unwrap();
    let versions = |homes: &[Item]| {
        let mut all: Vec<_> = homes.iter().map(|home| (home["id"].clone(), home["version"].clone())).collect();
        all.sort_by_key(|(id, _)| id.as_s().unwrap().clone());
        all
    };
    assert_eq!(versions(&after), versions(&homes));

    // The folder of the loaded tables equals that of the measured ones.
    let other = town.folder.path().join("other");
    let stack = Stack { tables: pair(&beside), alerts: None, ..town.stack() };
    assert_eq!(pull(&clients(), &other, &stack, &|_| {}).await.unwrap().wrong, 0);
    assert_eq!(verify(&other).differences, Vec::<String>::new());
    beside.delete().await;
    town.delete().await;
}

#[tokio::test]
async fn a_failed_load_continues_and_a_larger_lake_starts_over() {
    let town = Town::new().await;
    town.pull().await;
    let beside = Tables::new().await;
    let refused = Fault::Answer(400, r#"{"__type":"ValidationException","message":"no"}"#.into());
    let (client, _) = Faults::on(&beside.client, "TransactWriteItems", [Fault::Pass, Fault::Pass, refused]);
    let failing = quiet(&beside, client);
    load(&failing, &town.pulled(), &pair(&beside), "this", &|| false, &|_| {}).await.unwrap_err();
    assert_ne!(compared(&town, &beside).await, [EQUAL]);
    let store = quiet(&beside, beside.client.clone());
    load(&store, &town.pulled(), &pair(&beside), "this", &|| false, &|_| {}).await.unwrap();
    assert_eq!(compared(&town, &beside).await, [EQUAL]);

    let more: Vec<Observation> = vec![made::observation("new", 20_000 * 1_440, 650_000)];
    measure(&*town.tables.store(&Arc::new(MemoryLake::default())), std::slice::from_ref(&more)).await;
    town.bucket.put(&key(20), object(&more)).await;
    town.pull().await;
    let loaded = load(&store, &town.pulled(), &pair(&beside), "this", &|| false, &|_| {}).await.unwrap();
    assert_eq!((loaded.parts_before, loaded.measured.new), (0, 1));
    assert_eq!(compared(&town, &beside).await, ["equal: 404 homes and 1 markets"]);
    beside.delete().await;
    town.delete().await;
}

#[tokio::test]
async fn a_load_next_to_a_follower_gives_the_same_state() {
    let town = Town::new().await;
    town.pull().await;
    let beside = Tables::new().await;
    let store = quiet(&beside, beside.client.clone());
    let follower = quiet(&beside, beside.client.clone());
    let batches: Vec<Vec<Observation>> = batches().concat().chunks(40).map(<[Observation]>::to_vec).collect();
    let folder = town.pulled();
    let pair = pair(&beside);
    let loading = load(&store, &folder, &pair, "this", &|| false, &|_| {});
    let (loaded, ()) = tokio::join!(loading, measure(&follower, &batches));
    assert!(loaded.unwrap().measured.new <= 403);
    assert_eq!(compared(&town, &beside).await, [EQUAL]);
    beside.delete().await;
    town.delete().await;
}
