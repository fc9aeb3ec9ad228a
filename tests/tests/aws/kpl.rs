//! Our aggregated records equal those of AWS's own library for Python (`aws_kinesis_agg`).

use std::process::Command;

use serde_json::{Value, json};
use stoop_tests::local::venv_python;
use stoop_tests::made::observation;
use stoop_waits::{PATIENCE, answer};
use stoop_wire::kpl::{Deaggregated, aggregate, aggregated_len, deaggregate};

/// Reads jobs from standard input, runs them with AWS's library, and prints the results; bytes are in hexadecimal.
const OFFICIAL: &str = r#"
import base64, json, sys
from aws_kinesis_agg.aggregator import AggRecord
from aws_kinesis_agg.deaggregator import deaggregate_records

def aggregate(job):
    record = AggRecord()
    for key, data, hash_key in job:
        assert record.add_user_record(key, bytes.fromhex(data), hash_key), "full"
    return record.get_contents()[2].hex()

def deaggregate(job):
    kinesis = {"kinesisSchemaVersion": "1.0", "sequenceNumber": "1", "approximateArrivalTimestamp": 0,
               "partitionKey": "outer", "data": base64.b64encode(bytes.fromhex(job)).decode()}
    users = [user["kinesis"] for user in deaggregate_records([{"kinesis": kinesis}])]
    return {"aggregated": all(user.get("aggregated", False) for user in users),
            "users": [[user["partitionKey"], base64.b64decode(user["data"]).hex(), user.get("explicitHashKey")]
                      for user in users]}

jobs = json.load(sys.stdin)
json.dump([{"aggregate": aggregate, "deaggregate": deaggregate}[kind](job) for kind, job in jobs], sys.stdout)
"#;

/// Runs jobs with AWS's library.
fn official(jobs: &[Value]) -> Vec<Value> {
    let python = venv_python().unwrap();
    let input = json!(jobs).to_string().into_bytes();
    let output = answer(Command::new(&python).args(["-c", OFFICIAL]), input, PATIENCE)
        .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}, with aws_kinesis_agg, ended with {}\n{said}",
        python.display(),
        output.status
    );
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), jobs.len());
    answers
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}

/// Partition key, bytes and explicit hash key.
type User = (String, Vec<u8>, Option<String>);

fn users(key: &str, datas: impl IntoIterator<Item = Vec<u8>>) -> Vec<User> {
    datas.into_iter().map(|data| (key.to_owned(), data, None)).collect()
}

fn to_json(users: &[User]) -> Value {
    users.iter().map(|(key, data, hash_key)| json!([key, hex(data), hash_key])).collect()
}

fn ours(users: &[User]) -> Vec<u8> {
    aggregate(&users[0].0, users.iter().map(|(_, data, _)| data.as_slice()))
}

/// `None` if the record is not aggregated.
fn read_by_us(record: &[u8]) -> Option<Vec<User>> {
    let Deaggregated::Aggregated(aggregated) = deaggregate(record).unwrap() else { return None };
    let text = |key: &[u8]| String::from_utf8(key.to_vec()).unwrap();
    let keys: Vec<String> = aggregated.partition_keys().map(text).collect();
    let hash_keys: Vec<String> = aggregated.explicit_hash_keys().map(text).collect();
    let user = |user: stoop_wire::kpl::UserRecord<'_>| {
        let hash_key = user.explicit_hash_key_index.map(|at| hash_keys[at].clone());
        (keys[user.partition_key_index].clone(), user.data.to_vec(), hash_key)
    };
    Some(aggregated.user_records().map(user).collect())
}

fn lines(count: u32) -> Vec<Vec<u8>> {
    let line = |number: u32| {
        let mut line = Vec::new();
        stoop_wire::encode(&observation(&format!("annonce-é{number}"), number.into(), 1_000_000), &mut line);
        line
    };
    (0..count).map(line).collect()
}

/// Lots of one partition key, as we aggregate them.
fn lots() -> Vec<Vec<User>> {
    let bytes = |len: usize| (0..len).map(|at| (at * 89 % 256) as u8).collect::<Vec<u8>>();
    vec![
        users("agadir", lines(1)),
        users("agadir-à-vendre", lines(2_000)),
        users(&"k".repeat(256), lines(3)),
        users("empty", [vec![], vec![], b"x".to_vec()]),
        users("binary", [bytes(256), b"\xF3\x89\x9A\xC2".to_vec(), b"a\nb\n".to_vec()]),
        users("edges", [122, 123, 127, 128, 16_378, 16_379, 16_383, 16_384, 900_000].map(bytes)),
    ]
}

#[test]
fn our_aggregates_equal_those_of_awss_library() {
    let lots = lots();
    let jobs: Vec<Value> = lots.iter().map(|users| json!(["aggregate", to_json(users)])).collect();
    for (users, answer) in lots.iter().zip(official(&jobs)) {
        let key = &users[0].0;
        let record = ours(users);
        assert!(answer == hex(&record), "{key}: other bytes");
        assert_eq!(aggregated_len(key, users.iter().map(|(_, data, _)| data.len())), record.len(), "{key}");
    }
}

#[test]
fn awss_library_reads_our_aggregates() {
    let lots = lots();
    let jobs: Vec<Value> = lots.iter().map(|users| json!(["deaggregate", hex(&ours(users))])).collect();
    for (users, answer) in lots.iter().zip(official(&jobs)) {
        assert_eq!(answer["aggregated"], json!(true), "{}", users[0].0);
        assert!(answer["users"] == to_json(users), "{}: other user records", users[0].0);
    }
}

#[test]
fn we_read_the_aggregates_of_awss_library() {
    let mixed = |number: u32, data: Vec<u8>| {
        let hash_key = (!number.is_multiple_of(3)).then(|| format!("340282366920938463463374607431{number}"));
        (format!("clé-{}", number % 300), data, hash_key)
    };
    let mixed: Vec<User> = (0..).zip(lines(600)).map(|(number, data)| mixed(number, data)).collect();
    let lots = [lots(), vec![mixed]].concat();
    let jobs: Vec<Value> = lots.iter().map(|users| json!(["aggregate", to_json(users)])).collect();
    for (users, answer) in lots.iter().zip(official(&jobs)) {
        let record = unhex(answer.as_str().unwrap());
        assert!(read_by_us(&record).as_ref() == Some(users), "{}: other user records", users[0].0);
    }
}

/// AWS's library passes records that are not aggregated, including damaged ones, on unchanged.
#[test]
fn we_treat_the_same_records_as_not_aggregated_as_awss_library() {
    let record = ours(&users("k", lines(2)));
    let mut damaged = vec![lines(1).remove(0), b"x".to_vec(), record[..record.len() - 1].to_vec()];
    damaged.extend([0, 3, 4, 5, record.len() / 2, record.len() - 16, record.len() - 1].map(|at| {
        let mut record = record.clone();
        record[at] ^= 4;
        record
    }));
    damaged.extend([4, 19, 20].map(|len| record[..len].to_vec()));
    let jobs: Vec<Value> = damaged.iter().map(|record| json!(["deaggregate", hex(record)])).collect();
    for (record, answer) in damaged.iter().zip(official(&jobs)) {
        assert_eq!(answer, json!({"aggregated": false, "users": [["outer", hex(record), null]]}));
        assert_eq!(read_by_us(record), None);
        let whole = match deaggregate(record).unwrap() {
            Deaggregated::Plain(bytes) | Deaggregated::Damaged(bytes) => bytes,
            Deaggregated::Aggregated(_) => unreachable!("it was not, above"),
        };
        assert_eq!(whole, record);
    }
}
