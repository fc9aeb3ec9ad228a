/// What this function is for, as its environment tells.
///
/// | variable | |
/// | --- | --- |
/// | `STOOP_DELIVERY_STREAM` | the lake's delivery stream: needed, but by a follower, which may not have it |
/// | `STOOP_FOLLOWS` | `true` for a follower: the lake is fed by another function |
/// | `STOOP_QUIET` | `true` for a follower whose changes nobody is to be told of |
///
/// A function that is to feed the lake and does not know the delivery stream would lose observations for good, so that the
/// want of a variable alone makes no follower: it must be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// The function of a stack: it feeds the lake and is heard.
    Main {
        /// The name of the delivery stream into the lake.
        delivery_stream: String,
    },
    /// A function that computes the state once more, beside that of a stack, from the same stream.
    Follower {
        /// Whether its changes are kept from the alerts function.
        quiet: bool,
    },
}

/// Variables that make no sense together, or one that is none of the values it takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDuty {
    /// A switch that is neither on nor off.
    #[error("{name} is {value:?}; accepted: true, false, or nothing, which is false")]
    NoSwitch {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// The function of a stack without a lake.
    #[error(
        "the environment has no variable STOOP_DELIVERY_STREAM; accepted: the name of the lake's delivery stream, \
         or STOOP_FOLLOWS=true, with which another function feeds the lake"
    )]
    NoLake,
    /// A follower with a lake.
    #[error(
        "STOOP_FOLLOWS is true and STOOP_DELIVERY_STREAM is {0:?}; accepted: one of them, as a follower feeds no lake"
    )]
    TwoLakes(String),
    /// The function of a stack that keeps its alerts to itself.
    #[error("STOOP_QUIET is true and STOOP_FOLLOWS is not; accepted: both, as only a follower may be quiet")]
    QuietMain,
}

impl Duty {
    /// What these variables say.
    ///
    /// # Errors
    /// When one has a value that it does not take, or they contradict each other.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, NoDuty> {
        let switch = |name: &'static str| match variable(name).as_deref() {
            None | Some("" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(value) => Err(NoDuty::NoSwitch { name, value: value.to_owned() }),
        };
        let (follows, quiet) = (switch("STOOP_FOLLOWS")?, switch("STOOP_QUIET")?);
        let delivery_stream = variable("STOOP_DELIVERY_STREAM").filter(|name| !name.is_empty());
        match (follows, delivery_stream) {
            (true, None) => Ok(Self::Follower { quiet }),
            (true, Some(name)) => Err(NoDuty::TwoLakes(name)),
            (false, _) if quiet => Err(NoDuty::QuietMain),
            (false, Some(delivery_stream)) => Ok(Self::Main { delivery_stream }),
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
        let main = Ok(Duty::Main { delivery_stream: "stoop-lake".into() });
        assert_eq!(duty(&[LAKE]), main);
        assert_eq!(duty(&[LAKE, ("STOOP_FOLLOWS", ""), ("STOOP_QUIET", "false")]), main);
    }

    #[test]
    fn a_follower_is_quiet_where_it_is_said() {
        let follows = ("STOOP_FOLLOWS", "true");
        for (quiet, expected) in [("true", true), ("false", false), ("", false)] {
            assert_eq!(duty(&[follows, ("STOOP_QUIET", quiet)]), Ok(Duty::Follower { quiet: expected }));
        }
        assert_eq!(duty(&[follows]), Ok(Duty::Follower { quiet: false }));
    }

    #[test]
    fn nothing_that_is_missing_makes_a_follower() {
        for lost in [&[][..], &[("STOOP_DELIVERY_STREAM", "")], &[("STOOP_FOLLOWS", "false")]] {
            let why = duty(lost).unwrap_err();
            assert!(why.starts_with("the environment has no variable STOOP_DELIVERY_STREAM"), "{why}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused_with_what_would_be_accepted() {
        let refused = |variables: &[(&str, &str)], told: &str| assert_eq!(duty(variables).unwrap_err(), told);
        let told = "STOOP_FOLLOWS is true and STOOP_DELIVERY_STREAM is \"stoop-lake\"; accepted: one of them, as a follower feeds no lake";
        refused(&[LAKE, ("STOOP_FOLLOWS", "true")], told);
        let told = "STOOP_QUIET is true and STOOP_FOLLOWS is not; accepted: both, as only a follower may be quiet";
        refused(&[LAKE, ("STOOP_QUIET", "true")], told);
        let told = "STOOP_QUIET is \"yes\"; accepted: true, false, or nothing, which is false";
        refused(&[("STOOP_FOLLOWS", "true"), ("STOOP_QUIET", "yes")], told);
        let told = "STOOP_FOLLOWS is \"TRUE\"; accepted: true, false, or nothing, which is false";
        refused(&[LAKE, ("STOOP_FOLLOWS", "TRUE")], told);
    }
}
