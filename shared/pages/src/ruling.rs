//! The addresses of rulings on two listings, which buttons on the page of a home have.

use stoop_domain::HomeId;
use stoop_identity::PairRuling;

/// The last part of such an address.
pub(crate) const SAME: &str = "same";
pub(crate) const DIFFERENT: &str = "different";

/// The home and the ruling of a path `/homes/ID/same` or `/homes/ID/different`.
pub(crate) fn rules_on_pair(path: &str) -> Option<(HomeId, PairRuling)> {
    let (home, word) = path.strip_prefix("/homes/")?.rsplit_once('/')?;
    let ruling = match word {
        SAME => PairRuling::OneHome,
        DIFFERENT => PairRuling::TwoHomes,
        _ => return None,
    };
    let home = percent_encoding::percent_decode_str(home).decode_utf8().ok()?;
    Some((HomeId(home.as_ref().into()), ruling))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_ruling_names_the_home() {
        let home = |id: &str| HomeId(id.into());
        assert_eq!(rules_on_pair("/homes/a/1/same"), Some((home("a/1"), PairRuling::OneHome)));
        assert_eq!(rules_on_pair("/homes/kc/1%3Fa%23b/different"), Some((home("kc/1?a#b"), PairRuling::TwoHomes)));
        for path in ["/homes/a/1", "/homes/same", "/alerts/1/same", "/homes/a/%FF/same"] {
            assert_eq!(rules_on_pair(path), None, "{path}");
        }
    }
}
