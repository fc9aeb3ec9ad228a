//! A stack's metrics, minute by minute: five searches, and something that fails for a while.
//!
//! Only what alarms read, and only at their precision. The functions' own tests cover their counts.

use super::alarm::{Metrics, Minute};

/// The state of the planner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Planner {
    #[default]
    Works,
    /// It is invoked, and fails each time. After two failures a tick goes to its dead letters.
    Fails,
    /// The same, and its dead letters cannot be reached.
    FailsUnseen,
    /// It is not invoked.
    NotInvoked,
    /// It cannot be invoked because the account has no concurrency left: a tick is given up after five minutes.
    Throttled,
}

/// The state of the first search's polls; those of the others work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Polls {
    #[default]
    Work,
    /// The source fails, or there is no key. After five polls it is skipped for a while, which doubles.
    FailAtTheSource,
    /// The poll cannot publish its observations, or write its index: the message is redelivered, three times.
    FailOnOurSide,
    /// The function crashes or times out: the message is hidden for half an hour, three times.
    Crash,
    /// The message is not received.
    NotTaken,
}

/// Other measurements of a metric.
#[derive(Clone, Copy, Debug)]
pub(super) enum Also {
    /// Every nth minute, this value.
    Each(usize, f64),
    /// At each tick, 1.
    EachTick,
    /// Each minute, this much more than in the minute before.
    Growing(f64),
}

/// What fails.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fault {
    pub(super) planner: Planner,
    pub(super) polls: Polls,
    /// The roll-up is not invoked.
    pub(super) no_rollup: bool,
    pub(super) also: &'static [(&'static str, Also)],
}

/// A stack, and when it fails.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) minutes: usize,
    /// The schedule's interval, in minutes.
    pub(super) rate: usize,
    /// The poll interval of each search, in minutes. The first is the one whose polls fail.
    pub(super) cadences: Vec<usize>,
    pub(super) fault: Fault,
    pub(super) fails_from: usize,
    pub(super) mended_at: usize,
}

const INVOCATIONS: &str = "AWS/Lambda Invocations FunctionName=PlannerFunction";
/// The roll-up is invoked each minute, whether anything is polled or not.
pub(super) const ROLLUPS: &str = "AWS/Lambda Invocations FunctionName=RollupFunction";
const ROLLUP_LAG: &str = "Stoop RollUpLagMs Stack=AWS::StackName";
const OVERDUE: &str = "Stoop SearchesOverdue Stack=AWS::StackName";
const THROTTLES: &str = "AWS/Lambda Throttles";
const PLANNER_DEAD: &str = "AWS/SQS ApproximateNumberOfMessagesVisible QueueName=PlannerDeadLetters";
const POLL_DEAD: &str = "AWS/SQS ApproximateNumberOfMessagesVisible QueueName=PollDeadLetters";
const ERRORS: [&str; 4] = [
    "AWS/Lambda Errors FunctionName=MetricsFunction",
    "AWS/Lambda Errors FunctionName=RollupFunction",
    "AWS/Lambda Errors FunctionName=AlertsFunction",
    "AWS/Lambda Errors FunctionName=ApiFunction",
];
const AGES: [&str; 2] =
    ["AWS/Lambda IteratorAge FunctionName=MetricsFunction", "AWS/Lambda IteratorAge FunctionName=AlertsFunction"];

/// A search as the planner knows it; times are minutes.
#[derive(Debug)]
struct Search {
    cadence: usize,
    next: usize,
    /// When a task was last sent, and whether one waits.
    sent_at: usize,
    waits: bool,
    /// When it was last polled, with any outcome; and when it was last polled well.
    tried_at: usize,
    polled_at: usize,
    failed: bool,
    failures: usize,
    skipped_until: usize,
    /// Until then its message is hidden, and blocks those after it.
    hidden_until: usize,
    received: usize,
}

impl Search {
    /// A search that has not been sent yet.
    fn every(cadence: usize) -> Self {
        Self {
            cadence,
            next: 0,
            sent_at: 0,
            waits: false,
            tried_at: 0,
            polled_at: 0,
            failed: false,
            failures: 0,
            skipped_until: 0,
            hidden_until: 0,
            received: 0,
        }
    }

    /// No successful poll for longer than twice its interval (and 15 minutes), or failed since, or sent half an hour
    /// ago and not polled.
    fn is_overdue(&self, now: usize) -> bool {
        let late = now - self.polled_at > (2 * self.cadence).max(15);
        let lost = self.sent_at > self.tried_at && now - self.sent_at > 30;
        late || lost || self.failed
    }

