//! Possible failures, and the alarms that must report them.

use super::stack::{Also, Fault, Planner, Polls};

/// A failure that lasts until somebody corrects it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) what: &'static str,
    /// The poll intervals in minutes of the search whose polls fail. The result is the same for each.
    pub(super) cadences: &'static [usize],
    pub(super) fault: Fault,
    /// A day longer if the search is polled once a day.
    pub(super) lasts_hours: usize,
    /// The metrics that change.
    pub(super) moves: &'static [&'static str],
    /// The alarms that fire, and no others; each stays until the failure is corrected.
    pub(super) rings: &'static [&'static str],
    /// The first of them fires within this many minutes.
    pub(super) within_minutes: usize,
}

const EVERY: &[usize] = &[1, 15, 60, 1_440];
const WORKS: Fault = Fault { planner: Planner::Works, polls: Polls::Work, no_rollup: false, also: &[] };

const PLANNER_DEAD: &str = "AWS/SQS ApproximateNumberOfMessagesVisible QueueName=PlannerDeadLetters";
const THROTTLES: &str = "AWS/Lambda Throttles";
const LOST: &str = "AWS/Lambda DestinationDeliveryFailures";
const METRICS_GIVEN_UP: &str =
    "AWS/Lambda OnFailureDestinationDeliveredEventCount EventSourceMappingUUID=MetricsMapping";
const ALERTS_GIVEN_UP: &str = "AWS/Lambda OnFailureDestinationDeliveredEventCount EventSourceMappingUUID=AlertsMapping";
const ALERTS_B_GIVEN_UP: &str =
    "AWS/Lambda OnFailureDestinationDeliveredEventCount EventSourceMappingUUID=AlertsMappingB";
const METRICS_ERRORS: &str = "AWS/Lambda Errors FunctionName=MetricsFunction";
const ALERTS_ERRORS: &str = "AWS/Lambda Errors FunctionName=AlertsFunction";
const ROLLUP_ERRORS: &str = "AWS/Lambda Errors FunctionName=RollupFunction";
const ROLLUP_LAG: &str = "Stoop RollUpLagMs Stack=AWS::StackName";
const API_ERRORS: &str = "AWS/Lambda Errors FunctionName=ApiFunction";
const METRICS_AGE: &str = "AWS/Lambda IteratorAge FunctionName=MetricsFunction";
const ALERTS_AGE: &str = "AWS/Lambda IteratorAge FunctionName=AlertsFunction";
const RECORDS_FAILED: &str = "Stoop RecordsFailed Stack=AWS::StackName";
const PUTS: &str = "AWS/Firehose DeliveryToS3.Success DeliveryStreamName=LakeDelivery";
const FRESHNESS: &str = "AWS/Firehose DeliveryToS3.DataFreshness DeliveryStreamName=LakeDelivery";

/// Failures of neither the polls nor the planner: metrics and alarms.
const fn beside(
    what: &'static str,
    also: &'static [(&'static str, Also)],
    moves: &'static [&'static str],
    rings: &'static [&'static str],
    within_minutes: usize,
) -> Failure {
    Failure { what, cadences: &[15], fault: Fault { also, ..WORKS }, lasts_hours: 6, moves, rings, within_minutes }
}

const fn of_planner(what: &'static str, planner: Planner, rings: &'static [&'static str], within: usize) -> Failure {
    let fault = Fault { planner, ..WORKS };
    Failure { what, cadences: &[15], fault, lasts_hours: 6, moves: &[], rings, within_minutes: within }
}

const fn of_polls(
    what: &'static str,
    cadences: &'static [usize],
    polls: Polls,
    moves: &'static [&'static str],
    rings: &'static [&'static str],
) -> Failure {
    let fault = Fault { polls, ..WORKS };
    Failure { what, cadences, fault, lasts_hours: 6, moves, rings, within_minutes: 60 }
}

const fn dead_source(what: &'static str, cadence: &'static [usize]) -> Failure {
    of_polls(what, cadence, Polls::FailAtTheSource, &["SearchesOverdue"], &["SearchesOverdue"])
}

