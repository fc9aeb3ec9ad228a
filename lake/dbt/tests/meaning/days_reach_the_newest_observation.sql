-- The days of a market do not end before its homes were last seen.
with seen as (
    select market, max(last_confirmed_at) as seen_at from {{ ref('stg_listing_history') }} group by market
)
select markets.market, markets.last_day, seen.seen_at
from {{ ref('stg_markets') }} as markets
inner join seen on seen.market = markets.market
where markets.last_day < {{ civil_day('seen.seen_at', 'markets.zone') }}
