-- One row for each interval of a home, as the program resolved it, with the civil days of its ends. An interval ends when the
-- next one begins or when it expires, which may lie in the future.
with history as (
    select
        * exclude (valid_to),
        valid_to is null as is_newest,
        expires_at is not null and expires_at <= coalesce(valid_to, expires_at) as expires,
        least(valid_to, expires_at) as valid_to
    from {{ source('lake', 'listing_history') }}
)
select
    history.listing_id,
    split_part(history.listing_id, '/', 1) as source,
    history.interval_no,
    history.listing_id || '#' || history.interval_no as home_key,
    history.valid_from,
    history.valid_to,
    {{ civil_day('history.valid_from', 'markets.zone') }} as valid_from_day,
    {{ civil_day('history.valid_to', 'markets.zone') }} as valid_to_day,
    history.is_newest,
    history.expires,
    history.last_confirmed_at,
    history.status,
    history.is_active,
    history.list_price,
    history.original_list_price,
    history.close_price,
    history.close_date,
    -- With a comma on both sides of each.
    ',' || coalesce(history.event, '') || ',' as events,
    history.doubtful is not null as price_is_doubtful,
    history.currency,
    history.purpose,
    history.market,
    history.area,
    markets.zone,
    history.property_type,
    history.bedrooms,
    history.living_area_m2
from history
left join {{ ref('stg_markets') }} as markets on markets.market = history.market