/// Held for a day: for CloudWatch a single event is over in the next minute.
const fn once(failure: Failure) -> Failure {
    Failure { lasts_hours: 24, ..failure }
}

/// In each minute a batch is redelivered, and later ones wait.
const METRICS_GIVE_BACK: &[(&str, Also)] = &[(RECORDS_FAILED, Also::Each(2, 40.0)), (METRICS_AGE, Also::Growing(60e3))];

pub(super) const FAILURES: &[Failure] = &[
    Failure {
        moves: &["ApproximateNumberOfMessagesVisible"],
        ..of_planner(
            "the planner fails at each tick (S3, DynamoDB, a crash)",
            Planner::Fails,
            &["PlannerDeadLettersDepth"],
            15,
        )
    },
    Failure {
        moves: &["ApproximateNumberOfMessagesVisible"],
        ..of_planner("the queue refuses what the planner sends", Planner::Fails, &["PlannerDeadLettersDepth"], 15)
    },
    Failure {
        moves: &["Invocations"],
        ..of_planner("the schedule was switched off or deleted by hand", Planner::NotInvoked, &["PlannerSilent"], 30)
    },
    Failure {
        what: "the schedule may not invoke the planner",
        fault: Fault { planner: Planner::NotInvoked, also: &[(PLANNER_DEAD, Also::Each(1, 1.0))], ..WORKS },
        moves: &["ApproximateNumberOfMessagesVisible", "Invocations"],
        ..of_planner("", Planner::NotInvoked, &["PlannerDeadLettersDepth", "PlannerSilent"], 15)
    },
    Failure {
        what: "the planner fails, and its dead letters cannot be reached either",
        fault: Fault { planner: Planner::FailsUnseen, also: &[(LOST, Also::Each(2, 1.0))], ..WORKS },
        moves: &["DestinationDeliveryFailures"],
        ..of_planner("", Planner::FailsUnseen, &["DestinationsFailed"], 15)
    },
    Failure {
        what: "the account has no execution left",
        fault: Fault { planner: Planner::Throttled, also: &[(THROTTLES, Also::Each(1, 5.0))], ..WORKS },
        moves: &["Throttles", "Invocations", "ApproximateNumberOfMessagesVisible"],
        ..of_planner(
            "",
            Planner::Works,
            &["PlannerDeadLettersDepth", "PlannerSilent", "RollUpSilent", "LambdaThrottles"],
            15,
        )
    },
    beside(
        "the account is short of executions, and some get through",
        &[(THROTTLES, Also::Each(2, 3.0))],
        &["Throttles"],
        &["LambdaThrottles"],
        20,
    ),
    dead_source("a source is dead, or its key missing or refused; polled every minute", &[1]),
    dead_source("the same, polled every 15 minutes", &[15]),
    dead_source("the same, polled every hour", &[60]),
    dead_source("the same, polled every 24 hours", &[1_440]),
    of_polls(
        "the stream refuses or throttles, the index cannot be written",
        EVERY,
        Polls::FailOnOurSide,
        &["SearchesOverdue", "ApproximateNumberOfMessagesVisible"],
        &["PollDeadLettersDepth", "SearchesOverdue"],
    ),
    of_polls(
        "the poller crashes or runs out of time at a search",
        EVERY,
        Polls::Crash,
        &["SearchesOverdue", "ApproximateNumberOfMessagesVisible"],
        &["SearchesOverdue", "PollDeadLettersDepth"],
    ),
    of_polls(
        "nobody takes polls from the queue (a mapping that was switched off)",
        EVERY,
        Polls::NotTaken,
        &["SearchesOverdue"],
        &["SearchesOverdue"],
    ),
    beside(
        "the uploaded configuration is not valid",
        &[("Stoop ConfigInvalid Stack=AWS::StackName", Also::EachTick)],
        &["ConfigInvalid"],
        &["ConfigInvalid"],
        10,
    ),
    Failure {
        lasts_hours: 50,
        ..beside(
            "rows are refused, at a search polled every 24 hours",
            &[("Stoop Quarantined Stack=AWS::StackName", Also::Each(1_440, 3.0))],
            &["Quarantined"],
            &["Quarantined"],
            5,
        )
    },
    Failure {
        lasts_hours: 50,
        ..beside(
            "a source says less than it did, at a search polled every 24 hours",
            &[("Stoop FieldsDrifted Stack=AWS::StackName", Also::Each(1_440, 1.0))],
            &["FieldsDrifted"],
            &["FieldsDrifted"],
            5,
        )
    },
    Failure {
        lasts_hours: 50,
        ..beside(
            "a source lacks too much at once to be believed, at a search polled every 24 hours",
            &[("Stoop LossesHeld Stack=AWS::StackName", Also::Each(1_440, 1.0))],
            &["LossesHeld"],
            &["LossesHeld"],
            5,
        )
    },
    beside(
        "DynamoDB throttles or fails, or Firehose refuses: batches of observations are given back",
        METRICS_GIVE_BACK,
        &["RecordsFailed", "IteratorAge"],
        &["MetricsIteratorAge", "RecordsFailed"],
        30,
    ),
    beside(
        "the metrics function crashes or runs out of time",
        &[(METRICS_ERRORS, Also::Each(2, 1.0)), (METRICS_AGE, Also::Growing(60e3))],
        &["Errors", "IteratorAge"],
        &["MetricsErrors", "MetricsIteratorAge"],
        10,
    ),
    beside(
        "observations come faster than they are measured; lines of a newer program are given back",
        &[(METRICS_AGE, Also::Growing(60e3)), ("Stoop RecordsNewer Stack=AWS::StackName", Also::Each(2, 9.0))],
        &["IteratorAge", "RecordsNewer"],
        &["MetricsIteratorAge"],
        30,
    ),
    once(beside(
        "a batch of observations is given up",
        &[(METRICS_GIVEN_UP, Also::Each(9_999, 40.0))],
        &["OnFailureDestinationDeliveredEventCount"],
        &["MetricsGaveUp"],
        5,
    )),
    beside(
        "the alerts function crashes or runs out of time",
        &[(ALERTS_ERRORS, Also::Each(2, 1.0)), (ALERTS_AGE, Also::Growing(60e3))],
        &["Errors", "IteratorAge"],
        &["AlertsErrors", "AlertsIteratorAge"],
        10,
    ),
    beside(
        "SNS or the table of alerts fails, or the configuration cannot be read: changes are given back",
        &[(RECORDS_FAILED, Also::Each(2, 1.0)), (ALERTS_AGE, Also::Growing(60e3))],
        &["RecordsFailed", "IteratorAge"],
        &["AlertsIteratorAge", "RecordsFailed"],
        30,
    ),
    once(beside(
        "a batch of changes is given up",
        &[(ALERTS_GIVEN_UP, Also::Each(9_999, 2.0))],
        &["OnFailureDestinationDeliveredEventCount"],
        &["AlertsGaveUp"],
        5,
    )),
    once(beside(
        "a batch of changes of generation b is given up",
        &[(ALERTS_B_GIVEN_UP, Also::Each(9_999, 2.0))],
        &["OnFailureDestinationDeliveredEventCount"],
        &["AlertsGaveUpB"],
        5,
    )),
    once(beside(
        "what was given up cannot be put aside either",
        &[(LOST, Also::Each(9_999, 1.0))],
        &["DestinationDeliveryFailures"],
        &["DestinationsFailed"],
        5,
    )),
    beside(
        "Firehose cannot write to the bucket",
        &[(PUTS, Also::Each(5, 0.0)), (FRESHNESS, Also::Growing(60.0))],
        &["DeliveryToS3.Success", "DeliveryToS3.DataFreshness"],
        &["LakeDeliveryFailed", "LakeFreshness"],
        35,
    ),
    beside(
        "observations wait in Firehose",
        &[(FRESHNESS, Also::Growing(60.0))],
        &["DeliveryToS3.DataFreshness"],
        &["LakeFreshness"],
        50,
    ),
    beside(
        "the roll-up crashes, runs out of time, or cannot ask what changed",
        &[(ROLLUP_ERRORS, Also::Each(1, 1.0))],
        &["Errors"],
        &["RollUpErrors"],
        15,
    ),
    Failure {
        what: "the roll-up's schedule was switched off or deleted by hand, or may not invoke it",
        fault: Fault { no_rollup: true, ..WORKS },
        ..beside("", &[], &["Invocations"], &["RollUpSilent"], 30)
    },
    beside(
        "sums of wide areas cannot be read: their areas are left to the next minute",
        &[(ROLLUP_ERRORS, Also::Each(1, 1.0))],
        &["Errors"],
        &["RollUpErrors"],
        15,
    ),
    beside(
        "sums of wide areas cannot be written, or are written by too many",
        &[(ROLLUP_ERRORS, Also::Each(1, 1.0)), (ROLLUP_LAG, Also::Growing(60e3))],
        &["Errors", "RollUpLagMs"],
        &["RollUpErrors", "RollUpLag"],
        30,
    ),
    beside(
        "markets change faster than they are rolled up",
        &[(ROLLUP_LAG, Also::Growing(60e3))],
        &["RollUpLagMs"],
        &["RollUpLag"],
        45,
    ),
    beside("the API crashes or runs out of time", &[(API_ERRORS, Also::Each(1, 1.0))], &["Errors"], &["ApiErrors"], 10),
];

