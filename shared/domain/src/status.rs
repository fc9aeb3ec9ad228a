use serde::{Deserialize, Serialize};

/// RESO `StandardStatus`, plus `Gone` for a listing that its source no longer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// On offer.
    Active,
    /// An offer is accepted; further offers are welcome.
    ActiveUnderContract,
    /// Under contract.
    Pending,
    Closed,
    /// Announced, not yet on offer.
    ComingSoon,
    /// Not yet complete.
    Incomplete,
    /// The contract between owner and broker was ended early.
    Canceled,
    /// The contract between owner and broker ran out.
    Expired,
    /// Taken back by the owner; the contract still runs.
    Withdrawn,
    /// Temporarily not shown.
    Hold,
    /// Entered by mistake.
    Delete,
    /// No longer shown by its source: missing from two complete scans.
    Gone,
}

/// The phase of a listing's life that a status belongs to. Figures and events depend on the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not on offer yet.
    Before,
    /// On offer: counts as active stock.
    Active,
    /// Under contract.
    Pending,
    Closed,
    /// Off the market without a known sale.
    Off,
}

impl Status {
    /// Every status, in the order of the enum.
    pub const ALL: [Self; 12] = [
        Self::Active,
        Self::ActiveUnderContract,
        Self::Pending,
        Self::Closed,
        Self::ComingSoon,
        Self::Incomplete,
        Self::Canceled,
        Self::Expired,
        Self::Withdrawn,
        Self::Hold,
        Self::Delete,
        Self::Gone,
    ];

    /// The RESO standard name without spaces (`ActiveUnderContract`).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::ActiveUnderContract => "ActiveUnderContract",
            Self::Pending => "Pending",
            Self::Closed => "Closed",
            Self::ComingSoon => "ComingSoon",
            Self::Incomplete => "Incomplete",
            Self::Canceled => "Canceled",
            Self::Expired => "Expired",
            Self::Withdrawn => "Withdrawn",
            Self::Hold => "Hold",
            Self::Delete => "Delete",
            Self::Gone => "Gone",
        }
    }

    /// Parses a RESO name, with or without spaces, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let same = |name: &str| {
            text.chars()
                .filter(|c| !c.is_whitespace())
                .map(|c| c.to_ascii_lowercase())
                .eq(name.chars().map(|c| c.to_ascii_lowercase()))
        };
        Self::ALL.into_iter().find(|status| same(status.as_str()))
    }

    /// The phase of this status.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::ComingSoon | Self::Incomplete => Phase::Before,
            Self::Active => Phase::Active,
            Self::ActiveUnderContract | Self::Pending => Phase::Pending,
            Self::Closed => Phase::Closed,
            Self::Canceled | Self::Expired | Self::Withdrawn | Self::Hold | Self::Delete | Self::Gone => Phase::Off,
        }
    }

    /// Whether a home is on offer or under contract.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self.phase(), Phase::Active | Phase::Pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_parse_with_and_without_spaces() {
        assert_eq!(Status::parse("Active Under Contract"), Some(Status::ActiveUnderContract));
        assert_eq!(Status::parse("ActiveUnderContract"), Some(Status::ActiveUnderContract));
        assert_eq!(Status::parse("coming soon"), Some(Status::ComingSoon));
        assert_eq!(Status::parse("Price Decrease"), None);
    }
}
