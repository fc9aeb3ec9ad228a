use std::fmt;

use crate::ports::FailureKind;

/// What operators meet: a condition with a stable word, which messages, logs and alarms have, and a section in
/// `docs/ERRORS.md`, which `stoop explain` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// [`FailureKind::NotFound`].
    NotFound,
    /// [`FailureKind::Refused`].
    Refused,
    /// [`FailureKind::Throttled`].
    Throttled,
    /// [`FailureKind::Unavailable`].
    Unavailable,
    /// [`FailureKind::Damaged`].
    Damaged,
    /// [`FailureKind::Full`].
    Full,
    /// The file named is no database of Stoop, or is not there.
    NoDatabase,
    /// The data folder is not that of the database.
    OtherDataFolder,
    /// An older Stoop wrote the database.
    OlderFormat,
    /// A newer Stoop wrote a database or a record.
    NewerFormat,
    /// A backup, restore or rebuild would overwrite something, or has nothing to read.
    CopyRefused,
    /// The uploaded configuration is not accepted.
    ConfigInvalid,
    /// A poll failed: the source does not answer, or not as expected.
    SourceFailed,
    /// The source does not accept the key or token.
    KeyRefused,
    /// A search is late, or its polls fail.
    SearchesOverdue,
    /// A source no longer fills a field that it filled before.
    FieldsDrifted,
    /// A source contradicts itself in a field, which polls leave out.
    FieldsDistrusted,
    /// A large loss of listings is held back.
    LossesHeld,
    /// Many prices moved alike and are held back.
    MovesHeld,
    /// The clock was set, or the computer slept.
    ClockJumped,
    /// Rows, records or changes could not be read.
    Quarantined,
    /// The webhook refused an alert.
    AlertRefused,
}

impl ErrorCode {
    /// All codes, in the order of their sections.
    pub const ALL: [Self; 22] = [
        Self::NotFound,
        Self::Refused,
        Self::Throttled,
        Self::Unavailable,
        Self::Damaged,
        Self::Full,
        Self::NoDatabase,
        Self::OtherDataFolder,
        Self::OlderFormat,
        Self::NewerFormat,
        Self::CopyRefused,
        Self::ConfigInvalid,
        Self::SourceFailed,
        Self::KeyRefused,
        Self::SearchesOverdue,
        Self::FieldsDrifted,
        Self::FieldsDistrusted,
        Self::LossesHeld,
        Self::MovesHeld,
        Self::ClockJumped,
        Self::Quarantined,
        Self::AlertRefused,
    ];

    /// The code of a failure: its kind's word. `None` for a stop, which somebody asked for.
    #[must_use]
    pub fn of_kind(kind: FailureKind) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == kind.as_str())
    }

    /// The word, which never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => FailureKind::NotFound.as_str(),
            Self::Refused => FailureKind::Refused.as_str(),
            Self::Throttled => FailureKind::Throttled.as_str(),
            Self::Unavailable => FailureKind::Unavailable.as_str(),
            Self::Damaged => FailureKind::Damaged.as_str(),
            Self::Full => FailureKind::Full.as_str(),
            Self::NoDatabase => "no_database",
            Self::OtherDataFolder => "other_data_folder",
            Self::OlderFormat => "older_format",
            Self::NewerFormat => "newer_format",
            Self::CopyRefused => "copy_refused",
            Self::ConfigInvalid => "config_invalid",
            Self::SourceFailed => "source_failed",
            Self::KeyRefused => "key_refused",
            Self::SearchesOverdue => "searches_overdue",
            Self::FieldsDrifted => "fields_drifted",
            Self::FieldsDistrusted => "fields_distrusted",
            Self::LossesHeld => "losses_held",
            Self::MovesHeld => "moves_held",
            Self::ClockJumped => "clock_jumped",
            Self::Quarantined => "quarantined",
            Self::AlertRefused => "alert_refused",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_but_a_stop_has_a_code() {
        for kind in FailureKind::ALL {
            assert_eq!(ErrorCode::of_kind(kind).is_some(), kind != FailureKind::Stopped, "{kind}");
        }
    }
}
