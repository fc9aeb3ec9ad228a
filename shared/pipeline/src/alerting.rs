//! From changes of homes to alerts in the ledger, and from there to subscribers.

mod alert;
mod deliver;
mod repeats;
mod resend;

pub use alert::{AlertError, Alerted, alert, marks_due, new_alerts, record_alerts};
pub use deliver::{Delivery, Trouble, begin_delivery, deliver};
pub use resend::{ResendError, resend};
