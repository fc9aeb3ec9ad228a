//! The metrics of a laptop and of a stack: one list, from which the text of `/metrics`, the dashboards and their
//! documentation are made.

use MetricKind::{Bytes, BytesTotal, Counter, Gauge, Milliseconds, Seconds, SecondsTotal, Timestamp};
use Place::{Aws, Both, Laptop};

/// A metric. Its name is that of CloudWatch.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: MetricKind,
    pub(super) place: Place,
    /// The panel of the dashboards that shows it; empty for none.
    #[cfg_attr(not(test), expect(dead_code, reason = "dashboards are made by a test"))]
    pub(super) panel: &'static str,
    /// What it means, and what resets it.
    pub(super) help: &'static str,
}

/// What a value is, and in which unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricKind {
    /// Only grows.
    Counter,
    Gauge,
    /// A duration. CloudWatch has milliseconds, Prometheus seconds.
    Milliseconds,
    Seconds,
    Bytes,
    SecondsTotal,
    BytesTotal,
    /// Seconds since 1970.
    Timestamp,
}

/// Where a metric is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Both,
    Aws,
    Laptop,
}

impl MetricKind {
    /// The type in the text format.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Counter | SecondsTotal | BytesTotal => "counter",
            Gauge | Milliseconds | Seconds | Bytes | Timestamp => "gauge",
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Counter => "_total",
            Gauge => "",
            Milliseconds | Seconds => "_seconds",
            Bytes => "_bytes",
            SecondsTotal => "_seconds_total",
            BytesTotal => "_bytes_total",
            Timestamp => "_timestamp_seconds",
        }
    }
}

impl Metric {
    /// The name in Prometheus: `stoop_`, the words of the CloudWatch name in lower case without their unit (`Ms`,
    /// `Bytes`, `At`), and the unit and `_total` as Prometheus has them. `ListingsSeen` is
    /// `stoop_listings_seen_total`, `RollUpLagMs` is `stoop_roll_up_lag_seconds`.
    pub(super) fn prometheus(&self) -> String {
        let unit = match self.kind {
            Milliseconds => "Ms",
            Bytes | BytesTotal => "Bytes",
            Timestamp => "At",
            _ => "",
        };
        let mut name = String::from("stoop");
        for letter in self.name.strip_suffix(unit).unwrap_or(self.name).chars() {
            if letter.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name + self.kind.suffix()
    }

    /// The labels of its samples in Prometheus.
    pub(super) fn labels(&self) -> &'static [&'static str] {
        match self.name {
            "Runs" => &["kind", "outcome"],
            "AccountHeld" => &["account"],
            "QuarantineKept" => &["source", "reason"],
            "HomesActive" | "HomesUnconfirmed" => &["country", "purpose", "currency"],
            "HttpRequests" => &["status"],
            _ => &[],
        }
    }

    pub(super) fn is_on_laptop(&self) -> bool {
        self.place != Aws
    }

    #[cfg(test)]
    pub(super) fn is_on_aws(&self) -> bool {
        self.place != Laptop
    }
}

const fn metric(name: &'static str, kind: MetricKind, place: Place, panel: &'static str, help: &'static str) -> Metric {
    Metric { name, kind, place, panel, help }
}

const POLLS: &str = "Polls";
const SEEN: &str = "Listings and observations";
const DOUBTS: &str = "What is wrong with sources";
const ALERTS: &str = "Alerts";
const LAG: &str = "Lag";
const WAITING: &str = "Waiting";
const FAILED: &str = "Refused and failed";
const STOCK: &str = "Stock";
const SIZES: &str = "Sizes";
const SERVER: &str = "Server of the web pages";

