//! How long it takes to make all clients, without a call: our share of a function's start-up. `cargo run --release -p
//! stoop-aws --example clients`, with AWS's variables set.

use std::time::Instant;

use stoop_aws::{Clients, MissingVariables};

fn main() -> Result<(), MissingVariables> {
    for round in 0..3 {
        let began = Instant::now();
        let clients = Clients::from_env()?;
        let all = (
            clients.dynamodb(),
            clients.firehose(),
            clients.kinesis(),
            clients.s3(),
            clients.secrets(),
            clients.sns(),
            clients.sqs(),
        );
        println!("round {round}: {} µs", began.elapsed().as_micros());
        drop(all);
    }
    Ok(())
}
