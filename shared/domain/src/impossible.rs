//! Values that no home can have.

use crate::listing::Listing;
use crate::money::Minor;
use crate::price_bounds::price_bounds;
use crate::reject::{Reason, RefusedValue};

impl Listing {
    /// Takes out prices and coordinates that no home can have, and returns them. Asking prices have a minimum and a
    /// maximum. Original and closing prices have a maximum only: the first is not a current price, and a deed may name a
    /// token sum of a dollar.
    #[must_use]
    pub fn take_out_impossible(&mut self) -> Vec<RefusedValue> {
        let (purpose, currency) = (self.purpose, self.currency);
        let bounds = price_bounds(currency, purpose);
        let mut refused = Vec::new();
        let prices = [
            ("list_price", &mut self.list_price, *bounds.start()),
            ("original_list_price", &mut self.original_list_price, Minor(1)),
            ("close_price", &mut self.close_price, Minor(1)),
        ];
        for (name, known, least) in prices {
            let Some(price) = *known else { continue };
            let of =
                |bound: &str, limit: Minor| format!(", at {bound} {} for {} in {currency}", limit.0, purpose.as_str());
            let (reason, why) = match price.0 {
                ..=0 => (Reason::PriceNotPositive, String::new()),
                _ if price < least => (Reason::PriceAbsurd, of("least", least)),
                _ if price > *bounds.end() => (Reason::PriceAbsurd, of("most", *bounds.end())),
                _ => continue,
            };
            *known = None;
            refused.push(RefusedValue { reason, detail: format!("{name} is {} minor units{why}", price.0) });
        }
        let address = &mut self.address;
        let in_range = |degrees: Option<i32>, limit: i32| degrees.is_none_or(|d| (-limit..=limit).contains(&d));
        if !in_range(address.latitude_e6, 90_000_000) || !in_range(address.longitude_e6, 180_000_000) {
            let show = |e6: Option<i32>| e6.map_or("none".to_owned(), |e6| format!("{}", f64::from(e6) / 1e6));
            let (latitude, longitude) = (address.latitude_e6.take(), address.longitude_e6.take());
            let detail = format!("coordinates are latitude {}, longitude {}", show(latitude), show(longitude));
            refused.push(RefusedValue { reason: Reason::CoordinatesOutOfRange, detail });
        }
        refused
    }
}