/// Transient faults and normal conditions that raise no alarm. The failing polls are those of a search with this
/// interval, for this many minutes.
pub(super) const BLIPS: &[(&str, &[usize], Fault, usize)] = &[
    ("nothing", EVERY, WORKS, 1),
    ("a poll fails, and the next succeeds", &[1, 15], Fault { polls: Polls::FailAtTheSource, ..WORKS }, 1),
    ("the stream refuses for a minute", EVERY, Fault { polls: Polls::FailOnOurSide, ..WORKS }, 2),
    // A search polled every minute is late for as long as its message is hidden, and may fire.
    ("the poller crashes once", &[15, 60, 1_440], Fault { polls: Polls::Crash, ..WORKS }, 1),
    ("the poller takes nothing for ten minutes", EVERY, Fault { polls: Polls::NotTaken, ..WORKS }, 10),
    ("no tick for five minutes", EVERY, Fault { planner: Planner::NotInvoked, ..WORKS }, 5),
    ("a tick fails, and its retry succeeds", EVERY, Fault { planner: Planner::Fails, ..WORKS }, 1),
    ("a batch is given back twice", &[15], Fault { also: &[(RECORDS_FAILED, Also::Each(1, 40.0))], ..WORKS }, 2),
    ("records are a while behind", &[15], Fault { also: &[(METRICS_AGE, Also::Each(1, 400e3))], ..WORKS }, 4),
    ("a burst of throttles", &[15], Fault { also: &[(THROTTLES, Also::Each(1, 9.0))], ..WORKS }, 4),
    ("a put of Firehose is tried again", &[15], Fault { also: &[(PUTS, Also::Each(1, 0.0))], ..WORKS }, 1),
    (
        "the roll-up, or a county of it, fails for two minutes",
        &[15],
        Fault { also: &[(ROLLUP_ERRORS, Also::Each(1, 1.0))], ..WORKS },
        2,
    ),
    ("no roll-up for five minutes", EVERY, Fault { no_rollup: true, ..WORKS }, 5),
    ("markets wait after an outage", &[15], Fault { also: &[(ROLLUP_LAG, Also::Each(1, 7_200e3))], ..WORKS }, 4),
    (
        "an alert is sent twice, a commit conflicts, a chain is ended",
        &[15],
        Fault {
            also: &[
                ("Stoop Duplicates Stack=AWS::StackName", Also::Each(1, 9.0)),
                ("Stoop Conflicts Stack=AWS::StackName", Also::Each(1, 9.0)),
                ("Stoop AlertsFailed Stack=AWS::StackName", Also::Each(1, 9.0)),
                ("Stoop PollsFailed Stack=AWS::StackName", Also::Each(1, 9.0)),
            ],
            ..WORKS
        },
        60,
    ),
];
