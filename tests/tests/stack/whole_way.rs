//! From the configuration that a user uploads to a message at a subscriber, and everything in between.

use std::collections::BTreeMap;

use serde_json::json;
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::RunOutcome;
use stoop_runtime::SystemClock;
use stoop_tests::local::EmulatorKind;

use crate::alerts_sent::{Subscriber, Webhook};
use crate::figures::{assert_figures, json_of};
use crate::state::{number, text};
use crate::town::{Cut, Fact, SOURCE, fact};
use crate::world::{SEARCH, World, eventually, say};

/// Schedule, planner, queue, poller, stream, metrics, tables.
pub(crate) async fn first_poll(world: &World) {
    let how = world.polled_once().await;
    assert!(world.kind != EmulatorKind::MiniStack || how == "the schedule fired");
    homes_are_stored(world).await;
    let seen_at = lake_has_what_the_portal_served(world).await;
    figures_are_the_answer(world, &seen_at).await;
    let runs = world.runs(SEARCH).await;
    let first = runs.iter().min_by_key(|run| run.began_at).unwrap();
    assert_eq!((first.outcome, first.counts["new"]), (RunOutcome::Complete, world.town.homes() as u64), "{first:?}");
    // The original pages are what an operator needs when a parser was wrong.
    let pages = world.state.objects(&format!("pages/{}/", first.id)).await;
    assert_eq!(pages.len() as u64, first.counts["pages"], "{:?}", pages.keys());
    // No alert: a new home is not a drop.
    assert_eq!(world.state.alerts().await.len(), 0);
}

/// Days pass, one home is cut by more than 15 %, and the test follows that cut to the subscribers, and into the lake.
pub(crate) async fn price_cut(world: &World) {
    world.polled_once().await;
    let (topic, clients) = (world.output("TopicArn"), &world.clients);
    let hook = Webhook::start().await;
    let sns = clients.sns();
    sns.subscribe().topic_arn(topic).protocol("http").endpoint(&hook.url).send().await.unwrap();
    let confirmation = eventually("SNS asks the HTTP subscriber to confirm", || async {
        hook.posted("SubscriptionConfirmation").pop().ok_or_else(|| "it was not asked".to_owned())
    })
    .await;
    sns.confirm_subscription().topic_arn(topic).token(confirmation["Token"].as_str().unwrap()).send().await.unwrap();

    let name = |kind: &str| format!("{}-{kind}", world.stack.name());
    // The regions are those of the town's cuts; they are known beforehand, which a real subscriber's would not be.
    let cuts = world.town.advance_to_the_cut();
    assert!(cuts.iter().any(|cut| cut.purpose == "sale"), "the story has no deep cut: {cuts:?}");
    let region = &cuts.iter().find(|cut| cut.purpose == "sale").unwrap().region;
    let sales = json!({"purpose": ["sale"], "region": [region], "drop_percent": [{"numeric": [">=", 15]}]});
    let sales = Subscriber::subscribe(clients, topic, &name("sales"), &sales, true).await;
    let rents = Subscriber::subscribe(clients, topic, &name("rents"), &json!({"purpose": ["rent"]}), true).await;
    let all = Subscriber::subscribe(clients, topic, &name("all"), &json!({"source": [SOURCE]}), false).await;

    let run = world.poll(SEARCH).await;
    assert_eq!(run.outcome, RunOutcome::Complete, "{run:?}");
    eventually("the ledger has each cut", || async {
        let message = world.state.alerts().await.len();
        (message == cuts.len()).then_some(()).ok_or_else(|| format!("{message} of {}", cuts.len()))
    })
    .await;
    ledger_is_right(world, &cuts).await;

    let here = |cut: &&Cut| cut.purpose == "sale" && cut.region == *region;
    let messages = heard(&sales, cuts.iter().filter(here).count()).await;
    for (message, cut) in messages.iter().zip(cuts.iter().filter(here)) {
        view_is_of(&message.body, cut);
        let attributes = &message.attributes;
        assert_eq!((&attributes["purpose"], &attributes["region"]), (&json!("sale"), &json!(region)));
        assert_eq!((&attributes["source"], &attributes["country"]), (&json!(SOURCE), &json!("us")));
        let percent: f64 = attributes["drop_percent"].as_str().unwrap().parse().unwrap();
        assert!((percent - (cut.from - cut.to) as f64 * 100.0 / cut.from as f64).abs() < 0.01, "{attributes}");
    }
    let for_rent = cuts.iter().filter(|cut| cut.purpose == "rent").count();
    assert_eq!(heard(&rents, for_rent).await.len(), for_rent);

    // The envelope has the subject of an e-mail.
    let envelopes = heard(&all, cuts.len()).await;
    for cut in &cuts {
        let of_cut =
            |envelope: &&crate::alerts_sent::Heard| envelope.body["Message"].as_str().unwrap().contains(&cut.home);
        let envelope = envelopes.iter().find(of_cut).unwrap_or_else(|| panic!("no message of {cut:?}"));
        let subject = envelope.body["Subject"].as_str().unwrap();
        assert!(
            subject.starts_with('-') && subject.contains(" % in ") && subject.contains(&cut.postal_code),
            "{subject}"
        );
        assert!(subject.len() < 100 && subject.is_ascii(), "{subject}");
        view_is_of(&serde_json::from_str(envelope.body["Message"].as_str().unwrap()).unwrap(), cut);
    }
    let posts = eventually("the HTTP subscriber has each cut", || async {
        let posts = hook.posted("Notification");
        if posts.len() >= cuts.len() { Ok(posts) } else { Err(format!("{} of {}", posts.len(), cuts.len())) }
    })
    .await;
    for cut in &cuts {
        let view = posts.iter().map(|post| serde_json::from_str(post["Message"].as_str().unwrap()).unwrap());
        view_is_of(&view.into_iter().find(|view: &serde_json::Value| view["home"] == cut.home).unwrap(), cut);
    }
    let subscriptions = sns.list_subscriptions_by_topic().topic_arn(topic).send().await.unwrap();
    let by_mail: Vec<_> = subscriptions.subscriptions().iter().filter(|one| one.protocol() == Some("email")).collect();
    assert_eq!(by_mail.iter().map(|one| one.endpoint().unwrap()).collect::<Vec<_>>(), ["somebody@example.com"]);

    homes_are_stored(world).await;
    let seen_at = lake_has_what_the_portal_served(world).await;
    figures_are_the_answer(world, &seen_at).await;
}

