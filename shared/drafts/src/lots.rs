//! One column of areas for homes and land: what its value is in a row of land.

use super::guess::{Chosen, Guess, quoted, shown};
use super::sample::Sample;

/// Words of a column that is the area of a building whatever the row is.
const OF_BUILDINGS: &[&str] = &[
    "living",
    "built",
    "habitable",
    "wohnflache",
    "construida",
    "util",
    "carpet",
    "indoor",
    "interior",
    "usable",
    "floor",
];

/// Takes rows of land out of the living area; they are the lot's area, if no other column has it.
pub(super) fn settle(sample: &Sample, chosen: &mut Chosen) {
    let sure = |field: &str| chosen.sure.iter().find(|guess| guess.field == field);
    let (Some(kind), Some(area)) = (sure("property_type"), sure("living_area")) else { return };
    let ([types], Some(lookup), [name]) = (&kind.columns[..], &kind.lookup, &area.columns[..]) else { return };
    let lands: Vec<&String> = lookup
        .entries
        .iter()
        .filter(|(_, meaning, count)| *meaning == Some("Land") && *count > 0)
        .map(|(text, ..)| text)
        .collect();
    let column = |name: &String| sample.columns.iter().find(|column| column.name == *name);
    let (Some(areas), Some(kinds)) = (column(name), column(types)) else { return };
    let rows = areas.cells.iter().zip(&kinds.cells).filter(|(area, kind)| {
        area.text().is_some() && kind.text().is_some_and(|text| lands.iter().any(|land| *land == text))
    });
    let rows = rows.count();
    if rows == 0 || areas.words.have(OF_BUILDINGS) || area.keys.iter().any(|(key, _)| *key == "only") {
        return;
    }
    let texts = lands.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let only = |key: &str| ("only", format!("{{ from = {}, {key} = [{texts}] }}", quoted(types)));
    let mut lot = Guess { field: "lot_area", ..area.clone() };
    lot.keys.push(only("is"));
    lot.why = format!("In {rows} rows of land {} is the area of the lot.", shown(name));
    let (has_lot, of_homes) = (sure("lot_area").is_some(), only("not"));
    if let Some(area) = chosen.sure.iter_mut().find(|guess| guess.field == "living_area") {
        area.keys.push(of_homes);
    }
    if !has_lot {
        chosen.unsure.retain(|guess| guess.field != "lot_area");
        chosen.sure.push(lot);
    }
}
