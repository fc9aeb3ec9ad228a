-- One row for each interval of a home, as the program resolved it, with the civil days of its ends.
select
    history.listing_id,
    split_part(history.listing_id, '/', 1) as source,
    history.interval_no,
    history.listing_id || '#' || history.interval_no as home_key,
    history.valid_from,
    history.valid_to,
    {{ civil_day('history.valid_from', 'markets.zone') }} as valid_from_day,
    {{ civil_day('history.valid_to', 'markets.zone') }} as valid_to_day,
    history.last_confirmed_at,
    history.status,
    history.is_active,
    history.list_price,
    history.price_is_doubtful,
    history.currency,
    history.purpose,
    history.market,
    history.area,
    markets.zone,
    history.property_type,
    history.bedrooms,
    history.living_area_m2
from {{ source('lake', 'listing_history') }} as history
left join {{ ref('stg_markets') }} as markets on markets.market = history.market
