//! Listings that an HTML page describes for search engines: nodes of schema.org in JSON-LD.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Types of nodes that are listings or homes.
const TYPES: [&str; 16] = [
    "RealEstateListing",
    "Offer",
    "OfferForPurchase",
    "OfferForLease",
    "Product",
    "Residence",
    "Accommodation",
    "Apartment",
    "ApartmentComplex",
    "GatedResidenceCommunity",
    "House",
    "SingleFamilyResidence",
    "Townhouse",
    "Room",
    "Suite",
    "IndividualProduct",
];

/// Keys under which a page, list or graph has other nodes.
const AROUND: [&str; 6] = ["@graph", "itemListElement", "item", "mainEntity", "mainEntityOfPage", "about"];

/// How deep nodes are looked for, and references followed.
const DEPTH_MAX: usize = 8;
/// The most listings of a page, and the most bytes of references that are filled in.
const LISTINGS_MAX: usize = 10_000;
const FILLED_MAX: usize = 100_000;

/// Listings of an HTML page, each as one JSON object, and what is wrong with scripts that cannot be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageListings {
    /// In the order of the page. Nodes with one `url` or `@id` are joined; references by `@id` are filled in; a list with
    /// one offer is that offer.
    pub listings: Vec<Value>,
    /// One message for each JSON-LD script that is no JSON.
    pub faults: Vec<String>,
}

/// Reads the JSON-LD of an HTML page. A page without it has no listings.
#[must_use]
pub fn page_listings(html: &str) -> PageListings {
    let mut found = PageListings::default();
    let mut documents = Vec::new();
    for script in scripts(html) {
        let text = script.trim().trim_end_matches(';').trim();
        let text = text.strip_prefix("<!--").and_then(|text| text.strip_suffix("-->")).unwrap_or(text);
        let text = text.trim().trim_start_matches("//").trim_start();
        let text = text
            .strip_prefix("<![CDATA[")
            .map_or(text, |text| text.trim_end().trim_end_matches("]]>").trim_end().trim_end_matches("//"));
        match serde_json::from_str::<Value>(text.trim()) {
            Ok(document) => documents.push(document),
            Err(error) => found.faults.push(format!("a script with JSON-LD is no JSON: {error}")),
        }
    }
    let mut by_id = BTreeMap::new();
    documents.iter().for_each(|document| collect_ids(document, &mut by_id, 0));
    let mut nodes = Vec::new();
    documents.iter().for_each(|document| collect(document, &mut nodes, 0));
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut filled_left = FILLED_MAX;
    for node in nodes.into_iter().take(LISTINGS_MAX) {
        let Value::Object(listing) = filled(node, &by_id, 0, &mut filled_left) else { continue };
        let keys: Vec<String> =
            ["url", "@id"].iter().filter_map(|key| listing.get(*key)?.as_str()).map(str::to_owned).collect();
        match keys.iter().find_map(|key| places.get(key)) {
            Some(place) => {
                if let Some(Value::Object(known)) = found.listings.get_mut(*place) {
                    for (key, value) in listing {
                        known.entry(key).or_insert(value);
                    }
                }
            }
            None => {
                places.extend(keys.into_iter().map(|key| (key, found.listings.len())));
                found.listings.push(Value::Object(listing));
            }
        }
    }
    found
}

/// The contents of scripts of type `application/ld+json`.
fn scripts(html: &str) -> impl Iterator<Item = &str> {
    let lower = html.to_ascii_lowercase();
    let mut at = 0;
    let mut found = Vec::new();
    while let Some(begin) = lower[at..].find("<script").map(|begin| at + begin) {
        let Some(open) = lower[begin..].find('>').map(|open| begin + open) else { break };
        let Some(end) = lower[open..].find("</script").map(|end| open + end) else { break };
        if lower[begin..open].contains("ld+json") {
            found.push(&html[open + 1..end]);
        }
        at = end;
    }
    found.into_iter()
}

fn is_listing(node: &Map<String, Value>) -> bool {
    let is_known = |kind: &Value| {
        kind.as_str().is_some_and(|kind| TYPES.contains(&kind.rsplit(['/', ':']).next().unwrap_or_default()))
    };
    match node.get("@type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is_known),
        Some(kind) => is_known(kind),
        None => false,
    }
}

