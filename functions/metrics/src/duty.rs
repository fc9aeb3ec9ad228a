/// Where this function's results go, from its environment.
///
/// | variable | |
/// | --- | --- |
/// | `STOOP_DELIVERY_STREAM` | the lake's delivery stream; required, except for a quiet function, which must not have it |
/// | `STOOP_QUIET` | `true` if another function feeds the lake and reports changes |
///
/// A function that should feed the lake but lacks the delivery stream would lose observations for good. So a missing
/// variable does not make a function quiet; `STOOP_QUIET` must be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It stores the state and feeds the lake, and the alerts function follows its changes.
    Full {
        /// The name of the delivery stream into the lake.
        delivery_stream: String,
    },
    /// It computes a second state next to that of another function. It does not feed the lake, and nothing follows its
    /// changes.
    Quiet,
}

/// Variables that contradict each other or have an invalid value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDuty {
    /// Neither on nor off.
    #[error("STOOP_QUIET is {0:?}; accepted: true, false, or nothing, which is false")]
    NoSwitch(String),
    /// No lake, and the function is not quiet.
    #[error(
        "the environment has no variable STOOP_DELIVERY_STREAM; accepted: the name of the lake's delivery stream, \
         or STOOP_QUIET=true if another function feeds the lake"
    )]
    NoLake,
    /// A quiet function with a lake.
    #[error(
        "STOOP_QUIET is true and STOOP_DELIVERY_STREAM is {0:?}; accepted: one of them, as a quiet function does not feed the lake"
    )]
    QuietLake(String),
}

impl Duty {
    /// Reads the variables.
    ///
    /// # Errors
    ///
    /// A value is invalid, or the variables contradict each other.
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
    fn a_function_with_a_lake_feeds_it() {
        let full = Ok(Duty::Full { delivery_stream: "stoop-lake".into() });
        assert_eq!(duty(&[LAKE]), full);
        for loud in ["", "false"] {
            assert_eq!(duty(&[LAKE, ("STOOP_QUIET", loud)]), full);
        }
    }

    #[test]
    fn a_quiet_function_has_no_lake() {
        assert_eq!(duty(&[("STOOP_QUIET", "true")]), Ok(Duty::Quiet));
        assert_eq!(duty(&[("STOOP_QUIET", "true"), ("STOOP_DELIVERY_STREAM", "")]), Ok(Duty::Quiet));
        let message = "STOOP_QUIET is true and STOOP_DELIVERY_STREAM is \"stoop-lake\"; accepted: one of them, as a quiet function does not feed the lake";
        assert_eq!(duty(&[LAKE, ("STOOP_QUIET", "true")]).unwrap_err(), message);
    }

    #[test]
    fn missing_variables_do_not_make_a_function_quiet() {
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
