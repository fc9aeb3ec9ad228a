//! Sends the dead letters of a subscriber once more.

use crate::Clock;
use crate::causes::with_causes;
use crate::ports::{DeadLetter, DeadLetters, DeliveryError, PortError, Subscriber};

/// Dead letters read at a time.
const LETTERS_MAX: usize = 100;

/// Why not every dead letter was sent.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// The subscriber takes nothing for now.
    #[error("{sent} posted, the others stay dead letters")]
    Later {
        /// How many were accepted before.
        sent: u64,
        /// Its answer.
        #[source]
        source: PortError,
    },
    /// The dead letters cannot be read or written.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Sends each dead letter of a follower once; those that are refused again stay, with the new reason. Returns how many
/// were accepted.
///
/// # Errors
///
/// The subscriber may accept alerts later, or a port fails. Dead letters that were accepted before are removed.
pub async fn resend(
    letters: &dyn DeadLetters,
    follower: &str,
    subscriber: &dyn Subscriber,
    clock: &dyn Clock,
) -> Result<u64, ResendError> {
    let (mut last, mut sent) = (0, 0);
    loop {
        let some = letters.list(follower, last, LETTERS_MAX).await?;
        if some.is_empty() {
            return Ok(sent);
        }
        for DeadLetter { position, alert, .. } in some {
            last = position;
            match subscriber.notify(&alert).await {
                Ok(()) => {
                    letters.remove(follower, position).await?;
                    sent += 1;
                }
                Err(DeliveryError::Refused(error)) => {
                    letters.keep(follower, position, clock.now(), &with_causes(&error)).await?;
                }
                Err(DeliveryError::Later { error, .. }) => return Err(ResendError::Later { sent, source: error }),
            }
        }
    }
}
