/// What becomes of what this function stores, as its environment tells.
///
/// | variable | |
/// | --- | --- |
/// | `STOOP_DELIVERY_STREAM` | the lake's delivery stream: needed, but by a quiet function, which may not have it |
/// | `STOOP_QUIET` | `true` where another function feeds the lake and tells of changes |
///
/// A function that is to feed the lake and does not know the delivery stream would lose observations for good, so that the
/// want of that variable alone makes none quiet: it must be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It stores the state, feeds the lake, and is heard by the alerts function.
    Full {
        /// The name of the delivery stream into the lake.
        delivery_stream: String,
    },
    /// It computes a state beside that of another function, and neither feeds the lake nor is heard.
    Quiet,
}

/// Variables that make no sense together, or one that is none of the values it takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDuty {
    /// A switch that is neither on nor off.
    #[error("STOOP_QUIET is {0:?}; accepted: true, false, or nothing, which is false")]
    NoSwitch(String),
    /// No lake, and nobody said that there is to be none.
    #[error(
        "the environment has no variable STOOP_DELIVERY_STREAM; accepted: the name of the lake's delivery stream, \
         or STOOP_QUIET=true, where another function feeds the lake"
    )]
    NoLake,
    /// A lake that would not be fed.
    #[error(
        "STOOP_QUIET is true and STOOP_DELIVERY_STREAM is {0:?}; accepted: one of them, as who is quiet feeds no lake"
    )]
    QuietLake(String),
}

impl Duty {
    /// What these variables say.
    ///
    /// # Errors
    /// When one has a value that it does not take, or they contradict each other.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, NoDuty> {
        let quiet = match variable("STOOP_QUIET").as_deref() {
            None | Some("" | "false") => false,
            Some("true") => true,
            Some(value) => return Err(NoDuty::NoSwitch(value.to_owned())),
        };
        let delivery_stream = variable("STOOP_DELIVERY_STREAM").filter(|name| !name.is_empty());
        match (quiet, delivery_stream) {
            (true, None) => Ok(Self::Quiet),
            (true, Some(name)) => Err(NoDuty::QuietLake(name)),
            (false, Some(delivery_stream)) => Ok(Self::Full { delivery_stream }),
            (false, None) => Err(NoDuty::NoLake),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duty(variables: &[(&str, &str)]) -> Result<Duty, String> {
        let value = |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned());
        Duty::from_variables(value).map_err(|error| error.to_string())
    }

    const LAKE: (&str, &str) = ("STOOP_DELIVERY_STREAM", "stoop-lake");

    #[test]
    fn who_has_a_lake_feeds_it_and_is_heard() {
        let full = Ok(Duty::Full { delivery_stream: "stoop-lake".into() });
        assert_eq!(duty(&[LAKE]), full);
        for loud in ["", "false"] {
            assert_eq!(duty(&[LAKE, ("STOOP_QUIET", loud)]), full);
        }
    }

    #[test]
    fn who_is_quiet_has_none() {
        assert_eq!(duty(&[("STOOP_QUIET", "true")]), Ok(Duty::Quiet));
        assert_eq!(duty(&[("STOOP_QUIET", "true"), ("STOOP_DELIVERY_STREAM", "")]), Ok(Duty::Quiet));
        let message = "STOOP_QUIET is true and STOOP_DELIVERY_STREAM is \"stoop-lake\"; accepted: one of them, as who is quiet feeds no lake";
        assert_eq!(duty(&[LAKE, ("STOOP_QUIET", "true")]).unwrap_err(), message);
    }

    #[test]
    fn nothing_that_is_missing_makes_a_function_quiet() {
        for lost in [&[][..], &[("STOOP_DELIVERY_STREAM", "")], &[("STOOP_QUIET", "false")]] {
            let why = duty(lost).unwrap_err();
            assert!(why.starts_with("the environment has no variable STOOP_DELIVERY_STREAM"), "{why}");
        }
        for odd in ["yes", "TRUE", "1"] {
            let message = format!("STOOP_QUIET is {odd:?}; accepted: true, false, or nothing, which is false");
            assert_eq!(duty(&[LAKE, ("STOOP_QUIET", odd)]).unwrap_err(), message);
        }
    }
}
