//! Measures what was read from the stream. What cannot be measured goes to quarantine.

use stoop_domain::{HomeId, Observation, Reason, Reject, Time, home_id};

use crate::measuring::inbox::Inbox;
use crate::measuring::measure::{MeasureError, Measured, Measurer};
use crate::ports::{PortError, Quarantine};

/// The outcome of an inbox; after a failure, what was done before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxDone {
    /// What its observations did, once they are stored.
    pub measured: Option<Measured>,
    /// Rejects that were put in quarantine, including known ones.
    pub quarantined: u64,
    /// Homes that have outgrown their item.
    pub homes_outgrown: u64,
}

/// Why an inbox is not done. Measuring the same records again is safe.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The observations are not stored.
    #[error("observations could not be measured")]
    Measure(#[from] MeasureError),
    /// The rejects are not stored.
    #[error("rejects could not be put in quarantine")]
    Quarantine(#[from] PortError),
}

/// Puts an inbox's rejects in quarantine, measures its observations, and then puts in quarantine what says of homes that
/// they are overfull. Observations of a home that has outgrown its item leave the inbox for quarantine.
///
/// # Errors
///
/// The store or the quarantine fails.
pub async fn measure_inbox(
    inbox: &mut Inbox,
    measurer: &mut Measurer<'_>,
    quarantine: &dyn Quarantine,
    now: Time,
    done: &mut InboxDone,
) -> Result<(), InboxError> {
    put(quarantine, &inbox.rejects, done).await?;
    loop {
        match measurer.measure(&inbox.observations).await {
            Ok(measured) => {
                done.measured = Some(measured);
                return Ok(put(quarantine, &measurer.take_overfull(now), done).await?);
            }
            Err(MeasureError::TooLarge { home, bytes }) => {
                let rejects = inbox.take_outgrown(&home, bytes, now);
                if rejects.is_empty() {
                    // There is no observation to leave out: retrying would fail for ever.
                    return Err(MeasureError::TooLarge { home, bytes }.into());
                }
                done.homes_outgrown += 1;
                put(quarantine, &rejects, done).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn put(quarantine: &dyn Quarantine, rejects: &[Reject], done: &mut InboxDone) -> Result<(), PortError> {
    if !rejects.is_empty() {
        quarantine.put(rejects).await?;
        done.quarantined += rejects.iter().filter(|reject| reject.rows > 0).count() as u64;
    }
    Ok(())
}

impl Inbox {
    /// Takes out the observations of a home that has outgrown its item, as rejects. They can be sent again when its
    /// history is short enough: dense parts are thinned out after two days.
    fn take_outgrown(&mut self, home: &HomeId, bytes: usize, now: Time) -> Vec<Reject> {
        let observations = std::mem::take(&mut self.observations);
        let (out, left): (Vec<_>, Vec<_>) = observations.into_iter().partition(|seen| home_id(seen) == *home);
        self.observations = left;
        let reject = |seen: &Observation| {
            let mut line = Vec::new();
            stoop_wire::encode(seen, &mut line);
            let why = format!("the history of this home takes {bytes} bytes, more than an item may have");
            let position = format!("home {home} at {}", seen.at);
            Reject::whole(&seen.source, now, position, Reason::TooLong, why, &line)
        };
        out.iter().map(reject).collect()
    }
}

#[cfg(test)]
mod tests {
    use stoop_domain::{Address, Currency, Listing, Purpose};

    use super::*;

    fn seen(native_id: &str, ms: i64) -> Observation {
        let address = Address { city: Some("x".into()), ..Address::default() };
        let listing = Listing::new(Purpose::Sale, Currency::MAD, address);
        Observation::new("a", native_id, Time::from_ms(ms), listing)
    }

    #[test]
    fn observations_of_an_outgrown_home_leave_as_lines_that_can_be_sent_again() {
        let mut inbox = Inbox { observations: vec![seen("1", 5), seen("2", 6), seen("1", 7)], ..Inbox::default() };
        let now = Time::from_ms(9);
        let rejects = inbox.take_outgrown(&HomeId("a/1".into()), 409_601, now);
        assert_eq!(inbox.observations, [seen("2", 6)]);
        let again: Vec<_> = rejects.iter().map(|reject| stoop_wire::decode(reject.raw.as_bytes()).unwrap()).collect();
        assert_eq!(again, [seen("1", 5), seen("1", 7)]);
        assert!(rejects.iter().all(|reject| reject.reason == Reason::TooLong && reject.at == now));
        assert!(rejects[0].detail.contains("409601 bytes"), "{}", rejects[0].detail);
        assert!(rejects[0].location != rejects[1].location, "{}", rejects[0].location);
        assert_eq!(inbox.take_outgrown(&HomeId("a/1".into()), 409_601, now), [], "none is left");
    }
}
