-- The homes of each market and day are as many as the stream counted: `active`.
with counted as (
    select market, day, count(*) as homes from {{ ref('fct_listing_day') }} group by market, day
)
select
    coalesce(counted.market, stream.market) as market,
    coalesce(counted.day, stream.day) as day,
    counted.homes,
    stream.active
from counted
full outer join {{ ref('stg_market_days') }} as stream
    on stream.market = counted.market and stream.day = counted.day
where coalesce(counted.homes, 0) <> coalesce(stream.active, 0)
