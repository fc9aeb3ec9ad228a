-- The intervals of each home, computed anew from its observations alone. It shares no code with the program, so that a test
-- can compare both; it also says which observation began each interval. docs/METRICS.md, Intervals, has the rules. A home with more
-- than 64 states in a day, or 4,096 in all, is overfull and has no interval.
{{ config(materialized='table') }}
with sightings as (
    select
        *,
        -- What figures depend on, in the order in which the program compares it.
        row(market, status, list_price, original_list_price, close_price, close_date, property_type, bedrooms,
            living_area, living_area_unit) as facts,
        cast(first_key as date) as utc_day
    from {{ ref('stg_observations') }}
    where market is not null
),
states as (
    select listing_id, utc_day, count(distinct facts) as of_day from sightings group by listing_id, utc_day
),
overfull as (
    select listing_id from states group by listing_id having max(of_day) > 64 or sum(of_day) > 4096
),
ranked as (
    -- A day keeps the first and the last sighting of each state.
    select
        *,
        row_number() over (
            partition by listing_id, utc_day, facts
            order by first_key, second_key, seq, versioned, initial, observation_id
        ) as from_first,
        row_number() over (
            partition by listing_id, utc_day, facts
            order by first_key desc, second_key desc, seq desc, versioned desc, initial desc, observation_id desc
        ) as from_last
    from sightings
    where listing_id not in (select listing_id from overfull)
),
numbered as (
    select
        *,
        row_number() over (
            partition by listing_id
            order by first_key, second_key, seq, versioned, initial, facts, observation_id
        ) as sighting_no
    from ranked
    where from_first = 1 or from_last = 1
),
compared as (
    select
        *,
        lag(seen_at) over home as seen_before,
        lag(facts) over home as facts_before,
        last_value(watch) over (
            home rows between unbounded preceding and unbounded following
        ) as last_watch
    from numbered
    window home as (partition by listing_id order by sighting_no)
),
dated as (
    -- The time of the source counts where it is possible: after the last sighting before this one.
    select
        *,
        max(case
            when sighting_no = 1 then case when initial then seen_at else least(observed_at, seen_at) end
            when versioned or seen_before >= seen_at or observed_at > seen_before then least(observed_at, seen_at)
            else seen_at
        end) over (partition by listing_id order by sighting_no) as began_at
    from compared
),
runs_of_facts as (
    select
        *,
        count(case when sighting_no = 1 or facts is distinct from facts_before then 1 end)
            over (partition by listing_id order by sighting_no) as run_no
    from dated
),
seen_until as (
    -- A home that is polled without proof of absence expires 30 whole UTC days after its last sighting.
    select
        *,
        max(greatest(seen_at, began_at)) over so_far as confirmed_at,
        max(greatest(seen_at, began_at)) over before as confirmed_before,
        last_watch = 'repeated' and status in ('Active', 'ActiveUnderContract', 'Pending') as can_expire
    from runs_of_facts
    window
        so_far as (partition by listing_id, run_no order by sighting_no),
        before as (
            partition by listing_id, run_no order by sighting_no rows between unbounded preceding and 1 preceding
        )
),
marked as (
    select
        *,
        confirmed_before is null
        or (can_expire and began_at >= date_trunc('day', confirmed_before) + interval 31 day) as begins_interval
    from seen_until
),
intervals as (
    select
        *,
        count(case when begins_interval then 1 end) over (partition by listing_id order by sighting_no) as interval_no
    from marked
),
grouped as (
    select
        listing_id,
        cast(interval_no as integer) as interval_no,
        min(began_at) as valid_from,
        max(confirmed_at) as confirmed_at,
        bool_or(can_expire) as can_expire,
        any_value(market) as market,
        any_value(area) as area,
        any_value(status) as status,
        any_value(list_price) as list_price,
        any_value(original_list_price) as original_list_price,
        any_value(close_price) as close_price,
        any_value(close_date) as close_date,
        any_value(property_type) as property_type,
        any_value(bedrooms) as bedrooms,
        any_value(living_area_m2) as living_area_m2,
        arg_max(agency, sighting_no) as agency,
        arg_min(observation_id, sighting_no) as first_observation_id,
        arg_min(seen_at, sighting_no) as first_seen_at,
        arg_min(ingested_from, sighting_no) as first_ingested_from
    from intervals
    group by listing_id, interval_no
),
followed as (
    select
        *,
        lead(valid_from) over (partition by listing_id order by interval_no) as next_from,
        case when can_expire then date_trunc('day', confirmed_at) + interval 31 day end as expires_at
    from grouped
)
select
    listing_id,
    interval_no,
    valid_from,
    least(next_from, expires_at) as valid_to,
    least(confirmed_at, coalesce(next_from, confirmed_at)) as last_confirmed_at,
    market,
    area,
    status,
    status = 'Active' as is_active,
    list_price,
    original_list_price,
    close_price,
    close_date,
    property_type,
    bedrooms,
    living_area_m2,
    agency,
    first_observation_id,
    first_seen_at,
    first_ingested_from
from followed
