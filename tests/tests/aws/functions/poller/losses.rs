//! A portal that says it is empty: the counts, and a person's ruling.

use stoop_domain::Time;
use stoop_pipeline::{Clock, Ruling, RulingVerdict};
use stoop_simulation::Fault;

use super::super::bench::{Uploads, count_of};
use super::super::events::{SEARCH, task};
use super::{Stage, nothing};

#[tokio::test]
async fn a_sudden_empty_market_is_held_back_until_a_person_releases_it() {
    let mut stage = Stage::new().await;
    stage.uploads = Uploads::accepted(&(stage.search(SEARCH, ", name = 'mls'") + "full_scan_every = '6h'\n"));
    assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
    let listings = stage.streamed().len() as u64;
    let mut held = Vec::new();
    assert_eq!(count_of(&stage.counted(), "LossesHeld"), 0);

    for poll in 1..=2 {
        stage.clock.pass(7 * Time::HOUR_MS);
        stage.portal.faults().plan(Fault::Empty, 50);
        assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
        let counts = stage.counted();
        assert_eq!((counts["PollsComplete"], counts["LossesHeld"]), (1, 1), "poll {poll}");
        held.push(counts["ListingsHeldBack"]);
        assert_eq!(stage.streamed().len(), 0, "nothing is sent about them");
    }

    // Those that were sold before are not missing.
    assert!(held[0] == held[1] && held[0] > listings / 2 && held[0] < listings, "{held:?} of {listings}");

    let until = stage.clock.now();
    stage.bench.database.rule(SEARCH, "mls", Ruling { verdict: RulingVerdict::Release, until }).unwrap();
    stage.clock.pass(Time::HOUR_MS);
    assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
    assert_eq!(count_of(&stage.counted(), "LossesHeld"), 0);
    assert_eq!(stage.streamed().len() as u64, held[0], "each is gone");
}
