//! `docs/openapi.json` has the fields of a home. `UPDATE_DOCS=1` writes them.

use stoop_domain::{HOME_FIELDS, HomeField, HomeKind};

use crate::documents::check;

fn member(field: &HomeField) -> String {
    let kind = match field.kind {
        HomeKind::PropertyType => "string",
        HomeKind::Count | HomeKind::Year => "integer",
        HomeKind::Hundredths | HomeKind::Area | HomeKind::Fee => "number",
        HomeKind::Flag => "boolean",
    };
    let unit = match field.kind {
        HomeKind::Area => ", in area_unit",
        HomeKind::Fee => ", per month",
        _ => "",
    };
    let HomeField { name, meaning, .. } = field;
    format!("          \"{name}\": {{\"type\": [\"{kind}\", \"null\"], \"description\": \"{meaning}{unit}.\"}},\n")
}

#[test]
fn the_api_document_has_every_field_of_a_home() {
    let required: String = HOME_FIELDS.iter().map(|field| format!("          \"{}\",\n", field.name)).collect();
    check("openapi.json", "          \"last_change\",\n", "          \"area_unit\",\n", &required);
    let before = "\"anyOf\": [{\"$ref\": \"#/components/schemas/PriceChange\"}, {\"type\": \"null\"}]\n          },\n";
    let members: String = HOME_FIELDS.iter().map(member).collect();
    check("openapi.json", before, "          \"area_unit\": {", &members);
}
