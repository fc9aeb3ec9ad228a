use stoop_market::Flows;
use stoop_serve::FiguresView;

use super::number;
use crate::show::{Column, Table, UNKNOWN};

/// Entries, exits and other events; rare ones only if there were any.
pub(super) fn flows(figures: &FiguresView) -> Table {
    let windows = [
        ("24 hours", figures.last_24_hours.as_ref()),
        ("7 days", Some(&figures.last_7_days.flows)),
        ("28 days", Some(&figures.last_28_days.flows)),
        ("90 days", Some(&figures.last_90_days.flows)),
    ];
    type Count = fn(&Flows) -> i64;
    let counts: [(&str, bool, Count); 13] = [
        ("initial", true, |flows| flows.initial),
        ("new", false, |flows| flows.new),
        ("relisted", true, |flows| flows.relisted),
        ("back", false, |flows| flows.back_on_market),
        ("moved in", true, |flows| flows.moved_in),
        ("pending", false, |flows| flows.pending),
        ("closed", true, |flows| flows.closed),
        ("gone", false, |flows| flows.gone),
        ("moved out", true, |flows| flows.moved_out),
        ("expired", true, |flows| flows.expired),
        ("cuts", false, |flows| flows.price_cuts),
        ("rises", false, |flows| flows.price_rises),
        ("sold", false, |flows| flows.sold),
    ];
    let shown = |(_, is_rare, count): &&(&str, bool, Count)| {
        !is_rare || windows.iter().any(|(_, flows)| flows.is_some_and(|flows| count(flows) != 0))
    };
    let shown: Vec<_> = counts.iter().filter(shown).collect();
    let names = shown.iter().map(|(name, ..)| Column::right(*name));
    let mut table = Table::new([Column::left("in the last")].into_iter().chain(names));
    for (window, flows) in windows {
        let cells = shown.iter().map(|(.., count)| flows.map_or_else(|| UNKNOWN.into(), |flows| number(count(flows))));
        table.row([window.into()].into_iter().chain(cells));
    }
    table
}