/// A poll of an unchanged market changes nothing.
pub(crate) async fn poll_twice(world: &World) {
    world.polled_once().await;
    // Events before this scenario are processed first.
    world.poll(SEARCH).await;
    homes_settle(world).await;
    let (before, objects) = (world.state.everything().await, world.state.lake().await.2);
    let run = world.poll(SEARCH).await;
    assert_eq!(run.outcome, RunOutcome::Complete, "{run:?}");
    let moved: u64 = ["new", "changed", "gone"].iter().map(|name| run.counts[*name]).sum();
    assert_eq!(moved, 0, "{run:?}");
    let sent = world.counted("PollerFunctionName", "ObservationsSent", run.began_at).await;
    assert_eq!(sent, 0, "the poller's metric");
    let after = world.state.everything().await;
    let changed: Vec<_> = after.iter().filter(|item| !before.contains(item)).collect();
    assert!(changed.is_empty() && after.len() == before.len(), "changed: {changed:?}");
    assert_eq!(world.state.lake().await.2, objects);
}

async fn heard(subscriber: &Subscriber, count: usize) -> Vec<crate::alerts_sent::Heard> {
    let heard = std::cell::RefCell::new(Vec::new());
    eventually("the queue has each message", || async {
        let new = subscriber.take().await;
        heard.borrow_mut().extend(new);
        let have = heard.borrow().len();
        (have >= count).then_some(()).ok_or_else(|| format!("{have} of {count}"))
    })
    .await;
    let mut heard = heard.into_inner();
    heard.sort_by_key(|message| message.body["home"].as_str().map(str::to_owned));
    assert_eq!(heard.len(), count, "{heard:?}");
    heard
}

fn view_is_of(view: &serde_json::Value, cut: &Cut) {
    assert_eq!(view["home"], cut.home, "{view}");
    let prices = [("from", cut.from), ("to", cut.to)].map(|(name, minor)| (view[name].as_f64(), minor as f64 / 100.0));
    assert!(prices.iter().all(|(message, is)| *message == Some(*is)), "{view} of {cut:?}");
}

