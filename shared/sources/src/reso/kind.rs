use stoop_domain::{PropertyType, Purpose};

/// Returns the purpose of a `PropertyType`: rent for `ResidentialLease`, `Commercial Lease`, and `Residential Rental`
/// of systems older than the Data Dictionary.
pub(crate) fn purpose(property_type: &str) -> Purpose {
    let name = plain(property_type);
    if name.ends_with("lease") || name.ends_with("rental") { Purpose::Rent } else { Purpose::Sale }
}

/// Returns the property type from `PropertySubType` if it is specific enough, otherwise from `PropertyType`.
pub(crate) fn property_type(property_type: &str, sub_type: Option<&str>) -> Option<PropertyType> {
    use PropertyType as P;
    let by_sub_type = sub_type.map(|sub_type| match plain(sub_type).as_str() {
        "apartment" => P::Apartment,
        "condominium" | "condo" | "stockcooperative" | "ownyourown" | "tenancyincommon" => P::Condominium,
        "townhouse" => P::Townhouse,
        "singlefamilyresidence" | "singlefamily" | "cabin" => P::SingleFamilyResidence,
        "duplex" | "triplex" | "quadruplex" | "multifamily" => P::MultiFamily,
        "manufacturedhome" | "manufacturedonland" | "mobilehome" => P::ManufacturedHome,
        "unimprovedland" => P::Land,
        "farm" | "ranch" | "agriculture" => P::Farm,
        "business" | "hotelmotel" | "industrial" | "mixeduse" | "office" | "retail" | "warehouse"
        | "mobilehomepark" => P::Commercial,
        // Boat slips, parking spaces and timeshares are not homes.
        _ => P::Other,
    });
    let by_type = match plain(property_type).as_str() {
        "land" => Some(P::Land),
        "farm" => Some(P::Farm),
        "commercialsale" | "commerciallease" | "businessopportunity" => Some(P::Commercial),
        "residentialincome" => Some(P::MultiFamily),
        "manufacturedinpark" => Some(P::ManufacturedHome),
        _ => None,
    };
    match by_sub_type {
        Some(P::Other) | None => by_type.or(by_sub_type),
        known => known,
    }
}

/// Returns a `FeeFrequency` as times per months. Bi-monthly means every two months, since twice a month is
/// semi-monthly.
pub(super) fn frequency(name: &str) -> Option<(i64, i64)> {
    Some(match plain(name).as_str() {
        "daily" => (365, 12),
        "weekly" => (52, 12),
        "biweekly" => (26, 12),
        "semimonthly" => (2, 1),
        "monthly" => (1, 1),
        "bimonthly" => (1, 2),
        "quarterly" => (1, 3),
        "semiannually" => (1, 6),
        "annually" => (1, 12),
        // One-time, seasonal or local frequencies.
        _ => return None,
    })
}

/// Removes spaces: lookup values come as `ActiveUnderContract` or as `Active Under Contract`.
pub(super) fn plain(lookup: &str) -> String {
    lookup.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_reported_from_sales_in_both_spellings() {
        for lease in ["ResidentialLease", "Residential Lease", "CommercialLease", "Commercial Lease"] {
            assert_eq!(purpose(lease), Purpose::Rent, "{lease}");
        }
        for sale in ["Residential", "Land", "Commercial Sale", "ResidentialIncome", "Manufactured In Park"] {
            assert_eq!(purpose(sale), Purpose::Sale, "{sale}");
        }
    }

    #[test]
    fn the_sub_type_decides_where_it_says_enough() {
        use PropertyType as P;
        for (of, sub_type, want) in [
            ("Residential", Some("Single Family Residence"), Some(P::SingleFamilyResidence)),
            ("Residential", Some("SingleFamilyResidence"), Some(P::SingleFamilyResidence)),
            ("ResidentialLease", Some("Condominium"), Some(P::Condominium)),
            ("CommercialSale", Some("Hotel/Motel"), Some(P::Commercial)),
            ("Land", None, Some(P::Land)),
            ("Land", Some("Lots"), Some(P::Land)),
            ("ResidentialIncome", None, Some(P::MultiFamily)),
            ("Residential", Some("Boat Slip"), Some(P::Other)),
            ("Residential", None, None),
        ] {
            assert_eq!(property_type(of, sub_type), want, "{of} {sub_type:?}");
        }
    }
}
