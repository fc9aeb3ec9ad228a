-- One row for each market, with its time zone and the days of its figures. A table: every count of days needs it.
{{ config(materialized='table') }}
with zones as (
    -- A zone of an older gazetteer stays in older rows.
    select market, arg_max(zone, ingested_at) as zone
    from {{ source('lake', 'observations') }}
    where market is not null
    group by market
),
days as (
    -- Which days the stream has figures for is all that the star schema takes from market_days.
    select market, min(day) as first_day, max(day) as last_day
    from {{ source('lake', 'market_days') }}
    group by market
)
select
    zones.market,
    split_part(zones.market, ':', 1) as area,
    split_part(zones.market, ':', 2) as purpose,
    split_part(zones.market, ':', 3) as currency,
    zones.zone,
    days.first_day,
    days.last_day
from zones
left join days on days.market = zones.market