async fn ledger_is_right(world: &World, cuts: &[Cut]) {
    let ledger = world.state.alerts().await;
    let mut message: Vec<_> = ledger.values().map(|alert| (alert.home.to_string(), alert.from.0, alert.to.0)).collect();
    message.sort();
    assert_eq!(message, cuts.iter().map(|cut| (cut.home.clone(), cut.from, cut.to)).collect::<Vec<_>>());
}

async fn homes_settle(world: &World) {
    let offers = world.town.offers();
    eventually("every home in the table is as the portal shows it", || async {
        let stored = world.state.homes_of(SOURCE).await;
        let as_shown = |(id, (price, status)): (&String, &(i64, String))| {
            stored.get(id).is_some_and(|item| number(item, "list_price") == *price && text(item, "status") == *status)
        };
        let right = offers.iter().filter(|offer| as_shown(*offer)).count();
        (right == offers.len()).then_some(()).ok_or_else(|| format!("{right} of {}", offers.len()))
    })
    .await;
}

async fn homes_are_stored(world: &World) {
    homes_settle(world).await;
    assert_eq!(world.state.homes_of(SOURCE).await.len(), world.town.homes());
}

/// The figures in the head items, readable with a GetItem.
pub(crate) async fn figures_are_the_answer(world: &World, seen_at: &BTreeMap<Fact, Time>) {
    let markets: Vec<_> = world.town.answer(SystemClock.now(), seen_at).markets.into_keys().collect();
    assert!(markets.len() >= 4, "{markets:?}");
    for market in &markets {
        let head = world.state.head(&market.to_string()).await.unwrap_or_else(|| panic!("no head of {market}"));
        let as_of = Time::parse(&text(&head, "as_of")).unwrap();
        let answer = world.town.answer(as_of, seen_at);
        assert_figures(&market.to_string(), &json_of(&head["figures"]), &answer.markets[market]);
    }
}

/// Each observation in the lake is one that the portal served, and each that it served is there. Duplicates are
/// allowed: delivery is at least once. Returns when each was first seen.
pub(crate) async fn lake_has_what_the_portal_served(world: &World) -> BTreeMap<Fact, Time> {
    let served = world.town.facts();
    let (seen, compressed, objects) = eventually("the lake has every observation", || async {
        let (seen, compressed, objects) = world.state.lake().await;
        let mut facts: BTreeMap<Fact, Time> = BTreeMap::new();
        for seen in seen.iter().filter(|seen| &*seen.source == SOURCE) {
            let since = if seen.initial { seen.seen } else { seen.at };
            facts.entry(fact(seen)).and_modify(|at| *at = since.min(*at)).or_insert(since);
        }
        let missing: Vec<_> = served.keys().filter(|fact| !facts.contains_key(fact)).take(3).collect();
        if missing.is_empty() { Ok((facts, compressed, objects)) } else { Err(format!("not there: {missing:?}")) }
    })
    .await;
    let not_served: Vec<_> = seen.keys().filter(|fact| !served.contains_key(fact)).collect();
    assert!(not_served.is_empty(), "{not_served:?}");
    // A change is as old as its source says, but not older than the poll that did not see it yet.
    let runs = world.runs(SEARCH).await;
    let in_a_run = |at: Time| runs.iter().any(|run| run.began_at <= at && run.ended_at.is_some_and(|end| at <= end));
    let odd: Vec<_> = seen.iter().filter(|(fact, at)| served[*fact] != **at && !in_a_run(**at)).collect();
    assert!(odd.is_empty(), "at a time that is neither the portal's nor a poll's: {odd:?}, {runs:?}");
    match world.kind {
        // AWS compresses as in CompressionFormat. Both emulators would not; our runners make them.
        EmulatorKind::MiniStack | EmulatorKind::LocalStack => {
            assert_eq!(compressed, objects, "objects that are not gzip")
        }
        // Without our runners they write plain text under the same names, which is not the template's fault.
        EmulatorKind::Given => say(&format!("{compressed} of {objects} objects in the lake are compressed")),
    }
    seen
}