/// All metrics, by panel. Sums over runs include runs that `stoop prune` removed; only a new database resets them.
pub(super) const METRICS: &[Metric] = &[
    metric("PollsComplete", Counter, Both, POLLS, "Polls that saw everything. A new database resets it."),
    metric("PollsPartial", Counter, Both, POLLS, "Polls that did not see everything. A new database resets it."),
    metric(
        "PollsSkipped",
        Counter,
        Both,
        POLLS,
        "Polls that asked for nothing: the account is held. A new database resets it.",
    ),
    metric("PollsFailed", Counter, Both, POLLS, "Polls that failed. A new database resets it."),
    metric("PollsStale", Counter, Aws, POLLS, "Polls that were no longer wanted when they came."),
    metric("ChainsEnded", Counter, Aws, POLLS, "Scans that were not continued."),
    metric("SearchesPlanned", Counter, Aws, POLLS, "Searches that the planner sent to be polled."),
    metric("SearchesOverdue", Gauge, Both, WAITING, "Searches that are late."),
    metric("Runs", Counter, Laptop, POLLS, "Runs that ended, by kind and outcome. A new database resets it."),
    metric("ListingsSeen", Counter, Both, SEEN, "Listings that polls saw. A new database resets it."),
    metric("ObservationsSent", Counter, Both, SEEN, "Observations that polls published. A new database resets it."),
    metric(
        "ObservationsConfirming",
        Counter,
        Both,
        SEEN,
        "Unchanged listings that polls published again. A new database resets it.",
    ),
    metric("ObservationsMeasured", Counter, Aws, SEEN, "Observations that the metrics function processed."),
    metric("Duplicates", Counter, Aws, SEEN, "Observations that were known already."),
    metric("Observations", Gauge, Laptop, SIZES, "Observations in the lake."),
    metric("Homes", Gauge, Laptop, SIZES, "Stored homes."),
    metric("Markets", Gauge, Laptop, SIZES, "Stored markets."),
    metric(
        "FieldsDrifted",
        Counter,
        Both,
        DOUBTS,
        "Fields that a source no longer filled, once per poll. A new database resets it.",
    ),
    metric(
        "Contradictions",
        Counter,
        Both,
        DOUBTS,
        "Rows whose fields contradict each other. A new database resets it.",
    ),
    metric("FieldsDistrusted", Counter, Both, DOUBTS, "Fields that a poll left out. A new database resets it."),
    metric("LossesHeld", Counter, Both, DOUBTS, "Polls that held a loss back. A new database resets it."),
    metric(
        "ListingsHeldBack",
        Counter,
        Both,
        DOUBTS,
        "Listings of the losses that polls held back. A new database resets it.",
    ),
    metric(
        "PricesHeld",
        Counter,
        Both,
        DOUBTS,
        "Prices that polls held back because many moved alike. A new database resets it.",
    ),
    metric(
        "ClockJumps",
        Counter,
        Both,
        DOUBTS,
        "Clocks that polls found set by more than a minute. A new database resets it.",
    ),
    metric("AddressesContradictory", Counter, Aws, DOUBTS, "Observations whose address contradicts itself."),
    metric(
        "AccountHeld",
        Gauge,
        Laptop,
        DOUBTS,
        "1 if the account's circuit breaker is open or its server asked to wait, else 0.",
    ),
    metric("AlertsSent", Counter, Both, ALERTS, "Alerts that are sent. A new database resets it."),
    metric("AlertsSuspect", Counter, Both, ALERTS, "Alerts that are held back as suspect. A new database resets it."),
    metric(
        "AlertsRepeated",
        Counter,
        Aws,
        ALERTS,
        "Alerts that are not sent, because one of another listing says as much.",
    ),
    metric("AlertsWithdrawn", Counter, Aws, ALERTS, "Alerts that later rows disproved."),
    metric("AlertsWithdrawnNow", Gauge, Laptop, ALERTS, "Alerts that are withdrawn and have not come back."),
    metric("AlertsFailed", Counter, Aws, ALERTS, "Batches whose alerts could not be sent."),
    metric("AlertsRefused", Gauge, Laptop, FAILED, "Alerts that a subscriber refused permanently."),
    metric("NewestObservationAt", Timestamp, Laptop, "", "The time of the newest observation, in seconds since 1970."),
    metric(
        "ObservationLag",
        Seconds,
        Laptop,
        LAG,
        "Now minus the time of the newest observation; 0 if that is in the future.",
    ),
    metric("EventLagMs", Milliseconds, Aws, LAG, "The age of the newest observation of a batch."),
    metric("RollUpLagMs", Milliseconds, Aws, LAG, "How long a changed market has waited for its roll-up."),
    metric("TablesLagMs", Milliseconds, Aws, LAG, "How long a file of the lake has waited to be in the tables."),
    metric("TableRows", Counter, Aws, SEEN, "Observations that were added to the tables of the lake."),
    metric("LakeRefused", Counter, Aws, FAILED, "Lines and files of the lake that are in no table."),
    metric("ChangesWaiting", Gauge, Laptop, WAITING, "Changes of homes that are not judged yet."),
    metric("RecordsWaiting", Gauge, Laptop, WAITING, "Records on the stream that are not measured yet."),
    metric(
        "Quarantined",
        Counter,
        Both,
        FAILED,
        "Rows that polls and replays refused, each time they did. A new database resets it.",
    ),
    metric(
        "ValuesRefused",
        Counter,
        Both,
        FAILED,
        "Values that polls and replays left out of rows, each time they did. A new database resets it.",
    ),
    metric(
        "QuarantineKept",
        Gauge,
        Laptop,
        FAILED,
        "Stored rejects by source and reason. `stoop prune` removes old ones.",
    ),
    metric("RecordsFailed", Counter, Aws, FAILED, "Records that are retried."),
    metric(
        "CallsRefused",
        Counter,
        Aws,
        FAILED,
        "Failures that no retry ends: no right, nothing there, damaged bytes.",
    ),
    metric("RecordsNewer", Counter, Aws, FAILED, "Batches with records of a newer version."),
    metric("ObservationsOverfull", Counter, Aws, FAILED, "Observations of listings with more facts than a home has."),
    metric("ItemsTooLarge", Counter, Aws, FAILED, "Homes that are larger than an item may be."),
    metric("Conflicts", Counter, Aws, FAILED, "Commits that were retried because of another writer."),
    metric("ConfigInvalid", Counter, Aws, FAILED, "Ticks that found the configuration invalid."),
    metric(
        "HomesActive",
        Gauge,
        Laptop,
        STOCK,
        "Homes on offer, by country, purpose and currency, at the newest observation.",
    ),
    metric("HomesUnconfirmed", Gauge, Laptop, STOCK, "The unconfirmed part of them."),
    metric("DatabaseBytes", Bytes, Laptop, SIZES, "The database file, without its write-ahead log."),
    metric("WriteAheadLogBytes", Bytes, Laptop, SIZES, "The write-ahead log."),
    metric("LakeBytes", Bytes, Laptop, SIZES, "The lake's files, compressed."),
    metric("HttpRequests", Counter, Laptop, SERVER, "Answered requests by class of status. A new server resets it."),
    metric("HttpAnswering", SecondsTotal, Laptop, SERVER, "Time spent on answers. A new server resets it."),
    metric("HttpBodyBytes", BytesTotal, Laptop, SERVER, "Bytes of answers before compression. A new server resets it."),
    metric(
        "HttpRefused",
        Counter,
        Laptop,
        SERVER,
        "Requests answered with 503 because too many waited for a reader. A new server resets it.",
    ),
    metric("LiveViewers", Gauge, Laptop, SERVER, "Open web pages that receive events."),
];