/// The nodes that are listings. What is inside a listing belongs to it.
fn collect<'v>(value: &'v Value, nodes: &mut Vec<&'v Value>, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Array(all) => all.iter().for_each(|value| collect(value, nodes, depth + 1)),
        Value::Object(node) if is_listing(node) => nodes.push(value),
        Value::Object(node) => {
            AROUND.iter().filter_map(|key| node.get(*key)).for_each(|value| collect(value, nodes, depth + 1));
        }
        _ => {}
    }
}

fn collect_ids<'v>(value: &'v Value, by_id: &mut BTreeMap<&'v str, &'v Value>, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Array(all) => all.iter().for_each(|value| collect_ids(value, by_id, depth + 1)),
        Value::Object(node) => {
            if let Some(id) = node.get("@id").and_then(Value::as_str)
                && node.len() > 1
            {
                by_id.entry(id).or_insert(value);
            }
            node.values().for_each(|value| collect_ids(value, by_id, depth + 1));
        }
        _ => {}
    }
}

/// A copy of a node with what its references name. `left` bounds the values that references add.
fn filled(value: &Value, by_id: &BTreeMap<&str, &Value>, depth: usize, left: &mut usize) -> Value {
    match value {
        Value::Object(node) => {
            if let (1, Some(id), true) = (node.len(), node.get("@id").and_then(Value::as_str), depth < DEPTH_MAX)
                && let Some(named) = by_id.get(id)
                && *left > 0
            {
                return filled(named, by_id, depth + 1, left);
            }
            *left = left.saturating_sub(if depth > 0 { node.len() } else { 0 });
            let entries = node.iter().map(|(key, value)| {
                let value = match value {
                    Value::Array(all) if key == "offers" && all.len() == 1 => &all[0],
                    value => value,
                };
                (key.clone(), filled(value, by_id, depth + 1, left))
            });
            Value::Object(entries.collect())
        }
        Value::Array(all) => all.iter().map(|value| filled(value, by_id, depth + 1, left)).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(documents: &[Value]) -> String {
        let scripts = documents.iter().map(|it| format!("<SCRIPT id=x type=\"application/ld+json\">{it}</SCRIPT>"));
        format!("<html><script>var a = {{}};</script>{}</html>", scripts.collect::<String>())
    }

    fn listings(documents: &[Value]) -> Vec<Value> {
        let found = page_listings(&page(documents));
        assert_eq!(found.faults, [""; 0]);
        found.listings
    }

    #[test]
    fn a_listing_is_found_wherever_the_page_puts_it() {
        let home = json!({"@type": "Apartment", "url": "u", "numberOfRooms": 3});
        for around in [
            home.clone(),
            json!([home]),
            json!({"@graph": [{"@type": "WebSite"}, home]}),
            json!({"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": home}]}),
            json!({"@type": "SearchResultsPage", "mainEntity": {"@type": "ItemList", "itemListElement": [home]}}),
        ] {
            assert_eq!(listings(&[json!({"@type": "Organization"}), around]), std::slice::from_ref(&home));
        }
    }

    #[test]
    fn nodes_of_one_home_are_joined_and_references_filled_in() {
        let home = json!({"@type": ["Product", "https://schema.org/House"], "url": "u", "offers": [{"price": 5}]});
        let place = json!({"@type": "SingleFamilyResidence", "url": "u", "address": {"@id": "#a"}});
        let graph = json!({"@graph": [home, place, {"@id": "#a", "streetAddress": "1 Oak St"}]});
        let joined = json!({
            "@type": ["Product", "https://schema.org/House"], "url": "u", "offers": {"price": 5},
            "address": {"@id": "#a", "streetAddress": "1 Oak St"},
        });
        assert_eq!(listings(&[graph]), [joined]);
    }

    #[test]
    fn references_in_circles_end_and_no_json_is_reported() {
        let circle = json!({"@graph": [
            {"@type": "House", "@id": "#a", "b": {"@id": "#b"}}, {"@id": "#b", "a": [{"@id": "#a"}, {"@id": "#a"}]}
        ]});
        assert_eq!(listings(&[circle]).len(), 1);
        let found = page_listings("<script type='application/ld+json'>{\"a\": </script><script type=\"x\">{</script>");
        assert_eq!((found.listings.len(), found.faults.len()), (0, 1));
        assert_eq!(page_listings("<script type=\"application/ld+json\">"), PageListings::default());
        let wrapped = "<script type=\"application/ld+json\">//<![CDATA[\n{\"@type\": \"House\"}\n//]]></script>";
        assert_eq!(page_listings(wrapped).listings.len(), 1);
    }
}
