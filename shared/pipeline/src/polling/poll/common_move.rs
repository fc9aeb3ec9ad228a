//! Prices that move alike: many listings of a search rise or fall by the same share within a scan. Portals do so when they
//! change a unit, a currency or a tax, or by mistake. Such moves are held back until later scans show them too.

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::Time;

use super::change::{Cause, OutgoingObservation};
use super::index::Index;
use super::polled::Polled;
use crate::error_code::ErrorCode;
use crate::ports::{PortError, SearchState};
use crate::search::held_move::HeldMove;

/// So many listings may always move by one share.
const ALIKE_MAX: u64 = 20;

/// In a larger search, this part of its listings may.
const ALIKE_PART: u64 = 20;

/// How the prices of a scan move.
#[derive(Debug, Default)]
pub(super) struct CommonMoves {
    /// The number of listings that moved, by the share in thousandths.
    moved: BTreeMap<i64, u64>,
    held: BTreeSet<i64>,
    confirmed: BTreeSet<i64>,
}

impl CommonMoves {
    /// Takes changes out of those of a page, if they are part of a common move that is not confirmed. Their listings count as
    /// seen, and keep their prices.
    pub(super) fn hold_back(
        &mut self,
        changes: &mut Vec<OutgoingObservation>,
        scan: Time,
        index: &mut Index<'_>,
        polled: &mut Polled,
    ) {
        let mut on_page: BTreeMap<i64, u64> = BTreeMap::new();
        for permille in changes.iter().filter_map(|change| permille(change, index)) {
            *on_page.entry(permille).or_default() += 1;
        }
        let alike_max = ALIKE_MAX.max(index.len() as u64 / ALIKE_PART);
        for (permille, listings) in on_page {
            let moved = self.moved.entry(permille).or_default();
            *moved += listings;
            let is_known = index.state.held_moves.iter().any(|held| held.permille == permille);
            let moved = *moved;
            if (is_known || moved > alike_max) && !self.confirmed.contains(&permille) && self.held.insert(permille) {
                self.judge(permille, moved, scan, index, polled);
            }
        }
        let (held, confirmed) = (&self.held, &self.confirmed);
        let is_held = |permille: i64| held.contains(&permille) && !confirmed.contains(&permille);
        for change in changes.extract_if(.., |change| permille(change, index).is_some_and(is_held)).collect::<Vec<_>>()
        {
            index.saw(&change.observation.native_id, scan);
            polled.prices_held += 1;
        }
    }

    /// Holds a move of at least so many listings back, or confirms it.
    fn judge(&mut self, permille: i64, listings: u64, scan: Time, index: &mut Index<'_>, polled: &mut Polled) {
        let known = index.state.held_moves.iter_mut().find(|held| held.permille == permille);
        match known {
            Some(held) => {
                if held.see(scan) {
                    self.confirmed.insert(permille);
                }
            }
            None => {
                index.state.held_moves.push(HeldMove::new(permille, scan));
                let report = report(&HeldMove::new(permille, scan), listings);
                tracing::warn!(search = index.search(), permille, code = %ErrorCode::MovesHeld, "{report}");
                polled.held_moves.push(report);
            }
        }
    }
}

/// Applies a person's ruling to the moves that are held back, before a scan begins.
pub(super) async fn do_as_ruled(index: &mut Index<'_>, polled: &mut Polled) -> Result<(), PortError> {
    if index.state.held_moves.is_empty() {
        return Ok(());
    }
    let Some(ruling) = index.ruling(polled).await? else { return Ok(()) };
    for held in &mut index.state.held_moves {
        if held.rule(ruling) {
            polled.rulings.push(format!("{ruling}: prices {}", held.change()));
        }
    }
    Ok(())
}

/// The pages of a scan end, perhaps in a later run than they began: what it confirmed is held no longer. Nor is, if it has seen
/// `everything`, what it did not see.
pub(super) fn end(scan: Time, everything: bool, state: &mut SearchState, polled: &mut Polled) {
    state.held_moves.retain(|held| {
        let is_over = everything && held.scan != scan;
        if is_over {
            polled
                .held_moves
                .push(format!("no prices are {} any more: what was held back was not published", held.change()));
        }
        !is_over && !held.is_confirmed
    });
}

/// Whether this scan holds something back, so that the next one has to ask for the same listings.
pub(super) fn holds_some(scan: Time, state: &SearchState) -> bool {
    state.held_moves.iter().any(|held| held.scan == scan && !held.is_confirmed)
}

/// By how much a change moves a price that the index has, in thousandths; `None` if it moves none, or the status changes too.
fn permille(change: &OutgoingObservation, index: &Index<'_>) -> Option<i64> {
    if change.cause != Cause::Row || change.new {
        return None;
    }
    let (before, now) = (&index.get(&change.observation.native_id)?.listing, &change.observation.listing);
    let prices = before.list_price.zip(now.list_price).filter(|(before, now)| before != now && before.0 > 0);
    let is_alike = before.status == now.status && before.currency == now.currency;
    let (before, now) = prices.filter(|_| is_alike)?;
    let twice = 2 * i128::from(before.0);
    // To the nearest, because prices are rounded.
    let share = (i128::from(now.0 - before.0) * 2_000 + i128::from(before.0)).div_euclid(twice);
    i64::try_from(share).ok().filter(|share| *share != 0)
}

fn report(held: &HeldMove, listings: u64) -> String {
    format!("{listings} prices or more are {} in one scan: held back until later scans show it too", held.change())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_told_in_words() {
        let held = |permille| HeldMove::new(permille, Time::default());
        assert!(report(&held(-200), 200).starts_with("200 prices or more are lower by 20.0 % in one scan: "));
        assert_eq!(held(19).change(), "higher by 1.9 %");
    }
}
