use stoop_domain::{Time, parse_decimal};
use stoop_pipeline::ports::{ConfigFiles, Configuration, PortError};
use stoop_pipeline::with_causes;
use stoop_rules::Rules;
use stoop_runtime::{AlertSettings, MAIN_FILE, parse_alerts};
use tokio::sync::Mutex;

/// How long the rules are used before the configuration is read again.
const TTL_MS: i64 = 60 * Time::SECOND_MS;

/// The alert rules of the accepted configuration.
pub struct RulesInForce<'a> {
    configuration: &'a dyn Configuration,
    drop_bp: u32,
    known: Mutex<Option<(Time, Rules)>>,
}

/// The stack's parameter is not a percentage.
#[derive(Debug, thiserror::Error)]
#[error("STOOP_DROP_PERCENT is {0:?}; accepted: a number from 0 to 100")]
pub struct NoPercentage(String);

impl<'a> RulesInForce<'a> {
    /// Rules from this configuration. If it has no `drop_percent`, this parameter applies.
    ///
    /// # Errors
    ///
    /// The parameter is not a percentage.
    pub fn new(configuration: &'a dyn Configuration, drop_percent: &str) -> Result<Self, NoPercentage> {
        let bp = parse_decimal(drop_percent, 2).ok().and_then(|bp| u32::try_from(bp).ok());
        let drop_bp = bp.filter(|bp| *bp <= 10_000).ok_or_else(|| NoPercentage(drop_percent.to_owned()))?;
        Ok(Self { configuration, drop_bp, known: Mutex::new(None) })
    }

    /// The rules at `now`. If the configuration cannot be read, the last rules stay in use.
    ///
    /// # Errors
    ///
    /// The configuration was never read.
    pub async fn at(&self, now: Time) -> Result<Rules, PortError> {
        let mut known = self.known.lock().await;
        if let Some((read_at, rules)) = &*known
            && now.ms() - read_at.ms() < TTL_MS
        {
            return Ok(rules.clone());
        }
        let read = match (self.configuration.accepted().await, &*known) {
            (Ok(files), _) => self.parse(files.as_ref()),
            (Err(error), None) => return Err(error),
            (Err(error), Some((_, rules))) => {
                tracing::warn!(error = with_causes(&error), kind = error.kind().as_str(), "the last rules stay in use");
                rules.clone()
            }
        };
        *known = Some((now, read.clone()));
        Ok(read)
    }

    /// The planner accepted this configuration. A mistake means that an older program did, with rules that this one
    /// cannot read.
    fn parse(&self, files: Option<&ConfigFiles>) -> Rules {
        let text = files.and_then(|files| files.files.get(MAIN_FILE)).map(String::as_str).unwrap_or_default();
        let settings = parse_alerts(text, MAIN_FILE, self.drop_bp).unwrap_or_else(|mistakes| {
            tracing::error!(%mistakes, "the rules of the stack's parameters apply");
            AlertSettings::of_drop(self.drop_bp)
        });
        settings.rules
    }
}