    /// Handles the waiting message; returns whether it ends in the dead letters.
    fn poll(&mut self, now: usize, polls: Polls) -> bool {
        if !self.waits || now < self.hidden_until || polls == Polls::NotTaken {
            return false;
        }
        self.received += 1;
        if self.received > 3 {
            (self.received, self.waits) = (0, false);
            return true;
        }
        match polls {
            Polls::Crash => self.hidden_until = now + 30,
            Polls::FailOnOurSide => {
                (self.tried_at, self.failed) = (now, true);
                self.hidden_until = now + 1;
            }
            Polls::FailAtTheSource => {
                if now >= self.skipped_until {
                    self.failed = true;
                    self.failures += 1;
                    let wait = if self.failures < 5 { 0 } else { 1 << (self.failures - 5).min(6) };
                    self.skipped_until = now + wait.min(60);
                }
                (self.tried_at, self.received, self.waits) = (now, 0, false);
            }
            Polls::Work | Polls::NotTaken => {
                let Self { cadence, next, sent_at, .. } = *self;
                *self = Self { next, sent_at, tried_at: now, polled_at: now, ..Self::every(cadence) };
            }
        }
        false
    }
}

/// The metrics of a stack, and the minute of the first fault.
pub(super) fn measured(run: &Run) -> (Metrics, usize) {
    let mut metrics = Metrics::new();
    let mut note = |name: &'static str, minute: usize, value: f64| {
        metrics.entry(name).or_insert_with(|| vec![Minute::default(); run.minutes])[minute].add(value);
    };
    let mut searches: Vec<Search> = run.cadences.iter().map(|cadence| Search::every(*cadence)).collect();
    let (mut planner_dead, mut poll_dead, mut wrong_at) = (0, 0, None);
    for minute in 0..run.minutes {
        let fails = (run.fails_from..run.mended_at).contains(&minute);
        let fault = if fails { run.fault } else { Fault::default() };
        if minute == run.mended_at || minute == run.mended_at + 100 {
            // A correction includes emptying the queues, again for those that fail for the last time then.
            (planner_dead, poll_dead) = (0, 0);
        }
        if minute.is_multiple_of(run.rate) {
            match fault.planner {
                Planner::Works => tick(minute, &mut searches, &mut note),
                Planner::Fails | Planner::FailsUnseen => note(INVOCATIONS, minute, 1.0),
                Planner::NotInvoked => {}
                Planner::Throttled => note(THROTTLES, minute, 1.0),
            }
        }
        if !fault.no_rollup && fault.planner != Planner::Throttled {
            note(ROLLUPS, minute, 1.0);
        }
        let patience = if fault.planner == Planner::Fails { 2 } else { 5 };
        if matches!(fault.planner, Planner::Fails | Planner::Throttled) && minute >= run.fails_from + patience {
            planner_dead += 1;
        }
        for (index, search) in searches.iter_mut().enumerate() {
            let polls = if index == 0 { fault.polls } else { Polls::Work };
            if polls != Polls::Work && search.waits {
                wrong_at.get_or_insert(minute);
            }
            poll_dead += u32::from(search.poll(minute, polls));
        }
        note(PLANNER_DEAD, minute, f64::from(planner_dead));
        note(POLL_DEAD, minute, f64::from(poll_dead));
        healthy(minute, &searches, &mut note);
        for (name, also) in fault.also {
            let since = minute - run.fails_from;
            match also {
                Also::Each(minutes, value) if since.is_multiple_of(*minutes) => note(name, minute, *value),
                Also::EachTick if minute.is_multiple_of(run.rate) => note(name, minute, 1.0),
                Also::Growing(by) => note(name, minute, by * since as f64),
                Also::Each(..) | Also::EachTick => {}
            }
        }
    }
    (metrics, wrong_at.unwrap_or(run.fails_from))
}

/// A working tick: it reports the overdue searches, and sends the due ones.
fn tick(minute: usize, searches: &mut [Search], note: &mut impl FnMut(&'static str, usize, f64)) {
    note(INVOCATIONS, minute, 1.0);
    let overdue = searches.iter().filter(|search| search.is_overdue(minute)).count();
    note(OVERDUE, minute, overdue as f64);
    for search in searches.iter_mut().filter(|search| search.next <= minute) {
        (search.sent_at, search.waits) = (minute, true);
        while search.next <= minute {
            search.next += search.cadence;
        }
    }
}

/// The other metrics of a healthy stack; without searches only those of the account.
fn healthy(minute: usize, searches: &[Search], note: &mut impl FnMut(&'static str, usize, f64)) {
    note(THROTTLES, minute, 0.0);
    if searches.is_empty() {
        return;
    }
    for errors in ERRORS {
        note(errors, minute, 0.0);
    }
    for age in AGES {
        note(age, minute, 1_500.0);
    }
    // What was committed in a minute is rolled up in the next.
    note(ROLLUP_LAG, minute, 60e3);
    if minute.is_multiple_of(5) {
        note("AWS/Firehose DeliveryToS3.Success DeliveryStreamName=LakeDelivery", minute, 1.0);
        note("AWS/Firehose DeliveryToS3.DataFreshness DeliveryStreamName=LakeDelivery", minute, 300.0);
    }
}
